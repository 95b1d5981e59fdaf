"""Builds Vega-Lite specifications of charts from layers, channels and axes.

A layer has a type of mark, such as a bar, and rows with the data of each mark. A channel maps a
field of the rows to a property of the marks, such as a position. The labels of axes are in the
language of the report. If a row has a `description`, the description becomes the `aria-label` of
the mark, for screen readers. A chart is 440 pixels wide, which fits a phone or half of a desktop
page.
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

#: Specifications have Roost's own colours; `colors.paint` replaces them with a brand's colours.
COLORS: Final = light_palette()
WIDTH: Final = 440
HEIGHT: Final = 220
TEXT_SIZE: Final = 13
#: The height of a row whose label is above its mark, and the vertical distances of the label and of
#: the mark from the middle of the row. A negative distance is upwards.
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
    """Return the chart `name` of a subject, with its title and description from `words`."""
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
    """Return a layer of marks; screen readers read the field `description` of the rows."""
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
    """Return the channel of a numeric field, with `domain` as the two ends of its scale."""
    return {
        "field": field,
        "type": "quantitative",
        "scale": {"domain": list(domain), "nice": False, "zero": False, **scale},
        "axis": axis,
    }


def row_channel(count: float) -> Channel:
    """Return the vertical channel for `count` rows, with row 0 at the top.

    A row of data is placed by its field `n`.
    """
    return quantity("n", (-0.5, count - 0.5), reverse=True)


def labelled_axis(values: Sequence[float], labels: Sequence[str], **style: Any) -> Channel:
    """Return an axis with the given labels at the given values."""
    expression = f"{json.dumps(list(labels))}[indexof({json.dumps(list(values))}, datum.value)]"
    return {"values": list(values), "labelExpr": expression, "labelFlush": False, **style}


def count_axis(words: Words, low: float, high: float) -> tuple[Channel, tuple[float, float]]:
    """Return an axis with round numbers, and its range, which includes `low` and `high`."""
    ticks = choose_ticks(low, high)
    return labelled_axis(ticks, [_format_count(words, each, ticks[-1]) for each in ticks]), (
        ticks[0],
        ticks[-1],
    )


def choose_ticks(low: float, high: float, count: int = 4) -> list[int]:
    """Return about `count` round numbers, from at most `low` to at least `high`."""
    step = max((high - low) / count, 1)
    magnitude = 10 ** math.floor(math.log10(step))
    step = next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= step)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [int(n * step) for n in range(first, max(last, first + 1) + 1)]


def capitalize(text: str) -> str:
    """Return a text with its first letter in upper case and the other letters unchanged."""
    return text[:1].upper() + text[1:]


def _format_count(words: Words, value: int, largest: int) -> str:
    if largest >= _LONG_NUMBER:
        text = format_compact_decimal(value, locale=words.locale, fraction_digits=1)
    else:
        text = format_decimal(value, locale=words.locale)
    return text.replace("-", "−")
