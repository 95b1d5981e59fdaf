"""Computes every figure of a report by its key."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from harness.report_oracle.oracle import (
    Period,
    Subject,
    Tables,
    Value,
    compute_days,
    compute_followers,
    compute_subject,
    end_of_day,
    fetch_followers,
    find_gaps,
    is_closed,
)
from harness.report_oracle.post_oracle import (
    HISTORY_DAYS,
    compute_effects,
    compute_groups,
    compute_posts,
    load_posts,
)

_DAY: Final = timedelta(days=1)


def choose_periods(first: date, last: date, zone: ZoneInfo, now: datetime) -> dict[str, Period]:
    """Return the current period, its closed part, and the two earlier periods.

    The snapshots of the year before are read in a window of their own, unless the windows meet.
    """
    days = (last - first).days + 1
    closed = last
    while closed >= first and not is_closed(closed, zone, now):
        closed -= _DAY
    try:
        year_before = first.replace(year=first.year - 1)
    except ValueError:
        year_before = date(first.year - 1, 2, 28)
    length = closed - first
    previous = first - days * _DAY
    begins = min(previous - 8 * _DAY, first - _DAY, last - HISTORY_DAYS * _DAY)
    year_ends = year_before + length
    return {
        "current": Period(first, last, last),
        "comparable": Period(first, closed, last),
        "previous": Period(previous, previous + length, last),
        "year_before": Period(
            year_before, year_ends, last if year_ends + _DAY >= begins else year_ends
        ),
    }


def compute_figures(
    tables: Tables, subjects: Sequence[Subject], first: date, last: date
) -> dict[str, Value]:
    """Return the value of every figure that a report on these subjects may have."""
    zone = ZoneInfo(tables.zone)
    periods = choose_periods(first, last, zone, tables.now)
    current = periods["current"]
    figures: dict[str, Value] = {}
    for subject in subjects:
        by_period = {
            name: compute_subject(tables, subject, period) for name, period in periods.items()
        }
        for name, values in by_period.items():
            figures |= {f"{subject.key}/{each}@{name}": value for each, value in values.items()}
        for name in ("previous", "year_before"):
            for each, now in by_period["comparable"].items():
                compared = _compare(each, now, by_period[name][each])
                for suffix, value in compared.items():
                    figures[f"{subject.key}/{each}@{name}.{suffix}"] = value
        history = load_posts(tables, subject.accounts, current)
        first_at = end_of_day(current.first - _DAY, zone)
        published = [post for post in history if post.sent_at >= first_at]
        named = _coverage(tables, subject, current, zone)
        named |= compute_groups(tables, subject, current, history)
        if len(subject.accounts) == 1:
            named |= compute_effects(published)
            figures |= compute_posts(tables, subject.accounts, current, history)
        figures |= {f"{subject.key}/{each}@current": value for each, value in named.items()}
    return figures


def _compare(name: str, now: Value, earlier: Value) -> dict[str, Value]:
    """Return the difference of two values, and the difference as a share of the earlier value.

    A rate, the follower balance, and a comparison with 0 or less have no such share.
    """
    if now is None or earlier is None:
        return {"difference": None, "change": None}
    difference: int | float | Decimal
    if isinstance(now, Decimal) or isinstance(earlier, Decimal):
        now, earlier = Decimal(now), Decimal(earlier)
        difference = now - earlier
    else:
        difference = now - earlier
    has_no_change = "rate" in name or name == "followers.change" or earlier <= 0
    share = None if has_no_change else float(difference) / float(earlier)
    return {"difference": difference, "change": share}


def _coverage(tables: Tables, subject: Subject, period: Period, zone: ZoneInfo) -> dict[str, Value]:
    followers = fetch_followers(tables, subject)
    days = [period.first + n * _DAY for n in range(period.days)]
    closed = [day for day in days if is_closed(day, zone, tables.now)]
    gained = {
        metric: compute_days(tables, subject, period, metric)
        for metric in ("impressions", "engagements")
    }
    figures: dict[str, Value] = {}
    for day in days:
        level = compute_followers(followers, day)
        before = compute_followers(followers, day - _DAY)
        key = f"day.{day}"
        figures[f"{key}.followers"] = level
        figures[f"{key}.follower_change"] = (
            None if level is None or before is None else level - before
        )
        for metric, values in gained.items():
            figures[f"{key}.{metric}"] = values[day]
    posts = tables.fetch_posts(subject.accounts, period)
    gaps = find_gaps(tables, subject, period, "impressions")
    measured = [
        day for day in closed if compute_followers(followers, day) is not None and day not in gaps
    ]
    return figures | {
        "coverage.days": len(days),
        "coverage.closed_days": len(closed),
        "coverage.measured_days": len(measured),
        "coverage.posts": len(posts),
        "coverage.measured_posts": sum(bool(post["is_read"]) for post in posts),
    }
