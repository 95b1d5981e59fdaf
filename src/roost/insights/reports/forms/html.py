"""A document as one self-contained HTML file, which includes its charts, style and script.

The page's Content-Security-Policy allows only its own style and script, by their hashes. The text
of a post can therefore never become active content.
"""

import base64
import hashlib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jinja2
from babel import Locale
from markupsafe import Markup, escape

from roost import escaping
from roost.insights.reports.colors import Palette, dark_palette, light_palette
from roost.insights.reports.document import (
    Align,
    Block,
    Chart,
    Column,
    Document,
    Inline,
    Link,
    Logo,
    Printed,
    Table,
    Text,
)
from roost.insights.reports.figures import Quality
from roost.insights.reports.forms.inline_svg import inline_svg
from roost.insights.reports.svg import draw_charts

_TEMPLATES: Final = Path(__file__).parents[1] / "templates"
_RIGHT_TO_LEFT: Final = ("R", "AL")


def render_html(document: Document, pictures: Mapping[str, str] | None = None) -> str:
    """Render the page. Call this in a thread, because it waits for another process.

    `pictures` is the result of `svg.draw_charts` if the charts of the document are drawn already.

    Raises: roost.insights.reports.svg.ChartsNotDrawn; ValueError if the accent is not a colour.
    """
    drawn = draw_charts(document) if pictures is None else pictures
    style = _write_style(document.brand.accent)
    script = _read_template("report.js")
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)};"
        " img-src data:; base-uri 'none'; form-action 'none'"
    )
    order = Locale.parse(document.language, sep="-").character_order
    environment = _environment()
    environment.filters["picture"] = lambda chart: _inline_chart(chart, drawn)
    return environment.get_template("document.html.j2").render(
        document=document,
        direction="rtl" if order == "right-to-left" else "ltr",
        notes=[note for each in document.brand.cover_note.split("\n\n") if (note := each.strip())],
        logo=document.brand.logo and _logo_url(document.brand.logo),
        policy=policy,
        # Style and script are files of Roost. Escaping would change their bytes, and their hashes.
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
    )


@dataclass(frozen=True, slots=True)
class _Exhibit:
    """A chart, and the folded tables with its values."""

    chart: Chart
    tables: tuple[Table, ...] = ()


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters |= {
        "text": _render_text,
        "arrange": _arrange,
        "style": _style_column,
        "kind": lambda value: type(value).__name__.strip("_").lower(),
    }
    return environment


def _finalize(value: Any) -> Any:
    """Escape the control characters in a value, unless the value is Roost's own markup."""
    is_text = isinstance(value, str) and not isinstance(value, Markup)
    return escaping.markup(value) if is_text else value


def _render_text(text: Text) -> Markup:
    return Markup("").join(_render_inline(each, is_alone=len(text) == 1) for each in text)


def _render_inline(inline: Inline, *, is_alone: bool) -> Markup:
    if isinstance(inline, Printed):
        return _render_figure(inline)
    text = inline if isinstance(inline, str) else inline.text
    safe = escape(escaping.markup(text))
    if not is_alone and _has_right_to_left(text):
        # The direction of a name or a post does not change the order of the words around it.
        safe = Markup("<bdi>{}</bdi>").format(safe)
    if isinstance(inline, Link) and inline.url.startswith(("https://", "http://")):
        address = escaping.markup(inline.url)
        return Markup('<a href="{}" rel="noreferrer">{}</a>').format(address, safe)
    return safe


def _render_figure(printed: Printed) -> Markup:
    raw = "" if printed.value is None else str(printed.value)
    quality = ""
    if printed.quality is Quality.PARTIAL:
        quality = Markup(' data-quality="{}"').format(printed.quality.value)
    return Markup('<data class="figure" value="{}" data-key="{}"{}>{}</data>').format(
        raw, escaping.markup(printed.key), quality, escaping.markup(printed.text)
    )


def _has_right_to_left(text: str) -> bool:
    return any(unicodedata.bidirectional(each) in _RIGHT_TO_LEFT for each in text)


def _arrange(blocks: Sequence[Block]) -> Iterator[Block | tuple[_Exhibit, ...]]:
    """Put successive charts side by side, each with the folded tables that follow it."""
    exhibits: list[_Exhibit] = []
    for block in blocks:
        if isinstance(block, Chart):
            exhibits.append(_Exhibit(block))
        elif isinstance(block, Table) and block.is_folded and exhibits:
            exhibits[-1] = _Exhibit(exhibits[-1].chart, (*exhibits[-1].tables, block))
        else:
            if exhibits:
                yield tuple(exhibits)
                exhibits = []
            yield block
    if exhibits:
        yield tuple(exhibits)


def _style_column(column: Column) -> Markup:
    """Return the class attribute of a column's cells; nothing for an ordinary column of texts."""
    names = {"end": column.align is Align.END, "wide": column.is_wide}
    chosen = " ".join(name for name, applies in names.items() if applies)
    return Markup(' class="{}"').format(chosen) if chosen else Markup("")


def _inline_chart(chart: Chart, pictures: Mapping[str, str]) -> Markup:
    return inline_svg(pictures[chart.name], f"{chart.name}-", chart.description)


def _logo_url(logo: Logo) -> str:
    content = base64.b64encode(logo.content).decode("ascii")
    return f"data:{logo.mime_type};base64,{content}"


def _write_style(accent: str) -> str:
    """Return the style sheet with the colours of both schemes.

    Charts are drawn in the light colours. A rule per colour replaces it with that of the scheme.
    """
    light, dark = light_palette(accent), dark_palette(accent)
    rules = "".join(
        f'[fill="{color}"]{{fill:var(--{name})}}[stroke="{color}"]{{stroke:var(--{name})}}\n'
        for name, color in _css_names(light)
    )
    return (
        f":root{{color-scheme:light dark;{_declare(light)}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{_declare(dark)}}}}}\n"
        f"{_read_template('document.css')}\n{rules}"
    )


def _declare(palette: Palette) -> str:
    return "".join(f"--{name}:{color};" for name, color in _css_names(palette))


def _css_names(palette: Palette) -> list[tuple[str, str]]:
    return [(name.replace("_", "-"), color) for name, color in palette.names().items()]


def _read_template(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
    return f"'sha256-{digest}'"
