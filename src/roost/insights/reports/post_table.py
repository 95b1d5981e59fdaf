"""Lists a period's posts, and compares each with other posts at the same age."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from roost.insights.reports.figure_maker import FigureMaker
from roost.insights.reports.figures import Quality
from roost.insights.reports.measured import MeasuredAccount, MeasuredPost
from roost.insights.reports.model import PostReason, PostStanding, ReportedPost
from roost.insights.reports.periods import DatePeriod
from roost.insights.reports.readings import Floats
from roost.insights.reports.values import Value, divide
from roost.models import POST_METRICS, Environment, Metric, PostId

#: Posts are compared at their age in whole days. Older posts are compared at this age, because they
#: hardly gain after it.
_MAX_COMPARED_AGE: Final = 7
#: A post has a `PostStanding` only if at least this many other posts were measured at its age.
_MIN_COMPARED_POSTS: Final = 5
#: The lists of the best posts and of the worst posts have at most this many posts each.
_LISTED: Final = 5
#: The metrics that explain a post's rank. The impressions decide the rank.
_REASONS: Final = (
    Metric.IMPRESSIONS,
    Metric.ENGAGEMENTS,
    Metric.LIKES,
    Metric.REPLIES,
    Metric.REPOSTS,
    Metric.LINK_CLICKS,
)


@dataclass(frozen=True, eq=False)
class _Levels:
    """The metrics of some posts at the ages of one, two, … days; NaN if not known.

    The arrays of `by_metric` have one row per post (`row_of`), and one column per age. `known` has
    the known values of each column, sorted.
    """

    row_of: dict[PostId, int]
    by_metric: dict[Metric, Floats]
    known: dict[Metric, list[Floats]]


def report_posts(account: MeasuredAccount, period: DatePeriod) -> list[ReportedPost]:
    """Return the posts that were published in a period, newest first.

    The metrics are those known at the end of the period's last day.
    """
    last = period.last
    posts = account.published(period.first, last)
    known = account.published(period.history_first, last)
    levels = {
        is_reply: _measure_levels([post for post in known if post.is_reply == is_reply], last)
        for is_reply in {post.is_reply for post in posts}
    }
    return [_report_post(account, post, levels[post.is_reply], last) for post in reversed(posts)]


def find_best(posts: Sequence[ReportedPost]) -> tuple[PostId, ...]:
    """Return the posts with the highest multiples of the usual impressions, best first.

    Only posts above the usual impressions at their age are returned.
    """
    ranked = sorted(_factors(posts), reverse=True)
    return tuple(post_id for factor, post_id in ranked[:_LISTED] if factor > 1)


def find_worst(posts: Sequence[ReportedPost]) -> tuple[PostId, ...]:
    """Return the posts with the lowest multiples of the usual impressions, worst first.

    Only posts below the usual impressions at their age are returned.
    """
    return tuple(post_id for factor, post_id in sorted(_factors(posts))[:_LISTED] if factor < 1)


def _factors(posts: Sequence[ReportedPost]) -> list[tuple[float, PostId]]:
    return [
        (float(post.standing.factor.value), post.post_id)
        for post in posts
        if post.standing is not None and post.standing.factor.value is not None
    ]


def _report_post(
    account: MeasuredAccount, post: MeasuredPost, levels: _Levels, last: date
) -> ReportedPost:
    maker = FigureMaker(f"post.{post.post_id}")
    totals = {metric: post.total(metric, last) for metric in POST_METRICS}
    integration, first = account.records.integration, post.parts[0]
    return ReportedPost(
        post_id=post.post_id,
        account=integration.id,
        username=integration.username,
        is_live=integration.environment is Environment.LIVE,
        first_tweet=first.sent_as,
        sent_at=post.sent_at,
        read_at=post.read_at(last),
        text=first.text,
        type=post.type,
        groups=post.groups,
        parts=maker.count("parts", len(post.parts), "post.parts"),
        metrics={
            metric: maker.count(metric, total, "post.metric") for metric, total in totals.items()
        },
        rate=maker.make(
            "rate",
            divide(totals[Metric.ENGAGEMENTS], totals[Metric.IMPRESSIONS], is_complete=True),
            "post.rate",
        ),
        standing=_find_standing(maker, post.post_id, levels),
    )


def _measure_levels(posts: Sequence[MeasuredPost], last: date) -> _Levels:
    ages = tuple(range(1, _MAX_COMPARED_AGE + 1))
    by_metric = {
        metric: np.array([post.at_ages(metric, ages, last) for post in posts])
        for metric in _REASONS
    }
    known = {
        metric: [np.sort(column[~np.isnan(column)]) for column in levels.T]
        for metric, levels in by_metric.items()
    }
    return _Levels({post.post_id: row for row, post in enumerate(posts)}, by_metric, known)


def _find_standing(maker: FigureMaker, post_id: PostId, levels: _Levels) -> PostStanding | None:
    row = levels.row_of[post_id]
    known_ages = np.flatnonzero(~np.isnan(levels.by_metric[Metric.IMPRESSIONS][row]))
    if not len(known_ages):
        return None
    column = int(known_ages[-1])
    reasons = []
    compared_posts = 0
    for metric in _REASONS:
        value = float(levels.by_metric[metric][row, column])
        others = len(levels.known[metric][column]) - 1
        if metric is Metric.IMPRESSIONS:
            compared_posts = others
            if others < _MIN_COMPARED_POSTS:
                return None
        if not np.isnan(value) and others >= _MIN_COMPARED_POSTS:
            usual = _median_without(levels.known[metric][column], value)
            reasons.append(_make_reason(maker, metric, value, (usual, others)))
    reasons[1:] = sorted(reasons[1:], key=_deviation, reverse=True)
    return PostStanding(
        column + 1,
        maker.count("standing.compared_posts", compared_posts, "standing.compared_posts"),
        tuple(reasons),
    )


def _median_without(values: Floats, value: float) -> float:
    """Return the median of sorted values, without one occurrence of `value`."""
    own = int(np.searchsorted(values, value))
    count = len(values) - 1

    def other(position: int) -> float:
        return float(values[position if position < own else position + 1])

    return (other((count - 1) // 2) + other(count // 2)) / 2


def _make_reason(
    maker: FigureMaker, metric: Metric, value: float, usual: tuple[float, int]
) -> PostReason:
    """Compare a post's metric with `usual`: the median of the other posts, and their number."""
    median, posts = usual
    factor = divide(value + 0.5, median + 0.5, is_complete=True)
    usual_value = Value(median, Quality.MEASURED, sample=posts)
    return PostReason(
        metric,
        maker.count(f"standing.{metric}", value, "standing.value"),
        maker.make(f"standing.{metric}.usual", usual_value, "standing.usual"),
        maker.make(f"standing.{metric}.factor", factor, "standing.factor"),
    )


def _deviation(reason: PostReason) -> float:
    """Return how far the factor of a reason is from 1: the absolute value of its logarithm."""
    return abs(float(np.log(float(reason.factor.value or 1))))
