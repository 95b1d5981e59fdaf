"""Computes what was measured in a report's period, and the values of each of its days."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from roost.insights.reports.figure_maker import FigureMaker
from roost.insights.reports.measured import MeasuredAccount
from roost.insights.reports.model import Coverage, Day
from roost.insights.reports.periods import ReportPeriods
from roost.models import Metric

_DAY = timedelta(days=1)


def measure_coverage(
    maker: FigureMaker,
    accounts: Sequence[MeasuredAccount],
    periods: ReportPeriods,
    now: datetime,
) -> Coverage:
    """Return which days and posts of the current period were measured."""
    current, closed = periods.current, periods.comparable
    gaps = tuple(
        day for day in closed.dates() if any(_is_gap(account, day) for account in accounts)
    )
    imported = [
        account.records.imported_through
        for account in accounts
        if account.records.imported_through is not None
    ]
    posts = [post for each in accounts for post in each.published(current.first, current.last)]
    measured = [post for post in posts if post.read_at(current.last) is not None]
    reads = [
        account.records.next_read_at
        for account in accounts
        if any(
            post.read_at(current.last) is None
            for post in account.published(current.first, current.last)
        )
    ]
    known_reads = [at for at in reads if at is not None and at >= now]
    return Coverage(
        days=maker.count("coverage.days", current.days, "coverage.days"),
        closed_days=maker.count("coverage.closed_days", closed.days, "coverage.closed_days"),
        measured_days=maker.count(
            "coverage.measured_days", closed.days - len(gaps), "coverage.measured_days"
        ),
        gap_days=gaps,
        open_days=periods.open_days,
        imported_days=tuple(
            day for day in current.dates() if any(day <= until for until in imported)
        ),
        posts=maker.count("coverage.posts", len(posts), "activity.posts"),
        measured_posts=maker.count(
            "coverage.measured_posts", len(measured), "coverage.measured_posts"
        ),
        next_read_at=max(known_reads) if known_reads and len(known_reads) == len(reads) else None,
    )


def _is_gap(account: MeasuredAccount, day: date) -> bool:
    return day not in account.followers or day in account.gains[Metric.IMPRESSIONS].gap_days


def list_days(
    maker: FigureMaker, accounts: Sequence[MeasuredAccount], periods: ReportPeriods
) -> tuple[Day, ...]:
    """Return the followers and gains of each day of the current period, oldest day first."""
    open_days = set(periods.open_days)
    days = []
    for day in periods.current.dates():
        path = f"day.{day.isoformat()}"
        now, before = _followers(accounts, day), _followers(accounts, day - _DAY)
        days.append(
            Day(
                day,
                day in open_days,
                maker.count(f"{path}.followers", now, "day.followers"),
                maker.count(
                    f"{path}.follower_change",
                    None if now is None or before is None else now - before,
                    "day.follower_change",
                ),
                maker.count(
                    f"{path}.impressions",
                    _gained(accounts, Metric.IMPRESSIONS, day),
                    "day.impressions",
                ),
                maker.count(
                    f"{path}.engagements",
                    _gained(accounts, Metric.ENGAGEMENTS, day),
                    "day.engagements",
                ),
            )
        )
    return tuple(days)


def _followers(accounts: Sequence[MeasuredAccount], day: date) -> int | None:
    """Return the accounts' total followers at a day's end; None if a count is not known."""
    counts = [each.followers.get(day) for each in accounts]
    known = [count for count in counts if count is not None]
    return sum(known) if known and len(known) == len(counts) else None


def _gained(accounts: Sequence[MeasuredAccount], metric: Metric, day: date) -> int | None:
    """Return how much of a metric the accounts gained on a day, in total.

    Return None if the day is a gap of any account, or if the gain of no account is known.
    """
    gains = [each.gains[metric] for each in accounts]
    if any(day in each.gap_days for each in gains):
        return None
    known = [gained[0] for each in gains if (gained := each.on(day)) is not None]
    return sum(known) if known else None
