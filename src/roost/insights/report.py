"""A period of some accounts told in figures and sentences: plain data, rendered elsewhere.

What was not measured is None or NaN, never zero. Every figure can be checked against the
snapshots it is made of.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from statistics import median

import numpy as np

from roost.agents.narrator import Figures, count, narrate, ratio
from roost.insights.series import (
    DailySeries,
    daily_gains,
    daily_levels,
    latest_metrics,
    posts_by_part,
)
from roost.models import (
    AccountHistory,
    Anomaly,
    Environment,
    Metric,
    PostSnapshot,
    TweetId,
)

#: So many posts are listed, the best first.
_BEST_POSTS = 10
#: From so many on, the best post is compared with the median one.
_POSTS_TO_COMPARE = 4


@dataclass(frozen=True, slots=True)
class PostReport:
    """One tweet of the period, by its latest reading; each metric by the latest that has it."""

    username: str
    is_live: bool
    """Whether it is on the real X, so that a link to it leads somewhere."""
    sent_as: TweetId
    sent_at: datetime
    read_at: datetime
    text: str
    impressions: int | None
    engagements: int | None
    likes: int | None
    replies: int | None
    reposts: int | None
    link_clicks: int | None

    @property
    def engagement_rate(self) -> float | None:
        """Engagements per impression."""
        return ratio(self.engagements, self.impressions)


@dataclass(frozen=True, slots=True)
class AccountReport:
    """One account in the period."""

    username: str
    name: str
    figures: Figures
    sentences: tuple[str, ...]
    followers: DailySeries | None
    """At the end of each UTC day of the period."""
    impressions: DailySeries | None
    """Gained on each UTC day by the posts that are read daily."""
    anomalies: tuple[Anomaly, ...]
    """Of the period, oldest first."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a face needs to show a period."""

    tenant_name: str
    since: datetime
    until: datetime
    """Exclusive."""
    made_at: datetime
    figures: Figures
    sentences: tuple[str, ...]
    accounts: tuple[AccountReport, ...]
    posts: tuple[PostReport, ...]
    """The best ones sent in the period, best first."""

    @property
    def first_day(self) -> date:
        """The first UTC day of the period."""
        return self.since.astimezone(UTC).date()

    @property
    def last_day(self) -> date:
        """The last UTC day of the period."""
        return _last_day(self.until)

    @property
    def anomalies(self) -> tuple[tuple[AccountReport, Anomaly], ...]:
        """Every account's anomalies, newest first."""
        pairs = ((account, anomaly) for account in self.accounts for anomaly in account.anomalies)
        return tuple(sorted(pairs, key=lambda pair: pair[1].day, reverse=True))


def build_report(
    histories: Sequence[AccountHistory],
    *,
    since: datetime,
    until: datetime,
    tenant_name: str,
    made_at: datetime,
) -> Report:
    """Tell what the accounts did from `since` up to, not including, `until`.

    Readings older than `since` serve to know where the period began and, where they cover as long
    a time before it, to compare; later ones are left out.
    """
    accounts = tuple(_report_account(history, since, until) for history in histories)
    sent = [post for history in histories for post in _sent_posts(history, since, until)]
    figures = _sum_up([account.figures for account in accounts], sent, _days(since, until))
    return Report(
        tenant_name=tenant_name,
        since=since,
        until=until,
        made_at=made_at,
        figures=figures,
        sentences=(*_describe_anomalies(accounts), *narrate(figures)),
        accounts=accounts,
        posts=tuple(sorted(sent, key=_rank)[:_BEST_POSTS]),
    )


def _report_account(history: AccountHistory, since: datetime, until: datetime) -> AccountReport:
    first, last = since.astimezone(UTC).date(), _last_day(until)
    account = [snapshot for snapshot in history.account if snapshot.at < until]
    posts = [snapshot for snapshot in history.posts if snapshot.at < until]
    levels = daily_levels(account, Metric.FOLLOWERS)
    gains = daily_gains(posts, Metric.IMPRESSIONS)
    followers = levels and _clip(levels, first, last)
    sent = _sent_posts(history, since, until)
    now, change = _followers(levels, first, last)
    before = since - (until - since)
    compared = _is_covered(history, before)
    figures = Figures(
        days=_days(since, until),
        followers=now,
        followers_change=change,
        impressions=_gained(posts, Metric.IMPRESSIONS, since, until),
        impressions_before=(
            _gained(posts, Metric.IMPRESSIONS, before, since) if compared else None
        ),
        engagements=_gained(posts, Metric.ENGAGEMENTS, since, until),
        engagements_before=(
            _gained(posts, Metric.ENGAGEMENTS, before, since) if compared else None
        ),
        posts=len(sent),
        usd=history.usd,
        unread_days=int(np.isnan(followers.values).sum()) if followers else 0,
        best_to_median=_best_to_median(sent),
    )
    return AccountReport(
        username=history.integration.username,
        name=history.integration.name,
        figures=figures,
        sentences=narrate(figures),
        followers=followers,
        impressions=gains and _clip(gains, first, last),
        anomalies=tuple(
            sorted(
                (anomaly for anomaly in history.anomalies if first <= anomaly.day <= last),
                key=lambda anomaly: anomaly.day,
            )
        ),
    )


def _days(since: datetime, until: datetime) -> int:
    return max(round((until - since) / timedelta(days=1)), 1)


def _last_day(until: datetime) -> date:
    return (until - timedelta(microseconds=1)).astimezone(UTC).date()


def _clip(series: DailySeries, first: date, last: date) -> DailySeries | None:
    """The series within the period, from its first measured day to its last."""
    inside = series.between(max(first, series.first), min(last, series.last))
    known = np.flatnonzero(~np.isnan(inside.values))
    if not len(known):
        return None
    days = inside.days()
    return inside.between(days[int(known[0])], days[int(known[-1])])


def _followers(
    levels: DailySeries | None, first: date, last: date
) -> tuple[int | None, int | None]:
    """The count at the end of the period, and its change since the latest one before it."""
    if levels is None:
        return None, None
    known = [
        (day, int(level))
        for day, level in zip(levels.days(), levels.values, strict=True)
        if day <= last and not np.isnan(level)
    ]
    if not known or known[-1][0] < first:
        return None, None
    start = next((position for position, (day, _) in enumerate(known) if day >= first), 0)
    start = max(start - 1, 0)
    now = known[-1][1]
    return now, now - known[start][1] if start < len(known) - 1 else None


def _is_covered(history: AccountHistory, since: datetime) -> bool:
    """Whether the account was being read when the period to compare with began."""
    times = [reading.at for reading in history.account] + [reading.at for reading in history.posts]
    return bool(times) and min(times) <= since + timedelta(days=1)


def _gained(
    posts: Sequence[PostSnapshot], metric: Metric, since: datetime, until: datetime
) -> int | None:
    """What all posts together gained in a range; None when no reading in it tells the metric."""
    gains = [
        gained
        for readings in posts_by_part(posts)
        if (gained := _gained_by_post(readings, metric, since, until)) is not None
    ]
    return sum(gains) if gains else None


def _gained_by_post(
    readings: Sequence[PostSnapshot], metric: Metric, since: datetime, until: datetime
) -> int | None:
    known = [
        (reading.at, value)
        for reading in readings
        if reading.at < until and (value := reading.metrics.get(metric)) is not None
    ]
    inside = [value for at, value in known if at >= since]
    if not inside:
        return None
    if readings[0].sent_at >= since:
        start = 0
    else:
        # Without a reading from before, only what came after the first one is known.
        earlier = [value for at, value in known if at < since]
        start = earlier[-1] if earlier else inside[0]
    return inside[-1] - start


def _sent_posts(history: AccountHistory, since: datetime, until: datetime) -> list[PostReport]:
    return [
        _report_post(history, readings)
        for readings in posts_by_part([post for post in history.posts if post.at < until])
        if since <= readings[0].sent_at < until
    ]


def _report_post(history: AccountHistory, readings: Sequence[PostSnapshot]) -> PostReport:
    account, newest = history.integration, readings[-1]
    latest = latest_metrics(readings, history.known_before).get
    return PostReport(
        username=account.username,
        is_live=account.environment is Environment.LIVE,
        sent_as=newest.sent_as,
        sent_at=newest.sent_at,
        read_at=newest.at,
        text=newest.text,
        impressions=latest(Metric.IMPRESSIONS),
        engagements=latest(Metric.ENGAGEMENTS),
        likes=latest(Metric.LIKES),
        replies=latest(Metric.REPLIES),
        reposts=latest(Metric.REPOSTS),
        link_clicks=latest(Metric.LINK_CLICKS),
    )


def _rank(post: PostReport) -> tuple[int, int, datetime]:
    return -(post.engagements or 0), -(post.impressions or 0), post.sent_at


def _best_to_median(posts: Sequence[PostReport]) -> float | None:
    engagements = [post.engagements for post in posts if post.engagements is not None]
    if len(engagements) < _POSTS_TO_COMPARE:
        return None
    return ratio(max(engagements), median(engagements))


def _sum_up(figures: Sequence[Figures], posts: Sequence[PostReport], days: int) -> Figures:
    def total(of: Callable[[Figures], int | None]) -> int | None:
        return _sum_known(of(each) for each in figures)

    compared = [each for each in figures if each.impressions is not None]
    comparable = all(each.impressions_before is not None for each in compared)
    return Figures(
        days=days,
        followers=total(lambda each: each.followers),
        followers_change=total(lambda each: each.followers_change),
        impressions=total(lambda each: each.impressions),
        impressions_before=total(lambda each: each.impressions_before) if comparable else None,
        engagements=total(lambda each: each.engagements),
        engagements_before=total(lambda each: each.engagements_before) if comparable else None,
        posts=len(posts),
        usd=sum((each.usd for each in figures), Decimal(0)),
        unread_days=max((each.unread_days for each in figures), default=0),
        # Between accounts of different sizes the comparison would tell of the sizes.
        best_to_median=_best_to_median(posts) if len(figures) == 1 else None,
    )


def _sum_known(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _describe_anomalies(accounts: Sequence[AccountReport]) -> tuple[str, ...]:
    found = sum(len(account.anomalies) for account in accounts)
    if not found:
        return ()
    touched = sum(bool(account.anomalies) for account in accounts)
    where = f" on {touched} of {count(len(accounts), 'account')}" if len(accounts) > 1 else ""
    return (f"{count(found, 'day')}{where} {'was' if found == 1 else 'were'} out of the ordinary.",)
