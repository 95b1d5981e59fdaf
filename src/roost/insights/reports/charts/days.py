"""The charts of days: followers, impressions gained, and anomalies with the usual range.

The horizontal position of a day is its number in the period, from 0. A date would depend on the
time zone of the machine that draws the chart.
"""

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from roost.insights.reports.charts.specs import (
    COLORS,
    WIDTH,
    Channel,
    Layer,
    Row,
    count_axis,
    labelled_axis,
    layer,
    make_chart,
    quantity,
    text_layer,
)
from roost.insights.reports.document import Chart
from roost.insights.reports.figures import Figure
from roost.insights.reports.model import Day, SubjectKind, SubjectReport
from roost.insights.reports.words import Words
from roost.models import Anomaly

#: A chart of at least 28 days has labels only for Mondays, and at most 6 of these labels.
_WEEKLY_FROM_DAYS: Final = 28
_MAX_WEEKLY_LABELS: Final = 6
_MAX_DAILY_LABELS: Final = 5
#: A change is an anomaly from about this many standard deviations, see `insights.anomalies`.
_USUAL_DEVIATIONS: Final = 4.0


def followers_chart(subject: SubjectReport, words: Words) -> Chart | None:
    """Plot the number of followers at the end of each day; anomalies are marked."""
    levels = {n: _number(day.followers) for n, day in enumerate(subject.days)}
    known = [level for level in levels.values() if level is not None]
    if not known:
        return None
    margin = max((max(known) - min(known)) * 0.08, 1)
    axis, domain = count_axis(words, max(min(known) - margin, 0), max(known) + margin)
    channels = {"x": _day_channel(subject, words), "y": quantity("level", domain, axis)}
    rows: list[Row] = [
        {"n": n, "level": level, "description": _describe(words, subject.days[n], "followers")}
        for n, level in levels.items()
        if level is not None
    ]
    is_isolated = [levels.get(n - 1) is None and levels.get(n + 1) is None for n in levels]
    layers = [
        layer(
            [{"n": n, "level": level} for n, level in levels.items()],
            "line",
            channels,
            color=COLORS.accent,
            strokeWidth=2.5,
            strokeJoin="round",
            strokeCap="round",
            invalid="break-paths-show-domains",
        ),
        layer(
            [_undescribed(row) for row in rows if is_isolated[row["n"]]],
            "point",
            channels,
            color=COLORS.accent,
            filled=True,
            opacity=1,
            size=40,
        ),
        layer(rows, "point", channels, color=COLORS.accent, filled=True, opacity=0, size=160),
        *_last_level(subject, words, rows, channels),
        *_marked_anomalies(subject, words, channels, levels),
    ]
    return make_chart(subject, "followers", words, layers)


def impressions_chart(subject: SubjectReport, words: Words) -> Chart | None:
    """Plot the impressions gained on each day; days without a measurement are shaded.

    Days that are not over are lighter. The best day is labelled with its impressions.
    """
    gains = {n: _number(day.impressions) for n, day in enumerate(subject.days)}
    known = {n: gain for n, gain in gains.items() if gain is not None}
    if not known:
        return None
    # The part above the highest bar is for its label.
    axis, domain = count_axis(words, 0, max(max(known.values()) * 1.12, 1))
    x = _day_channel(subject, words)
    channels = {"x": x, "y": quantity("gain", domain, axis)}
    rows = [
        {
            "n": n,
            "gain": gain,
            "is_open": subject.days[n].is_open,
            "description": _describe(words, subject.days[n], "impressions"),
        }
        for n, gain in known.items()
    ]
    size = max(0.72 * (WIDTH - 55) / len(gains), 1.5)
    layers = [
        _shaded_days(
            [
                {"n": n - 0.5, "end": n + 0.5, "description": _describe(words, day, "impressions")}
                for n, day in enumerate(subject.days)
                if n not in known
            ],
            x,
        ),
        *(
            layer(
                [row for row in rows if row["is_open"] == is_open],
                "bar",
                channels,
                color=COLORS.scale[1] if is_open else COLORS.accent,
                size=size,
            )
            for is_open in (False, True)
        ),
        *_best_day(subject, words, known, channels),
    ]
    return make_chart(subject, "impressions", words, layers)


def anomalies_chart(subject: SubjectReport, words: Words) -> Chart | None:
    """Plot the change of followers on each day beside the usual range; anomalies are marked.

    The range of an anomaly is drawn back to the anomaly before, because each anomaly is compared
    with the changes before it. Several accounts have no common range.
    """
    if not subject.anomalies or subject.subject.kind is not SubjectKind.ACCOUNT:
        return None
    anomaly_of = {_number_of_day(subject, each): each for each in subject.anomalies}
    anomaly_of.pop(None, None)
    bands = _usual_bands(subject, list(anomaly_of.values()))
    if not bands:
        return None
    changes = {n: _number(day.follower_change) for n, day in enumerate(subject.days)}
    rows = [
        {
            "n": n,
            "change": change,
            "is_anomaly": n in anomaly_of,
            "description": _describe(words, subject.days[n], "follower_change", signed=True),
        }
        for n, change in changes.items()
        if change is not None
    ]
    edges = [edge for band in bands for edge in (band["low"], band["high"])]
    values = [*edges, *(row["change"] for row in rows), 0]
    room = (max(values) - min(values)) * 0.06
    axis, domain = count_axis(words, min(values) - room, max(values) + room)
    x = _day_channel(subject, words)
    channels = {"x": x, "y": quantity("change", domain, axis)}
    size = max(0.6 * (WIDTH - 55) / len(changes), 1.5)
    layers = [
        layer(
            bands,
            "rect",
            {
                "x": x | {"field": "begin"},
                "x2": {"field": "end"},
                "y": quantity("low", domain, axis),
                "y2": {"field": "high"},
            },
            color=COLORS.scale[0],
            opacity=1,
        ),
        *(
            layer(
                [row for row in rows if row["is_anomaly"] == is_anomaly],
                "bar",
                channels,
                color=COLORS.alert if is_anomaly else COLORS.accent,
                size=size,
            )
            for is_anomaly in (False, True)
        ),
        *(
            text_layer(
                [
                    row | {"label": _label(words, subject.days[row["n"]].follower_change)}
                    for row in map(_undescribed, rows)
                    if row["is_anomaly"] and (row["change"] < 0) == is_loss
                ],
                channels,
                color=COLORS.alert,
                fontWeight="bold",
                dy=11 if is_loss else -9,
            )
            for is_loss in (False, True)
        ),
        text_layer(
            [{"n": 0, "change": bands[0]["high"], "label": words.say("chart.anomalies.usual")}],
            channels,
            color=COLORS.muted,
            align="left",
            dx=-4,
            dy=-8,
        ),
    ]
    return make_chart(subject, "anomalies", words, layers)


def _usual_bands(subject: SubjectReport, anomalies: Sequence[Anomaly]) -> list[Row]:
    """Return the range of usual changes before each anomaly; the last range goes to the end."""
    bands: list[Row] = []
    begin = -0.5
    for anomaly in sorted(anomalies, key=lambda each: each.day):
        if not anomaly.score:
            continue
        deviation = (anomaly.observed - anomaly.expected) / anomaly.score
        margin = abs(deviation) * _USUAL_DEVIATIONS
        end = (anomaly.day - subject.days[0].day).days + 0.5
        low, high = anomaly.expected - margin, anomaly.expected + margin
        bands.append({"begin": begin, "end": end, "low": low, "high": high})
        begin = end
    if bands:
        bands[-1]["end"] = len(subject.days) - 0.5
    return bands


def _day_channel(subject: SubjectReport, words: Words) -> Channel:
    days = [each.day for each in subject.days]
    if len(days) >= _WEEKLY_FROM_DAYS:
        mondays = [n for n, day in enumerate(days) if day.weekday() == 0]
        labelled = mondays[:: math.ceil(len(mondays) / _MAX_WEEKLY_LABELS)]
    else:
        step = math.ceil(len(days) / _MAX_DAILY_LABELS)
        labelled = list(range(step // 2, len(days), step))
    labels = [words.day(days[n], year=False).text for n in labelled]
    return quantity("n", (-0.5, len(days) - 0.5), labelled_axis(labelled, labels))


def _shaded_days(rows: Sequence[Row], x: Channel) -> Layer:
    return layer(rows, "rect", {"x": x, "x2": {"field": "end"}}, color=COLORS.gap, opacity=1)


def _last_level(
    subject: SubjectReport, words: Words, rows: Sequence[Row], channels: dict[str, Channel]
) -> list[Layer]:
    """Return the point of the last known day with its number of followers."""
    last = _undescribed(rows[-1])
    last["label"] = _label(words, subject.days[last["n"]].followers, signed=False)
    is_right = last["n"] > len(subject.days) / 2
    return [
        layer([last], "point", channels, color=COLORS.accent, filled=True, opacity=1, size=55),
        text_layer(
            [last],
            channels,
            color=COLORS.ink,
            fontWeight="bold",
            align="right" if is_right else "left",
            dx=5 if is_right else -5,
            dy=-14,
        ),
    ]


def _marked_anomalies(
    subject: SubjectReport,
    words: Words,
    channels: dict[str, Channel],
    levels: dict[int, float | None],
) -> list[Layer]:
    if subject.subject.kind is not SubjectKind.ACCOUNT:
        return []
    rows: list[Row] = []
    for anomaly in subject.anomalies:
        n = _number_of_day(subject, anomaly)
        level = None if n is None else levels[n]
        if n is not None and level is not None:
            label = _label(words, subject.days[n].follower_change)
            is_right = n > len(subject.days) * 0.4
            rows.append({"n": n, "level": level, "label": label, "is_right": is_right})
    if not rows:
        return []
    return [
        layer(rows, "point", channels, color=COLORS.alert, filled=True, opacity=1, size=70),
        *(
            text_layer(
                [row for row in rows if row["is_right"] == is_right],
                channels,
                color=COLORS.alert,
                fontWeight="bold",
                align="right" if is_right else "left",
                dx=-10 if is_right else 10,
                dy=2,
            )
            for is_right in sorted({row["is_right"] for row in rows})
        ),
    ]


def _best_day(
    subject: SubjectReport, words: Words, known: dict[int, float], channels: dict[str, Channel]
) -> list[Layer]:
    n = max(known, key=lambda each: known[each])
    if not known[n]:
        return []
    day = subject.days[n]
    label = _label(words, day.impressions, signed=False)
    is_right = n > len(subject.days) / 2
    return [
        text_layer(
            [{"n": n, "gain": known[n], "label": label}],
            channels,
            color=COLORS.ink,
            align="right" if is_right else "left",
            dx=6 if is_right else -6,
            dy=-9,
        )
    ]


def _number_of_day(subject: SubjectReport, anomaly: Anomaly) -> int | None:
    """Return the number of an anomaly's day in the period; None if it is outside."""
    n = (anomaly.day - subject.days[0].day) // timedelta(days=1)
    return n if 0 <= n < len(subject.days) else None


def _describe(words: Words, day: Day, name: str, *, signed: bool = False) -> str:
    figure: Figure = getattr(day, name)
    value = (
        words.say("chart.not_measured")
        if figure.value is None
        else words.figure(figure, signed=signed).text
    )
    note = f" ({words.say('chart.open_day')})" if day.is_open and figure.value is not None else ""
    return f"{words.day(day.day).text}: {value}{note}"


def _label(words: Words, figure: Figure, *, signed: bool = True) -> str:
    return "" if figure.value is None else words.figure(figure, signed=signed).text


def _number(figure: Figure) -> float | None:
    return None if figure.value is None else float(figure.value)


def _undescribed(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "description"}
