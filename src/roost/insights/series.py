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

from roost.insights.snapshots import metric_values
from roost.models import AccountSnapshot, Metric

_DAY = timedelta(days=1)
_HALF_DAY = timedelta(hours=12)


@dataclass(frozen=True, eq=False)
class DailySeries:
    """One value per UTC day from `first` on; NaN for a day without a measurement."""

    first: date
    values: NDArray[np.float64]


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
