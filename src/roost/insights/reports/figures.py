"""The figures of a report: typed numbers with a stable key and an exact definition.

A figure's key is unique in its report: `<subject>/<name>@<period>`, such as
`account.17/gained.impressions@current`. A key stays the same if the report is made again. A program
can therefore compute a figure from the snapshots, and compare the result with the printed number.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

Number = int | float | Decimal


class Unit(StrEnum):
    """The unit of a figure, which decides how the figure is written."""

    COUNT = "count"
    """A number of things: impressions, posts, followers. A mean of counts has decimals."""
    SHARE = "share"
    """A part of a whole, or a relative change: 0.06 is written as 6.0 %."""
    FACTOR = "factor"
    """A multiple: 2.5 is written as 2.5 times."""
    DOLLARS = "dollars"
    PER_WEEK = "per_week"
    """A number of things per seven days."""


class Notion(StrEnum):
    """What a figure counts. Figures of different notions are never added or compared."""

    GAINED = "gained"
    """What posts of any age gained within the period."""
    PUBLISHED = "published"
    """What the posts that were published in the period have earned by the end of the period."""
    ACCOUNT = "account"
    """The state of an account: its followers."""
    ACTIVITY = "activity"
    """What was published, and when."""
    SPENT = "spent"
    """What X billed within the period."""


class Statistic(StrEnum):
    """How a figure sums up several values."""

    TOTAL = "total"
    MEAN = "mean"
    MEDIAN = "median"
    RATE = "rate"
    """The figure's numerator divided by its denominator."""


class Quality(StrEnum):
    """How completely a figure was measured."""

    MEASURED = "measured"
    """Every value that the figure needs was measured."""
    PARTIAL = "partial"
    """Some values were not measured. The figure covers only the measured values."""
    MISSING = "missing"
    """No value was measured, so the figure has no value."""
    UNDEFINED = "undefined"
    """The values were measured, but the figure has no value, because it would divide by zero."""
    IMPORTED = "imported"
    """At least one value was imported, and not measured by Roost."""


class PeriodName(StrEnum):
    """The periods of a report for which figures are computed."""

    CURRENT = "current"
    """The period that the report is about."""
    COMPARABLE = "comparable"
    """The current period without its last days if these are not over. Only this part is compared
    with earlier periods, which are cut to the same days."""
    PREVIOUS = "previous"
    """The equally long period directly before the current period."""
    YEAR_BEFORE = "year_before"
    """The equally long period that begins on the same date a year before."""


@dataclass(frozen=True, slots=True)
class Definition:
    """What a figure means; the glossary of a report lists the definitions of its figures.

    The title and the exact definition in words are in the files of `languages/`, under
    `definition.<name>`.
    """

    name: str
    """The figure's name in keys, such as `gained.impressions`."""
    unit: Unit
    notion: Notion
    statistic: Statistic = Statistic.TOTAL
    is_cost: bool = False
    """Whether the figure is about money, and so is left out of a report without costs."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a report."""

    key: str
    """The figure's key, which is unique in the report."""
    name: str
    """The name of the figure's definition."""
    unit: Unit
    value: Number | None
    """The number in full precision; None if it is not known. A form rounds it."""
    quality: Quality
    numerator: Number | None = None
    """The numerator of a rate or a mean; None for other figures."""
    denominator: Number | None = None
    """The denominator of a rate or a mean; None for other figures."""
    sample: int | None = None
    """How many posts a mean or a median is based on; None for other figures."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure of the comparable part of the period, beside the same figure of an earlier period.

    Both periods have the same number of days, and both figures were computed in the same way.
    """

    now: Figure
    earlier: Figure
    difference: Figure
    """`now` less `earlier`; for a rate, in percentage points."""
    change: Figure
    """The difference as a share of `earlier`; without a value for a rate. If one of the two figures
    is partial, the difference and the change are partial as well."""


@dataclass(frozen=True, slots=True)
class ComparedFigure:
    """A figure of the current period with its comparisons."""

    definition: Definition
    current: Figure
    previous: Comparison | None
    """None if the account was not yet measured in the previous period."""
    year_before: Comparison | None
    """None if there is no history of the year before."""
