"""The times at which a schedule makes its reports, and the periods of these reports."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.insights.reports.schedules import (
    ScheduleInvalid,
    find_next,
    find_period,
    parse_report_time,
    plan_report,
)
from roost.models import Cadence, ReportTime

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY_8 = ReportTime(Cadence.WEEKLY, 0, time(8))


def at(*numbers: int) -> datetime:
    return datetime(*numbers, tzinfo=UTC)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("cadence", "text", "day", "local"),
    [
        (Cadence.WEEKLY, "Mon 08:00", 0, time(8)),
        (Cadence.WEEKLY, "sunday 23:59", 6, time(23, 59)),
        (Cadence.MONTHLY, "1 8:05", 1, time(8, 5)),
        (Cadence.MONTHLY, "28 00:00", 28, time(0)),
    ],
)
def test_report_time_is_parsed(cadence: Cadence, text: str, day: int, local: time) -> None:
    assert parse_report_time(cadence, text) == ReportTime(cadence, day, local)


@pytest.mark.parametrize(
    ("cadence", "text"),
    [
        (Cadence.WEEKLY, "08:00"),
        (Cadence.WEEKLY, "1 08:00"),
        (Cadence.WEEKLY, "Foo 08:00"),
        (Cadence.WEEKLY, "Mon 24:00"),
        (Cadence.WEEKLY, "Mon 08:60"),
        (Cadence.MONTHLY, "Mon 08:00"),
        (Cadence.MONTHLY, "0 08:00"),
        (Cadence.MONTHLY, "29 08:00"),
    ],
)
def test_report_time_is_refused(cadence: Cadence, text: str) -> None:
    with pytest.raises(ScheduleInvalid):
        parse_report_time(cadence, text)


def test_next_report_keeps_its_local_time_when_clocks_change() -> None:
    # Berlin is at UTC+2 until 25 October 2026, and at UTC+1 until 28 March 2027.
    assert find_next(MONDAY_8, at(2026, 10, 18), BERLIN) == at(2026, 10, 19, 6)
    assert find_next(MONDAY_8, at(2026, 10, 19, 6), BERLIN) == at(2026, 10, 26, 7)
    assert find_next(MONDAY_8, at(2027, 3, 22, 7), BERLIN) == at(2027, 3, 29, 6)


def test_next_report_is_later_if_its_local_time_does_not_exist() -> None:
    sunday = ReportTime(Cadence.WEEKLY, 6, time(2, 30))
    # In Berlin on 28 March 2027, 03:00 follows 02:00, so the report of 02:30 is due at 03:30.
    assert find_next(sunday, at(2027, 3, 22), BERLIN) == at(2027, 3, 28, 1, 30)


def test_next_report_is_made_once_if_its_local_time_occurs_twice() -> None:
    sunday = ReportTime(Cadence.WEEKLY, 6, time(2, 30))
    first = find_next(sunday, at(2026, 10, 24), BERLIN)
    assert first == at(2026, 10, 25, 0, 30)
    assert find_next(sunday, first, BERLIN) == at(2026, 11, 1, 1, 30)


def test_weekly_report_is_about_the_last_calendar_week() -> None:
    period = find_period(MONDAY_8, at(2026, 11, 30, 7), BERLIN)
    assert (period.first, period.last) == (date(2026, 11, 23), date(2026, 11, 29))


def test_monthly_report_is_about_the_last_calendar_month() -> None:
    period = find_period(ReportTime(Cadence.MONTHLY, 3, time(8)), at(2027, 1, 3, 7), BERLIN)
    assert (period.first, period.last) == (date(2026, 12, 1), date(2026, 12, 31))


def test_no_report_is_planned_before_its_time() -> None:
    assert plan_report(MONDAY_8, at(2026, 11, 30, 7), at(2026, 11, 30, 6, 59), BERLIN) is None


def test_latest_missed_report_is_made_and_earlier_ones_are_skipped() -> None:
    due = plan_report(MONDAY_8, at(2026, 11, 9, 7), at(2026, 11, 24, 12), BERLIN)
    assert due is not None
    assert due.period.first == date(2026, 11, 16)
    assert due.skipped == (date(2026, 11, 2), date(2026, 11, 9))
    assert due.next_at == at(2026, 11, 30, 7)


@given(
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Tokyo"]),
    st.one_of(
        st.builds(ReportTime, st.just(Cadence.WEEKLY), st.integers(0, 6), st.times()),
        st.builds(ReportTime, st.just(Cadence.MONTHLY), st.integers(1, 28), st.times()),
    ),
    st.integers(0, 2 * 365 * 24 * 60).map(lambda n: at(2026, 1, 1) + timedelta(minutes=n)),
)
def test_each_planned_instant_has_a_period_of_its_own(
    name: str, report_time: ReportTime, begin: datetime
) -> None:
    zone, instants = ZoneInfo(name), [begin]
    for _ in range(8):
        instants.append(find_next(report_time, instants[-1], zone))
    firsts = [find_period(report_time, each, zone).first for each in instants[1:]]
    assert instants == sorted(set(instants))
    assert firsts == sorted(set(firsts))
