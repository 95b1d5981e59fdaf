"""The content of a report on a period: metrics and sentences as plain data.

Values that were not measured are None or NaN, never zero. All values are computed from snapshots.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from roost.formats import format_count
from roost.insights.period import Period, PeriodMetrics, measure_account, ratio, sum_accounts
from roost.insights.series import DailySeries, daily_gains, daily_levels
from roost.insights.snapshots import group_by_part, latest_metrics
from roost.insights.wording import describe_period
from roost.models import (
    AccountHistory,
    Anomaly,
    Environment,
    Metric,
    PartId,
    PostId,
    PostSnapshot,
    TweetId,
)

#: The report lists this many posts, best first.
_MAX_LISTED_POSTS = 10


@dataclass(frozen=True, slots=True)
class PostReport:
    """One post of the period with the latest known value of each metric.

    A thread is one post: its metrics are the sums over its tweets.
    """

    username: str
    is_live: bool
    """Whether the post is on the real X, so that its link works."""
    sent_as: TweetId
    """The first tweet of the post."""
    sent_at: datetime
    read_at: datetime
    """The time of the newest snapshot."""
    text: str
    """The text of the first tweet."""
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
    """The part of a report about one account: its metrics, daily values and anomalies."""

    username: str
    name: str
    metrics: PeriodMetrics
    sentences: tuple[str, ...]
    followers: DailySeries | None
    """The number of followers at the end of each UTC day of the period."""
    impressions: DailySeries | None
    """The impressions that posts gained on each UTC day; only posts that are read daily count."""
    anomalies: tuple[Anomaly, ...]
    """The anomalies of the period, oldest first."""


@dataclass(frozen=True, slots=True)
class PageReport:
    """The content of the HTML page that `roost report` writes today."""

    tenant_name: str
    since: datetime
    until: datetime
    """The end of the period, which is not part of it."""
    made_at: datetime
    metrics: PeriodMetrics
    """The metrics of all accounts together."""
    sentences: tuple[str, ...]
    accounts: tuple[AccountReport, ...]
    posts: tuple[PostReport, ...]
    """The best posts sent in the period, best first."""

    @property
    def first_day(self) -> date:
        """The first UTC day of the period."""
        return Period(self.since, self.until).first_day

    @property
    def last_day(self) -> date:
        """The last UTC day of the period."""
        return Period(self.since, self.until).last_day

    @property
    def anomalies(self) -> tuple[tuple[AccountReport, Anomaly], ...]:
        """All accounts' anomalies, newest first."""
        pairs = ((account, anomaly) for account in self.accounts for anomaly in account.anomalies)
        return tuple(sorted(pairs, key=lambda pair: pair[1].day, reverse=True))


def build_report(
    histories: Sequence[AccountHistory],
    *,
    since: datetime,
    until: datetime,
    tenant_name: str,
    made_at: datetime,
) -> PageReport:
    """Build the report on the period from `since` up to, but not including, `until`.

    Snapshots from before `since` give the values at the start of the period. If these snapshots
    cover the previous period of the same length, the report compares the two periods. Snapshots
    after `until` are ignored.
    """
    period = Period(since, until)
    accounts: list[AccountReport] = []
    sent_posts: list[PostReport] = []
    for history in histories:
        account, posts = _report_account(history, period)
        accounts.append(account)
        sent_posts += posts
    metrics = sum_accounts([account.metrics for account in accounts], days=period.days)
    return PageReport(
        tenant_name=tenant_name,
        since=since,
        until=until,
        made_at=made_at,
        metrics=metrics,
        sentences=(*_describe_anomalies(accounts), *describe_period(metrics)),
        accounts=tuple(accounts),
        posts=tuple(sorted(sent_posts, key=_rank)[:_MAX_LISTED_POSTS]),
    )


def _report_account(
    history: AccountHistory, period: Period
) -> tuple[AccountReport, list[PostReport]]:
    """Return the report of one account, and of each post that was sent in the period."""
    first, last = period.first_day, period.last_day
    by_part = group_by_part([each for each in history.posts if each.at < period.until])
    sent_posts = [
        _report_post(history, tweets)
        for tweets in _group_by_post(by_part)
        if period.since <= tweets[0][0].sent_at < period.until
    ]
    levels = daily_levels(
        [each for each in history.account if each.at < period.until], Metric.FOLLOWERS
    )
    gains = daily_gains(by_part, Metric.IMPRESSIONS)
    metrics = measure_account(
        history,
        by_part,
        levels,
        period=period,
        sent_engagements=[post.engagements for post in sent_posts],
    )
    anomalies = [anomaly for anomaly in history.anomalies if first <= anomaly.day <= last]
    account = AccountReport(
        username=history.integration.username,
        name=history.integration.name,
        metrics=metrics,
        sentences=describe_period(metrics),
        followers=levels and levels.measured_between(first, last),
        impressions=gains and gains.measured_between(first, last),
        anomalies=tuple(sorted(anomalies, key=lambda anomaly: anomaly.day)),
    )
    return account, sent_posts


def _group_by_post(
    by_part: Sequence[Sequence[PostSnapshot]],
) -> list[list[Sequence[PostSnapshot]]]:
    """Return the snapshots of each post by tweet, first tweet first."""
    by_post: dict[PostId | PartId, list[Sequence[PostSnapshot]]] = {}
    for snapshots in sorted(by_part, key=lambda each: (each[0].sent_at, each[0].part_id)):
        first = snapshots[0]
        by_post.setdefault(first.post_id or first.part_id, []).append(snapshots)
    return list(by_post.values())


def _report_post(history: AccountHistory, tweets: Sequence[Sequence[PostSnapshot]]) -> PostReport:
    account, first = history.integration, tweets[0][-1]
    latest = [latest_metrics(snapshots, history.known_before) for snapshots in tweets]

    def total(metric: Metric) -> int | None:
        known = [value for each in latest if (value := each.get(metric)) is not None]
        return sum(known) if len(known) == len(latest) else None

    return PostReport(
        username=account.username,
        is_live=account.environment is Environment.LIVE,
        sent_as=first.sent_as,
        sent_at=first.sent_at,
        read_at=max(snapshots[-1].at for snapshots in tweets),
        text=first.text,
        impressions=total(Metric.IMPRESSIONS),
        engagements=total(Metric.ENGAGEMENTS),
        likes=total(Metric.LIKES),
        replies=total(Metric.REPLIES),
        reposts=total(Metric.REPOSTS),
        link_clicks=total(Metric.LINK_CLICKS),
    )


def _rank(post: PostReport) -> tuple[int, int, datetime]:
    return -(post.engagements or 0), -(post.impressions or 0), post.sent_at


def _describe_anomalies(accounts: Sequence[AccountReport]) -> tuple[str, ...]:
    found = sum(len(account.anomalies) for account in accounts)
    if not found:
        return ()
    affected = sum(bool(account.anomalies) for account in accounts)
    all_accounts = format_count(len(accounts), "account")
    where = f" on {affected} of {all_accounts}" if len(accounts) > 1 else ""
    subject = "1 anomaly was" if found == 1 else f"{found:,} anomalies were"
    return (f"{subject} found{where}.",)
