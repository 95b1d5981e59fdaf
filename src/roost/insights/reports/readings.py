"""The snapshots of an account's posts by day and by age, for the figures of a report.

A day is a day in the tenant's time zone. Its closing value is the known value whose snapshot is
nearest to the midnight at the end of the day, as in `roost.insights.series`. Days are numbered as
by `date.toordinal`. The values of all snapshots are kept in arrays, because a report on 1,000 posts
needs some hundred thousand values.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from roost.insights.read_plan import PRIVATE_FOR
from roost.insights.reports.periods import begin_of_day, closing_read, local_day
from roost.models import POST_METRICS, AccountRecords, Metric, SentPart

#: The metrics for which a report shows gains.
GAINED_METRICS: Final = (
    Metric.IMPRESSIONS,
    Metric.ENGAGEMENTS,
    Metric.LINK_CLICKS,
    Metric.PROFILE_CLICKS,
)
#: A value at an age is computed only if the snapshots before and after it are at most this far
#: apart. Daily reads are up to 25 hours apart when clocks change.
_MAX_BRACKET_DAYS: Final = 2.0
#: More than the age in days of any post, to sort snapshots by part and age together.
_MAX_AGE_DAYS: Final = 1e6
_HALF_DAY: Final = timedelta(hours=12)
_DAY: Final = timedelta(days=1)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def closed_day(at: datetime, zone: ZoneInfo) -> date:
    """Return the day whose end is nearest to `at` in a time zone; if `at` is noon, its own day."""
    return (at.astimezone(zone) - _HALF_DAY).date()


def _from_midnight(at: datetime, zone: ZoneInfo) -> timedelta:
    """Return the time between `at` and the end of the day that `at` closes."""
    return abs(at - begin_of_day(closed_day(at, zone) + _DAY, zone))


def closing_values(values: Iterable[tuple[datetime, float]], zone: ZoneInfo) -> dict[date, float]:
    """Map each measured day to the value nearest to the end of the day, oldest first."""
    closing: dict[date, tuple[timedelta, float]] = {}
    for at, value in sorted(values):
        day, distance = closed_day(at, zone), _from_midnight(at, zone)
        if day not in closing or distance < closing[day][0]:
            closing[day] = (distance, value)
    return {day: value for day, (_, value) in closing.items()}


@dataclass(frozen=True, slots=True)
class Closings:
    """The closing values of all parts, sorted by part and day.

    The first value of each part is zero, on the day before the part was sent, because a part has no
    metrics until then.
    """

    parts: Integers
    """For each value, the position of its part."""
    days: Integers
    values: Integers
    """One column per metric."""


@dataclass(frozen=True, eq=False)
class PostReadings:
    """The snapshots of an account's parts. A row is one snapshot; rows are sorted by part and time.

    A part is named by its position in `parts`.
    """

    parts: tuple[SentPart, ...]
    zone: ZoneInfo
    part_of: Integers
    """The part of each row."""
    times: tuple[datetime, ...]
    days: Integers
    """The day that each row can close."""
    distances: Floats
    """The seconds between each row and the end of that day."""
    values: Floats
    """The metrics of each row in the order of `POST_METRICS`; NaN if a metric is not known."""
    _latest: dict[tuple[Metric, date], Floats] = field(default_factory=dict)
    _at_ages: dict[tuple[Metric, tuple[int, ...], date], Floats] = field(default_factory=dict)

    @cached_property
    def sent_days(self) -> tuple[date, ...]:
        """The day on which each part was sent."""
        return tuple(local_day(part.sent_at, self.zone) for part in self.parts)

    @cached_property
    def daily_until(self) -> tuple[date, ...]:
        """For each part, the last day that a daily read of the plan closes."""
        days = []
        for part in self.parts:
            end = part.sent_at + PRIVATE_FOR
            day = local_day(end, self.zone)
            # The read that closes a day can be up to half a day after the end of the day.
            while closing_read(day, self.zone) >= end:
                day -= _DAY
            days.append(day)
        return tuple(days)

    def closings(self, *metrics: Metric) -> Closings:
        """Return the closing values of the days on which all of `metrics` are known."""
        columns = [POST_METRICS.index(metric) for metric in metrics]
        sent_days = np.array([day.toordinal() for day in self.sent_days], dtype=np.int64)
        values = self.values[:, columns]
        is_known = ~np.isnan(values).any(axis=1) & (self.days >= sent_days[self.part_of])
        # If no read of the plan closes the day of sending, the zero at the instant of sending does.
        evening = np.flatnonzero(
            [
                part.sent_at > closing_read(day, self.zone)
                for part, day in zip(self.parts, self.sent_days, strict=True)
            ]
        )
        every = np.arange(len(self.parts))
        parts = np.concatenate([self.part_of[is_known], every, evening])
        days = np.concatenate([self.days[is_known], sent_days - 1, sent_days[evening]])
        zeros = np.zeros((len(every) + len(evening), len(columns)))
        distances = np.concatenate([self.distances[is_known], np.full(len(zeros), np.inf)])
        order = np.lexsort((distances, days, parts))
        parts, days = parts[order], days[order]
        is_nearest = np.ones(len(order), dtype=bool)
        is_nearest[1:] = (parts[1:] != parts[:-1]) | (days[1:] != days[:-1])
        closing = np.concatenate([values[is_known], zeros])[order].astype(np.int64)
        return Closings(parts[is_nearest], days[is_nearest], closing[is_nearest])

    def latest(self, metric: Metric, last_day: date) -> Floats:
        """Return each part's latest known value that closes `last_day` or earlier, or NaN."""
        key = (metric, last_day)
        if key not in self._latest:
            values = self.values[:, POST_METRICS.index(metric)]
            known = np.flatnonzero(~np.isnan(values) & (self.days <= last_day.toordinal()))
            latest = np.full(len(self.parts), np.nan)
            # Of several values for one part, the assignment keeps the last one, the latest.
            latest[self.part_of[known]] = values[known]
            self._latest[key] = latest
        return self._latest[key]

    def find_last_read(self, part: int, last_day: date) -> datetime | None:
        """Return the time of a part's latest snapshot that closes `last_day` or earlier."""
        begin, end = np.searchsorted(self.part_of, [part, part + 1])
        count = int(np.searchsorted(self.days[begin:end], last_day.toordinal(), side="right"))
        return self.times[int(begin) + count - 1] if count else None

    def at_ages(self, metric: Metric, ages: tuple[int, ...], last_day: date) -> Floats:
        """Return the metric of each part (row) at ages in days (columns).

        A value is interpolated between the snapshots around the age. It is NaN if the metric is not
        known on both sides of the age within two days, or only by a snapshot that closes a day
        after `last_day`.
        """
        key = (metric, ages, last_day)
        if key not in self._at_ages:
            self._at_ages[key] = self._interpolate(metric, np.array(ages), last_day)
        return self._at_ages[key]

    def _interpolate(self, metric: Metric, ages: NDArray[np.int64], last_day: date) -> Floats:
        values = self.values[:, POST_METRICS.index(metric)]
        is_known = ~np.isnan(values) & (self.days <= last_day.toordinal())
        every = np.arange(len(self.parts))
        # The metrics of a part are zero at the age of zero.
        parts = np.concatenate([self.part_of[is_known], every])
        known_ages = np.concatenate([self._ages[is_known], np.zeros(len(every))])
        levels = np.concatenate([values[is_known], np.zeros(len(every))])
        order = np.lexsort((known_ages, parts))
        parts, known_ages, levels = parts[order], known_ages[order], levels[order]
        wanted = every[:, None] * _MAX_AGE_DAYS + ages[None, :]
        after = np.searchsorted(parts * _MAX_AGE_DAYS + known_ages, wanted)
        is_inside = after < len(parts)
        after = np.minimum(after, len(parts) - 1)
        before = np.maximum(after - 1, 0)
        is_inside &= (parts[after] == every[:, None]) & (parts[before] == every[:, None])
        width = np.where(is_inside, known_ages[after] - known_ages[before], np.inf)
        share = (ages[None, :] - known_ages[before]) / width
        found = levels[before] + share * (levels[after] - levels[before])
        return np.where(width <= _MAX_BRACKET_DAYS, found, np.nan)

    @cached_property
    def _ages(self) -> Floats:
        """The age of each row's part at the time of the row, in days."""
        return np.array(
            [
                (at - self.parts[part].sent_at) / _DAY
                for at, part in zip(self.times, self.part_of, strict=True)
            ],
            dtype=np.float64,
        )


def read_posts(records: AccountRecords, zone: ZoneInfo) -> PostReadings:
    """Arrange the snapshots of an account's parts in arrays."""
    parts = sorted(records.parts, key=lambda part: (part.sent_at, part.part_id))
    position = {part.part_id: n for n, part in enumerate(parts)}
    snapshots = sorted(
        (each for each in records.snapshots if each.part_id in position),
        key=lambda each: (position[each.part_id], each.at),
    )
    # All posts of a read have the same instant, so there are few different instants.
    instants = {each.at for each in snapshots}
    day_of = {at: closed_day(at, zone).toordinal() for at in instants}
    distance_of = {at: _from_midnight(at, zone).total_seconds() for at in instants}
    times = tuple(each.at for each in snapshots)
    return PostReadings(
        tuple(parts),
        zone,
        np.array([position[each.part_id] for each in snapshots], dtype=np.int64),
        times,
        np.array([day_of[at] for at in times], dtype=np.int64),
        np.array([distance_of[at] for at in times], dtype=np.float64),
        _to_array([[each.metrics.get(m) for m in POST_METRICS] for each in snapshots]),
    )


def _to_array(rows: Sequence[Sequence[int | None]]) -> Floats:
    array = np.array(rows, dtype=np.float64) if rows else np.empty((0, len(POST_METRICS)))
    return np.asarray(array, dtype=np.float64)
