"""Reads the form that makes or schedules a report."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Self
from zoneinfo import ZoneInfo

from starlette.datastructures import FormData

from roost.errors import InvalidInput
from roost.insights.reports.periods import DatePeriod, PeriodInvalid, choose_period, parse_period
from roost.insights.reports.schedules import ScheduleInvalid, parse_report_time
from roost.models import Cadence, ComparedPeriods, IntegrationId, ReportOptions, ReportTime

#: The value of the field `period` if the fields `since` and `until` define the period.
_DAYS = "days"


class FormInvalid(InvalidInput):
    """A submitted field of an HTML form has a value that the page does not offer."""

    default_next = "Open the page again, and use its form."


@dataclass(frozen=True, slots=True)
class ReportForm:
    """The submitted texts of the fields of the form that makes or schedules a report."""

    period: str = "30d"
    since: str = ""
    until: str = ""
    accounts: tuple[str, ...] = ()
    """The ids of the chosen accounts; empty for all accounts."""
    compare: str = "both"
    with_costs: bool = True
    language: str = "en"
    cadence: str = "weekly"
    weekday: str = "Mon"
    month_day: str = "1"
    time: str = "08:00"

    @classmethod
    def of(cls, submitted: FormData) -> Self:
        """Return the form that a browser has submitted; fields of other names are ignored."""

        def text(name: str, default: str) -> str:
            value = submitted.get(name)
            return value if isinstance(value, str) else default

        return cls(
            period=text("period", "30d"),
            since=text("since", ""),
            until=text("until", ""),
            accounts=tuple(each for each in submitted.getlist("account") if isinstance(each, str)),
            compare=text("compare", "both"),
            # A browser sends a checkbox only if it is checked.
            with_costs="with_costs" in submitted,
            language=text("language", "en"),
            cadence=text("cadence", "weekly"),
            weekday=text("weekday", "Mon"),
            month_day=text("month_day", "1"),
            time=text("time", "08:00"),
        )

    def read_period(self, now: datetime, zone: ZoneInfo) -> DatePeriod:
        """Return the period of the report. Raises: PeriodInvalid."""
        if self.period != _DAYS:
            return parse_period(self.period, now, zone)
        return choose_period(now, zone, since=_read_day(self.since), until=_read_day(self.until))

    def read_options(self) -> ReportOptions:
        """Return the options of the report. Raises: FormInvalid."""
        return ReportOptions(
            accounts=_read_accounts(self.accounts),
            compare=_read_compared(self.compare),
            with_costs=self.with_costs,
            language=self.language,
        )

    def read_time(self) -> ReportTime:
        """Return when the schedule makes reports. Raises: FormInvalid, ScheduleInvalid."""
        try:
            cadence = Cadence(self.cadence)
        except ValueError:
            raise FormInvalid("The form names an unknown interval.") from None
        day = self.weekday if cadence is Cadence.WEEKLY else self.month_day
        try:
            return parse_report_time(cadence, f"{day} {self.time}")
        except ScheduleInvalid as error:
            raise ScheduleInvalid(error.message, next="Choose a day and a time.") from None


def _read_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise PeriodInvalid(f"{text!r} is not a day.") from None


def _read_accounts(numbers: Sequence[str]) -> tuple[IntegrationId, ...]:
    if not all(each.isascii() and each.isdigit() and len(each) < 19 for each in numbers):
        raise FormInvalid("The form names an unknown account.")
    return tuple(IntegrationId(int(each)) for each in numbers)


def _read_compared(text: str) -> ComparedPeriods:
    try:
        return ComparedPeriods(text)
    except ValueError:
        raise FormInvalid("The form names an unknown comparison.") from None
