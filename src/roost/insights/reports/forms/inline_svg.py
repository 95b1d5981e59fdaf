"""Prepares the SVG of a chart for a page: the picture scales with its box, and is smaller."""

import re
from typing import Final

from markupsafe import Markup, escape

#: Matches a tag of an SVG, in which attribute values contain neither `>` nor quotes. Only tags are
#: changed, so that the text of a post never changes.
_TAG: Final = re.compile(r"<[^>]*>")
#: Matches what precedes an id, or a reference to an id, in a tag.
_REFERENCE: Final = re.compile(r'\s(?:id="|(?:xlink:)?href="#|(?!aria-)[\w-]+="url\(#)')
#: Matches attributes that are not needed on a page: classes, roles that browsers do not know, and
#: default values.
_NEEDLESS: Final = re.compile(
    r'\s(?:class|role|aria-roledescription|aria-hidden|xmlns(?::xlink)?|version)="[^"]*"'
    r'|\s(?:opacity|stroke-width)="1"'
)
#: Matches the paths that vl-convert writes for frames without an area.
_FRAME: Final = re.compile(r'<path[^>]*(?:display="none"|d="M0,0h0v0h0Z")[^>]*/>')
_GEOMETRY: Final = re.compile(r'\s(?:d|transform|x|y|x2|y2)="[^"]*"')
_DECIMALS: Final = re.compile(r"(\.\d)\d+")
_SIZE: Final = re.compile(r' (?:width|height)="[\d.]+"(?=[^>]*viewBox)')


def inline_svg(svg: str, prefix: str, label: str) -> Markup:
    """Return an SVG for a page, as a group of marks with a label; `prefix` precedes its ids.

    Lengths are rounded to a tenth of a unit.
    """
    svg = _FRAME.sub("", _SIZE.sub("", svg, count=2))
    svg = _TAG.sub(lambda tag: _shorten_tag(tag[0], prefix), svg)
    named = svg.replace("<svg", f'<svg role="group" aria-label="{escape(label)}"', 1)
    # The SVG is safe as markup, because vl-convert has escaped all texts in it.
    return Markup(named)  # noqa: S704


def _shorten_tag(tag: str, prefix: str) -> str:
    tag = _REFERENCE.sub(rf"\g<0>{prefix}", _NEEDLESS.sub("", tag))
    tag = tag.replace(' aria-label="', ' role="img" aria-label="', 1)
    return _GEOMETRY.sub(lambda attribute: _DECIMALS.sub(r"\1", attribute[0]), tag)
