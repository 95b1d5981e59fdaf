"""Computes when a schedule's next report is due, and its period. All functions are pure."""

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
#: The latest day that a monthly schedule can have, because every month has this day.
_LAST_DAY_OF_MONTH: Final = 28
_DAY: Final = timedelta(days=1)


class ScheduleInvalid(InvalidInput):
    """The day or the time of a schedule of reports is not valid."""

    did = "No schedule was added."


def parse_report_time(cadence: Cadence, text: str) -> ReportTime:
    """Parse the day and the time of a schedule: `Mon 08:00` if weekly, `1 08:00` if monthly.

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

    If clocks go forward and skip the local time, the report is planned later by the time that is
    skipped, usually one hour. If clocks go back and the local time occurs twice, the report is
    planned for its first occurrence.
    """
    return next(_list_instants(report_time, after, zone))


def find_period(report_time: ReportTime, at: datetime, zone: ZoneInfo) -> DatePeriod:
    """Return the period of the report that is planned for the instant `at`.

    A weekly report is about the last calendar week that is over at this instant. A monthly report
    is about the last calendar month that is over.
    """
    choose = last_week if report_time.cadence is Cadence.WEEKLY else last_month
    return choose(at, zone)


@dataclass(frozen=True, slots=True)
class DueReport:
    """A report that is due now, the skipped reports before it, and the time of the next one."""

    period: DatePeriod
    skipped: tuple[date, ...]
    """The first days of the earlier periods for which no report is made, oldest first."""
    next_at: datetime
    """The instant for which the report after this one is planned."""


def plan_report(
    report_time: ReportTime, planned_at: datetime, now: datetime, zone: ZoneInfo
) -> DueReport | None:
    """Return the report to make now; None if `planned_at` is in the future.

    `planned_at` is the instant of the schedule's next report. If several reports are late, because
    no worker has run for a long time, only the latest one is made. The earlier reports are of
    little use, and can still be made by hand.
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
    """Yield the instants later than `after` at which reports are planned, without end."""
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
