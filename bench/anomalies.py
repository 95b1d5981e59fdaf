"""Benchmark the detector of follower anomalies: the share it finds, and its false reports.

    ./dev bench anomalies [--json] [--accounts N]

Accounts are simulated. The new and lost followers of a day are Poisson counts. The mean of the
counts follows the weekday, drifts from week to week and has a random log-normal factor each day, so
days differ far more than Poisson counts with a constant mean. In a first run, nothing special
happens to the accounts, so every reported anomaly is false. In a second run, 6 % of the followers
leave at an instant of day 21, and nothing else changes. The detector's thresholds were chosen on
accounts that were simulated in this way with other seeds. Real accounts may differ.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np

from harness.report import Threshold, report
from roost.insights.anomalies import find_anomalies
from roost.insights.read_plan import READ_TIME
from roost.models import AccountSnapshot, Anomaly, IntegrationId, Metric

DAYS = 90
MIN_HISTORY_DAYS = 10
PURGE_DAY = 21
SNAPSHOT_HOUR = READ_TIME.hour + READ_TIME.minute / 60
PURGE_SHARE = 0.06
SIZES = (200, 1_000, 10_000, 100_000, 1_000_000)
WEEKDAY = (0.3, 0.35, 0.3, 0.1, -0.1, -0.55, -0.4)
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Kind:
    """The followers that an account gains and loses per day, as shares of its followers."""

    name: str
    growth: float
    churn: float
    deviation: float
    """The log-normal deviation of a day's new followers; for lost followers, two thirds of it."""


KINDS = (
    Kind("calm", 0.0, 0.0005, 0.3),
    Kind("restless", 0.0, 0.002, 0.6),
    Kind("growing", 0.002, 0.001, 0.4),
    Kind("growing_fast", 0.005, 0.002, 0.6),
    Kind("soaring", 0.01, 0.002, 0.6),
)


def simulate(chance: np.random.Generator, kind: Kind, size: int) -> list[int]:
    """Simulate an account's followers at the end of each of `DAYS` days."""
    followers, drift, phase = float(size), 0.0, int(chance.integers(7))
    levels = []
    for day in range(DAYS):
        levels.append(int(followers))
        drift = 0.95 * drift + chance.normal(0, 0.08)
        factor = np.exp(drift) * (1 + WEEKDAY[(day + phase) % 7])
        gained = (
            followers * (kind.churn + kind.growth) * factor * draw_factor(chance, kind.deviation)
        )
        lost = followers * kind.churn * draw_factor(chance, kind.deviation * 2 / 3)
        followers = max(followers + chance.poisson(gained) - chance.poisson(lost), 0)
    return levels


def draw_factor(chance: np.random.Generator, deviation: float) -> float:
    """Draw a log-normal factor of mean one."""
    return float(np.exp(chance.normal(-(deviation**2) / 2, deviation)))


def make_snapshots(levels: list[int], hour: float) -> list[AccountSnapshot]:
    """Return a snapshot for each day at one hour; followers change evenly during a day."""
    share = hour / 24
    return [
        AccountSnapshot(
            IntegrationId(1),
            BEGIN + timedelta(days=day, hours=hour),
            {Metric.FOLLOWERS: round(before + (after - before) * share), Metric.POSTS: day + 1},
        )
        for day, (before, after) in enumerate(pairwise(levels))
    ]


def apply_purge(snapshots: list[AccountSnapshot], at: datetime) -> list[AccountSnapshot]:
    """Return the snapshots after a share of the followers has left at one instant."""
    before = [snapshot for snapshot in snapshots if snapshot.at < at][-1]
    lost = round(PURGE_SHARE * (before.metrics[Metric.FOLLOWERS] or 0))
    return [
        snapshot
        if snapshot.at < at
        else AccountSnapshot(
            snapshot.integration_id,
            snapshot.at,
            {
                **snapshot.metrics,
                Metric.FOLLOWERS: (snapshot.metrics[Metric.FOLLOWERS] or 0) - lost,
            },
        )
        for snapshot in snapshots
    ]


@dataclass
class Counts:
    """How often the detector was right and wrong on the accounts of one kind and size."""

    accounts: int = 0
    false_gains: int = 0
    false_losses: int = 0
    found: int = 0
    day_right: int = 0

    @property
    def false_per_month(self) -> float:
        """The false anomalies per account and 30 days, without the days of the minimum history."""
        months = self.accounts * (DAYS - 1 - MIN_HISTORY_DAYS) / 30
        return (self.false_gains + self.false_losses) / months


def measure(kind: Kind, size: int, accounts: int, seed: int) -> Counts:
    """Simulate accounts, and run the detector on each account without and with the purge."""
    chance = np.random.default_rng(seed)
    count = Counts()
    for _ in range(accounts):
        snapshots = make_snapshots(simulate(chance, kind, size), SNAPSHOT_HOUR)
        for anomaly in find_anomalies(IntegrationId(1), snapshots):
            if anomaly.observed > 0:
                count.false_gains += 1
            else:
                count.false_losses += 1
        at = BEGIN + timedelta(days=PURGE_DAY, hours=float(chance.uniform(0, SNAPSHOT_HOUR)))
        with_purge = apply_purge(snapshots, at)[: PURGE_DAY + 2]
        purged = [
            anomaly for anomaly in find_anomalies(IntegrationId(1), with_purge) if is_purge(anomaly)
        ]
        count.accounts += 1
        count.found += bool(purged)
        count.day_right += any(anomaly.day == at.date() for anomaly in purged)
    return count


def is_purge(anomaly: Anomaly) -> bool:
    """Return whether an anomaly can be the purge: a loss on day 21 or the day after."""
    day = (BEGIN + timedelta(days=PURGE_DAY)).date()
    return anomaly.observed < 0 and timedelta(0) <= anomaly.day - day <= timedelta(days=1)


def add_up(counts: Iterator[Counts]) -> Counts:
    """Return the sums of several results."""
    total = Counts()
    for count in counts:
        total.accounts += count.accounts
        total.false_gains += count.false_gains
        total.false_losses += count.false_losses
        total.found += count.found
        total.day_right += count.day_right
    return total


def main() -> int:
    """Run the benchmark; return 1 if a result misses its threshold, otherwise 0."""
    parser = argparse.ArgumentParser(description="Benchmark the detector of follower anomalies.")
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--accounts", type=int, default=100, help="number of accounts of each kind and size"
    )
    arguments = parser.parse_args()
    began = time.perf_counter()
    counts = {
        (kind, size): measure(kind, size, arguments.accounts, seed=1000 * k + s)
        for k, kind in enumerate(KINDS)
        for s, size in enumerate(SIZES)
    }
    seconds = time.perf_counter() - began
    total = add_up(iter(counts.values()))
    figures: dict[str, float | int | str] = {
        "accounts": total.accounts,
        "account_months": total.accounts * (DAYS - 1 - MIN_HISTORY_DAYS) / 30,
        "false_gains": total.false_gains,
        "false_losses": total.false_losses,
    }
    by_kind = {
        kind: add_up(count for (each, _), count in counts.items() if each is kind) for kind in KINDS
    }
    by_size = {
        size: add_up(count for (_, each), count in counts.items() if each == size) for size in SIZES
    }
    for kind, count in by_kind.items():
        figures[f"false_alerts_per_account_month {kind.name}"] = round(count.false_per_month, 4)
        figures[f"purge_found {kind.name}"] = count.found / count.accounts
    for size, count in by_size.items():
        figures[f"false_alerts_per_account_month {size:,} followers"] = round(
            count.false_per_month, 4
        )
        figures[f"purge_found {size:,} followers"] = count.found / count.accounts
    figures["seconds"] = round(seconds, 1)
    thresholds = [
        Threshold("false_alerts_per_account_month", total.false_per_month, "<=", 0.1),
        Threshold(
            "false_alerts_per_account_month_of_the_worst_kind",
            max(count.false_per_month for count in by_kind.values()),
            "<=",
            0.12,
        ),
        Threshold("purge_found", total.found / total.accounts, ">=", 0.99),
        Threshold("purge_day_found", total.day_right / total.found, ">=", 0.99),
    ]
    return report("anomalies", thresholds, figures, arguments.json)


if __name__ == "__main__":
    raise SystemExit(main())
