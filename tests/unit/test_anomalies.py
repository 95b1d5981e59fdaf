"""The detector: one anomaly for a purge, on its day; none for ordinary accounts or bad readings."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roost.insights.anomalies import find_anomalies
from roost.models import AccountSnapshot, Anomaly, IntegrationId, Metric

BEGIN = datetime(2026, 5, 1, 23, 30, tzinfo=UTC)
ACCOUNT = IntegrationId(7)


def snapshot(day: int, followers: int, *, hour_shift: float = 0) -> AccountSnapshot:
    metrics = {Metric.FOLLOWERS: followers, Metric.FOLLOWING: 300, Metric.POSTS: 40 + day}
    return AccountSnapshot(ACCOUNT, BEGIN + timedelta(days=day, hours=hour_shift), metrics)


def levels(days: int, *, size: int = 10_000, gain: float = 8, seed: int = 1) -> list[int]:
    """An ordinary account: more come at midweek, and no day is like another."""
    chance = np.random.default_rng(seed)
    week = [1.2, 1.3, 1.2, 1.1, 0.9, 0.6, 0.7]
    gains = [chance.poisson(2 * gain * week[day % 7]) - chance.poisson(gain) for day in range(days)]
    return [size, *(size + int(sum(gains[: day + 1])) for day in range(days - 1))]


def read(counts: list[int]) -> list[AccountSnapshot]:
    return [snapshot(day, count) for day, count in enumerate(counts)]


def lose(counts: list[int], day: int, share: float) -> list[int]:
    gone = round(counts[day - 1] * share)
    return [count - gone if at >= day else count for at, count in enumerate(counts)]


@pytest.mark.parametrize("size", [1_000, 10_000, 1_000_000])
def test_purge_of_six_per_cent_is_found_on_its_day(size: int) -> None:
    counts = lose(levels(30, size=size, gain=size / 1000), day=21, share=0.06)
    (anomaly,) = find_anomalies(ACCOUNT, read(counts))
    assert (anomaly.integration_id, anomaly.metric) == (ACCOUNT, Metric.FOLLOWERS)
    assert anomaly.day == date(2026, 5, 22)
    assert anomaly.observed == counts[21] - counts[20]
    assert anomaly.score < -4


def test_purge_is_found_with_eleven_days_of_history() -> None:
    counts = lose(levels(12), day=11, share=0.06)
    assert [anomaly.day for anomaly in find_anomalies(ACCOUNT, read(counts))] == [date(2026, 5, 12)]


def test_purge_is_not_judged__too_little_history() -> None:
    assert find_anomalies(ACCOUNT, read(lose(levels(20), day=9, share=0.06))) == []


def test_alert_says_what_happened_and_what_is_usual() -> None:
    steady = [10_000 + 5 * day for day in range(25)]
    (anomaly,) = find_anomalies(ACCOUNT, read(lose(steady, day=21, share=0.06)))
    assert anomaly.message == "Lost 601 followers (6.0%) on 22 May 2026; usual is +5."
    assert (anomaly.observed, anomaly.expected) == (-601, 5)


def test_ordinary_accounts_raise_nothing() -> None:
    raised = [
        find_anomalies(ACCOUNT, read(levels(60, size=size, gain=gain, seed=seed)))
        for seed in range(10)
        for size, gain in ((200, 0.5), (10_000, 8), (1_000_000, 900))
    ]
    assert raised == [[]] * 30


def test_sudden_gain_is_found() -> None:
    (anomaly,) = find_anomalies(ACCOUNT, read(lose(levels(30), day=25, share=-0.08)))
    assert anomaly.day == date(2026, 5, 26)
    assert anomaly.observed > 700


def test_loss_below_half_a_per_cent_is_nobodys_alarm() -> None:
    steady = [100_000] * 30
    assert find_anomalies(ACCOUNT, read(lose(steady, day=21, share=0.003))) == []


def test_purge_in_two_waves_is_one_incident() -> None:
    counts = lose(lose(levels(40), day=21, share=0.06), day=23, share=0.05)
    assert [anomaly.day for anomaly in find_anomalies(ACCOUNT, read(counts))] == [date(2026, 5, 22)]


def test_second_purge_is_told_again__after_a_quiet_week() -> None:
    counts = lose(lose(levels(40), day=21, share=0.06), day=28, share=0.06)
    found = [anomaly.day for anomaly in find_anomalies(ACCOUNT, read(counts))]
    assert found == [date(2026, 5, 22), date(2026, 5, 29)]


@pytest.mark.parametrize("blank", [0, None], ids=["zero", "missing"])
def test_reading_with_nothing_in_it_raises_nothing(blank: int | None) -> None:
    readings = read(levels(30))
    failed = readings[21]
    readings[21] = AccountSnapshot(ACCOUNT, failed.at, dict.fromkeys(failed.metrics, blank))
    assert find_anomalies(ACCOUNT, readings) == []


def test_purge_on_a_day_without_reading_is_found_with_the_next() -> None:
    readings = read(lose([10_000 + 5 * day for day in range(30)], day=21, share=0.06))
    del readings[21]
    (anomaly,) = find_anomalies(ACCOUNT, readings)
    assert (
        anomaly.message
        == "Lost 596 followers (5.9%) within 2 days around 22 May 2026; usual is +10."
    )


def test_change_over_a_long_outage_has_no_day_and_raises_nothing() -> None:
    readings = read(lose(levels(40), day=25, share=0.06))
    assert find_anomalies(ACCOUNT, readings[:20] + readings[30:]) == []


@pytest.mark.parametrize(
    ("shift", "day"),
    [
        pytest.param(0.6, date(2026, 5, 22), id="six minutes after midnight"),
        pytest.param(-8.0, date(2026, 5, 22), id="in the afternoon"),
        pytest.param(9.5, date(2026, 5, 22), id="the morning after"),
        pytest.param(-14.5, date(2026, 5, 21), id="in the morning"),
    ],
)
def test_day_is_that_of_the_larger_share__whatever_the_hour(shift: float, day: date) -> None:
    counts = lose(levels(30), day=21, share=0.06)
    readings = [snapshot(at, count, hour_shift=shift) for at, count in enumerate(counts)]
    assert [anomaly.day for anomaly in find_anomalies(ACCOUNT, readings)] == [day]


def test_order_of_readings_does_not_matter() -> None:
    readings = read(lose(levels(30), day=21, share=0.06))
    assert find_anomalies(ACCOUNT, readings[::-1]) == find_anomalies(ACCOUNT, readings)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 1000),
    purges=st.lists(st.tuples(st.integers(11, 44), st.floats(-0.2, 0.2)), max_size=4),
    known=st.integers(12, 45),
)
def test_more_readings_change_no_alert_of_a_day_that_is_over(
    seed: int, purges: list[tuple[int, float]], known: int
) -> None:
    counts = levels(45, seed=seed)
    for day, share in purges:
        counts = lose(counts, day, share)
    readings = read(counts)
    early, late = find_anomalies(ACCOUNT, readings[:known]), find_anomalies(ACCOUNT, readings)
    last_day = readings[known - 1].at.date()
    assert early == [anomaly for anomaly in late if anomaly.day <= last_day]
    assert len({key_of(anomaly) for anomaly in late}) == len(late)


def key_of(anomaly: Anomaly) -> tuple[IntegrationId, Metric, date]:
    return anomaly.integration_id, anomaly.metric, anomaly.day
