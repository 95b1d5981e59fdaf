"""The charts of comparisons: decay curve, effects with intervals, and costs by kind."""

import math
from collections.abc import Sequence
from typing import Final

from babel.numbers import format_decimal, format_percent

from roost.insights.reports.charts.specs import (
    COLORS,
    LABEL_OFFSET,
    MARK_OFFSET,
    ROW_HEIGHT,
    TEXT_SIZE,
    Channel,
    Layer,
    Row,
    capitalize,
    labelled_axis,
    layer,
    make_chart,
    quantity,
    row_channel,
    text_layer,
)
from roost.insights.reports.definitions import SPENDING_KINDS
from roost.insights.reports.document import Chart
from roost.insights.reports.model import Effect, SubjectReport, Verdict
from roost.insights.reports.words import Words

_SHARE_TICKS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
#: The ends of the scale of effects at least, and at most.
_LEAST_FACTORS: Final = (0.7, 1.4)
_MOST_FACTORS: Final = (0.1, 10.0)
_FACTOR_TICKS: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
#: The room for titles and for values, as shares of the logarithm of the range.
_TITLE_SHARE: Final = 0.42
_VALUE_SHARE: Final = 0.34
_EFFECT_HEIGHT: Final = 32
_AXIS_HEIGHT: Final = 28
_COLOR_OF: Final = {
    Verdict.MORE: COLORS.accent,
    Verdict.LESS: COLORS.alert,
    Verdict.NO_CLAIM: COLORS.muted,
}


def decay_chart(subject: SubjectReport, words: Words) -> Chart | None:
    """Plot the share of the final impressions by the age of a post.

    The scale of ages is logarithmic, because posts earn most of their impressions in the first
    days.
    """
    points = subject.decay.points
    if not points:
        return None
    rows: list[Row] = [
        {
            "age": point.age_days,
            "share": float(point.share.value or 0),
            "description": f"{words.say('chart.decay.age')} {point.age_days}:"
            f" {words.figure(point.share).text}",
        }
        for point in points
    ]
    line = [{"age": row["age"], "share": row["share"]} for row in rows]
    line.append({"age": subject.decay.final_age_days, "share": 1.0})
    channels = _decay_channels(line, words)
    style = {"color": COLORS.accent, "interpolate": "monotone"}
    layers = [
        layer(line, "area", channels, **style | {"color": COLORS.scale[0], "opacity": 1}),
        layer(line, "line", channels, **style, strokeWidth=2.5),
        layer(rows, "point", channels, color=COLORS.accent, filled=True, opacity=1, size=55),
        text_layer(
            [line[0] | {"label": words.figure(points[0].share).text}],
            channels,
            color=COLORS.ink,
            fontWeight="bold",
            align="left",
            dx=-4,
            dy=-13,
        ),
    ]
    return make_chart(subject, "decay", words, layers)


def effects_chart(subject: SubjectReport, words: Words) -> Chart | None:
    """Plot each declared comparison with its interval, on a logarithmic scale.

    A comparison without enough posts has a row that says so.
    """
    known = [each for each in subject.effects if not _has_no_factor(each)]
    if not known:
        return None
    ends = [end for each in known for end in (each.low, each.high) if end is not None]
    low = max(min(_LEAST_FACTORS[0], *ends) * 0.9, _MOST_FACTORS[0])
    high = min(max(_LEAST_FACTORS[1], *ends) * 1.1, _MOST_FACTORS[1])
    rows = [
        _effect_row(n, each, words, (low, high))
        for n, each in enumerate(sorted(subject.effects, key=_has_no_factor))
    ]
    # The titles are on the left of the scale, and the values on its right.
    span = high / low
    ticks = [tick for tick in _FACTOR_TICKS if low <= tick <= high]
    axis = labelled_axis(ticks, [_label_factor(tick, words) for tick in ticks], domain=False)
    domain = (low / span**_TITLE_SHARE, high * span**_VALUE_SHARE)
    channels = {"x": quantity("factor", domain, axis, type="log"), "y": row_channel(len(rows))}
    at_left: dict[str, Channel] = {"y": channels["y"], "x": {"value": 0}}
    at_right: dict[str, Channel] = {"y": channels["y"], "x": {"value": "width"}}
    usual = [{"n": -0.5, "factor": 1, "end": len(known) - 0.5}]
    layers = [
        layer(
            usual,
            "rule",
            channels | {"y2": {"field": "end"}},
            color=COLORS.muted,
            strokeDash=[3, 3],
        ),
        *_interval_layers(rows, channels),
        text_layer(_pick(rows, "title"), at_left, color=COLORS.ink, align="left"),
        text_layer(_pick(rows, "note"), at_right, color=COLORS.muted, align="right"),
        text_layer(_pick(rows, "value"), at_right, color=COLORS.ink, align="right"),
    ]
    height = len(rows) * _EFFECT_HEIGHT + _AXIS_HEIGHT
    return make_chart(subject, "effects", words, layers, height=height)


def cost_chart(subject: SubjectReport, words: Words) -> Chart | None:
    """Plot what X billed by kind of request, the largest amount first."""
    figures = [
        subject.figures[name].current
        for kind in SPENDING_KINDS
        if (name := f"spent.{kind}") in subject.figures
    ]
    billed = [figure for figure in figures if figure.value]
    if not billed:
        return None
    billed.sort(key=lambda each: float(each.value or 0), reverse=True)
    rows: list[Row] = [
        {
            "n": n,
            "usd": float(figure.value or 0),
            "title": words.title(figure.name),
            "value": words.figure(figure).text,
            "description": f"{words.title(figure.name)}: {words.figure(figure).text}",
        }
        for n, figure in enumerate(billed)
    ]
    channels = {"x": quantity("usd", (0, rows[0]["usd"] * 1.25)), "y": row_channel(len(rows))}
    at_left: dict[str, Channel] = {"y": channels["y"], "x": {"value": 0}}
    titles, values = _pick(rows, "title"), _pick(rows, "value", "usd")
    layers = [
        layer(
            rows,
            "bar",
            channels | {"x2": {"datum": 0, "type": "quantitative"}},
            color=COLORS.accent,
            size=13,
            yOffset=MARK_OFFSET,
        ),
        text_layer(values, channels, color=COLORS.ink, align="left", dx=6, dy=MARK_OFFSET),
        text_layer(titles, at_left, color=COLORS.muted, align="left", dy=LABEL_OFFSET),
    ]
    return make_chart(subject, "costs", words, layers, height=len(rows) * ROW_HEIGHT)


def _decay_channels(line: Sequence[Row], words: Words) -> dict[str, Channel]:
    ages = [row["age"] for row in line]
    age_axis = labelled_axis(
        ages,
        [str(age) for age in ages],
        title=words.say("chart.decay.ages"),
        titleColor=COLORS.muted,
        titleFontSize=TEXT_SIZE,
        titleFontWeight="normal",
        titlePadding=6,
    )
    percents = [format_percent(tick, locale=words.locale) for tick in _SHARE_TICKS]
    highest = max(row["share"] for row in line) * 1.12
    return {
        "x": quantity("age", (ages[0] * 0.93, ages[-1] * 1.08), age_axis, type="log"),
        "y": quantity("share", (0, highest), labelled_axis(_SHARE_TICKS, percents)),
    }


def _interval_layers(rows: Sequence[Row], channels: dict[str, Channel]) -> list[Layer]:
    """Return the intervals and the estimates, in the colour of what they allow to say."""
    layers = []
    for verdict, color in _COLOR_OF.items():
        own = [row for row in rows if row.get("verdict") == verdict]
        spans = [{"n": row["n"], "factor": row["low"], "high": row["high"]} for row in own]
        ends = channels | {"x2": {"field": "high"}}
        layers += [
            layer(spans, "rule", ends, color=color, strokeWidth=3, strokeCap="round"),
            layer(own, "point", channels, color=color, filled=True, opacity=1, size=120),
        ]
    return layers


def _effect_row(n: int, effect: Effect, words: Words, ends: tuple[float, float]) -> Row:
    title = capitalize(words.say(f"effect.{effect.name}.with"))
    if effect.factor.value is None:
        return {"n": n, "title": title, "note": words.say("verdict.too_few_posts")}
    value = words.figure(effect.factor).text

    def limit(factor: float | None, otherwise: float) -> float:
        return otherwise if factor is None else min(max(factor, ends[0]), ends[1])

    interval = ""
    if effect.low and effect.high and math.isfinite(effect.high):
        interval = f" ({words.interval(effect.low, effect.high)})"
    return {
        "n": n,
        "verdict": effect.verdict,
        "title": title,
        "value": value,
        "factor": limit(float(effect.factor.value), 1.0),
        "low": limit(effect.low, ends[0]),
        "high": limit(effect.high, ends[1]),
        "description": f"{title}: {value}{interval}",
    }


def _has_no_factor(effect: Effect) -> bool:
    return effect.factor.value is None


def _label_factor(factor: float, words: Words) -> str:
    if factor == 1:
        return words.say("chart.usual")
    return f"× {format_decimal(factor, locale=words.locale)}"


def _pick(rows: Sequence[Row], label: str, *fields: str) -> list[Row]:
    """Return the rows that have a label, with this label and some of their fields."""
    return [
        {"n": row["n"], "label": row[label]} | {field: row[field] for field in fields}
        for row in rows
        if label in row
    ]
