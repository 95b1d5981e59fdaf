"""The extent of a chaos run: the full benchmark, and a short form for tests."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from fix_processes import QUICK


@dataclass(frozen=True)
class ChaosConfig:
    """The extent of a run; all phases share it except for the number of posts."""

    posts: int
    """Over all phases."""
    accounts: int
    span: timedelta
    """The posts are due over this much domain time."""
    rate: float
    """Domain seconds in one wall second."""
    wall: Mapping[str, str]
    """Settings of wall time that differ from Roost's defaults."""
    interval_s: tuple[float, float]
    """The least and most wall seconds between two interruptions."""
    stop_durations_s: tuple[float, ...]
    """How long a worker stays stopped; the longest exceeds every deadline and timeout."""
    read_only_s: float
    """Wall seconds for which the database accepts no writes."""
    skew: timedelta
    """How far the clocks of skewed workers are ahead or behind, in domain time."""
    timeline_lag_s: float = 15.0
    """Domain seconds within which a read may be stale: Roost's default setting."""
    workers: int = 3


#: Roost's default settings of wall time, and half an hour of posts in each phase.
FULL = ChaosConfig(
    posts=2_000,
    accounts=200,
    span=timedelta(minutes=30),
    rate=10,
    wall={},
    interval_s=(1.5, 5.0),
    stop_durations_s=(0.5, 2.0, 4.0, 13.0),
    read_only_s=15.0,
    skew=timedelta(seconds=15),
)
#: Small enough for a test, with short timeouts and frequent interruptions.
SHORT = ChaosConfig(
    posts=60,
    accounts=8,
    span=timedelta(minutes=2),
    rate=20,
    wall=QUICK,
    interval_s=(0.6, 2.0),
    stop_durations_s=(0.2, 1.0, 4.0),
    read_only_s=2.0,
    skew=timedelta(seconds=15),
)
