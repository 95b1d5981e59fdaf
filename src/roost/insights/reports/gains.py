"""What posts gained by day: the differences between the closing values of successive days.

The gain of a part between two successive closing values belongs to the day of the later one if the
days are adjacent. If days between them have no closing value, the gain belongs to no single day;
it counts in the period of the later value. Such an interval is no longer than seven days if the
read plan was kept. A longer one that begins before the period is left out, because most of it may
have been gained before the period.

Therefore the sum of the gains of all days, and of the gains that belong to no single day, is the
difference of the lifetime values, unless an interval was left out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from roost.insights.read_plan import WEEKLY_STEP_DAYS
from roost.insights.reports.readings import PartReadings
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


def find_gains(parts: Sequence[PartReadings], *metrics: Metric, closed_until: date) -> Gains:
    """Return the gains of all parts of an account.

    A part that was not read at the end of the days until `closed_until` makes these days gaps if
    the read plan reads the part daily, and if no other part of the account was read either: a part
    that alone is not read any more was deleted.
    """
    begins: list[int] = []
    ends: list[int] = []
    amounts: list[tuple[int, ...]] = []
    gaps: set[date] = set()
    expected: set[date] = set()
    measured: set[date] = set()
    for part in parts:
        closings = part.closings(*metrics)
        for (begin, before), (end, after) in pairwise(closings):
            begins.append(begin.toordinal())
            ends.append(end.toordinal())
            amounts.append(tuple(b - a for a, b in zip(before, after, strict=True)))
            gaps |= set(_days(begin + _DAY, min(end - _DAY, part.daily_until)))
        measured |= set(part.closed_days)
        expected |= set(_days(closings[-1][0] + _DAY, min(part.daily_until, closed_until)))
    return Gains(
        np.array(begins, dtype=np.int64),
        np.array(ends, dtype=np.int64),
        np.array(amounts, dtype=np.int64).reshape(len(amounts), len(metrics)),
        frozenset(gaps | (expected - measured)),
        closed_until,
    )


def _days(first: date, last: date) -> Iterable[date]:
    return (first + n * _DAY for n in range((last - first).days + 1))
