"""The charts of posts: the best and the worst post, and the hours of the week."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from roost.insights.labels import shorten
from roost.insights.reports.charts.specs import (
    COLORS,
    LABEL_OFFSET,
    MARK_OFFSET,
    ROW_HEIGHT,
    WIDTH,
    Channel,
    Layer,
    Row,
    labelled_axis,
    layer,
    make_chart,
    quantity,
    row_channel,
    text_layer,
)
from roost.insights.reports.document import Chart
from roost.insights.reports.model import HourCell, ReportedPost, SubjectReport
from roost.insights.reports.words import Words
from roost.text import has_text

_LABEL_COLUMNS: Final = 54
#: The range of factors that a chart of posts shows at least.
_LEAST_FACTORS: Final = (0.5, 2.0)
#: The room for a value beyond the longest bar, as a share of the logarithm of the range.
_VALUE_SHARE: Final = 0.3
_HOURS: Final = 24
_WEEKDAYS: Final = 7
_LABELLED_HOURS: Final = (0, 6, 12, 18)
#: The weekdays, the hours below them, a space, and the legend.
_HOUR_ROWS: Final = _WEEKDAYS + 2.4
_CELL_HEIGHT: Final = 23
#: The hour below which the legend's first colour is.
_LEGEND_BEGIN: Final = 13


def posts_chart(subject: SubjectReport, words: Words) -> Chart | None:
    """Plot the impressions of the best and the worst posts as multiples of the usual.

    Each bar is below the text of its post. The scale is logarithmic, so that half the usual is as
    far from the usual as twice the usual.
    """
    by_id = {post.post_id: post for post in subject.posts}
    listed = [by_id[post_id] for post_id in (*subject.best, *reversed(subject.worst))]
    has_one_account = len(subject.subject.accounts) == 1
    rows = [_post_row(n, post, words, has_one_account) for n, post in enumerate(listed)]
    if not rows:
        return None
    factors = [row["factor"] for row in rows]
    low, high = min(_LEAST_FACTORS[0], *factors), max(_LEAST_FACTORS[1], *factors)
    margin = (high / low) ** _VALUE_SHARE
    channels: dict[str, Channel] = {
        "x": quantity("factor", (low / margin, high * margin), type="log"),
        "y": row_channel(len(rows)),
    }
    one = {"datum": 1, "type": "quantitative"}
    layers = [
        _usual_marks(rows, channels),
        *(
            layer(
                [row for row in rows if row["is_best"] == is_best],
                "bar",
                channels | {"x2": one},
                color=COLORS.accent if is_best else COLORS.muted,
                size=13,
                yOffset=MARK_OFFSET,
            )
            for is_best in sorted({row["is_best"] for row in rows}, reverse=True)
        ),
        *(
            text_layer(
                [
                    {"n": row["n"], "factor": row["factor"], "label": row["value"]}
                    for row in rows
                    if row["is_best"] == is_best
                ],
                channels,
                color=COLORS.ink,
                align="left" if is_best else "right",
                dx=6 if is_best else -6,
                dy=MARK_OFFSET,
            )
            for is_best in sorted({row["is_best"] for row in rows}, reverse=True)
        ),
        _row_labels(rows, channels),
    ]
    return make_chart(subject, "posts", words, layers, height=len(rows) * ROW_HEIGHT)


def hours_chart(subject: SubjectReport, words: Words) -> Chart | None:
    """Plot the median impressions of the posts of each hour of the week.

    The colours are five groups with about equally many hours. Hours without posts are empty.
    """
    known = [cell for cell in subject.hours if cell.median_impressions.value is not None]
    if not known:
        return None
    steps = _rank_in_steps(known)
    names = words.locale.days["stand-alone"]["abbreviated"]
    weekdays = labelled_axis(range(_WEEKDAYS), [names[n] for n in range(_WEEKDAYS)], grid=False)
    channels: dict[str, Channel] = {
        "x": quantity("left", (-0.5, _HOURS - 0.5)),
        "x2": {"field": "right"},
        "y": quantity("top", (-0.5, _HOUR_ROWS - 0.5), weekdays, reverse=True),
        "y2": {"field": "bottom"},
    }
    empty = [_edges((-0.5, _HOURS - 0.5), weekday) for weekday in range(_WEEKDAYS)]
    layers = [layer(empty, "rect", channels, color=COLORS.gap, opacity=1)]
    for step in sorted(set(steps)):
        rows = [
            _edges((cell.hour - 0.46, cell.hour + 0.46), cell.weekday)
            | {"description": _describe_cell(cell, words)}
            for cell, own in zip(known, steps, strict=True)
            if own == step
        ]
        layers.append(layer(rows, "rect", channels, color=COLORS.scale[step], opacity=1))
    layers += [_hour_labels(words, channels), *_legend(words, channels)]
    return make_chart(subject, "hours", words, layers, height=_HOUR_ROWS * _CELL_HEIGHT)


def _post_row(n: int, post: ReportedPost, words: Words, has_one_account: bool) -> Row:
    assert post.standing is not None  # Only posts with a standing are the best or the worst.
    reason = post.standing.reasons[0]
    text = post.text.strip() if has_text(post.text) else words.say("post.no_text")
    author = "" if has_one_account else f"@{post.username}: "
    value = words.figure(reason.factor).text
    return {
        "n": n,
        "factor": max(float(reason.factor.value or 0), 0.001),
        "is_best": float(reason.factor.value or 0) > 1,
        "label": shorten(author + text, _LABEL_COLUMNS),
        "value": value,
        "description": f"{shorten(text)}: {value} ({words.figure(reason.value).text} :"
        f" {words.figure(reason.usual).text})",
    }


def _usual_marks(rows: Sequence[Row], channels: dict[str, Channel]) -> Layer:
    """Return a short line beside each bar at the usual number, which does not cross a text."""
    marks = [{"n": row["n"] - 0.02, "end": row["n"] + 0.42, "factor": 1} for row in rows]
    ends = channels | {"y2": {"field": "end"}}
    return layer(marks, "rule", ends, color=COLORS.muted, strokeWidth=1.5)


def _row_labels(rows: Sequence[Row], channels: dict[str, Channel]) -> Layer:
    return text_layer(
        [{"n": row["n"], "label": row["label"]} for row in rows],
        {"y": channels["y"], "x": {"value": 0}},
        color=COLORS.muted,
        align="left",
        dy=LABEL_OFFSET,
        limit=WIDTH,
    )


def _rank_in_steps(cells: Sequence[HourCell]) -> list[int]:
    """Return the step of each cell in the scale of colours; equal values have equal steps."""
    values = np.array([float(cell.median_impressions.value or 0) for cell in cells])
    last = len(COLORS.scale) - 1
    if values.min() == values.max():
        return [last] * len(cells)
    below = (values[:, None] > values[None, :]).mean(axis=1)
    return [int(step) for step in np.floor(below / below.max() * (last + 0.999)).clip(0, last)]


def _edges(hours: tuple[float, float], row: float) -> Row:
    return {"left": hours[0], "right": hours[1], "top": row - 0.44, "bottom": row + 0.44}


def _describe_cell(cell: HourCell, words: Words) -> str:
    posts = "".join(
        each if isinstance(each, str) else each.text
        for each in words.plural("count.posts", cell.posts)
    )
    value = words.figure(cell.median_impressions).text
    return f"{words.weekday(cell.weekday)} {words.hour(cell.hour).text}: {value} ({posts})"


def _hour_labels(words: Words, channels: dict[str, Channel]) -> Layer:
    rows = [
        {"left": hour - 0.5, "top": _WEEKDAYS + 0.05, "label": words.hour(hour).text}
        for hour in _LABELLED_HOURS
    ]
    return text_layer(rows, _positions(channels), color=COLORS.muted, align="left")


def _legend(words: Words, channels: dict[str, Channel]) -> list[Layer]:
    """Return the colours between the words for few and for many, below the hours."""
    row = _HOUR_ROWS - 1.0
    ends = {"few": _LEGEND_BEGIN - 0.5, "many": _LEGEND_BEGIN + len(COLORS.scale) + 0.5}
    return [
        *(
            layer(
                [_edges((_LEGEND_BEGIN + n + 0.04, _LEGEND_BEGIN + n + 0.96), row)],
                "rect",
                channels,
                color=color,
                opacity=1,
            )
            for n, color in enumerate(COLORS.scale)
        ),
        *(
            text_layer(
                [{"left": ends[name], "top": row, "label": words.say(f"chart.hours.{name}")}],
                _positions(channels),
                color=COLORS.muted,
                align=align,
            )
            for name, align in (("few", "right"), ("many", "left"))
        ),
    ]


def _positions(channels: dict[str, Channel]) -> dict[str, Channel]:
    return {"x": channels["x"], "y": channels["y"]}
