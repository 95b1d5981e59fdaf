"""The snapshots of posts by day and by age, for the figures of a report.

A day is a day in the tenant's time zone. Its closing value is the known value whose snapshot is
nearest to the midnight at the end of the day, as in `roost.insights.series`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from roost.insights.read_plan import PRIVATE_FOR
from roost.insights.reports.periods import begin_of_day, closing_read, local_day
from roost.models import AccountRecords, Metric, PartId, PostSnapshot, SentPart

#: The metrics for which a report shows gains.
GAINED_METRICS = (
    Metric.IMPRESSIONS,
    Metric.ENGAGEMENTS,
    Metric.LINK_CLICKS,
    Metric.PROFILE_CLICKS,
)
#: A value at an age is computed only if the snapshots before and after it are at most this far
#: apart. Daily reads are up to 25 hours apart when clocks change.
_MAX_BRACKET = timedelta(days=2)
_HALF_DAY = timedelta(hours=12)
_DAY = timedelta(days=1)


def closed_day(at: datetime, zone: ZoneInfo) -> date:
    """Return the day whose end is nearest to `at` in a time zone; if `at` is noon, its own day."""
    return (at.astimezone(zone) - _HALF_DAY).date()


def closing_values(values: Iterable[tuple[datetime, float]], zone: ZoneInfo) -> dict[date, float]:
    """Map each measured day to the value nearest to the end of the day, oldest first."""
    closing: dict[date, tuple[datetime, float]] = {}
    for at, value in sorted(values):
        day = closed_day(at, zone)
        if day not in closing or is_nearer(at, closing[day][0], day, zone):
            closing[day] = (at, value)
    return {day: value for day, (_, value) in closing.items()}


def is_nearer(at: datetime, other: datetime, day: date, zone: ZoneInfo) -> bool:
    """Whether `at` is nearer to the end of a day than another instant is."""
    midnight = begin_of_day(day + _DAY, zone)
    return abs(at - midnight) < abs(other - midnight)


@dataclass(frozen=True, eq=False)
class PartReadings:
    """The snapshots of one part, oldest first; they may be empty."""

    part: SentPart
    snapshots: tuple[PostSnapshot, ...]
    zone: ZoneInfo

    @cached_property
    def sent_day(self) -> date:
        """The day on which the part was sent."""
        return local_day(self.part.sent_at, self.zone)

    @cached_property
    def daily_until(self) -> date:
        """The last day that a daily read of the plan closes."""
        end = self.part.sent_at + PRIVATE_FOR
        day = local_day(end, self.zone)
        while closing_read(day, self.zone) >= end:
            day -= _DAY
        return day

    @cached_property
    def closed_days(self) -> tuple[date, ...]:
        """For each snapshot, the day that it can close."""
        return tuple(closed_day(snapshot.at, self.zone) for snapshot in self.snapshots)

    def closings(self, *metrics: Metric) -> list[tuple[date, tuple[int, ...]]]:
        """Return the closing values of the days on which all of `metrics` are known, oldest first.

        The first value is zero, on the day before the part was sent, because a part has no metrics
        until then.
        """
        first = self.sent_day - _DAY
        zeros = (0,) * len(metrics)
        closing: dict[date, tuple[datetime, tuple[int, ...]]] = {first: (self.part.sent_at, zeros)}
        if self.part.sent_at > closing_read(self.sent_day, self.zone):
            # No read of the plan closes this day, so the zero at the instant of sending does.
            closing[self.sent_day] = (self.part.sent_at, zeros)
        for day, snapshot in zip(self.closed_days, self.snapshots, strict=True):
            known = [
                value for metric in metrics if (value := snapshot.metrics.get(metric)) is not None
            ]
            if len(known) < len(metrics) or day <= first:
                continue
            nearest = closing.get(day)
            if nearest is None or is_nearer(snapshot.at, nearest[0], day, self.zone):
                closing[day] = (snapshot.at, tuple(known))
        return [(day, values) for day, (_, values) in sorted(closing.items())]

    def latest(self, metric: Metric, last_day: date) -> int | None:
        """Return the latest known value of a metric whose snapshot closes `last_day` or earlier."""
        latest = None
        for day, snapshot in zip(self.closed_days, self.snapshots, strict=True):
            if day > last_day:
                break
            value = snapshot.metrics.get(metric)
            latest = latest if value is None else value
        return latest

    def read_at(self, last_day: date) -> datetime | None:
        """Return the time of the latest snapshot that closes `last_day` or an earlier day."""
        times = [
            snapshot.at
            for day, snapshot in zip(self.closed_days, self.snapshots, strict=True)
            if day <= last_day
        ]
        return times[-1] if times else None

    def at_ages(self, metric: Metric, ages: Sequence[float], last_day: date) -> NDArray[np.float64]:
        """Return the metric at ages in days, interpolated between the snapshots around each age.

        A value is NaN if the metric is not known on both sides of the age within two days, or only
        by a snapshot that closes a day after `last_day`.
        """
        known = [(0.0, 0)] + [
            ((snapshot.at - self.part.sent_at) / _DAY, value)
            for day, snapshot in zip(self.closed_days, self.snapshots, strict=True)
            if day <= last_day and (value := snapshot.metrics.get(metric)) is not None
        ]
        times = np.array([time for time, _ in known])
        values = np.array([value for _, value in known], dtype=np.float64)
        wanted = np.asarray(ages, dtype=np.float64)
        after = np.searchsorted(times, wanted)
        found = np.interp(wanted, times, values)
        is_inside = after < len(times)
        after = np.minimum(after, len(times) - 1)
        width = times[after] - times[np.maximum(after - 1, 0)]
        return np.where(is_inside & (width <= _MAX_BRACKET / _DAY), found, np.nan)


def read_parts(records: AccountRecords, zone: ZoneInfo) -> list[PartReadings]:
    """Return the snapshots of each part of an account, in the order of the parts."""
    by_part: dict[PartId, list[PostSnapshot]] = {part.part_id: [] for part in records.parts}
    for snapshot in sorted(records.snapshots, key=lambda snapshot: snapshot.at):
        if snapshot.part_id in by_part:
            by_part[snapshot.part_id].append(snapshot)
    return [
        PartReadings(part, tuple(by_part[part.part_id]), zone)
        for part in sorted(records.parts, key=lambda part: (part.sent_at, part.part_id))
    ]
