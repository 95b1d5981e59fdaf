"""Builds Vega-Lite specifications: layers of marks, axes with labels in a language, and rows.

Each mark that a reader can point at has its description as `aria-label`. A picture is 440 units
wide, which fits a phone or half of a desktop page.
"""

import json
import math
from collections.abc import Sequence
from typing import Any, Final

from babel.numbers import format_compact_decimal, format_decimal

from roost.insights.reports.colors import light_palette
from roost.insights.reports.document import Chart
from roost.insights.reports.model import SubjectReport
from roost.insights.reports.words import Words

Row = dict[str, Any]
Layer = dict[str, Any]
Channel = dict[str, Any]

#: Roost's own colours; `colors.paint` replaces them with those of a brand.
COLORS: Final = light_palette()
WIDTH: Final = 440
HEIGHT: Final = 220
TEXT_SIZE: Final = 13
#: The height of a row that has its label above its mark, and the distances of both from its middle.
ROW_HEIGHT: Final = 50
LABEL_OFFSET: Final = -9
MARK_OFFSET: Final = 9

_LONG_NUMBER: Final = 100_000
_SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v6.json"


def make_chart(
    subject: SubjectReport,
    name: str,
    words: Words,
    layers: Sequence[Layer],
    *,
    height: float = HEIGHT,
) -> Chart:
    """Return the chart `name` of a subject; its title and description are in the words."""
    return Chart(
        name=f"{subject.subject.key.replace('.', '-')}-{name}",
        title=words.say(f"chart.{name}.title"),
        description=words.say(f"chart.{name}.description"),
        spec={
            "$schema": _SCHEMA,
            "width": WIDTH,
            "height": height,
            "padding": 2,
            "autosize": {"type": "fit", "contains": "padding"},
            "background": "transparent",
            "layer": [each for each in layers if each["data"]["values"]],
            "config": {
                "font": "sans-serif",
                "view": {"stroke": None},
                "text": {"fontSize": TEXT_SIZE},
                "axis": {
                    "aria": False,
                    "labelColor": COLORS.muted,
                    "labelFontSize": TEXT_SIZE,
                    "labelPadding": 7,
                    "gridColor": COLORS.rule,
                    "domain": False,
                    "ticks": False,
                    "title": None,
                },
                "axisX": {"grid": False, "domain": True, "domainColor": COLORS.rule},
            },
        },
    )


def layer(rows: Sequence[Row], mark: str, channels: dict[str, Channel], **style: Any) -> Layer:
    """Return a layer of marks, which are described if the rows have a description."""
    is_described = any("description" in row for row in rows)
    described = {"description": {"field": "description"}} if is_described else {}
    return {
        "data": {"values": list(rows)},
        "mark": {"type": mark, "aria": is_described, **style},
        "encoding": {**channels, **described},
    }


def text_layer(rows: Sequence[Row], channels: dict[str, Channel], **style: Any) -> Layer:
    """Return a layer that writes the field `label` of each row."""
    return layer(rows, "text", channels | {"text": {"field": "label"}}, **style)


def quantity(
    field: str, domain: tuple[float, float], axis: Channel | None = None, **scale: Any
) -> Channel:
    """Return a channel of numbers from the first to the second number of `domain`."""
    return {
        "field": field,
        "type": "quantitative",
        "scale": {"domain": list(domain), "nice": False, "zero": False, **scale},
        "axis": axis,
    }


def row_channel(count: float) -> Channel:
    """Return the vertical channel of the field `n`; the row 0 is at the top."""
    return quantity("n", (-0.5, count - 0.5), reverse=True)


def labelled_axis(values: Sequence[float], labels: Sequence[str], **style: Any) -> Channel:
    """Return an axis with the given labels at the given values."""
    expression = f"{json.dumps(list(labels))}[indexof({json.dumps(list(values))}, datum.value)]"
    return {"values": list(values), "labelExpr": expression, "labelFlush": False, **style}


def count_axis(words: Words, low: float, high: float) -> tuple[Channel, tuple[float, float]]:
    """Return the axis of a count, and its range, which contains `low` and `high`."""
    ticks = choose_ticks(low, high)
    return labelled_axis(ticks, [_format_count(words, each, ticks[-1]) for each in ticks]), (
        ticks[0],
        ticks[-1],
    )


def choose_ticks(low: float, high: float, count: int = 4) -> list[int]:
    """Return about `count` round numbers; the first is at most `low`, the last at least `high`."""
    step = max((high - low) / count, 1)
    magnitude = 10 ** math.floor(math.log10(step))
    step = next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= step)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [int(n * step) for n in range(first, max(last, first + 1) + 1)]


def capitalize(text: str) -> str:
    """Return a phrase as it begins a line."""
    return text[:1].upper() + text[1:]


def _format_count(words: Words, value: int, largest: int) -> str:
    if largest >= _LONG_NUMBER:
        text = format_compact_decimal(value, locale=words.locale, fraction_digits=1)
    else:
        text = format_decimal(value, locale=words.locale)
    return text.replace("-", "−")
