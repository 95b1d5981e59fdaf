"""A report as GitHub-flavoured Markdown, without charts.

Each printed number is a reference link, and the references at the end have the keys and the raw
values. No text can become markup: the special characters of posts and names are escaped.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from roost.insights.reports.document import (
    Align,
    Block,
    Chart,
    Document,
    Inline,
    Items,
    Link,
    Paragraph,
    Printed,
    Section,
    Table,
    Text,
    Tile,
    Tiles,
    Tone,
)
from roost.insights.reports.forms.column_widths import count_columns
from roost.insights.reports.forms.texts import (
    GLOSSARY,
    format_raw,
    list_shown_rows,
    one_line,
    open_link,
)

#: The characters that can begin or end markup anywhere in a line.
_SPECIAL: Final = re.compile(r"[\\`*_{}\[\]<>|~&$]")
#: What can begin a heading, a list, a quote or a rule at the start of a line.
_LINE_START: Final = re.compile(r"^(\s*)(?:([#+=-])|(\d{1,9})([.)]))")
_LINE_END: Final = re.compile(r"(?<!\\)#(?=#*$)")
#: What GitHub makes a link from without any markup: `://`, `www.`, an address of an e-mail, and a
#: user's name. A backslash does not prevent the last two, so a word joiner follows the `@`.
_SCHEME: Final = re.compile(r":(?=//|[^\s/]+@)|(?<=[wW]{3})\.")
_AT: Final = re.compile(r"@(?=[\w-])")
#: A cell that is wider than this does not widen its column, so that the table stays readable.
_WIDEST_CELL: Final = 60


def render_markdown(document: Document) -> str:
    """Render a report as one Markdown file."""
    writer = _Writer()
    lines = [f"# {escape(document.title)}", "", escape(document.subtitle), ""]
    lines += [escape(document.made), ""]
    for paragraph in document.brand.cover_note.split("\n\n"):
        lines += [escape(paragraph), ""] if paragraph.strip() else []
    for section in document.sections:
        lines += writer.write_section(section, level=2)
    lines += writer.references
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Return a text as Markdown that shows exactly this text, in one line."""
    line = _escape_inside(one_line(text).strip())
    # Number signs at the end of a heading are not shown.
    line = _LINE_END.sub(r"\\#", line)
    return _LINE_START.sub(_escape_line_start, line)


def _escape_inside(text: str) -> str:
    escaped = _SPECIAL.sub(r"\\\g<0>", text)
    return _AT.sub("@\u2060", _SCHEME.sub(r"\\\g<0>", escaped))


def _escape_line_start(found: re.Match[str]) -> str:
    space, sign, number, period = found.groups()
    return f"{space}\\{sign}" if sign else f"{space}{number}\\{period}"


class _Writer:
    """Writes sections as lines, and collects the references of their numbers."""

    def __init__(self) -> None:
        self.references: list[str] = []

    def write_section(self, section: Section, level: int) -> Iterator[str]:
        """Yield the lines of a section and its subsections."""
        if section.name == GLOSSARY:
            yield from (f'<a id="{GLOSSARY}"></a>', "")
        yield from (f"{'#' * min(level, 6)} {escape(section.title)}", "")
        for block in section.blocks:
            lines = list(self._write_block(block))
            yield from (*lines, "") if lines else ()
        for each in section.sections:
            yield from self.write_section(each, level + 1)

    def _write_block(self, block: Block) -> Iterator[str]:
        match block:
            case Paragraph():
                text = self._text(block.text)
                yield f"> {text}" if block.tone is Tone.WARNING else text
            case Items():
                for number, item in enumerate(block.items, start=1):
                    mark = f"{number}." if block.is_numbered else "-"
                    yield f"{mark} {self._text(item)}"
            case Tiles():
                yield from map(self._tile, block.tiles)
            case Table():
                yield from self._table(block)
            case Chart():
                pass

    def _tile(self, tile: Tile) -> str:
        figure = self._text((tile.figure,))
        change = self._text(tile.change)
        return f"- **{escape(tile.title)}**: {figure}" + (f" ({change})" if change else "")

    def _table(self, table: Table) -> Iterator[str]:
        if table.caption:
            yield from (f"**{escape(table.caption)}**", "")
        rows = [[escape(column.title) for column in table.columns]]
        rows += [[self._line(cell) for cell in row] for row in list_shown_rows(table)]
        are_numbers = [column.align is Align.END for column in table.columns]
        yield from _align(rows, are_numbers)
        if table.omitted:
            yield from ("", escape(table.omitted))

    def _text(self, text: Text) -> str:
        return _LINE_START.sub(_escape_line_start, self._line(text))

    def _line(self, text: Text) -> str:
        """Return a text for a cell, in which no list or heading can begin."""
        return "".join(map(self._inline, text)).strip()

    def _inline(self, inline: Inline) -> str:
        match inline:
            case str():
                return _escape_inside(one_line(inline))
            case Printed():
                return self._number(inline)
            case Link() if (url := open_link(inline)) is not None:
                return f"[{_escape_inside(one_line(inline.text)).strip()}](<{url}>)"
            case _:
                return _escape_inside(one_line(inline.text))

    def _number(self, number: Printed) -> str:
        reference = f"f{len(self.references) + 1}"
        title = f"{one_line(number.key)} = {format_raw(number.value)}"
        title = title.replace("\\", "\\\\").replace('"', '\\"')
        self.references.append(f'[{reference}]: #{GLOSSARY} "{title}"')
        text = re.sub(r"[\\\[\]|]", r"\\\g<0>", one_line(number.text))
        return f"[{text}][{reference}]"


def _align(rows: Sequence[Sequence[str]], are_numbers: Sequence[bool]) -> Iterator[str]:
    """Yield the lines of a table whose columns stand below each other in a fixed-width font."""
    columns = list(zip(*rows, strict=True))
    widths = [
        max(3, *(min(count_columns(cell), _WIDEST_CELL) for cell in column)) for column in columns
    ]
    for index, row in enumerate(rows):
        cells = [
            _pad(cell, width, is_number)
            for cell, width, is_number in zip(row, widths, are_numbers, strict=True)
        ]
        yield f"| {' | '.join(cells)} |"
        if index == 0:
            rules = [
                "-" * (width - 1) + ":" if is_number else "-" * width
                for width, is_number in zip(widths, are_numbers, strict=True)
            ]
            yield f"| {' | '.join(rules)} |"


def _pad(cell: str, width: int, is_number: bool) -> str:
    space = " " * max(0, width - count_columns(cell))
    return space + cell if is_number else cell + space
