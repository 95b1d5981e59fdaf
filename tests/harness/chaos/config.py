"""The size of a chaos run: the full benchmark, and a short form for tests."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from fix_processes import QUICK


@dataclass(frozen=True)
class ChaosConfig:
    """The size and the time scale of a chaos run: posts, accounts, interruptions, timeouts."""

    posts: int
    """The number of posts in all phases together."""
    accounts: int
    span: timedelta
    """The domain time from the first due post of a phase to its last due post."""
    rate: float
    """The number of domain seconds that pass in one wall second."""
    wall: Mapping[str, str]
    """Timeouts and other settings in wall seconds that differ from Roost's defaults."""
    interval_s: tuple[float, float]
    """The minimum and the maximum wall seconds between two interruptions."""
    stop_durations_s: tuple[float, ...]
    """The wall seconds for which workers are stopped. The longest time exceeds every timeout."""
    read_only_s: float
    """The wall seconds for which the database accepts no writes."""
    skew: timedelta
    """The maximum error of the clocks of skewed workers, in domain time."""
    timeline_lag_s: float = 15.0
    """The maximum age of the data in a timeline read, in domain seconds: Roost's default."""
    workers: int = 3


#: The full benchmark: Roost's default timeouts, and posts spread over half an hour in each phase.
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
#: A run that is small enough for a test, with short timeouts and frequent interruptions.
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
