"""The list of data-loss schedules: each way to lose data, in several circumstances."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from fix_processes import QUICK
from harness.data_loss.environment import LossEnvironment
from harness.data_loss.losses import (
    Change,
    Home,
    Method,
    Place,
    Workers,
    damage_watermark,
    fail_over,
    fail_over_with_old_watermark,
    restore_after_change,
    restore_dump,
    restore_files,
    restore_old_tokens,
    restore_snapshot,
    start_other_machine_first,
    use_copy,
    use_copy_beside_original,
)

#: Settings with rare heartbeats, so that the watermark is some seconds old. All other settings have
#: Roost's defaults.
_RARE_HEARTBEAT = {"ROOST_HEARTBEAT_S": "4"}


@dataclass(frozen=True)
class Schedule:
    """A way to lose data in certain circumstances, such as a fail-over with running workers."""

    name: str
    run: Callable[[LossEnvironment], Awaitable[None]]
    """The function that loses the data, and then starts the workers again."""
    wall: Mapping[str, str] = field(default_factory=lambda: QUICK)
    """Roost's timeouts and other settings in wall seconds."""

    @property
    def kind(self) -> str:
        """The first word of the schedule's name."""
        return self.name.partition(" ")[0]


_FAIL_OVERS: tuple[tuple[Workers, float], ...] = (
    *(("running", 0), ("running", 1), ("running", 2), ("running", 3)),
    *(("stopped", 1), ("stopped", 3), ("killed", 1)),
)
_ALL_WORKERS: tuple[Workers, ...] = ("running", "stopped", "killed")
_METHODS: tuple[Method, ...] = ("recreate", "clean")
_PLACES: tuple[Place, ...] = ("database", "cluster")
_HOMES: tuple[Home, ...] = ("same", "fresh")
_CHANGES: tuple[tuple[Change, Workers], ...] = (
    *(("moved", "stopped"), ("moved", "running"), ("cancelled", "stopped"), ("edited", "stopped")),
)


def all_schedules() -> list[Schedule]:
    """List all schedules. The first word of a schedule's name is its kind."""
    return [
        *(
            Schedule(f"failover {workers}, {lag:g} s behind", partial(fail_over, lag, workers))
            for workers, lag in _FAIL_OVERS
        ),
        *(
            Schedule(
                f"failover killed, {lag:g} s behind, watermark older",
                partial(fail_over_with_old_watermark, lag),
                _RARE_HEARTBEAT,
            )
            for lag in (0.3, 1)
        ),
        *(
            Schedule(f"dump {method}, {workers}", partial(restore_dump, method, workers))
            for method in _METHODS
            for workers in _ALL_WORKERS
        ),
        Schedule("dump with used tokens", restore_old_tokens),
        *(
            Schedule(f"files {workers}", partial(restore_files, workers))
            for workers in _ALL_WORKERS
        ),
        Schedule("snapshot while running", partial(restore_snapshot, "killed")),
        Schedule("snapshot after a stop", partial(restore_snapshot, "stopped")),
        *(
            Schedule(f"copy {place}, {home} home", partial(use_copy, place, home))
            for place in _PLACES
            for home in _HOMES
        ),
        *(
            Schedule(
                f"copy {place} beside the original, {home} home",
                partial(use_copy_beside_original, place, home),
            )
            for place in _PLACES
            for home in _HOMES
        ),
        *(
            Schedule(
                f"watermark {state}{', restored' if is_restored else ''}",
                partial(damage_watermark, kept_share, is_restored),
            )
            for state, kept_share in (("empty", 0.0), ("torn", 0.5))
            for is_restored in (False, True)
        ),
        Schedule("machine fresh", partial(start_other_machine_first, "fresh", restart_first=False)),
        Schedule(
            "machine fresh, then the old",
            partial(start_other_machine_first, "fresh", restart_first=True),
        ),
        Schedule("machine older", partial(start_other_machine_first, "older", restart_first=False)),
        *(
            Schedule(f"change {change}, {workers}", partial(restore_after_change, change, workers))
            for change, workers in _CHANGES
        ),
    ]
