"""Computes a report's figures from the sentences of its glossary and from SQL over the tables."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import fmean, median
from typing import Any, Final
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import dict_row

Value = int | float | Decimal | None
METRICS: Final = (
    *("impressions", "engagements", "likes", "replies", "reposts"),
    *("quotes", "bookmarks", "link_clicks", "profile_clicks"),
)
_MAIN: Final = ("impressions", "engagements", "link_clicks", "profile_clicks")
_DAY: Final = timedelta(days=1)
_STATEMENTS: Final = {
    name.strip(): statement
    for name, _, statement in (
        each.partition("\n")
        for each in (Path(__file__).parent / "oracle.sql").read_text().split("-- name: ")[1:]
    )
}
#: A gain that began before a period counts if it took at most this many days.
_LONGEST_GAIN_DAYS: Final = 7


@dataclass(frozen=True)
class Period:
    """The days from `first` to `last`."""

    first: date
    last: date
    known_until: date
    """The last day whose snapshots the report reads to compute the figures of this period."""

    @property
    def days(self) -> int:
        """The number of days; 0 if `last` is the day before `first`."""
        return (self.last - self.first).days + 1


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return the instant at which a day ends."""
    return datetime.combine(day + _DAY, time(), zone).astimezone(UTC)


def is_closed(day: date, zone: ZoneInfo, now: datetime) -> bool:
    """Return whether a day is over, and the planned read nearest to its end has been due."""
    end = end_of_day(day, zone)
    reads = [datetime.combine(end.date() + n * _DAY, time(23, 30), UTC) for n in (-1, 0)]
    return now >= max(end, min(reads, key=lambda read: abs(read - end)))


@dataclass(frozen=True)
class Subject:
    """An account, or several accounts."""

    key: str
    tenant: int
    accounts: Sequence[int]
    is_tenant: bool


def _only(subject: Subject, account: int) -> Subject:
    return replace(subject, accounts=[account])


class Tables:
    """The tables, read by the superuser, with the days of one time zone."""

    def __init__(self, admin: psycopg.Connection[Any], zone: str, now: datetime) -> None:
        self._admin = admin
        self.zone = zone
        self.now = now
        self._known: dict[str, list[dict[str, Any]]] = {}

    def fetch_each(
        self, name: str, accounts: Sequence[int], fills: Mapping[str, str] | None = None
    ) -> list[dict[str, Any]]:
        """Return the rows of a statement for each account, which are read once per account."""
        rows = []
        for account in accounts:
            key = f"{name} {account} {fills}"
            if key not in self._known:
                self._known[key] = self.fetch(name, fills, accounts=[account])
            rows += self._known[key]
        return rows

    def fetch(
        self, name: str, fills: Mapping[str, str] | None = None, **parameters: object
    ) -> list[dict[str, Any]]:
        """Return the rows of a named statement."""
        statement = _STATEMENTS[name]
        for slot, text in (fills or {}).items():
            statement = statement.replace(f"{{{slot}}}", text)
        with self._admin.cursor(row_factory=dict_row) as cursor:
            cursor.execute(statement.encode(), parameters | {"zone": self.zone})
            return cursor.fetchall()

    def fetch_posts(self, accounts: Sequence[int], period: Period) -> list[dict[str, Any]]:
        """Return the posts that were published in a period."""
        sums = ", ".join(
            f"CASE WHEN bool_and(k.{m} IS NOT NULL) THEN sum(k.{m})::bigint END AS {m}"
            for m in METRICS
        )
        values = ", ".join(
            f"(array_agg(s.{m} ORDER BY s.at DESC) FILTER (WHERE s.{m} IS NOT NULL))[1] AS {m}"
            for m in METRICS
        )
        return self.fetch(
            "posts",
            {"sums": sums, "values": values},
            accounts=list(accounts),
            first=period.first,
            last=period.last,
        )


def compute_subject(tables: Tables, subject: Subject, period: Period) -> dict[str, Value]:
    """Return the figures of a subject in a period, by the names of their definitions."""
    posts = tables.fetch_posts(subject.accounts, period)
    followers = fetch_followers(tables, subject)
    figures: dict[str, Value] = {}
    for metric in _MAIN:
        figures |= _gained(tables, subject, period, metric)
    both = "AND s.impressions IS NOT NULL AND s.engagements IS NOT NULL"
    impressions, engagements = (
        _sum_gains(_fetch_gains(tables, subject, period, metric, both))
        for metric in ("impressions", "engagements")
    )
    figures["gained.rate_by_impressions"] = divide(engagements, impressions)
    level = _mean_followers(followers, period)
    counted = {
        account: gained
        for account in level
        if (
            gained := _sum_gains(
                _fetch_gains(tables, _only(subject, account), period, "engagements")
            )
        )
        is not None
    }
    figures["gained.rate_by_followers"] = divide(
        sum(counted.values()) if counted else None, sum(level[account] for account in counted)
    )
    figures |= _published(posts, level)
    figures |= _account(followers, subject, period)
    figures |= _activity(tables, subject, period, posts)
    figures |= _spent(tables, subject, period, figures)
    return figures


def divide(numerator: Value, denominator: Value) -> Value:
    """Return a quotient; None if a value is not known, or the denominator is 0."""
    if numerator is None or denominator is None or denominator == 0:
        return None
    if isinstance(numerator, Decimal):
        return numerator / Decimal(denominator)
    return numerator / float(denominator)


@dataclass(frozen=True)
class Gain:
    """What a part gained between the ends of two days."""

    part: int
    after: date
    until: date
    value: int

    @property
    def is_of_one_day(self) -> bool:
        """Whether the days are adjacent."""
        return self.after == self.until - _DAY


def _fetch_gains(
    tables: Tables, subject: Subject, period: Period, metric: str, condition: str = ""
) -> list[Gain]:
    """Return the gains of a period.

    A gain that began before the period counts only if it took at most seven days.
    """
    rows = tables.fetch_each(
        "closings", subject.accounts, {"metric": metric, "condition": condition}
    )
    gains = [
        Gain(row["part_id"], row["before_day"], row["day"], row["value"] - row["before_value"])
        for row in rows
        if period.first <= row["day"] <= period.last
    ]
    gains += [
        Gain(row["part_id"], row["day"] - _DAY, row["day"], 0)
        for row in tables.fetch_each("evening_parts", subject.accounts)
        if period.first <= row["day"] <= period.last
    ]
    return [
        gain
        for gain in gains
        if gain.after >= period.first - _DAY or (gain.until - gain.after).days <= _LONGEST_GAIN_DAYS
    ]


def _sum_gains(gains: Sequence[Gain]) -> int | None:
    return sum(gain.value for gain in gains) if gains else None


def _gained(tables: Tables, subject: Subject, period: Period, metric: str) -> dict[str, Value]:
    gains = _fetch_gains(tables, subject, period, metric)
    total = _sum_gains(gains)
    gaps = find_gaps(tables, subject, period, metric)
    dated = sum(gain.value for gain in gains if gain.is_of_one_day and gain.until not in gaps)
    return {
        f"gained.{metric}": total,
        f"gained.{metric}_undated": None if total is None else total - dated,
    }


def compute_days(
    tables: Tables, subject: Subject, period: Period, metric: str
) -> dict[date, int | None]:
    """Return what the posts gained on each day of the period; None on a gap, or without a read."""
    gaps = find_gaps(tables, subject, period, metric)
    gains = [g for g in _fetch_gains(tables, subject, period, metric) if g.is_of_one_day]
    return {
        day: None if day in gaps else _sum_gains([g for g in gains if g.until == day])
        for day in _dates(period)
    }


def find_gaps(tables: Tables, subject: Subject, period: Period, metric: str) -> set[date]:
    """Return the closed days without a closing snapshot of a part that is read daily.

    A part of which the report knows no later snapshot counts as deleted on X. Without a closing
    snapshot of that part, a day is a gap only if no other part of the account was read.
    """
    gaps: set[date] = set()
    for account in subject.accounts:
        closings: dict[int, set[date]] = {}
        for row in tables.fetch_each("closings", [account], {"metric": metric, "condition": ""}):
            closings.setdefault(row["part_id"], set()).add(row["day"])
        read_days = {row["day"] for row in tables.fetch_each("read_days", [account])}
        rows = tables.fetch_each("daily_parts", [account], {"now": tables.now.isoformat()})
        for row in rows:
            day, known = row["day"], closings.get(row["part_id"], set())
            if not period.first <= day <= period.last or day in known:
                continue
            if day not in read_days or any(day < later <= period.known_until for later in known):
                gaps.add(day)
    return gaps


def _dates(period: Period) -> Iterator[date]:
    return (period.first + n * _DAY for n in range(period.days))


def fetch_followers(tables: Tables, subject: Subject) -> dict[int, dict[date, int]]:
    """Return each account's followers at the end of each day with a closing snapshot."""
    levels: dict[int, dict[date, int]] = {account: {} for account in subject.accounts}
    for row in tables.fetch_each("followers", subject.accounts):
        levels[row["integration_id"]][row["day"]] = row["followers"]
    return levels


def _mean_followers(
    followers: Mapping[int, Mapping[date, int]], period: Period
) -> dict[int, float]:
    """Return the mean of each account's followers at the ends of the period's measured days."""
    known = {
        account: [levels[day] for day in _dates(period) if day in levels]
        for account, levels in followers.items()
    }
    return {account: fmean(levels) for account, levels in known.items() if levels}


def _published(posts: Sequence[Mapping[str, Any]], level: Mapping[int, float]) -> dict[str, Value]:
    figures: dict[str, Value] = {}
    for metric in _MAIN:
        known = [post[metric] for post in posts if post[metric] is not None]
        figures[f"published.{metric}"] = sum(known) if known or not posts else None
        figures[f"published.mean_{metric}"] = fmean(known) if known else None
        figures[f"published.median_{metric}"] = median(known) if known else None
    both = [p for p in posts if p["impressions"] is not None and p["engagements"] is not None]
    figures["published.rate_by_impressions"] = divide(
        sum(p["engagements"] for p in both), sum(p["impressions"] for p in both)
    )
    rates = [p["engagements"] / p["impressions"] for p in both if p["impressions"]]
    figures["published.median_rate"] = median(rates) if rates else None
    counted = [p for p in posts if p["engagements"] is not None and p["integration_id"] in level]
    figures["published.rate_by_followers"] = divide(
        sum(p["engagements"] for p in counted),
        sum(level[p["integration_id"]] for p in counted),
    )
    return figures


def _account(
    followers: Mapping[int, Mapping[date, int]], subject: Subject, period: Period
) -> dict[str, Value]:
    ends = {
        account: max((day for day in levels if period.first <= day <= period.last), default=None)
        for account, levels in followers.items()
    }
    known = {account: day for account, day in ends.items() if day is not None}
    end = sum(followers[account][day] for account, day in known.items()) if known else None
    changes = [
        followers[account][day] - followers[account][before]
        for account, day in known.items()
        if (before := _day_before(followers[account], period)) != day
    ]
    return {"followers.end": end, "followers.change": sum(changes) if changes else None}


def _day_before(levels: Mapping[date, int], period: Period) -> date:
    """Return the day before the period, or the measured day that stands in for it.

    This is the last measured day of the week before; without one, the first day of the period.
    """
    last = period.first - _DAY
    earlier = [day for day in levels if last - 7 * _DAY < day <= last]
    return max(earlier) if earlier else min(day for day in levels if day >= period.first)


def compute_followers(followers: Mapping[int, Mapping[date, int]], day: date) -> int | None:
    """Return the followers of all accounts at the end of a day."""
    known = [levels[day] for levels in followers.values() if day in levels]
    return sum(known) if len(known) == len(followers) else None


def _activity(
    tables: Tables, subject: Subject, period: Period, posts: Sequence[Mapping[str, Any]]
) -> dict[str, Value]:
    (outcomes,) = tables.fetch(
        "outcomes", accounts=list(subject.accounts), first=period.first, last=period.last
    )
    return {
        "activity.posts": len(posts),
        "activity.parts": sum(post["parts"] for post in posts),
        "activity.active_days": len({post["day"] for post in posts}),
        "activity.posts_per_week": divide(7.0 * len(posts), period.days),
        **{f"activity.{name}": count for name, count in outcomes.items()},
    }


def _spent(
    tables: Tables, subject: Subject, period: Period, figures: Mapping[str, Value]
) -> dict[str, Value]:
    rows = tables.fetch(
        "spending",
        tenant=subject.tenant,
        accounts=list(subject.accounts),
        is_tenant=subject.is_tenant,
        first=period.first,
        last=period.last,
    )
    by_kind = {row["kind"]: row["sum"] for row in rows}
    spent: dict[str, Value] = {
        f"spent.{kind}": by_kind.get(kind, Decimal(0))
        for kind in ("posts", "media", "post_reads", "account_reads", "other")
    }
    total = sum(by_kind.values(), Decimal(0))
    thousand = divide(1000 * total, figures["gained.impressions"])
    return spent | {
        "spent.total": total,
        "spent.per_engagement": divide(total, figures["gained.engagements"]),
        "spent.per_thousand_impressions": thousand,
    }
