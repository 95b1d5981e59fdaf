"""Takes the texts of other scripts than Latin out of a chart, so that typst sets them itself.

Typst draws the texts of an SVG with one font and without the forms of letters that Arabic, Thai and
Indian scripts need. Its own text has both.
"""

import re
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree

_NAMESPACE: Final = "{http://www.w3.org/2000/svg}"
_TRANSLATE: Final = re.compile(r"translate\(([-\d.e]+)[, ]+([-\d.e]+)\)")
_GENERIC: Final = re.compile(r'font-family="[^"]*sans-serif[^"]*"')
#: Latin letters, Latin punctuation and mathematical signs, which one font has.
_LATIN: Final = re.compile("[\x00-\u024f\u2010-\u2044\u20ac\u2212\u00d7]*")
_INK: Final = "#000000"
_COLOR: Final = re.compile(r"#[0-9a-fA-F]{6}|#[0-9a-fA-F]{3}")


@dataclass(frozen=True, slots=True)
class ChartText:
    """A text of a chart; positions and the size are shares of the chart's width."""

    text: str
    x: float
    y: float
    """The position of the line on which the letters stand."""
    size: float
    anchor: str
    """`start`, `middle` or `end`: which part of the text is at the position."""
    color: str
    is_bold: bool


def take_texts(svg: str) -> tuple[str, list[ChartText]]:
    """Return the SVG without the texts of other scripts, and these texts."""
    named = _GENERIC.sub('font-family="Noto Sans"', svg)
    if _LATIN.fullmatch(named):
        return named, []
    ElementTree.register_namespace("", _NAMESPACE.strip("{}"))
    root = ElementTree.fromstring(named)  # noqa: S314  drawn by Roost's own process
    width = float(root.get("viewBox", "0 0 1 1").split()[2])
    taken: list[ChartText] = []
    _take_from(root, 0.0, 0.0, width, taken)
    return ElementTree.tostring(root, encoding="unicode"), taken


def _take_from(
    element: ElementTree.Element, x: float, y: float, width: float, taken: list[ChartText]
) -> None:
    transform = element.get("transform", "")
    moved = _TRANSLATE.fullmatch(transform)
    if transform and not moved:
        return  # A turned text stays in the picture.
    if moved:
        x, y = x + float(moved[1]), y + float(moved[2])
    if element.tag == f"{_NAMESPACE}text":
        text = "".join(element.itertext())
        if not _LATIN.fullmatch(text):
            taken.append(_describe(element, text, x, y, width))
            element.clear()
        return
    for child in element:
        _take_from(child, x, y, width, taken)


def _describe(
    element: ElementTree.Element, text: str, x: float, y: float, width: float
) -> ChartText:
    color = element.get("fill", _INK)
    return ChartText(
        text=text,
        x=(x + float(element.get("x", "0"))) / width,
        y=(y + float(element.get("y", "0"))) / width,
        size=float(element.get("font-size", "12").removesuffix("px")) / width,
        anchor=element.get("text-anchor", "start"),
        color=color if _COLOR.fullmatch(color) else _INK,
        is_bold=element.get("font-weight", "") in ("bold", "600", "700"),
    )
