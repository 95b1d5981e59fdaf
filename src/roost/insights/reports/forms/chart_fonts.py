"""Names the font of each script in the texts of a chart, for typst.

Typst draws the texts of an SVG with the font that they name, and with at most one other font. Of
the font for Chinese, Japanese and Korean, typst draws the regular weight as the thinnest weight, so
texts in these languages have the next heavier weight.
"""

import re
from typing import Final

#: The fonts of scripts, with the ranges of their characters.
_RANGES: Final = {
    "Noto Sans Armenian": "\u0530-\u058f",
    "Noto Sans Hebrew": "\u0590-\u05ff\ufb1d-\ufb4f",
    "Noto Sans Arabic": "\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc",
    "Noto Sans Devanagari": "\u0900-\u097f",
    "Noto Sans Bengali": "\u0980-\u09ff",
    "Noto Sans Gurmukhi": "\u0a00-\u0a7f",
    "Noto Sans Gujarati": "\u0a80-\u0aff",
    "Noto Sans Oriya": "\u0b00-\u0b7f",
    "Noto Sans Tamil": "\u0b80-\u0bff",
    "Noto Sans Telugu": "\u0c00-\u0c7f",
    "Noto Sans Kannada": "\u0c80-\u0cff",
    "Noto Sans Malayalam": "\u0d00-\u0d7f",
    "Noto Sans Sinhala": "\u0d80-\u0dff",
    "Noto Sans Thai": "\u0e00-\u0e7f",
    "Noto Sans Lao": "\u0e80-\u0eff",
    "Noto Sans Myanmar": "\u1000-\u109f",
    "Noto Sans Georgian": "\u10a0-\u10ff",
    "Noto Sans Ethiopic": "\u1200-\u139f",
    "Noto Sans Khmer": "\u1780-\u17ff",
}
_CJK_RANGE: Final = (
    "\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef"
    "\U00020000-\U0003ffff"
)
_GENERIC: Final = re.compile(r'font-family="[^"]*sans-serif[^"]*"')
_TEXT: Final = re.compile(r"(<text\b[^>]*>)(.*?)</text>", re.DOTALL)
_CJK: Final = re.compile(f"[{_CJK_RANGE}]")
_CJK_WEIGHT: Final = "500"
_FONT: Final = re.compile(r' font-(?:family|weight)="[^"]*"')
_BOLD: Final = 'font-weight="bold"'


def name_fonts(svg: str, cjk_font: str) -> str:
    """Return an SVG whose texts name the font of each script."""
    named = _GENERIC.sub('font-family="Noto Sans"', svg)
    return _TEXT.sub(lambda found: _name_in_text(found, cjk_font), named)


def _name_in_text(found: re.Match[str], cjk_font: str) -> str:
    tag, content = found.groups()
    if content.isascii():
        return found[0]
    if _CJK.search(content):
        weight = "bold" if _BOLD in tag else _CJK_WEIGHT
        font = f' font-family="{cjk_font}" font-weight="{weight}"'
        tag = f"{_FONT.sub('', tag).removesuffix('>')}{font}>"
    for pattern, font in _PATTERNS:
        content = pattern.sub(rf'<tspan font-family="{font}">\g<0></tspan>', content)
    return f"{tag}{content}</text>"


def _match_words(characters: str) -> re.Pattern[str]:
    return re.compile(rf"[{characters}]+(?:\s+[{characters}]+)*")


_PATTERNS: Final = tuple((_match_words(characters), font) for font, characters in _RANGES.items())
