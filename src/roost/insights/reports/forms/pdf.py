"""A report as a PDF, which typst lays out from `templates/report.typ`.

The PDF is tagged, and conforms to PDF/UA-1 unless a text has a character that no font has. Each
printed number is a link into the glossary, and the attached file `figures.csv` has the key and the
value of each, in the order of the links.
"""

import csv
import functools
import io
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from roost import escaping
from roost.errors import Broken
from roost.extras import require_extra
from roost.insights.reports.document import (
    Block,
    Chart,
    Document,
    Inline,
    Items,
    Link,
    Logo,
    Paragraph,
    Printed,
    Section,
    Table,
    Text,
    Tile,
    Tiles,
)
from roost.insights.reports.forms.chart_texts import take_texts
from roost.insights.reports.forms.column_widths import measure_columns
from roost.insights.reports.forms.texts import (
    GLOSSARY,
    format_raw,
    list_definition_titles,
    list_printed,
    list_shown_rows,
    one_line,
    open_link,
)

_TEMPLATE: Final = Path(__file__).parents[1] / "templates" / "report.typ"
_FONT_PACKAGES: Final = ("manimgx_fonts", "manimgx_fonts_cjk")
_ACCENT: Final = "#2667a8"
#: The least contrast of text on white that WCAG 2.2 asks for (AA).
_CONTRAST: Final = 4.5
#: The fonts of a script, in the order in which they are searched for a character. The last ones
#: are part of typst, and have mathematical letters and symbols.
_FONTS: Final = (
    "Noto Sans", "Noto Sans Arabic", "Noto Sans Hebrew", "Noto Sans Devanagari",
    "Noto Sans Bengali", "Noto Sans Thai", "Noto Sans Tamil", "Noto Sans Telugu",
    "Noto Sans Gujarati", "Noto Sans Gurmukhi", "Noto Sans Kannada", "Noto Sans Malayalam",
    "Noto Sans Oriya", "Noto Sans Sinhala", "Noto Sans Georgian", "Noto Sans Armenian",
    "Noto Sans Ethiopic", "Noto Sans Khmer", "Noto Sans Lao", "Noto Sans Myanmar",
    "{cjk}", "Noto Emoji", "Noto Sans Symbols", "New Computer Modern Math", "DejaVu Sans Mono",
)  # fmt: skip
_CJK_FONTS: Final = {
    "zh": "Noto Sans CJK SC",
    "ko": "Noto Sans CJK KR",
}
_LOGO_FORMATS: Final = {"image/png": "png", "image/jpeg": "jpg", "image/svg+xml": "svg"}
#: The summary begins below the contents if these have at most this many lines.
_SHORT: Final = 16
#: A table with at most this many rows is not divided between pages.
_KEPT_TOGETHER: Final = 12
#: A part of a long word in which no line can be broken: a break is allowed after each match.
_LONG_WORD: Final = re.compile(r"[!-,.0->@-~]{18}(?=[!-,.0->@-~]{4})")


class ReportNotLaidOut(Broken):
    """Typst could not lay out the PDF of a report."""

    default_next = "Try again. If the layout fails repeatedly, report the message above as a bug."


def render_pdf(document: Document, svgs: Mapping[str, str]) -> bytes:
    """Render a PDF; `svgs` has the drawn charts by their names, and other charts are left out.

    Call this in a thread. Typst does not hold the interpreter's lock.

    Raises: roost.extras.ExtraMissing, ReportNotLaidOut.
    """
    require_extra("pdf", purpose="A report as PDF")
    import typst

    template = _TEMPLATE.read_bytes()
    values = {"document": json.dumps(_Layout(document, svgs).describe())}
    compiler = typst.Compiler(font_paths=_load_fonts(), sys_inputs=values)
    try:
        try:
            content = compiler.compile(template, format="pdf", pdf_standards=["ua-1"])
        except typst.TypstError:
            # PDF/UA-1 requires a glyph for every character. The PDF without it is tagged as well.
            content = compiler.compile(template, format="pdf")
    except typst.TypstError as error:
        # Only the first line of the message is used, as the diagnostic may quote a post.
        raise ReportNotLaidOut(
            f"The layout of the PDF failed: {one_line(error.message.partition('`')[0]).strip()}.",
            did="No PDF was written.",
        ) from None
    assert isinstance(content, bytes)
    return content


@functools.cache
def _load_fonts() -> Any:
    import typst

    folders: list[Path] = []
    for package in _FONT_PACKAGES:
        spec = find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        folders.append(Path(spec.origin).parent)
    return typst.Fonts(include_system_fonts=False, font_paths=folders)


class _Layout:
    """The values of the template, for one document and its charts."""

    def __init__(self, document: Document, svgs: Mapping[str, str]) -> None:
        self._document = document
        self._svgs = svgs
        self._definitions = list_definition_titles(document)

    def describe(self) -> dict[str, Any]:
        """Return everything that the template reads."""
        document = self._document
        language, _, region = document.language.replace("_", "-").partition("-")
        cjk = _CJK_FONTS.get(language, "Noto Sans CJK JP")
        title = one_line(document.title)
        return {
            "title": title,
            "subtitle": one_line(document.subtitle),
            "footer": f"{title} · {one_line(document.subtitle)}",
            "made": one_line(document.made),
            "contents_title": one_line(document.contents_title),
            "cover_note": [
                self._text((each,)) for each in document.brand.cover_note.split("\n\n") if each
            ],
            "lang": language,
            "region": region or None,
            "fonts": [font.format(cjk=cjk) for font in _FONTS],
            "accent": _darken_for_contrast(document.brand.accent or _ACCENT),
            "logo": _describe_logo(document.brand.logo, title),
            "csv": _write_figures(list_printed(document, on_pages=True)),
            "long_contents": sum(1 + len(each.sections) for each in document.sections) > _SHORT,
            "sections": [self._section(each, depth=1) for each in document.sections],
        }

    def _section(self, section: Section, depth: int) -> dict[str, Any]:
        is_large = depth == 1 and (bool(section.sections) or section.name == GLOSSARY)
        described = [self._block(block, section) for block in section.blocks]
        blocks = [block for block in described if block is not None]
        for block, following in pairwise(blocks):
            # A text stays on the page of the table, chart or list that it introduces.
            block["sticky"] = following["kind"] != "paragraph"
        return {
            "name": section.name,
            "title": one_line(section.title),
            "new_page": is_large,
            "blocks": blocks,
            "sections": [self._section(each, depth + 1) for each in section.sections],
        }

    def _block(self, block: Block, section: Section) -> dict[str, Any] | None:
        match block:
            case Paragraph():
                text = self._text(block.text)
                return {"kind": "paragraph", "tone": block.tone, "text": text, "sticky": False}
            case Items():
                texts = [self._text(each) for each in block.items]
                return {"kind": "items", "numbered": block.is_numbered, "items": texts}
            case Tiles():
                return {"kind": "tiles", "tiles": [self._tile(each) for each in block.tiles]}
            case Table(name=name) if name == GLOSSARY:
                return self._glossary(block, section)
            case Table():
                return self._table(block)
            case Chart():
                svg = self._svgs.get(block.name)
                return None if svg is None else _describe_chart(block, svg)

    def _tile(self, tile: Tile) -> dict[str, Any]:
        return {
            "title": one_line(tile.title),
            "figure": self._inline(tile.figure),
            "change": self._text(tile.change),
            "tone": tile.tone,
        }

    def _table(self, table: Table) -> dict[str, Any]:
        rows = list_shown_rows(table)
        widths = measure_columns(table.columns, rows)
        return {
            "kind": "table",
            "caption": one_line(table.caption),
            "omitted": one_line(table.omitted),
            "size": widths.font_size,
            "share": widths.share,
            "in_columns": widths.in_columns,
            "breakable": len(rows) > _KEPT_TOGETHER,
            "columns": [
                {
                    "title": one_line(column.title),
                    "end": column.align == "end",
                    "width": width,
                }
                for column, width in zip(table.columns, widths.widths, strict=True)
            ],
            "rows": [[self._text(cell) for cell in row] for row in rows],
        }

    def _glossary(self, table: Table, section: Section) -> dict[str, Any]:
        names = table.row_names or [f"row-{number}" for number in range(len(table.rows))]
        return {
            "kind": "glossary",
            "caption": one_line(table.caption or section.title),
            "entries": [
                {
                    "name": name,
                    "title": self._text(row[0]),
                    "texts": [self._text(cell) for cell in row[1:] if cell],
                }
                for name, row in zip(names, table.rows, strict=True)
            ],
        }

    def _text(self, text: Text) -> dict[str, Any]:
        items = [self._inline(each) for each in text if not isinstance(each, str) or each]
        return {"rtl": _is_right_to_left(text), "items": items}

    def _inline(self, inline: Inline) -> dict[str, Any]:
        match inline:
            case Printed():
                is_defined = inline.name in self._definitions
                target = f"definition-{inline.name}" if is_defined else "no-definition"
                # Without spaces, a number cannot be divided into two lines.
                text = one_line(inline.text).replace(" ", "\u00a0")
                return {"kind": "figure", "text": text, "to": target}
            case Link() if (url := open_link(inline)) is not None:
                return {"kind": "link", "text": _breakable(inline.text), "url": url}
            case str():
                return {"kind": "text", "text": _breakable(inline)}
            case _:
                return {"kind": "text", "text": _breakable(inline.text)}


def _breakable(text: str) -> str:
    return _LONG_WORD.sub("\\g<0>\u200b", one_line(text))


def _describe_chart(chart: Chart, svg: str) -> dict[str, Any]:
    picture, texts = take_texts(escaping.markup(svg))
    return {
        "kind": "chart",
        "title": one_line(chart.title),
        "alt": one_line(chart.description),
        "svg": picture,
        "texts": [asdict(each) for each in texts],
    }


def _describe_logo(logo: Logo | None, alt: str) -> dict[str, Any] | None:
    if logo is None or logo.mime_type not in _LOGO_FORMATS:
        return None
    return {"content": list(logo.content), "format": _LOGO_FORMATS[logo.mime_type], "alt": alt}


def _write_figures(numbers: Iterable[Printed]) -> str:
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(("key", "printed", "value"))
    writer.writerows((each.key, each.text, format_raw(each.value)) for each in numbers)
    return output.getvalue()


def _is_right_to_left(text: Text) -> bool:
    """Return the direction of a text by its first letter, as HTML's `dir="auto"` does."""
    for each in text:
        for char in each if isinstance(each, str) else each.text:
            direction = unicodedata.bidirectional(char)
            if direction in ("L", "R", "AL"):
                return direction != "L"
    return False


def _darken_for_contrast(color: str) -> str:
    """Return a color that is as readable on white as WCAG asks for, with the same hue."""
    channels = [int(color[at : at + 2], 16) for at in (1, 3, 5)]
    while 1.05 / (_luminance(channels) + 0.05) < _CONTRAST:
        channels = [int(channel * 0.95) for channel in channels]
    return "#" + "".join(f"{channel:02x}" for channel in channels)


def _luminance(channels: Iterable[int]) -> float:
    shares = (channel / 255 for channel in channels)
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
