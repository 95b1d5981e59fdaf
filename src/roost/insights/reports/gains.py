"""Computes what posts gained per day, from the closing values of successive days.

A gain of a part is the difference between two successive closing values. If their days are
adjacent, the gain belongs to the later day. If there are days without a closing value between them,
the gain belongs to no single day, and counts in the period that contains the later day. The
interval between the two days has at most seven days if all planned reads were made. A longer
interval that begins before the period is left out, because most of its gain may have been made
before the period.

The gains in a period therefore add up to the difference between the last closing values in the
period and the last ones before the period, unless an interval was left out.
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
    """What an account's posts gained in a period, and whether the amount is complete."""

    total: tuple[int, ...] | None
    """The gain of each metric; None if no closing value lies in the period."""
    dated: tuple[int, ...]
    """The part of `total` that belongs to single days without gaps."""
    is_complete: bool
    """Whether no interval was left out, and neither the last day nor the day before the period is a
    gap."""


@dataclass(frozen=True, eq=False)
class Gains:
    """The gains of an account's parts, in one metric or in several metrics together.

    Row n of the arrays is one interval between two successive closing values of a part. The
    interval begins at the end of day `begins[n]`, and ends at the end of day `ends[n]`. Days are
    numbered as by `date.toordinal`.
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

        `gap_days` are the gaps of other accounts. A gain on such a day counts in the period, but
        not as a gain of a single day.
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
        """Return the gain of each metric on a day; None if the gain of the day is not known."""
        number = day.toordinal()
        inside = (self.ends == number) & (self.begins == number - 1)
        return None if day in self.gap_days or not inside.any() else _sums(self.amounts[inside])


def _sums(amounts: NDArray[np.int64]) -> tuple[int, ...]:
    return tuple(int(total) for total in amounts.sum(axis=0))


def find_gains(readings: PostReadings, *metrics: Metric, closed_until: date) -> Gains:
    """Return the gains of all parts of an account.

    A day between two closing values of a part is a gap if the read plan reads the part daily at
    this time. A day after the last closing value of such a part, until `closed_until`, is a gap
    only if no part of the account has a snapshot for that day. If other parts have one, the part
    was probably deleted on X.
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
