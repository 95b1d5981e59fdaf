"""The periods of a report are whole days in the tenant's time zone."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from roost.insights.reports.periods import (
    DatePeriod,
    PeriodInvalid,
    choose_period,
    choose_periods,
    is_closed,
    last_month,
    last_week,
)

BERLIN = ZoneInfo("Europe/Berlin")
LOS_ANGELES = ZoneInfo("America/Los_Angeles")
LONDON = ZoneInfo("UTC")


def test_last_days_have_exactly_so_many_dates_and_end_today() -> None:
    period = choose_period(datetime(2026, 5, 30, 9, tzinfo=UTC), LONDON, days=30)
    assert (period.first, period.last, period.days) == (date(2026, 5, 1), date(2026, 5, 30), 30)


@pytest.mark.parametrize(
    ("zone", "today"), [(BERLIN, date(2026, 5, 31)), (LOS_ANGELES, date(2026, 5, 30))]
)
def test_period_ends_on_the_tenants_date(zone: ZoneInfo, today: date) -> None:
    assert choose_period(datetime(2026, 5, 30, 22, 30, tzinfo=UTC), zone).last == today


def test_period_includes_both_days_also_if_clocks_change() -> None:
    period = choose_period(
        datetime(2026, 4, 20, tzinfo=UTC), BERLIN, since=date(2026, 3, 29), until=date(2026, 3, 29)
    )
    assert period.until - period.since == timedelta(hours=23)
    assert (period.days, period.dates()) == (1, (date(2026, 3, 29),))


@pytest.mark.parametrize(
    ("since", "until"),
    [(date(2026, 5, 2), date(2026, 5, 1)), (date(2026, 6, 2), date(2026, 6, 3))],
    ids=["reversed", "in the future"],
)
def test_period_is_refused(since: date, until: date) -> None:
    with pytest.raises(PeriodInvalid):
        choose_period(datetime(2026, 6, 1, tzinfo=UTC), LONDON, since=since, until=until)


def test_last_week_and_month_are_over() -> None:
    monday = datetime(2026, 6, 1, 6, tzinfo=UTC)
    week, month = last_week(monday, BERLIN), last_month(monday, BERLIN)
    assert (week.first, week.last) == (date(2026, 5, 25), date(2026, 5, 31))
    assert (month.first, month.last) == (date(2026, 5, 1), date(2026, 5, 31))


@pytest.mark.parametrize(
    ("zone", "closes_at"),
    [
        # In each zone, the read nearest to the end of 1 June is that of 1 June at 23:30 UTC.
        (LONDON, datetime(2026, 6, 2, 0, 0, tzinfo=UTC)),
        (BERLIN, datetime(2026, 6, 1, 23, 30, tzinfo=UTC)),
        (LOS_ANGELES, datetime(2026, 6, 2, 7, 0, tzinfo=UTC)),
    ],
    ids=["UTC", "Berlin", "Los Angeles"],
)
def test_day_is_closed_when_it_is_over_and_was_read(zone: ZoneInfo, closes_at: datetime) -> None:
    day = date(2026, 6, 1)
    assert is_closed(day, closes_at, zone)
    assert not is_closed(day, closes_at - timedelta(seconds=1), zone)


def test_open_days_are_not_compared() -> None:
    week = DatePeriod(date(2026, 5, 25), date(2026, 5, 31), LONDON)
    periods = choose_periods(week, datetime(2026, 5, 30, 12, tzinfo=UTC))
    assert periods.open_days == (date(2026, 5, 30), date(2026, 5, 31))
    assert periods.comparable.days == periods.previous.days == periods.year_before.days == 5
    # The previous period has the same weekdays as the closed days of the period.
    assert (periods.previous.first, periods.previous.last) == (
        date(2026, 5, 18),
        date(2026, 5, 22),
    )


def test_year_before_begins_on_the_same_date_and_is_as_long() -> None:
    leap = DatePeriod(date(2028, 2, 29), date(2028, 3, 4), LONDON)
    before = choose_periods(leap, datetime(2028, 5, 1, tzinfo=UTC)).year_before
    assert (before.first, before.days) == (date(2027, 2, 28), 5)


def test_windows_contain_history_and_the_year_before() -> None:
    week = DatePeriod(date(2026, 5, 25), date(2026, 5, 31), LONDON)
    recent, earlier = choose_periods(week, datetime(2026, 6, 2, tzinfo=UTC)).windows
    assert recent == (
        datetime(2026, 3, 2, tzinfo=UTC),
        datetime(2026, 6, 1, 12, tzinfo=UTC),
    )
    assert earlier == (
        datetime(2025, 5, 17, tzinfo=UTC),
        datetime(2025, 6, 1, 12, tzinfo=UTC),
    )


def test_windows_never_overlap() -> None:
    year = DatePeriod(date(2025, 6, 1), date(2026, 5, 31), LONDON)
    windows = choose_periods(year, datetime(2026, 6, 2, tzinfo=UTC)).windows
    assert windows == ((datetime(2024, 5, 24, tzinfo=UTC), datetime(2026, 6, 1, 12, tzinfo=UTC)),)
