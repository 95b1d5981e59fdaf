"""Derives a report's light and dark colour schemes from the accent colour of its brand.

The specifications of charts have Roost's own light colours. `paint` replaces these with the light
colours of the brand. In an HTML report, the style sheet replaces the light colours with the dark
ones if the reader's system prefers a dark scheme.
"""

from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Final

#: The least contrast ratio that WCAG 2.2 requires for text of normal size at level AA.
_TEXT_CONTRAST: Final = 4.5
#: The colours of `Palette.scale` are mixtures of the paper's colour and the accent. Each number is
#: the share of the accent.
_STEPS: Final = (0.16, 0.36, 0.57, 0.78, 1.0)

_Rgb = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one scheme, light or dark, by purpose, in the form `#rrggbb`.

    The accent is different from the fixed colours, because `paint` finds a colour by its value.
    """

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
        """Return the colours by name; those of `scale` are `scale-1`, `scale-2` and so on."""
        named = {
            each.name: getattr(self, each.name) for each in fields(self) if each.name != "scale"
        }
        # The last colour of the scale is the accent, which has its own name.
        steps = enumerate(self.scale[:-1], 1)
        return named | {f"scale-{number}": color for number, color in steps}


ACCENT: Final = "#2667a8"


@cache
def light_palette(accent: str = "") -> Palette:
    """Return the light scheme for an accent colour; an empty string is Roost's own accent.

    The accent is darkened until text in this colour is readable on the paper and in boxes.

    Raises: ValueError if the colour does not have the form `#rrggbb`.
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
    """Return the dark scheme for an accent colour; an empty string is Roost's own accent.

    The accent is lightened until text in this colour is readable on the paper and in boxes.

    Raises: ValueError if the colour does not have the form `#rrggbb`.
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

    Only strings that equal a colour of Roost's light palette are replaced.
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
        # If two colours were equal, `paint` could not replace them separately. The blue channel
        # is therefore changed by one, which no reader can see.
        red, green, blue = _parse(readable)
        readable = _format((red, green, blue + 1 if blue < 255 else blue - 1))
    scale = tuple(_mix(neutral["paper"], readable, step) for step in _STEPS)
    return Palette(**neutral, accent=readable, scale=scale)


def _make_readable(color: str, backgrounds: tuple[str, ...], toward: str) -> str:
    """Mix a colour with `toward` until text in it is readable on all backgrounds."""
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
