"""Posts go out while everything breaks; what X then has is held against what was promised.

    ./dev bench chaos [--json] [--posts N] [--seed N] [--short]

Three real worker processes are killed or stopped every few seconds, X errs in 15 to 20 % of
the requests, the database restarts once in each of two phases: (a) X's refusal of duplicates is off
and reads are stale within Roost's read lag; (b) it is on, and some reads are stale far beyond it.
The seed repeats calendar, blows and faults. Broken promises are told with rows, history and truth.
"""

import argparse
import asyncio
import contextlib
import statistics
import sys
import tempfile
from collections import Counter
from datetime import timedelta
from functools import partial
from pathlib import Path

from _chaos_phase import Outcome, Phase, Size, say
from _ground import RestartMode, end_well, open_ground
from _judge import Wrong
from _report import Bar, report
from _scene import open_scene

from fix_processes import QUICK
from x_emulator.pytest_plugin import playing

#: The product's own settings of wall time; half an hour of posts in each phase.
FULL = Size(
    posts=1_000,
    accounts=200,
    span=timedelta(minutes=30),
    rate=10,
    wall={},
    pace=(1.5, 5.0),
    stops_s=(0.5, 2.0, 4.0, 13.0),
)
#: Small enough for a test: quick settings, and blows as quick.
SHORT = Size(
    posts=30,
    accounts=8,
    span=timedelta(minutes=3),
    rate=20,
    wall=QUICK,
    pace=(0.6, 2.0),
    stops_s=(0.2, 1.0, 4.0),
)


def main() -> int:
    """Play both phases, and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--posts", type=int, help="over both phases (default 2000)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--short", action="store_true", help="few posts, quick settings")
    asked = parser.parse_args()
    size = SHORT if asked.short else FULL
    if asked.posts is not None:
        size = Size(**{**vars(size), "posts": asked.posts // 2})
    outcomes = asyncio.run(_run(size, asked.seed))
    for outcome in outcomes:
        for finding in outcome.findings:
            print(f"\n{finding.wrong.value}: {finding.what}", file=sys.stderr)
            print(outcome.stories.get(finding.post_id, ""), file=sys.stderr)
        for story in outcome.asked_stories.values():
            print(f"\na person was asked:\n{story}", file=sys.stderr)
    return report("chaos", bars(outcomes), figures(outcomes), asked.json)


async def _run(size: Size, seed: int) -> list[Outcome]:
    end_well()
    return await run(size, seed)


async def run(size: Size, seed: int) -> list[Outcome]:
    """Both phases, each in a world of its own on one PostgreSQL."""
    outcomes = []
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-")))
        ground = await stack.enter_async_context(open_ground(folder, durable=True))
        modes: tuple[RestartMode, ...] = ("fast", "immediate")
        for phase, refuses, mode in zip("ab", (False, True), modes, strict=True):
            say(f"phase {phase}")
            with playing("--scenario", "steady", "--seed", str(seed)) as url:
                async with (
                    ground.database() as database,
                    open_scene(database, url, folder / phase, wall=size.wall) as scene,
                ):
                    playing_it = Phase(scene, size, seed, partial(ground.restart, mode))
                    outcomes.append(
                        await playing_it.run(refuses_duplicates=refuses, beyond_the_lag=refuses)
                    )
    return outcomes


def bars(outcomes: list[Outcome]) -> list[Bar]:
    """What has to hold, over both phases."""
    wrong = Counter(finding.wrong for outcome in outcomes for finding in outcome.findings)
    recoveries = sorted(second for outcome in outcomes for second in outcome.recoveries)
    asked = sum(each.asked for each in outcomes) / sum(each.untouched for each in outcomes)
    return [
        Bar("duplicates", wrong[Wrong.DUPLICATE], "==", 0),
        Bar("lost", wrong[Wrong.LOST], "==", 0),
        Bar("out_of_order", wrong[Wrong.OUT_OF_ORDER], "==", 0),
        Bar("unexplained", wrong[Wrong.UNEXPLAINED], "==", 0),
        Bar("needs_decision_share", asked, "<=", 0.02),
        Bar("p99_recovery_s", _p99(recoveries), "<=", 30),
        Bar("recoveries", len(recoveries), ">=", 10),
        Bar("ended_by_themselves", sum(each.ended_by_themselves for each in outcomes), "==", 0),
        Bar("kills", sum(each.kills for each in outcomes), ">=", 20),
        Bar("stops", sum(each.stops for each in outcomes), ">=", 10),
        Bar("lost_responses", sum(each.lost_responses for each in outcomes), ">=", 100),
        Bar("reconciled", sum(each.reconciled for each in outcomes), ">=", 100),
        Bar("db_restarts", sum(each.restarts for each in outcomes), "==", 2),
    ]


def _p99(ordered: list[float]) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] if ordered else 0.0


def figures(outcomes: list[Outcome]) -> dict[str, float | int | str]:
    """What else was seen."""
    told: dict[str, float | int | str] = {}
    for name, outcome in zip("ab", outcomes, strict=True):
        told |= {
            f"{name}_posts": outcome.posts,
            f"{name}_parts": outcome.parts,
            f"{name}_requests": outcome.requests,
            f"{name}_faulty_share": round(outcome.faults.total() / outcome.requests, 3),
            f"{name}_deleted_by_hand": outcome.deleted_by_hand,
            f"{name}_reconnected": outcome.reconnected,
            f"{name}_seconds": round(outcome.seconds, 1),
            **{f"{name}_{state}": count for state, count in sorted(outcome.states.items())},
        }
    recoveries = [second for outcome in outcomes for second in outcome.recoveries]
    if recoveries:
        told["median_recovery_s"] = round(statistics.median(recoveries), 2)
        told["longest_recovery_s"] = round(max(recoveries), 2)
    return told


if __name__ == "__main__":
    sys.exit(main())
