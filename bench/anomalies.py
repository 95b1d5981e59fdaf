"""Bench the detector of follower anomalies: what it finds, and how often it cries wolf.

    python bench/anomalies.py [--json] [--accounts N]

Accounts are simulated: arrivals and departures are counts around a mean that follows the weekday,
drifts from week to week and has luck of its own each day (log-normal), so that days are far more
unlike than chance alone would make them. Nothing special happens to them, hence every anomaly is
false. Then 6 % of the followers leave at some instant of day 21, and nothing else changes.
Thresholds were chosen on accounts of this make with other seeds: real ones may differ.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
from _report import Bar, report

from roost.insights.anomalies import find_anomalies
from roost.insights.read_plan import READ_TIME
from roost.models import AccountSnapshot, Anomaly, IntegrationId, Metric

DAYS = 90
LEAST_HISTORY = 10
PURGE_DAY = 21
READING_HOUR = READ_TIME.hour + READ_TIME.minute / 60
PURGE_SHARE = 0.06
SIZES = (200, 1_000, 10_000, 100_000, 1_000_000)
WEEKDAY = (0.3, 0.35, 0.3, 0.1, -0.1, -0.55, -0.4)
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Kind:
    """How an account's followers come and go; shares are of its followers, a day."""

    name: str
    growth: float
    churn: float
    luck: float
    """Log-normal deviation of a day's arrivals; departures have two thirds of it."""


KINDS = (
    Kind("calm", 0.0, 0.0005, 0.3),
    Kind("restless", 0.0, 0.002, 0.6),
    Kind("growing", 0.002, 0.001, 0.4),
    Kind("growing_fast", 0.005, 0.002, 0.6),
    Kind("soaring", 0.01, 0.002, 0.6),
)


def simulate(chance: np.random.Generator, kind: Kind, size: int) -> list[int]:
    """An account's followers at the end of each of `DAYS` days."""
    followers, drift, phase = float(size), 0.0, int(chance.integers(7))
    levels = []
    for day in range(DAYS):
        levels.append(int(followers))
        drift = 0.95 * drift + chance.normal(0, 0.08)
        pull = np.exp(drift) * (1 + WEEKDAY[(day + phase) % 7])
        come = followers * (kind.churn + kind.growth) * pull * draw_luck(chance, kind.luck)
        go = followers * kind.churn * draw_luck(chance, kind.luck * 2 / 3)
        followers = max(followers + chance.poisson(come) - chance.poisson(go), 0)
    return levels


def draw_luck(chance: np.random.Generator, deviation: float) -> float:
    """A log-normal factor of mean one."""
    return float(np.exp(chance.normal(-(deviation**2) / 2, deviation)))


def read(levels: list[int], hour: float) -> list[AccountSnapshot]:
    """One reading a day at the same hour; within a day followers come evenly."""
    shares = hour / 24
    return [
        AccountSnapshot(
            IntegrationId(1),
            BEGIN + timedelta(days=day, hours=hour),
            {Metric.FOLLOWERS: round(before + (after - before) * shares), Metric.POSTS: day + 1},
        )
        for day, (before, after) in enumerate(pairwise(levels))
    ]


def purge(snapshots: list[AccountSnapshot], at: datetime) -> list[AccountSnapshot]:
    """The same readings, with a share of the followers gone from an instant on."""
    before = [snapshot for snapshot in snapshots if snapshot.at < at][-1]
    gone = round(PURGE_SHARE * (before.metrics[Metric.FOLLOWERS] or 0))
    return [
        snapshot
        if snapshot.at < at
        else AccountSnapshot(
            snapshot.integration_id,
            snapshot.at,
            {
                **snapshot.metrics,
                Metric.FOLLOWERS: (snapshot.metrics[Metric.FOLLOWERS] or 0) - gone,
            },
        )
        for snapshot in snapshots
    ]


@dataclass
class Count:
    """What happened to the accounts of one kind and size."""

    accounts: int = 0
    false_gains: int = 0
    false_losses: int = 0
    found: int = 0
    day_right: int = 0

    @property
    def false_a_month(self) -> float:
        """False anomalies per account and 30 days on which it could be judged."""
        months = self.accounts * (DAYS - 1 - LEAST_HISTORY) / 30
        return (self.false_gains + self.false_losses) / months


def measure(kind: Kind, size: int, accounts: int, seed: int) -> Count:
    """Simulate accounts, judge each as it is, then with the purge."""
    chance = np.random.default_rng(seed)
    count = Count()
    for _ in range(accounts):
        snapshots = read(simulate(chance, kind, size), READING_HOUR)
        for anomaly in find_anomalies(IntegrationId(1), snapshots):
            if anomaly.observed > 0:
                count.false_gains += 1
            else:
                count.false_losses += 1
        at = BEGIN + timedelta(days=PURGE_DAY, hours=float(chance.uniform(0, READING_HOUR)))
        seen = purge(snapshots, at)[: PURGE_DAY + 2]
        purged = [
            anomaly for anomaly in find_anomalies(IntegrationId(1), seen) if is_purge(anomaly)
        ]
        count.accounts += 1
        count.found += bool(purged)
        count.day_right += any(anomaly.day == at.date() for anomaly in purged)
    return count


def is_purge(anomaly: Anomaly) -> bool:
    """Whether an anomaly can be about the purge at all: a loss, on its day or the one after."""
    day = (BEGIN + timedelta(days=PURGE_DAY)).date()
    return anomaly.observed < 0 and timedelta(0) <= anomaly.day - day <= timedelta(days=1)


def add_up(counts: Iterator[Count]) -> Count:
    """Several counts as one."""
    total = Count()
    for count in counts:
        total.accounts += count.accounts
        total.false_gains += count.false_gains
        total.false_losses += count.false_losses
        total.found += count.found
        total.day_right += count.day_right
    return total


def main() -> int:
    """Run and report."""
    parser = argparse.ArgumentParser(description="Bench the detector of follower anomalies.")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--accounts", type=int, default=100, help="of each kind and size")
    asked = parser.parse_args()
    begun = time.perf_counter()
    counts = {
        (kind, size): measure(kind, size, asked.accounts, seed=1000 * k + s)
        for k, kind in enumerate(KINDS)
        for s, size in enumerate(SIZES)
    }
    took = time.perf_counter() - begun
    total = add_up(iter(counts.values()))
    figures: dict[str, float | int | str] = {
        "accounts": total.accounts,
        "account_months": total.accounts * (DAYS - 1 - LEAST_HISTORY) / 30,
        "false_gains": total.false_gains,
        "false_losses": total.false_losses,
    }
    by_kind = {
        kind: add_up(count for (of, _), count in counts.items() if of is kind) for kind in KINDS
    }
    by_size = {
        size: add_up(count for (_, of), count in counts.items() if of == size) for size in SIZES
    }
    for kind, count in by_kind.items():
        figures[f"false_alerts_per_account_month {kind.name}"] = round(count.false_a_month, 4)
        figures[f"purge_found {kind.name}"] = count.found / count.accounts
    for size, count in by_size.items():
        figures[f"false_alerts_per_account_month {size:,} followers"] = round(
            count.false_a_month, 4
        )
        figures[f"purge_found {size:,} followers"] = count.found / count.accounts
    figures["seconds"] = round(took, 1)
    bars = [
        Bar("false_alerts_per_account_month", total.false_a_month, "<=", 0.1),
        Bar(
            "false_alerts_per_account_month_of_the_worst_kind",
            max(count.false_a_month for count in by_kind.values()),
            "<=",
            0.12,
        ),
        Bar("purge_found", total.found / total.accounts, ">=", 0.99),
        Bar("purge_told_of_its_day", total.day_right / total.found, ">=", 0.99),
    ]
    return report("anomalies", bars, figures, asked.json)


if __name__ == "__main__":
    raise SystemExit(main())
