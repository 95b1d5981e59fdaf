"""Decides when a schedule makes its next report, and about which period. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from roost.errors import InvalidInput
from roost.insights.reports.periods import DatePeriod, last_month, last_week, local_day
from roost.models import Cadence, ReportTime

_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME: Final = re.compile(r"(\w+)\s+(\d{1,2}):(\d\d)", re.ASCII)
#: Every month has this day.
_LAST_DAY_OF_MONTH: Final = 28
_DAY: Final = timedelta(days=1)


class ScheduleInvalid(InvalidInput):
    """The day or the time of a schedule of reports is not valid."""

    did = "No schedule was added."


def parse_report_time(cadence: Cadence, text: str) -> ReportTime:
    """Convert a day and a time, such as `Mon 08:00` or, for a monthly report, `1 08:00`.

    Raises: ScheduleInvalid.
    """
    example = "Mon 08:00" if cadence is Cadence.WEEKLY else "1 08:00"
    advice = f"Write a {cadence} time as “{example}”."
    matched = _TIME.fullmatch(text.strip())
    if matched is None:
        raise ScheduleInvalid(f"{text!r} is not a day and a time.", next=advice)
    word, hour, minute = matched[1].lower(), int(matched[2]), int(matched[3])
    if hour > 23 or minute > 59:
        raise ScheduleInvalid(f"{matched[2]}:{matched[3]} is not a time of day.", next=advice)
    if cadence is Cadence.WEEKLY:
        if word[:3] not in _WEEKDAYS or word.isdigit():
            raise ScheduleInvalid(f"{matched[1]!r} is not a weekday.", next=advice)
        day = _WEEKDAYS.index(word[:3])
    else:
        if not word.isdigit() or not 1 <= int(word) <= _LAST_DAY_OF_MONTH:
            raise ScheduleInvalid(
                f"{matched[1]!r} is not a day that every month has.",
                next=f"Use a day from 1 to {_LAST_DAY_OF_MONTH}: “{example}”.",
            )
        day = int(word)
    return ReportTime(cadence, day, time(hour, minute))


def find_next(report_time: ReportTime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant after `after` at which a report is planned, in UTC.

    If the local time does not exist on a day because clocks go forward, the instant is as much
    later as the clocks go forward. If the local time occurs twice, the first one counts.
    """
    return next(_list_instants(report_time, after, zone))


def find_period(report_time: ReportTime, at: datetime, zone: ZoneInfo) -> DatePeriod:
    """Return the period of the report that is planned for the instant `at`.

    It is the last calendar week, or the last calendar month, that is over.
    """
    choose = last_week if report_time.cadence is Cadence.WEEKLY else last_month
    return choose(at, zone)


@dataclass(frozen=True, slots=True)
class DueReport:
    """The report that a schedule makes now."""

    period: DatePeriod
    skipped: tuple[date, ...]
    """The first days of the earlier periods for which no report is made, oldest first."""
    next_at: datetime
    """The instant for which the report after this one is planned."""


def plan_report(
    report_time: ReportTime, planned_at: datetime, now: datetime, zone: ZoneInfo
) -> DueReport | None:
    """Return the report to make now, if the next one is planned for `planned_at`.

    Return None if that instant is in the future. If several reports are late, only the latest is
    made: a report about an earlier week is of little use after a long stop, and can be made by
    hand.
    """
    if planned_at > now:
        return None
    skipped: list[date] = []
    latest = planned_at
    for next_at in _list_instants(report_time, planned_at, zone):
        if next_at > now:
            return DueReport(find_period(report_time, latest, zone), tuple(skipped), next_at)
        skipped.append(find_period(report_time, latest, zone).first)
        latest = next_at
    raise AssertionError("there is always a next instant")


def _list_instants(report_time: ReportTime, after: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the planned instants after `after`, in order."""
    day = local_day(after, zone)
    while True:
        if _is_day(report_time, day):
            local = datetime.combine(day, report_time.local_time, zone)
            at = local.astimezone(UTC)
            if at > after:
                yield at
        day += _DAY


def _is_day(report_time: ReportTime, day: date) -> bool:
    is_weekly = report_time.cadence is Cadence.WEEKLY
    return (day.weekday() if is_weekly else day.day) == report_time.day


def describe_time(report_time: ReportTime) -> str:
    """Return a day and a time as `parse_report_time` reads them, such as `Mon 08:00`."""
    is_weekly = report_time.cadence is Cadence.WEEKLY
    day = _WEEKDAYS[report_time.day].title() if is_weekly else str(report_time.day)
    return f"{day} {report_time.local_time:%H:%M}"
