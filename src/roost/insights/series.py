"""Snapshots made into one value a UTC day. Gaps stay gaps: a day that nobody measured is NaN.

A day's closing value is the reading nearest to the midnight that ends it, so a reading shortly
after midnight closes the day before, and with daily readings a change falls on the day that holds
the larger share of the time between the two.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from roost.insights.plan import DAILY_UNTIL_DAYS
from roost.models import AccountHistory, AccountSnapshot, Metric, PartId, PostSnapshot

_DAY = timedelta(days=1)
_HALF_DAY = timedelta(hours=12)


@dataclass(frozen=True, eq=False)
class DailySeries:
    """One value a UTC day from `first` on; NaN where nothing was measured."""

    first: date
    values: NDArray[np.float64]

    @property
    def last(self) -> date:
        """The last day; the day before `first` for an empty series."""
        return self.first + timedelta(days=len(self.values) - 1)

    def days(self) -> list[date]:
        """Every day of the series, gaps too."""
        return [self.first + timedelta(days=n) for n in range(len(self.values))]

    def at(self, day: date) -> float:
        """The day's value; NaN outside the series."""
        position = (day - self.first).days
        return float(self.values[position]) if 0 <= position < len(self.values) else float("nan")

    def between(self, first: date, last: date) -> "DailySeries":
        """The days from `first` to `last`, both included; days outside become gaps."""
        count = max((last - first).days + 1, 0)
        days = (first + timedelta(days=n) for n in range(count))
        return DailySeries(first, np.array([self.at(day) for day in days], dtype=np.float64))

    def changes(self) -> "DailySeries":
        """Each day's net change; a gap where the day or the day before has no value."""
        return DailySeries(self.first + _DAY, np.diff(self.values))


@dataclass(frozen=True, slots=True)
class Change:
    """What a count gained or lost between two closing readings."""

    since: datetime
    until: datetime
    before: float
    after: float

    @property
    def amount(self) -> float:
        """The net change, in the metric's own unit."""
        return self.after - self.before

    @property
    def days(self) -> float:
        """How long it took."""
        return (self.until - self.since) / _DAY

    @property
    def day(self) -> date:
        """The UTC day it is told of: see `day_of_change`."""
        return day_of_change(self.since, self.until)


def closed_day(at: datetime) -> date:
    """The day whose end a reading is nearest to; noon belongs to its own day."""
    return (at.astimezone(UTC) - _HALF_DAY).date()


def day_of_change(since: datetime, until: datetime) -> date:
    """The UTC day that holds the larger share of the interval; the latest such day."""
    start, end = since.astimezone(UTC), until.astimezone(UTC)
    chosen, share = end.date(), timedelta(0)
    day = end.date()
    while day >= start.date():
        midnight = datetime.combine(day, time(), UTC)
        held = min(end, midnight + _DAY) - max(start, midnight)
        if held > share:
            chosen, share = day, held
        day -= _DAY
    return chosen


def closing_readings(
    readings: Iterable[tuple[datetime, float]],
) -> dict[date, tuple[datetime, float]]:
    """For each day that has one, the reading that closes it, oldest first.

    Of two equally near to midnight the earlier one closes the day.
    """
    closing: dict[date, tuple[datetime, float]] = {}
    for at, value in sorted(readings):
        day = closed_day(at)
        known = closing.get(day)
        if known is None or _from_midnight(at, day) < _from_midnight(known[0], day):
            closing[day] = (at, value)
    return closing


def _from_midnight(at: datetime, day: date) -> timedelta:
    return abs(at - datetime.combine(day + _DAY, time(), UTC))


def metric_readings(
    snapshots: Sequence[AccountSnapshot], metric: Metric
) -> list[tuple[datetime, float]]:
    """The readings that say something about `metric`, oldest first.

    When everything an account has is missing or zero at once, after it was not, the reading
    failed and the account did not change: such a reading counts as none.
    """
    readings = []
    alive = False
    for snapshot in sorted(snapshots, key=lambda snapshot: snapshot.at):
        blank = not any(snapshot.metrics.values())
        if blank and alive:
            continue
        alive = alive or not blank
        value = snapshot.metrics.get(metric)
        if value is not None:
            readings.append((snapshot.at, float(value)))
    return readings


def daily_levels(snapshots: Sequence[AccountSnapshot], metric: Metric) -> DailySeries | None:
    """What the account had at the end of each UTC day; None without any reading."""
    return _series({day: value for day, (_, value) in _closings(snapshots, metric).items()})


def net_changes(snapshots: Sequence[AccountSnapshot], metric: Metric) -> list[Change]:
    """The changes from each closing reading to the next, over gaps too, oldest first."""
    closings = list(_closings(snapshots, metric).values())
    return [
        Change(since, until, before, after)
        for (since, before), (until, after) in pairwise(closings)
    ]


def _closings(
    snapshots: Sequence[AccountSnapshot], metric: Metric
) -> dict[date, tuple[datetime, float]]:
    return closing_readings(metric_readings(snapshots, metric))


def _series(values: dict[date, float]) -> DailySeries | None:
    if not values:
        return None
    first, last = min(values), max(values)
    filled = np.full((last - first).days + 1, np.nan)
    for day, value in values.items():
        filled[(day - first).days] = value
    return DailySeries(first, filled)


def daily_gains(posts: Sequence[PostSnapshot], metric: Metric) -> DailySeries | None:
    """What all posts still read daily gained on each UTC day; None without a reading.

    A day on which one of them was skipped between two readings is a gap: the sum is not known.
    A post that is no longer read (deleted, too old) stops counting after its last reading.
    """
    gains: dict[date, float] = {}
    for readings in posts_by_part(posts):
        for day, gained in _gains_of_post(readings, metric).items():
            gains[day] = gains.get(day, 0.0) + gained
    return _series(gains)


def posts_by_part(posts: Sequence[PostSnapshot]) -> list[list[PostSnapshot]]:
    """The snapshots of each tweet together, each list oldest first."""
    together: dict[int, list[PostSnapshot]] = {}
    for snapshot in sorted(posts, key=lambda snapshot: snapshot.at):
        together.setdefault(snapshot.part_id, []).append(snapshot)
    return list(together.values())


def latest_metrics(
    readings: Sequence[PostSnapshot], known_before: Mapping[PartId, Mapping[Metric, int]]
) -> dict[Metric, int | None]:
    """What one tweet has: for every metric the latest value that X told; `readings` by time.

    X stops telling some of them after 30 days; what they were then still holds.
    """
    latest: dict[Metric, int | None] = dict.fromkeys(readings[-1].metrics)
    latest |= known_before.get(readings[-1].part_id, {})
    for reading in readings:
        latest |= {metric: value for metric, value in reading.metrics.items() if value is not None}
    return latest


def latest_of_posts(history: AccountHistory) -> list[PostSnapshot]:
    """Each tweet's newest reading with its latest metrics; newest tweet first."""
    latest = [
        replace(readings[-1], metrics=latest_metrics(readings, history.known_before))
        for readings in posts_by_part(history.posts)
    ]
    return sorted(latest, key=lambda one: (one.sent_at, one.part_id), reverse=True)


def _gains_of_post(readings: Sequence[PostSnapshot], metric: Metric) -> dict[date, float]:
    sent_at = readings[0].sent_at.astimezone(UTC)
    measured = [
        (reading.at, float(value))
        for reading in readings
        if (value := reading.metrics.get(metric)) is not None
        and reading.at - sent_at < timedelta(days=DAILY_UNTIL_DAYS)
    ]
    if not measured:
        return {}
    # Before it was sent, and in the instant it was, a post had earned nothing: that is known.
    levels = {sent_at.date() - _DAY: 0.0}
    for day, (_, level) in closing_readings([(sent_at, 0.0), *measured]).items():
        levels[day] = level
    series = _series(levels)
    assert series is not None
    changes = series.changes()
    return {
        day: float(gained)
        for day, gained in zip(changes.days(), changes.values, strict=True)
        if day >= sent_at.date()
    }
