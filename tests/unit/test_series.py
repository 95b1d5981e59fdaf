"""Daily series: the snapshot nearest to midnight gives a day's value; gaps stay gaps."""

from datetime import date, datetime

import numpy as np
import pytest

from roost.insights.series import (
    closed_day,
    daily_levels,
    day_of_change,
    net_changes,
)
from roost.models import AccountSnapshot, IntegrationId, Metric

NAN = float("nan")


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-05-{text}:00+00:00")


def account(*values: tuple[str, int | None]) -> list[AccountSnapshot]:
    return [
        AccountSnapshot(IntegrationId(1), at(when), {Metric.FOLLOWERS: value, Metric.POSTS: value})
        for when, value in values
    ]


@pytest.mark.parametrize(
    ("since", "until", "day"),
    [
        pytest.param("03T00:05", "04T00:05", 3, id="measured shortly after midnight"),
        pytest.param("03T23:30", "04T23:30", 4, id="measured shortly before midnight"),
        pytest.param("03T09:00", "04T09:00", 3, id="measured in the morning"),
        pytest.param("03T15:00", "04T15:00", 4, id="measured in the afternoon"),
        pytest.param("03T12:00", "04T12:00", 4, id="measured at noon: the later day"),
        pytest.param("03T23:30", "06T23:30", 5, id="three days: the latest whole one"),
        pytest.param("03T23:30", "06T08:00", 5, id="two days and a morning"),
        pytest.param("03T10:00", "03T11:00", 3, id="within a day"),
    ],
)
def test_day_of_change_holds_the_larger_share(since: str, until: str, day: int) -> None:
    assert day_of_change(at(since), at(until)) == date(2026, 5, day)


def test_closed_day_has_the_nearest_end__other_time_zone() -> None:
    west = datetime.fromisoformat("2026-05-03T19:10:00-05:00")
    assert closed_day(west) == date(2026, 5, 3)


def test_daily_levels_take_snapshot_nearest_to_midnight() -> None:
    snapshots = account(
        ("03T14:00", 100), ("03T22:00", 110), ("04T00:30", 111), ("04T06:00", 113), ("05T01:00", 9)
    )
    levels = daily_levels(snapshots, Metric.FOLLOWERS)
    assert levels is not None
    assert levels.first == date(2026, 5, 3)
    assert levels.values.tolist() == [111, 9]


def test_daily_levels_have_a_gap__day_without_value() -> None:
    levels = daily_levels(
        account(("03T23:30", 100), ("04T23:30", None), ("05T23:30", 120)), Metric.FOLLOWERS
    )
    assert levels is not None
    np.testing.assert_array_equal(levels.values, [100, NAN, 120])


def test_net_changes_span_a_gap_with_one_change() -> None:
    (change,) = net_changes(account(("03T23:30", 100), ("06T23:30", 130)), Metric.FOLLOWERS)
    assert (change.amount, change.days, change.day) == (30, 3, date(2026, 5, 5))


def test_daily_levels_skip_blank_snapshot() -> None:
    levels = daily_levels(
        account(("03T23:30", 100), ("04T23:30", 0), ("05T23:30", 101)), Metric.FOLLOWERS
    )
    assert levels is not None
    np.testing.assert_array_equal(levels.values, [100, NAN, 101])


def test_daily_levels_keep_blank_snapshot__account_always_at_zero() -> None:
    levels = daily_levels(account(("03T23:30", 0), ("04T23:30", 0)), Metric.FOLLOWERS)
    assert levels is not None
    assert levels.values.tolist() == [0, 0]


def test_series_is_none__no_snapshots() -> None:
    assert daily_levels([], Metric.FOLLOWERS) is None
