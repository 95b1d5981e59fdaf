"""Metrics of a period: followers, impressions, engagements, posts and the costs of X.

A value that was not measured is None, never zero.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from statistics import median

import numpy as np

from roost.insights.series import DailySeries
from roost.models import AccountHistory, Metric, PostSnapshot

#: The best post is compared with the median post only if there are at least this many posts.
_MIN_POSTS_TO_COMPARE = 4


@dataclass(frozen=True, slots=True)
class Period:
    """The time from `since` up to, but not including, `until`."""

    since: datetime
    until: datetime

    @property
    def first_day(self) -> date:
        """The first UTC day of the period."""
        return self.since.astimezone(UTC).date()

    @property
    def last_day(self) -> date:
        """The last UTC day of the period."""
        return (self.until - timedelta(microseconds=1)).astimezone(UTC).date()

    @property
    def days(self) -> int:
        """The number of UTC days of which the period has a part."""
        return (self.last_day - self.first_day).days + 1

    @property
    def previous(self) -> "Period":
        """The period of the same length that ends when this period begins."""
        return Period(self.since - (self.until - self.since), self.since)


@dataclass(frozen=True, slots=True)
class PeriodMetrics:
    """Metrics of a period for one account, or for several together; None if not known."""

    days: int
    """The number of days of the period."""
    followers: int | None
    """Number of followers at the last snapshot of the period."""
    followers_change: int | None
    """Change of the followers since the last snapshot before the period; without such a snapshot,
    since the first snapshot of the period."""
    impressions: int | None
    """Impressions that posts of any age gained within the period."""
    impressions_before: int | None
    """Impressions gained in the previous period, which has the same length."""
    engagements: int | None
    engagements_before: int | None
    posts: int
    """Number of posts that were sent in the period and whose metrics were read at least once. A
    thread is one post."""
    usd: Decimal
    """The US dollars that X billed."""
    missing_days: int = 0
    """Number of days without a follower count between the first and last days with a count."""
    best_to_median: float | None = None
    """Engagements of the best post divided by those of the median post; None below four posts."""
    unread: int = 0
    """Number of posts that were sent in the period and whose metrics were not read yet."""
    next_read_at: datetime | None = None
    """When the metrics of the unread posts are read; None if that is not known, or past."""

    @property
    def sent(self) -> int:
        """Number of posts that were sent in the period."""
        return self.posts + self.unread

    @property
    def followers_share(self) -> float | None:
        """The change of the follower count, as a share of the count before the change."""
        if self.followers is None or self.followers_change is None:
            return None
        return ratio(self.followers_change, self.followers - self.followers_change)

    @property
    def impressions_share(self) -> float | None:
        """The change of impressions as a share of the impressions of the previous period."""
        return _growth(self.impressions, self.impressions_before)

    @property
    def engagements_share(self) -> float | None:
        """The change of engagements as a share of the engagements of the previous period."""
        return _growth(self.engagements, self.engagements_before)

    @property
    def engagement_rate(self) -> float | None:
        """Engagements per impression."""
        return ratio(self.engagements, self.impressions)

    @property
    def usd_per_thousand(self) -> Decimal | None:
        """The US dollars that X billed per 1,000 impressions gained."""
        return self.usd * 1000 / self.impressions if self.impressions else None


def measure_account(
    history: AccountHistory,
    by_part: Sequence[Sequence[PostSnapshot]],
    levels: DailySeries | None,
    *,
    period: Period,
    sent_engagements: Sequence[int | None],
) -> PeriodMetrics:
    """Compute one account's metrics of a period.

    `by_part` has the snapshots of each tweet up to the end of the period, and `levels` has the
    follower count of each day. `sent_engagements` are the engagements of each post that was sent in
    the period.
    """
    followers, change = _measure_followers(levels, period)
    inside = levels and levels.measured_between(period.first_day, period.last_day)
    previous = period.previous
    is_comparable = _covers(history, previous)
    return PeriodMetrics(
        days=period.days,
        followers=followers,
        followers_change=change,
        impressions=_gain(by_part, Metric.IMPRESSIONS, period),
        impressions_before=_gain(by_part, Metric.IMPRESSIONS, previous) if is_comparable else None,
        engagements=_gain(by_part, Metric.ENGAGEMENTS, period),
        engagements_before=_gain(by_part, Metric.ENGAGEMENTS, previous) if is_comparable else None,
        posts=len(sent_engagements),
        usd=history.usd,
        missing_days=int(np.isnan(inside.values).sum()) if inside else 0,
        best_to_median=_best_to_median(sent_engagements),
        unread=sum(period.since <= at < period.until for at in history.unread),
        next_read_at=_future(history.next_read_at, period),
    )


def sum_accounts(accounts: Sequence[PeriodMetrics], *, days: int) -> PeriodMetrics:
    """Add up the metrics of several accounts over one period of `days` days.

    The sums for the previous period are None unless each account that has impressions in this
    period was also measured in the previous one.
    """

    def total(value_of: Callable[[PeriodMetrics], int | None]) -> int | None:
        known = [value for each in accounts if (value := value_of(each)) is not None]
        return sum(known) if known else None

    measured = [each for each in accounts if each.impressions is not None]
    is_comparable = all(each.impressions_before is not None for each in measured)
    return PeriodMetrics(
        days=days,
        followers=total(lambda each: each.followers),
        followers_change=total(lambda each: each.followers_change),
        impressions=total(lambda each: each.impressions),
        impressions_before=total(lambda each: each.impressions_before) if is_comparable else None,
        engagements=total(lambda each: each.engagements),
        engagements_before=total(lambda each: each.engagements_before) if is_comparable else None,
        posts=sum(each.posts for each in accounts),
        usd=sum((each.usd for each in accounts), Decimal(0)),
        missing_days=max((each.missing_days for each in accounts), default=0),
        # The ratio of the best post to the median post is given only for a single account. For
        # several accounts, it would mainly show that the accounts differ in size.
        best_to_median=accounts[0].best_to_median if len(accounts) == 1 else None,
        unread=sum(each.unread for each in accounts),
        next_read_at=_last_read_at(accounts),
    )


def _future(at: datetime | None, period: Period) -> datetime | None:
    return at if at is not None and at >= period.until else None


def _last_read_at(accounts: Sequence[PeriodMetrics]) -> datetime | None:
    """Return when the metrics of all unread posts will have been read; None if unknown."""
    times = [each.next_read_at for each in accounts if each.unread]
    known = [at for at in times if at is not None]
    return max(known) if known and len(known) == len(times) else None


def ratio(part: float | None, whole: float | None) -> float | None:
    """Return `part / whole`; None if a number is unknown or `whole` is zero."""
    return None if part is None or not whole else part / whole


def _growth(now: int | None, before: int | None) -> float | None:
    return ratio(None if now is None or before is None else now - before, before)


def _measure_followers(levels: DailySeries | None, period: Period) -> tuple[int | None, int | None]:
    """Return the last follower count of the period, and the change of the count.

    The change is since the last count before the period or, if there is none, since the first count
    of the period. A value that is not known is None.
    """
    if levels is None:
        return None, None
    known = [
        (day, int(level))
        for day, level in zip(levels.days(), levels.values, strict=True)
        if day <= period.last_day and not np.isnan(level)
    ]
    if not known or known[-1][0] < period.first_day:
        return None, None
    first_inside = next(n for n, (day, _) in enumerate(known) if day >= period.first_day)
    start = max(first_inside - 1, 0)
    _, followers = known[-1]
    return followers, followers - known[start][1] if start < len(known) - 1 else None


def _covers(history: AccountHistory, period: Period) -> bool:
    """Whether the account or its posts were measured by the end of the period's first day."""
    times = [snapshot.at for snapshot in history.account]
    times += [snapshot.at for snapshot in history.posts]
    return bool(times) and min(times) <= period.since + timedelta(days=1)


def _gain(by_part: Sequence[Sequence[PostSnapshot]], metric: Metric, period: Period) -> int | None:
    """Return the gain of all tweets together in the period; None if no tweet has the metric."""
    gains = [
        gained
        for snapshots in by_part
        if (gained := _gain_of_part(snapshots, metric, period)) is not None
    ]
    return sum(gains) if gains else None


def _gain_of_part(snapshots: Sequence[PostSnapshot], metric: Metric, period: Period) -> int | None:
    known = [
        (snapshot.at, value)
        for snapshot in snapshots
        if snapshot.at < period.until and (value := snapshot.metrics.get(metric)) is not None
    ]
    inside = [value for at, value in known if at >= period.since]
    if not inside:
        return None
    if snapshots[0].sent_at >= period.since:
        start = 0
    else:
        # If no snapshot is from before the period, only the gain after the first snapshot is known.
        earlier = [value for at, value in known if at < period.since]
        start = earlier[-1] if earlier else inside[0]
    return inside[-1] - start


def _best_to_median(engagements: Sequence[int | None]) -> float | None:
    known = [value for value in engagements if value is not None]
    if len(known) < _MIN_POSTS_TO_COMPARE:
        return None
    return ratio(max(known), median(known))
