"""Makes the figures of a report: adds a key, a name and a unit to each computed value."""

from dataclasses import dataclass

from roost.insights.reports.definitions import DEFINITIONS
from roost.insights.reports.figures import (
    ComparedFigure,
    Comparison,
    Figure,
    Number,
    PeriodName,
    Quality,
    Unit,
)
from roost.insights.reports.values import Value


@dataclass(frozen=True, slots=True)
class FigureMaker:
    """Makes the figures of one subject and one period."""

    subject: str
    """The key of the subject."""
    period: PeriodName = PeriodName.CURRENT

    def make(self, path: str, value: Value, name: str | None = None) -> Figure:
        """Return a figure with the key `<subject>/<path>@<period>`.

        `name` is the name of the figure's definition. If it is None, `path` is the name.
        """
        definition = DEFINITIONS[name or path]
        return Figure(
            f"{self.subject}/{path}@{self.period}",
            definition.name,
            definition.unit,
            value.value,
            value.quality,
            value.numerator,
            value.denominator,
            value.sample,
        )

    def count(self, path: str, number: Number | None, name: str) -> Figure:
        """Return a figure with the quality `measured`, or `missing` if the number is None."""
        quality = Quality.MISSING if number is None else Quality.MEASURED
        return self.make(path, Value(number, quality), name)


def compare(subject: str, name: str, now: Value, earlier: Value, period: PeriodName) -> Comparison:
    """Return the comparison of a figure with the same figure of an earlier period."""
    current = FigureMaker(subject, PeriodName.COMPARABLE).make(name, now)
    before = FigureMaker(subject, period).make(name, earlier)
    quality = _common_quality(now, earlier)
    difference: Number | None = None
    change: float | None = None
    if now.value is not None and earlier.value is not None:
        difference = _subtract(now.value, earlier.value)
        # Rates have only a difference. `followers.change` can be negative, so a relative change of
        # it would mean nothing.
        is_rate = current.unit is Unit.SHARE
        if not is_rate and name != "followers.change" and earlier.value > 0:
            change = float(difference) / float(earlier.value)
    undefined = quality if now.value is None or earlier.value is None else Quality.UNDEFINED
    return Comparison(
        current,
        before,
        Figure(f"{before.key}.difference", name, before.unit, difference, quality),
        Figure(
            f"{before.key}.change",
            name,
            Unit.SHARE,
            change,
            undefined if change is None else quality,
            difference,
            earlier.value,
        ),
    )


def compare_all(
    subject: str,
    name: str,
    values: dict[PeriodName, dict[str, Value]],
) -> ComparedFigure:
    """Return the figure `name` of the current period, with its comparisons.

    `values` has the values of all figures by period. A period that was not measured is not in
    `values`; the figure then has no comparison with this period.
    """

    def comparison(period: PeriodName) -> Comparison | None:
        if period not in values or PeriodName.COMPARABLE not in values:
            return None
        now = values[PeriodName.COMPARABLE][name]
        return compare(subject, name, now, values[period][name], period)

    return ComparedFigure(
        DEFINITIONS[name],
        FigureMaker(subject).make(name, values[PeriodName.CURRENT][name]),
        comparison(PeriodName.PREVIOUS),
        comparison(PeriodName.YEAR_BEFORE),
    )


def _subtract(now: Number, earlier: Number) -> Number:
    if isinstance(now, float) or isinstance(earlier, float):
        return float(now) - float(earlier)
    return now - earlier


def _common_quality(now: Value, earlier: Value) -> Quality:
    """Return the quality of a difference: the worse one of the two values' qualities."""
    order = (
        Quality.MISSING,
        Quality.UNDEFINED,
        Quality.PARTIAL,
        Quality.IMPORTED,
        Quality.MEASURED,
    )
    return min(now.quality, earlier.quality, key=order.index)
