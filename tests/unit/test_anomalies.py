"""A sudden loss of followers is one anomaly on its day; ordinary accounts have none."""

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
    """Return follower counts of an ordinary account: larger gains at midweek, random noise."""
    random = np.random.default_rng(seed)
    week = [1.2, 1.3, 1.2, 1.1, 0.9, 0.6, 0.7]
    gains = [random.poisson(2 * gain * week[day % 7]) - random.poisson(gain) for day in range(days)]
    return [size, *(size + int(sum(gains[: day + 1])) for day in range(days - 1))]


def daily_snapshots(counts: list[int]) -> list[AccountSnapshot]:
    return [snapshot(day, count) for day, count in enumerate(counts)]


def with_loss(counts: list[int], day: int, share: float) -> list[int]:
    """Subtract a share of the followers from each count since `day`; a negative share adds."""
    lost = round(counts[day - 1] * share)
    return [count - lost if at >= day else count for at, count in enumerate(counts)]


@pytest.mark.parametrize("size", [1_000, 10_000, 1_000_000])
def test_find_anomalies_finds_purge_of_six_per_cent_on_its_day(size: int) -> None:
    counts = with_loss(levels(30, size=size, gain=size / 1000), day=21, share=0.06)
    (anomaly,) = find_anomalies(ACCOUNT, daily_snapshots(counts))
    assert (anomaly.integration_id, anomaly.metric) == (ACCOUNT, Metric.FOLLOWERS)
    assert anomaly.day == date(2026, 5, 22)
    assert anomaly.observed == counts[21] - counts[20]
    assert anomaly.score < -4


def test_find_anomalies_finds_purge__eleven_days_of_history() -> None:
    counts = with_loss(levels(12), day=11, share=0.06)
    assert [anomaly.day for anomaly in find_anomalies(ACCOUNT, daily_snapshots(counts))] == [
        date(2026, 5, 12)
    ]


def test_find_anomalies_ignores_purge__too_little_history() -> None:
    assert find_anomalies(ACCOUNT, daily_snapshots(with_loss(levels(20), day=9, share=0.06))) == []


def test_anomaly_message_states_loss_and_usual_change() -> None:
    steady = [10_000 + 5 * day for day in range(25)]
    (anomaly,) = find_anomalies(ACCOUNT, daily_snapshots(with_loss(steady, day=21, share=0.06)))
    assert anomaly.message == "Lost 601 followers (6.0%) on 22 May 2026; the usual change is +5."
    assert (anomaly.observed, anomaly.expected) == (-601, 5)


def test_find_anomalies_finds_nothing__ordinary_accounts() -> None:
    found = [
        find_anomalies(ACCOUNT, daily_snapshots(levels(60, size=size, gain=gain, seed=seed)))
        for seed in range(10)
        for size, gain in ((200, 0.5), (10_000, 8), (1_000_000, 900))
    ]
    assert found == [[]] * 30


def test_find_anomalies_finds_sudden_gain() -> None:
    counts = with_loss(levels(30), day=25, share=-0.08)
    (anomaly,) = find_anomalies(ACCOUNT, daily_snapshots(counts))
    assert anomaly.day == date(2026, 5, 26)
    assert anomaly.observed > 700


def test_find_anomalies_ignores_loss__below_half_a_per_cent() -> None:
    constant = [100_000] * 30
    assert find_anomalies(ACCOUNT, daily_snapshots(with_loss(constant, day=21, share=0.003))) == []


def test_find_anomalies_reports_one_incident__purge_in_two_waves() -> None:
    counts = with_loss(with_loss(levels(40), day=21, share=0.06), day=23, share=0.05)
    assert [anomaly.day for anomaly in find_anomalies(ACCOUNT, daily_snapshots(counts))] == [
        date(2026, 5, 22)
    ]


def test_find_anomalies_reports_second_purge__after_a_quiet_week() -> None:
    counts = with_loss(with_loss(levels(40), day=21, share=0.06), day=28, share=0.06)
    found = [anomaly.day for anomaly in find_anomalies(ACCOUNT, daily_snapshots(counts))]
    assert found == [date(2026, 5, 22), date(2026, 5, 29)]


@pytest.mark.parametrize("blank", [0, None], ids=["zero", "missing"])
def test_find_anomalies_ignores_blank_snapshot(blank: int | None) -> None:
    snapshots = daily_snapshots(levels(30))
    failed = snapshots[21]
    snapshots[21] = AccountSnapshot(ACCOUNT, failed.at, dict.fromkeys(failed.metrics, blank))
    assert find_anomalies(ACCOUNT, snapshots) == []


def test_find_anomalies_finds_purge_with_next_snapshot__day_without_snapshot() -> None:
    snapshots = daily_snapshots(
        with_loss([10_000 + 5 * day for day in range(30)], day=21, share=0.06)
    )
    del snapshots[21]
    (anomaly,) = find_anomalies(ACCOUNT, snapshots)
    assert anomaly.message == (
        "Lost 596 followers (5.9%) within 2 days around 22 May 2026; the usual change is +10."
    )


def test_find_anomalies_ignores_change_over_a_long_outage() -> None:
    snapshots = daily_snapshots(with_loss(levels(40), day=25, share=0.06))
    assert find_anomalies(ACCOUNT, snapshots[:20] + snapshots[30:]) == []


@pytest.mark.parametrize(
    ("shift", "day"),
    [
        pytest.param(0.6, date(2026, 5, 22), id="six minutes after midnight"),
        pytest.param(-8.0, date(2026, 5, 22), id="in the afternoon"),
        pytest.param(9.5, date(2026, 5, 22), id="the morning after"),
        pytest.param(-14.5, date(2026, 5, 21), id="in the morning"),
    ],
)
def test_anomaly_day_is_that_of_the_larger_share__any_hour(shift: float, day: date) -> None:
    counts = with_loss(levels(30), day=21, share=0.06)
    snapshots = [snapshot(at, count, hour_shift=shift) for at, count in enumerate(counts)]
    assert [anomaly.day for anomaly in find_anomalies(ACCOUNT, snapshots)] == [day]


def test_find_anomalies_ignores_order_of_snapshots() -> None:
    snapshots = daily_snapshots(with_loss(levels(30), day=21, share=0.06))
    assert find_anomalies(ACCOUNT, snapshots[::-1]) == find_anomalies(ACCOUNT, snapshots)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 1000),
    purges=st.lists(st.tuples(st.integers(11, 44), st.floats(-0.2, 0.2)), max_size=4),
    known=st.integers(12, 45),
)
def test_find_anomalies_keeps_anomalies_of_past_days__more_snapshots(
    seed: int, purges: list[tuple[int, float]], known: int
) -> None:
    counts = levels(45, seed=seed)
    for day, share in purges:
        counts = with_loss(counts, day, share)
    snapshots = daily_snapshots(counts)
    early, late = find_anomalies(ACCOUNT, snapshots[:known]), find_anomalies(ACCOUNT, snapshots)
    last_day = snapshots[known - 1].at.date()
    assert early == [anomaly for anomaly in late if anomaly.day <= last_day]
    assert len({key_of(anomaly) for anomaly in late}) == len(late)


def key_of(anomaly: Anomaly) -> tuple[IntegrationId, Metric, date]:
    return anomaly.integration_id, anomaly.metric, anomaly.day
