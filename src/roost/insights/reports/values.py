"""Computes the values of the figures of one or several accounts for one period.

`figure_maker` makes figures with keys from these values.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from statistics import fmean, median

from roost.insights.reports.definitions import SPENDING_KINDS
from roost.insights.reports.figures import Number, Quality
from roost.insights.reports.measured import MeasuredAccount, MeasuredPost
from roost.insights.reports.periods import DatePeriod
from roost.insights.reports.readings import GAINED_METRICS
from roost.models import LATE_AFTER, IntegrationId, Metric, PostState, Spending

#: The change of followers in a period begins with the closing value of the day before. If that day
#: is a gap, the latest closing value of this many days before the period is used.
_MAX_FOLLOWERS_AGE_DAYS = 7
_DAY = timedelta(days=1)
_FAILED = (PostState.FAILED, PostState.PARTLY_PUBLISHED)


@dataclass(frozen=True, slots=True)
class Value:
    """The value of a figure, its quality, and the numbers from which it was computed."""

    value: Number | None
    quality: Quality
    numerator: Number | None = None
    denominator: Number | None = None
    sample: int | None = None


MISSING = Value(None, Quality.MISSING)


def compute_values(
    accounts: Sequence[MeasuredAccount],
    period: DatePeriod,
    spending: Sequence[Spending],
) -> dict[str, Value]:
    """Return the values of all `definitions.SUBJECT_FIGURES` for the accounts together.

    `spending` has the amounts that X billed for these accounts. It may have days outside the
    period, which are ignored.
    """
    posts = [post for each in accounts for post in each.published(period.first, period.last)]
    means = {each.records.integration.id: _mean_followers(each, period) for each in accounts}
    values = (
        _compute_gained(accounts, period, means)
        | _compute_published(posts, period.last, means)
        | _compute_followers(accounts, period)
        | _compute_activity(accounts, posts, period)
    )
    values |= _compute_spent(spending, period, values)
    if any(_is_imported(each, period) for each in accounts):
        return {
            name: value if name.startswith(("activity.", "spent.")) else _mark_imported(value)
            for name, value in values.items()
        }
    return values


def _is_imported(account: MeasuredAccount, period: DatePeriod) -> bool:
    imported_through = account.records.imported_through
    return imported_through is not None and imported_through >= period.first - _DAY


def _mark_imported(value: Value) -> Value:
    return value if value.value is None else replace(value, quality=Quality.IMPORTED)


def _compute_gained(
    accounts: Sequence[MeasuredAccount],
    period: DatePeriod,
    means: dict[IntegrationId, Fraction | None],
) -> dict[str, Value]:
    first, last = period.first, period.last
    values = {}
    for metric in GAINED_METRICS:
        gap_days = frozenset().union(*(each.gains[metric].gap_days for each in accounts))
        gains = [each.gains[metric].in_period(first, last, gap_days) for each in accounts]
        totals = [each.total[0] for each in gains if each.total is not None]
        is_complete = all(each.is_complete for each in gains)
        undated = [each.total[0] - each.dated[0] for each in gains if each.total is not None]
        values[f"gained.{metric}"] = add_up(totals, is_complete=is_complete)
        values[f"gained.{metric}_undated"] = add_up(undated, is_complete=is_complete)
    pairs = [each.paired_gains.in_period(first, last) for each in accounts]
    known = [each.total for each in pairs if each.total is not None]
    values["gained.rate_by_impressions"] = divide(
        sum(engagements for _, engagements in known) if known else None,
        sum(impressions for impressions, _ in known) if known else None,
        is_complete=all(each.is_complete for each in pairs),
    )
    engagements = values["gained.engagements"]
    by_account = [
        (gain.total[0], mean)
        for each in accounts
        if (gain := each.gains[Metric.ENGAGEMENTS].in_period(first, last)).total is not None
        and (mean := means[each.records.integration.id]) is not None
    ]
    values["gained.rate_by_followers"] = divide(
        sum(gained for gained, _ in by_account) if by_account else None,
        _to_number(sum((mean for _, mean in by_account), Fraction(0))) if by_account else None,
        is_complete=engagements.quality is Quality.MEASURED and None not in means.values(),
    )
    return values


def _compute_published(
    posts: Sequence[MeasuredPost], last: date, means: dict[IntegrationId, Fraction | None]
) -> dict[str, Value]:
    values = {}
    totals = {metric: [post.total(metric, last) for post in posts] for metric in GAINED_METRICS}
    for metric, all_totals in totals.items():
        known = [total for total in all_totals if total is not None]
        is_complete = len(known) == len(posts)
        is_missing = bool(posts) and not known
        values[f"published.{metric}"] = (
            MISSING if is_missing else add_up(known or [0], is_complete=is_complete)
        )
        values[f"published.mean_{metric}"] = average(known, is_complete=is_complete)
        values[f"published.median_{metric}"] = middle(known, is_complete=is_complete)
    rates = [
        (engagements, impressions)
        for engagements, impressions in zip(
            totals[Metric.ENGAGEMENTS], totals[Metric.IMPRESSIONS], strict=True
        )
        if engagements is not None and impressions is not None
    ]
    is_complete = len(rates) == len(posts)
    values["published.rate_by_impressions"] = divide_sums(rates, is_complete=is_complete)
    values["published.median_rate"] = middle(
        [engagements / impressions for engagements, impressions in rates if impressions],
        is_complete=is_complete,
    )
    by_followers = [
        (engagements, mean)
        for post, engagements in zip(posts, totals[Metric.ENGAGEMENTS], strict=True)
        if engagements is not None and (mean := means[post.account]) is not None
    ]
    values["published.rate_by_followers"] = divide(
        sum(engagements for engagements, _ in by_followers),
        _to_number(sum((mean for _, mean in by_followers), Fraction(0))),
        is_complete=len(by_followers) == len(posts),
    )
    return values


def _mean_followers(account: MeasuredAccount, period: DatePeriod) -> Fraction | None:
    counts = [account.followers[day] for day in period.dates() if day in account.followers]
    return Fraction(sum(counts), len(counts)) if counts else None


def _compute_followers(accounts: Sequence[MeasuredAccount], period: DatePeriod) -> dict[str, Value]:
    ends: list[int] = []
    changes: list[int] = []
    is_end_complete = is_change_complete = True
    for account in accounts:
        counts = account.followers
        inside = [day for day in period.dates() if day in counts]
        before = [
            day
            for n in range(_MAX_FOLLOWERS_AGE_DAYS)
            if (day := period.first - (n + 1) * _DAY) in counts
        ]
        is_closed = bool(inside) and inside[-1] == min(period.last, account.closed_until)
        is_end_complete &= is_closed
        is_change_complete &= is_closed and bool(before) and before[0] == period.first - _DAY
        days = [*before[:1], *inside]
        if inside:
            ends.append(counts[inside[-1]])
        if inside and len(days) > 1:
            changes.append(counts[days[-1]] - counts[days[0]])
    return {
        "followers.end": add_up(ends, is_complete=is_end_complete),
        "followers.change": add_up(changes, is_complete=is_change_complete),
    }


def _compute_activity(
    accounts: Sequence[MeasuredAccount], posts: Sequence[MeasuredPost], period: DatePeriod
) -> dict[str, Value]:
    outcomes = [
        each
        for account in accounts
        for each in account.records.outcomes
        if period.since <= each.due_at < period.until
    ]
    counts = {
        "activity.posts": len(posts),
        "activity.parts": sum(len(post.parts) for post in posts),
        "activity.active_days": len({post.sent_day for post in posts}),
        "activity.late": sum(
            each.delay is not None and each.delay > LATE_AFTER for each in outcomes
        ),
        "activity.missed": sum(each.state is PostState.MISSED for each in outcomes),
        "activity.failed": sum(each.state in _FAILED for each in outcomes),
    }
    return {name: Value(count, Quality.MEASURED) for name, count in counts.items()} | {
        "activity.posts_per_week": Value(
            len(posts) * 7 / period.days, Quality.MEASURED, len(posts), period.days
        )
    }


def _compute_spent(
    spending: Sequence[Spending], period: DatePeriod, values: dict[str, Value]
) -> dict[str, Value]:
    inside = [each for each in spending if each.day in period]
    by_kind = dict.fromkeys(SPENDING_KINDS, Decimal(0))
    for each in inside:
        by_kind[spending_kind(each.operation)] += each.usd
    total = sum(by_kind.values(), Decimal(0))
    engagements, impressions = values["gained.engagements"], values["gained.impressions"]
    per_thousand = divide(total * 1000, impressions.value, is_complete=is_measured(impressions))
    return {
        "spent.total": Value(total, Quality.MEASURED),
        **{f"spent.{kind}": Value(usd, Quality.MEASURED) for kind, usd in by_kind.items()},
        "spent.per_engagement": divide(
            total, engagements.value, is_complete=is_measured(engagements)
        ),
        "spent.per_thousand_impressions": replace(
            per_thousand, numerator=None if per_thousand.numerator is None else total
        ),
    }


def spending_kind(operation: str) -> str:
    """Return the kind of spending of a ledger operation, such as `posts` for `create_post`."""
    return next((kind for kind, known in SPENDING_KINDS.items() if operation in known), "other")


def is_measured(value: Value) -> bool:
    """Whether a value has the quality `measured`: it is complete, and nothing was imported."""
    return value.quality is Quality.MEASURED


def _quality(*, is_complete: bool) -> Quality:
    return Quality.MEASURED if is_complete else Quality.PARTIAL


def add_up(numbers: Sequence[int], *, is_complete: bool) -> Value:
    """Return the sum of the numbers as a value, which is missing if there are no numbers."""
    return Value(sum(numbers), _quality(is_complete=is_complete)) if numbers else MISSING


def average(numbers: Sequence[float], *, is_complete: bool) -> Value:
    """Return the mean of the numbers, with their sum and their count.

    Without numbers, the value is undefined if the measurement is complete, and missing otherwise.
    """
    if not numbers:
        return _without_numbers(is_complete=is_complete)
    return Value(
        fmean(numbers),
        _quality(is_complete=is_complete),
        sum(numbers),
        len(numbers),
        len(numbers),
    )


def middle(numbers: Sequence[float], *, is_complete: bool) -> Value:
    """Return the median of the numbers, with their count.

    Without numbers, the value is undefined if the measurement is complete, and missing otherwise.
    """
    if not numbers:
        return _without_numbers(is_complete=is_complete)
    return Value(median(numbers), _quality(is_complete=is_complete), sample=len(numbers))


def _without_numbers(*, is_complete: bool) -> Value:
    # Without numbers, a complete measurement means that there is nothing to average.
    return Value(None, Quality.UNDEFINED, sample=0) if is_complete else MISSING


def divide_sums(pairs: Iterable[tuple[int, int]], *, is_complete: bool) -> Value:
    """Return the sum of the pairs' first numbers, divided by the sum of the second numbers."""
    pairs = list(pairs)
    return divide(
        sum(first for first, _ in pairs),
        sum(second for _, second in pairs),
        is_complete=is_complete,
    )


def divide(
    numerator: Decimal | float | None, denominator: float | Decimal | None, *, is_complete: bool
) -> Value:
    """Return the ratio of two numbers as a value.

    The value is missing if a number is None. If the denominator is zero, the value is undefined if
    the measurement is complete, and missing otherwise.
    """
    if numerator is None or denominator is None:
        return MISSING
    if not denominator:
        quality = Quality.UNDEFINED if is_complete else Quality.MISSING
        return Value(None, quality, numerator, denominator)
    if isinstance(numerator, Decimal) or isinstance(denominator, Decimal):
        ratio: Number = Decimal(numerator) / Decimal(denominator)
    else:
        ratio = numerator / denominator
    return Value(ratio, _quality(is_complete=is_complete), numerator, denominator)


def _to_number(fraction: Fraction | int) -> int | float:
    return int(fraction) if fraction == int(fraction) else float(fraction)
