"""The periods of a report, which consist of whole days in the tenant's time zone."""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from roost.errors import InvalidInput
from roost.insights.read_plan import READ_TIME, WEEKLY_STEP_DAYS

#: A post's standing and the decay curve are computed from the posts of this many days until the end
#: of the period, or from the posts of the period if it is longer.
HISTORY_DAYS = 90
#: Snapshots are needed from this many days before a period: a gain over an interval of at most
#: seven days counts in the period in which the interval ends, so the interval can begin before the
#: period.
_LEAD_DAYS = WEEKLY_STEP_DAYS + 1
_DAY = timedelta(days=1)
_LAST_DAYS = re.compile(r"([1-9]\d{0,3})d", re.ASCII)


class PeriodInvalid(InvalidInput):
    """The period of a report is not valid, or its first day is in the future.

    The first day is after the last day or in the future, or a text does not name a period.
    """

    did = "No report was made."
    default_next = "Choose a first day that is not after the last day, and not in the future."


@dataclass(frozen=True, slots=True)
class DatePeriod:
    """The days from `first` to `last`, both included, in a time zone.

    If `last` is the day before `first`, the period has no days.
    """

    first: date
    last: date
    zone: ZoneInfo

    @property
    def days(self) -> int:
        """The number of days in the period."""
        return (self.last - self.first).days + 1

    @property
    def since(self) -> datetime:
        """The instant at which the first day begins."""
        return begin_of_day(self.first, self.zone)

    @property
    def until(self) -> datetime:
        """The instant at which the last day ends: the first instant after the period."""
        return begin_of_day(self.last + _DAY, self.zone)

    def dates(self) -> tuple[date, ...]:
        """Return every day of the period."""
        return tuple(self.first + n * _DAY for n in range(self.days))

    @property
    def history_first(self) -> date:
        """The first day whose posts are compared with the posts of the period."""
        return min(self.first, self.last - (HISTORY_DAYS - 1) * _DAY)

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class ReportPeriods:
    """The period of a report, and the earlier periods with which it is compared.

    `comparable` is the current period without its `open_days`. The earlier periods have as many
    days as `comparable`, so that all compared periods have the same length.
    """

    current: DatePeriod
    comparable: DatePeriod
    previous: DatePeriod
    year_before: DatePeriod

    @property
    def windows(self) -> tuple[tuple[datetime, datetime], ...]:
        """The times (since, until) of the snapshots from which the report is computed.

        The first window is for the current and the previous period, the second one for the year
        before. If the windows overlap, they are merged into one.
        """
        first = min(self.previous.first - _LEAD_DAYS * _DAY, self.current.history_first - _DAY)
        recent = _window(first, self.current.last, self.current.zone)
        earlier = _window(
            self.year_before.first - _LEAD_DAYS * _DAY, self.year_before.last, self.current.zone
        )
        if earlier[1] >= recent[0]:
            return ((min(earlier[0], recent[0]), recent[1]),)
        return (recent, earlier)

    @property
    def open_days(self) -> tuple[date, ...]:
        """The last days of the current period that are still open.

        A day is open until it is over and the read nearest to its end has been due.
        """
        return tuple(day for day in self.current.dates() if day not in self.comparable)


def begin_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return the instant, in UTC, at which a day begins in a time zone."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _window(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    # A day's closing value can come from a snapshot until noon of the next day.
    until = begin_of_day(last + _DAY, zone) + timedelta(hours=12)
    return begin_of_day(first, zone), until


def local_day(at: datetime, zone: ZoneInfo) -> date:
    """Return the date that an instant has in a time zone."""
    return at.astimezone(zone).date()


def last_days(count: int, now: datetime, zone: ZoneInfo) -> DatePeriod:
    """Return the period of `count` days that ends today."""
    today = local_day(now, zone)
    return DatePeriod(today - (count - 1) * _DAY, today, zone)


def choose_period(
    now: datetime,
    zone: ZoneInfo,
    *,
    since: date | None = None,
    until: date | None = None,
    days: int = 30,
) -> DatePeriod:
    """Return the period from the day `since` to the day `until`, both included.

    Without `until`, the period ends today. Without `since`, it has `days` days.

    Raises: PeriodInvalid.
    """
    last = local_day(now, zone) if until is None else until
    first = last - (days - 1) * _DAY if since is None else since
    if first > last:
        raise PeriodInvalid(f"The first day, {first}, is after the last day, {last}.")
    if first > local_day(now, zone):
        raise PeriodInvalid(f"The first day, {first}, is in the future.")
    return DatePeriod(first, last, zone)


def last_week(now: datetime, zone: ZoneInfo) -> DatePeriod:
    """Return the last calendar week that is over, Monday to Sunday."""
    today = local_day(now, zone)
    monday = today - today.weekday() * _DAY
    return DatePeriod(monday - 7 * _DAY, monday - _DAY, zone)


def last_month(now: datetime, zone: ZoneInfo) -> DatePeriod:
    """Return the last calendar month that is over."""
    last = local_day(now, zone).replace(day=1) - _DAY
    return DatePeriod(last.replace(day=1), last, zone)


def parse_period(text: str, now: datetime, zone: ZoneInfo) -> DatePeriod:
    """Return the period that a text such as `30d`, `week` or `month` names.

    `week` and `month` are the last calendar week and month that are over. Raises: PeriodInvalid.
    """
    if text == "week":
        return last_week(now, zone)
    if text == "month":
        return last_month(now, zone)
    matched = _LAST_DAYS.fullmatch(text)
    if matched is None:
        raise PeriodInvalid(f"{text!r} is not a period.", next="Use `30d`, `week` or `month`.")
    return choose_period(now, zone, days=int(matched[1]))


def closing_read(day: date, zone: ZoneInfo) -> datetime:
    """Return the time of the planned daily read that is nearest to the end of a day."""
    end = begin_of_day(day + _DAY, zone)
    reads = [datetime.combine(end.date() + n * _DAY, READ_TIME) for n in (-1, 0)]
    return min(reads, key=lambda read: abs(read - end))


def is_closed(day: date, now: datetime, zone: ZoneInfo) -> bool:
    """Whether a day is over, and the read nearest to its end has been due."""
    return now >= max(begin_of_day(day + _DAY, zone), closing_read(day, zone))


def choose_periods(current: DatePeriod, now: datetime) -> ReportPeriods:
    """Return the periods of a report about `current` that is made at the instant `now`.

    The previous period begins as many days earlier as the current period has days. A week is
    therefore compared with the same weekdays of the week before, even if its last days are open.
    """
    last_closed = current.last
    while last_closed >= current.first and not is_closed(last_closed, now, current.zone):
        last_closed -= _DAY
    comparable = DatePeriod(current.first, last_closed, current.zone)

    def starting(first: date) -> DatePeriod:
        return DatePeriod(first, first + (comparable.days - 1) * _DAY, current.zone)

    return ReportPeriods(
        current,
        comparable,
        starting(current.first - current.days * _DAY),
        starting(_year_before(current.first)),
    )


def _year_before(day: date) -> date:
    """Return the same date of the year before; 28 February for 29 February."""
    last = calendar.monthrange(day.year - 1, day.month)[1]
    return date(day.year - 1, day.month, min(day.day, last))
