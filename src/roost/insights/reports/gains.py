"""What posts gained by day: the differences between the closing values of successive days.

The gain of a part between two successive closing values belongs to the day of the later one if the
days are adjacent. If days between them have no closing value, the gain belongs to no single day;
it counts in the period of the later value. Such an interval is no longer than seven days if the
read plan was kept. A longer one that begins before the period is left out, because most of it may
have been gained before the period.

Therefore the sum of the gains of all days, and of the gains that belong to no single day, is the
difference of the lifetime values, unless an interval was left out.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from roost.insights.read_plan import WEEKLY_STEP_DAYS
from roost.insights.reports.readings import PostReadings
from roost.models import Metric

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PeriodGain:
    """What posts gained in a period."""

    total: tuple[int, ...] | None
    """The gain of each metric; None if no closing value lies in the period."""
    dated: tuple[int, ...]
    """The part of `total` that belongs to single days without gaps."""
    is_complete: bool
    """Whether no interval was left out, and neither the last day nor the day before the period is a
    gap."""


@dataclass(frozen=True, eq=False)
class Gains:
    """The gains of some parts in metrics that were read together.

    Day numbers are those of `date.toordinal`. Row n of the arrays is one interval between two
    closing values: it begins at the end of day `begins[n]`, and ends at the end of day `ends[n]`.
    """

    begins: NDArray[np.int64]
    ends: NDArray[np.int64]
    amounts: NDArray[np.int64]
    """One column per metric."""
    gap_days: frozenset[date]
    """Days without a closing value of a part that is read daily."""
    closed_until: date
    """The last day that is over, and whose closing values have been due."""

    def in_period(
        self, first: date, last: date, gap_days: frozenset[date] = frozenset()
    ) -> PeriodGain:
        """Return what was gained from the day `first` to the day `last`, both included.

        Gains on `gap_days`, which are gaps of other accounts, count as gains of no single day.
        """
        ends_inside = (self.ends >= first.toordinal()) & (self.ends <= last.toordinal())
        begins_inside = self.begins >= (first - _DAY).toordinal()
        is_short = self.ends - self.begins <= WEEKLY_STEP_DAYS
        counted = ends_inside & (begins_inside | is_short)
        gaps = np.array(sorted(day.toordinal() for day in self.gap_days | gap_days), dtype=np.int64)
        is_dated = counted & (self.ends - self.begins == 1) & ~np.isin(self.ends, gaps)
        edges = {first - _DAY, min(last, self.closed_until)}
        left_out = bool((ends_inside & ~counted).any())
        return PeriodGain(
            total=_sums(self.amounts[counted]) if counted.any() else None,
            dated=_sums(self.amounts[is_dated]),
            is_complete=not left_out and not edges & self.gap_days,
        )

    def on(self, day: date) -> tuple[int, ...] | None:
        """Return what was gained on one day; None if the day is a gap or has no closing value."""
        number = day.toordinal()
        inside = (self.ends == number) & (self.begins == number - 1)
        return None if day in self.gap_days or not inside.any() else _sums(self.amounts[inside])


def _sums(amounts: NDArray[np.int64]) -> tuple[int, ...]:
    return tuple(int(total) for total in amounts.sum(axis=0))


def find_gains(readings: PostReadings, *metrics: Metric, closed_until: date) -> Gains:
    """Return the gains of all parts of an account.

    A part that was not read at the end of the days until `closed_until` makes these days gaps if
    the read plan reads the part daily, and if no other part of the account was read either: a part
    that alone is not read any more was deleted.
    """
    closings = readings.closings(*metrics)
    is_same_part = closings.parts[1:] == closings.parts[:-1]
    begins, ends = closings.days[:-1][is_same_part], closings.days[1:][is_same_part]
    amounts = (closings.values[1:] - closings.values[:-1])[is_same_part]
    daily_until = np.array([day.toordinal() for day in readings.daily_until], dtype=np.int64)
    gaps: set[int] = set()
    interval_ends = np.minimum(ends - 1, daily_until[closings.parts[1:][is_same_part]])
    for row in np.flatnonzero(interval_ends > begins):
        gaps.update(range(int(begins[row]) + 1, int(interval_ends[row]) + 1))
    expected: set[int] = set()
    is_last = np.append(~is_same_part, True)[: len(closings.parts)]
    tail_ends = np.minimum(daily_until, closed_until.toordinal())
    for part, day in zip(closings.parts[is_last], closings.days[is_last], strict=True):
        expected.update(range(int(day) + 1, int(tail_ends[part]) + 1))
    missed = gaps | (expected - set(readings.days.tolist()))
    return Gains(
        begins, ends, amounts, frozenset(date.fromordinal(day) for day in missed), closed_until
    )
