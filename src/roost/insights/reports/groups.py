"""Computes a report's tables by property and hour, its decay curve and comparisons."""

from collections.abc import Mapping, Sequence
from datetime import date
from statistics import median
from typing import Final

import numpy as np

from roost.insights.reports.effects import compare_posts
from roost.insights.reports.figure_maker import FigureMaker
from roost.insights.reports.figures import Figure, Quality
from roost.insights.reports.measured import GROUPS, MeasuredAccount, MeasuredPost
from roost.insights.reports.model import (
    Breakdown,
    BreakdownRow,
    DecayCurve,
    DecayPoint,
    Dimension,
    Effect,
    EffectName,
    HourCell,
    PostType,
)
from roost.insights.reports.periods import DatePeriod
from roost.insights.reports.values import Value, average, divide_sums, middle
from roost.models import MediaKind, Metric

#: The age at which the impressions of a post count as final.
_FINAL_AGE_DAYS: Final = 28
_DECAY_AGES: Final = (1, 2, 3, 5, 7, 14, 21)
#: The decay curve needs at least this many posts.
_MIN_DECAY_POSTS: Final = 5
#: Comparisons of posts use the impressions at this age, because these are nearly the final ones.
_EFFECT_AGE_DAYS: Final = 2
_LONG_TEXT: Final = 140


def break_down(
    maker: FigureMaker, posts: Sequence[MeasuredPost], last: date
) -> tuple[Breakdown, ...]:
    """Return a table for each dimension, with the metrics of each group of posts.

    The metrics of a post are those known at the end of the day `last`.
    """
    totals = {
        metric: [post.total(metric, last) for post in posts]
        for metric in (Metric.IMPRESSIONS, Metric.ENGAGEMENTS)
    }
    breakdowns = []
    for dimension in Dimension:
        rows = []
        for group in GROUPS[dimension]:
            members = [n for n, post in enumerate(posts) if post.groups[dimension] == group]
            if members:
                rows.append(_make_row(maker, dimension, group, _pick(totals, members)))
        breakdowns.append(Breakdown(dimension, tuple(rows)))
    return tuple(breakdowns)


def _pick(
    totals: Mapping[Metric, Sequence[int | None]], members: Sequence[int]
) -> dict[Metric, list[int | None]]:
    return {metric: [values[n] for n in members] for metric, values in totals.items()}


def _make_row(
    maker: FigureMaker,
    dimension: Dimension,
    group: str,
    totals: Mapping[Metric, Sequence[int | None]],
) -> BreakdownRow:
    path = f"{dimension}.{group}"
    impressions, engagements = totals[Metric.IMPRESSIONS], totals[Metric.ENGAGEMENTS]

    def values(of: Sequence[int | None]) -> tuple[Value, Value]:
        known = [value for value in of if value is not None]
        is_complete = len(known) == len(of)
        return average(known, is_complete=is_complete), middle(known, is_complete=is_complete)

    rates = [
        (e, i)
        for e, i in zip(engagements, impressions, strict=True)
        if e is not None and i is not None
    ]
    mean_impressions, median_impressions = values(impressions)
    mean_engagements, median_engagements = values(engagements)
    rate = divide_sums(rates, is_complete=len(rates) == len(impressions))

    def make(name: str, value: Value) -> Figure:
        return maker.make(f"{path}.{name}", value, f"group.{name}")

    return BreakdownRow(
        group,
        posts=maker.count(f"{path}.posts", len(impressions), "group.posts"),
        impressions=make("mean_impressions", mean_impressions),
        median_impressions=make("median_impressions", median_impressions),
        engagements=make("mean_engagements", mean_engagements),
        median_engagements=make("median_engagements", median_engagements),
        rate=make("rate", rate),
    )


def table_hours(
    maker: FigureMaker, posts: Sequence[MeasuredPost], period: DatePeriod
) -> tuple[HourCell, ...]:
    """Return the number and the median impressions of the posts of each hour of the week.

    The hours are those of the period's time zone. An hour without posts has no cell.
    """
    by_hour: dict[tuple[int, int], list[int | None]] = {}
    for post in posts:
        local = post.sent_at.astimezone(period.zone)
        total = post.total(Metric.IMPRESSIONS, period.last)
        by_hour.setdefault((local.weekday(), local.hour), []).append(total)
    cells = []
    for (weekday, hour), totals in sorted(by_hour.items()):
        known = [total for total in totals if total is not None]
        path = f"hour.{weekday}.{hour:02}"
        value = middle(known, is_complete=len(known) == len(totals))
        cells.append(
            HourCell(
                weekday,
                hour,
                maker.count(f"{path}.posts", len(totals), "group.posts"),
                maker.make(f"{path}.median_impressions", value, "group.median_impressions"),
            )
        )
    return tuple(cells)


def measure_decay(
    maker: FigureMaker, accounts: Sequence[MeasuredAccount], period: DatePeriod
) -> DecayCurve:
    """Return the decay curve of the posts that have reached the final age at a period's end.

    Posts that were published before the period count as well, back to `period.history_first`. In a
    period of 30 days alone, few posts would reach the final age of 28 days.
    """
    ages = (*_DECAY_AGES, _FINAL_AGE_DAYS)
    curves = [
        post.at_ages(Metric.IMPRESSIONS, ages, period.last)
        for account in accounts
        for post in account.published(period.history_first, period.last)
    ]
    measured = [curve / curve[-1] for curve in curves if curve[-1] > 0]
    points = []
    if len(measured) >= _MIN_DECAY_POSTS:
        for position, age in enumerate(_DECAY_AGES):
            shares = [float(c[position]) for c in measured if not np.isnan(c[position])]
            if len(shares) >= _MIN_DECAY_POSTS:
                share = Value(median(shares), Quality.MEASURED, sample=len(shares))
                points.append(
                    DecayPoint(age, maker.make(f"decay.{age}.share", share, "decay.share"))
                )
    return DecayCurve(
        _FINAL_AGE_DAYS,
        maker.count("decay.posts", len(measured), "decay.posts"),
        tuple(points),
    )


def measure_effects(
    maker: FigureMaker, posts: Sequence[MeasuredPost], last: date
) -> tuple[Effect, ...]:
    """Compare an account's posts that have a property with its posts that do not.

    `posts` are sorted by time. Replies are left out, because they reach other readers than posts
    do. For a thread, only the impressions of the first part count, because the further parts are
    shown to the same readers.
    """
    compared = []
    impressions = []
    for post in posts:
        levels = post.readings.at_ages(Metric.IMPRESSIONS, (_EFFECT_AGE_DAYS,), last)
        level = float(levels[post.rows[0], 0])
        if not post.is_reply and not np.isnan(level):
            compared.append(post)
            impressions.append(level)
    properties = {name: [_has(post, name) for post in compared] for name in EffectName}
    effects = []
    for each in compare_posts(impressions, properties):
        path = f"effect.{each.name}"
        quality = Quality.UNDEFINED if each.factor is None else Quality.MEASURED
        factor = Value(each.factor, quality, sample=each.with_posts + each.without_posts)
        effects.append(
            Effect(
                each.name,
                each.verdict,
                maker.count(f"{path}.with_posts", each.with_posts, "effect.posts"),
                maker.count(f"{path}.without_posts", each.without_posts, "effect.posts"),
                maker.make(f"{path}.factor", factor, "effect.factor"),
                each.low,
                each.high,
            )
        )
    return tuple(effects)


def _has(post: MeasuredPost, name: EffectName) -> bool:
    groups = post.groups
    return {
        EffectName.MEDIA: post.media is not None,
        EffectName.VIDEO: post.media is MediaKind.VIDEO,
        EffectName.LINK: groups[Dimension.LINK] == "with_link",
        EffectName.HASHTAG: groups[Dimension.HASHTAG] == "with_hashtag",
        EffectName.THREAD: post.type is PostType.THREAD,
        EffectName.LONG: post.text_length > _LONG_TEXT,
    }[name]
