"""Converts snapshots to one value per UTC day; a day without a measurement is NaN.

A day's closing value comes from the snapshot that is nearest to the midnight at the end of the day.
A snapshot shortly after midnight therefore gives the closing value of the day before. A change
between two daily snapshots belongs to the day with the larger share of the time between them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from roost.insights.read_plan import DAILY_UNTIL_DAYS
from roost.insights.snapshots import metric_values
from roost.models import AccountSnapshot, Metric, PostSnapshot

_DAY = timedelta(days=1)
_HALF_DAY = timedelta(hours=12)


@dataclass(frozen=True, eq=False)
class DailySeries:
    """One value per UTC day from `first` on; NaN for a day without a measurement."""

    first: date
    values: NDArray[np.float64]

    @property
    def last(self) -> date:
        """The last day of the series; if the series is empty, the day before `first`."""
        return self.first + timedelta(days=len(self.values) - 1)

    def days(self) -> list[date]:
        """Return every day of the series, including days without a measurement."""
        return [self.first + timedelta(days=n) for n in range(len(self.values))]

    def at(self, day: date) -> float:
        """Return the day's value; NaN outside the series."""
        position = (day - self.first).days
        return float(self.values[position]) if 0 <= position < len(self.values) else float("nan")

    def between(self, first: date, last: date) -> "DailySeries":
        """Return the days from `first` to `last` inclusive; days outside the series are gaps."""
        count = max((last - first).days + 1, 0)
        days = (first + timedelta(days=n) for n in range(count))
        return DailySeries(first, np.array([self.at(day) for day in days], dtype=np.float64))

    def measured_between(self, first: date, last: date) -> "DailySeries | None":
        """Return the range cut to its first and last measured day; None if no day is measured."""
        inside = self.between(max(first, self.first), min(last, self.last))
        measured = np.flatnonzero(~np.isnan(inside.values))
        if not len(measured):
            return None
        days = inside.days()
        return inside.between(days[int(measured[0])], days[int(measured[-1])])

    def changes(self) -> "DailySeries":
        """Return each day's net change; NaN if the day or the day before has no value."""
        return DailySeries(self.first + _DAY, np.diff(self.values))


@dataclass(frozen=True, slots=True)
class Change:
    """The change of a metric from one day's closing snapshot to that of a later day.

    The closing snapshot of a day is the snapshot nearest to the midnight at the end of the day.
    """

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
        """The time between the two snapshots, in days."""
        return (self.until - self.since) / _DAY

    @property
    def day(self) -> date:
        """The UTC day to which the change belongs, by `day_of_change`."""
        return day_of_change(self.since, self.until)


def closed_day(at: datetime) -> date:
    """Return the UTC day whose end is nearest to `at`; if `at` is noon, the day of `at`."""
    return (at.astimezone(UTC) - _HALF_DAY).date()


def day_of_change(since: datetime, until: datetime) -> date:
    """Return the UTC day with the largest share of the interval; if equal, the later day."""
    start, end = since.astimezone(UTC), until.astimezone(UTC)
    largest_day, largest_share = end.date(), timedelta(0)
    day = end.date()
    while day >= start.date():
        midnight = datetime.combine(day, time(), UTC)
        share = min(end, midnight + _DAY) - max(start, midnight)
        if share > largest_share:
            largest_day, largest_share = day, share
        day -= _DAY
    return largest_day


def closing_values(
    values: Iterable[tuple[datetime, float]],
) -> dict[date, tuple[datetime, float]]:
    """Map each measured day to its closing value, with the value's time, oldest first.

    The closing value is the value nearest to the midnight at the end of the day; if two values are
    equally near, it is the earlier one.
    """
    closing: dict[date, tuple[datetime, float]] = {}
    for at, value in sorted(values):
        day = closed_day(at)
        nearest = closing.get(day)
        if nearest is None or _from_midnight(at, day) < _from_midnight(nearest[0], day):
            closing[day] = (at, value)
    return closing


def _from_midnight(at: datetime, day: date) -> timedelta:
    return abs(at - datetime.combine(day + _DAY, time(), UTC))


def daily_levels(snapshots: Sequence[AccountSnapshot], metric: Metric) -> DailySeries | None:
    """Return the metric at the end of each UTC day; None if no snapshot has the metric."""
    closing = closing_values(metric_values(snapshots, metric))
    return _series({day: value for day, (_, value) in closing.items()})


def net_changes(snapshots: Sequence[AccountSnapshot], metric: Metric) -> list[Change]:
    """Return the changes between the closing snapshots of successive measured days.

    The oldest change comes first. If days have no snapshot, one change spans all of them.
    """
    closing = closing_values(metric_values(snapshots, metric))
    return [
        Change(since, until, before, after)
        for (since, before), (until, after) in pairwise(closing.values())
    ]


def _series(values: dict[date, float]) -> DailySeries | None:
    if not values:
        return None
    first, last = min(values), max(values)
    filled = np.full((last - first).days + 1, np.nan)
    for day, value in values.items():
        filled[(day - first).days] = value
    return DailySeries(first, filled)


def daily_gains(by_part: Sequence[Sequence[PostSnapshot]], metric: Metric) -> DailySeries | None:
    """Return the gains of all tweets that are read daily, added up for each UTC day.

    `by_part` comes from `snapshots.group_by_part`. If a tweet has earlier and later snapshots but
    none on a day, the day is a gap, because the sum is not known. A tweet that is no longer read
    (because it is deleted or too old) counts until its last snapshot. Returns None if no tweet was
    measured.
    """
    gains: dict[date, float] = {}
    for snapshots in by_part:
        for day, gained in _gains_of_part(snapshots, metric).items():
            gains[day] = gains.get(day, 0.0) + gained
    return _series(gains)


def _gains_of_part(snapshots: Sequence[PostSnapshot], metric: Metric) -> dict[date, float]:
    sent_at = snapshots[0].sent_at.astimezone(UTC)
    measured = [
        (snapshot.at, float(value))
        for snapshot in snapshots
        if (value := snapshot.metrics.get(metric)) is not None
        and snapshot.at - sent_at < timedelta(days=DAILY_UNTIL_DAYS)
    ]
    if not measured:
        return {}
    # The metrics of a post are known to be zero before it is sent, and at the moment of sending.
    levels = {sent_at.date() - _DAY: 0.0}
    for day, (_, level) in closing_values([(sent_at, 0.0), *measured]).items():
        levels[day] = level
    series = _series(levels)
    assert series is not None
    changes = series.changes()
    return {
        day: float(gained)
        for day, gained in zip(changes.days(), changes.values, strict=True)
        if day >= sent_at.date()
    }
