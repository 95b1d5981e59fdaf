"""The colours of a report, in a light and a dark scheme, from the accent colour of its brand.

Charts are specified in Roost's own light colours. `paint` replaces these colours with those of a
brand, and the HTML page replaces them again with those of the reader's scheme.
"""

from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Final

#: The contrast that WCAG 2.2 requires of normal text at level AA.
_TEXT_CONTRAST: Final = 4.5
#: How far each step of a scale of colours is from the paper to the accent.
_STEPS: Final = (0.16, 0.36, 0.57, 0.78, 1.0)

_Rgb = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one scheme by their purpose, as `#rrggbb`. All colours are different."""

    paper: str
    tint: str
    """The background of boxes."""
    ink: str
    muted: str
    """Text of less importance."""
    rule: str
    """Lines of tables and grids."""
    gap: str
    """Areas of charts without a value."""
    alert: str
    alert_tint: str
    gain: str
    accent: str
    """Headings, links and the marks of charts."""
    scale: tuple[str, ...]
    """Colours from few to many."""

    def names(self) -> dict[str, str]:
        """Return the colours by their names; the names of a scale have a number from 1."""
        named = {
            each.name: getattr(self, each.name) for each in fields(self) if each.name != "scale"
        }
        # The last colour of the scale is the accent.
        steps = enumerate(self.scale[:-1], 1)
        return named | {f"scale-{number}": color for number, color in steps}


ACCENT: Final = "#2667a8"


@cache
def light_palette(accent: str = "") -> Palette:
    """Return the light scheme of an accent colour; an empty colour is Roost's own.

    The accent is darkened until text in it is readable on the paper and on a box.

    Raises: ValueError, if the colour has not the form `#rrggbb`.
    """
    return _complete(
        {
            "paper": "#ffffff",
            "tint": "#f5f7f9",
            "ink": "#1c1e21",
            "muted": "#58616d",
            "rule": "#e1e5ea",
            "gap": "#eceff3",
            "alert": "#b3261e",
            "alert_tint": "#fdf3f2",
            "gain": "#1d6b45",
        },
        accent or ACCENT,
        toward="#000000",
    )


@cache
def dark_palette(accent: str = "") -> Palette:
    """Return the dark scheme of an accent colour, which is lightened until it is readable.

    Raises: ValueError, if the colour has not the form `#rrggbb`.
    """
    return _complete(
        {
            "paper": "#14171b",
            "tint": "#1c2127",
            "ink": "#e9ebee",
            "muted": "#a5adb8",
            "rule": "#2f363f",
            "gap": "#232930",
            "alert": "#ff9389",
            "alert_tint": "#2a1b1b",
            "gain": "#6fce9f",
        },
        accent or ACCENT,
        toward="#ffffff",
    )


def paint(spec: Any, palette: Palette) -> Any:
    """Return a copy of a chart's specification in the colours of a palette.

    Only strings that are exactly a colour of Roost's light palette are replaced.
    """
    colors = dict(zip(light_palette().names().values(), palette.names().values(), strict=True))
    return _replace(spec, colors)


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21, as WCAG 2.2 defines it."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _complete(neutral: dict[str, str], accent: str, *, toward: str) -> Palette:
    backgrounds = (neutral["paper"], neutral["tint"])
    readable = _make_readable(accent, backgrounds, toward)
    while readable in neutral.values():
        # A reader does not see a difference of one step. Equal colours could not be told apart
        # when they are replaced.
        red, green, blue = _parse(readable)
        readable = _format((red, green, blue + 1 if blue < 255 else blue - 1))
    scale = tuple(_mix(neutral["paper"], readable, step) for step in _STEPS)
    return Palette(**neutral, accent=readable, scale=scale)


def _make_readable(color: str, backgrounds: tuple[str, ...], toward: str) -> str:
    """Mix a colour with black or white until it has enough contrast to all backgrounds."""
    mixed = (_mix(color, toward, percent / 100) for percent in range(101))
    return next(
        each
        for each in mixed
        if all(contrast(each, background) >= _TEXT_CONTRAST for background in backgrounds)
    )


def _replace(spec: Any, colors: dict[str, str]) -> Any:
    if isinstance(spec, str):
        return colors.get(spec, spec)
    if isinstance(spec, dict):
        return {name: _replace(value, colors) for name, value in spec.items()}
    if isinstance(spec, list | tuple):
        return [_replace(value, colors) for value in spec]
    return spec


def _mix(first: str, second: str, share: float) -> str:
    """Return the colour that is `share` of the way from the first to the second colour."""
    pairs = zip(_parse(first), _parse(second), strict=True)
    red, green, blue = (round(a + (b - a) * share) for a, b in pairs)
    return _format((red, green, blue))


def _parse(color: str) -> _Rgb:
    if len(color) != 7 or color[0] != "#":
        raise ValueError(f"{color!r} is not a colour of the form #rrggbb")
    red, green, blue = bytes.fromhex(color[1:])
    return red, green, blue


def _format(color: _Rgb) -> str:
    return "#" + bytes(color).hex()


def _luminance(color: str) -> float:
    def linear(channel: int) -> float:
        value = channel / 255
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(channel) for channel in _parse(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
