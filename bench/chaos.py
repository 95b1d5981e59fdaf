"""Posts go out while everything breaks; what X then has is held against what was promised.

    ./dev bench chaos [--json] [--posts N] [--seed N] [--short]

Three real worker processes are killed or stopped every few seconds, X errs in 15 to 20 % of
the requests, every other worker's clock is some seconds off, and a fourth worker's 100 s (it may
send nothing). Two tenants share some accounts. Three phases:
(a) X's refusal of duplicates is off and reads are stale within Roost's read lag; the database takes
no writes for a while, and later restarts;
(b) the refusal is on, and some reads are stale far beyond the lag; the database crashes;
(c) as in (a), but a copy of the database is restored under the running workers.
The seed repeats calendar, kills, clocks and faults. Each finding is printed with rows, history and
ground truth.
"""

import argparse
import asyncio
import contextlib
import statistics
import sys
import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path

from _chaos_incidents import Incidents
from _chaos_phase import Outcome, Phase, Size
from _chaos_say import say
from _ground import end_well, open_ground
from _judge import Wrong
from _report import Bar, report
from _scene import open_scene
from _workers import find_faketime

from fix_processes import QUICK
from x_emulator.pytest_plugin import run_emulator

#: The phases, and how many of a hundred posts each has.
_SHARES = {"a": 35, "b": 35, "c": 30}
#: The product's own settings of wall time; half an hour of posts in each phase.
FULL = Size(
    posts=2_000,
    accounts=200,
    span=timedelta(minutes=30),
    rate=10,
    wall={},
    pace=(1.5, 5.0),
    stops_s=(0.5, 2.0, 4.0, 13.0),
    read_only_s=15.0,
    skew=timedelta(seconds=15),
)
#: Small enough for a test: quick settings, and blows as quick.
SHORT = Size(
    posts=60,
    accounts=8,
    span=timedelta(minutes=2),
    rate=20,
    wall=QUICK,
    pace=(0.6, 2.0),
    stops_s=(0.2, 1.0, 4.0),
    read_only_s=2.0,
    skew=timedelta(seconds=15),
)


def main() -> int:
    """Run the phases, and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--posts", type=int, help="over all phases (default 2000)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--short", action="store_true", help="few posts, quick settings")
    asked = parser.parse_args()
    size = SHORT if asked.short else FULL
    if asked.posts is not None:
        size = Size(**{**vars(size), "posts": asked.posts})
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
    """All phases, each in a world of its own on one PostgreSQL."""
    phases = {
        "a": Incidents(restart="fast", read_only_s=size.read_only_s),
        "b": Incidents(restart="immediate"),
        "c": Incidents(restore=True),
    }
    outcomes = []
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-")))
        ground = await stack.enter_async_context(open_ground(folder, durable=True))
        for name, incidents in phases.items():
            say(f"phase {name}")
            with run_emulator("--scenario", "steady", "--seed", str(seed)) as url:
                async with (
                    ground.database() as database,
                    open_scene(database, url, folder / name, wall=size.wall) as scene,
                ):
                    posts = size.posts * _SHARES[name] // 100
                    phase = Phase(scene, size, seed, ground, incidents, posts)
                    hard = name == "b"
                    outcomes.append(await phase.run(refuses_duplicates=hard, beyond_the_lag=hard))
    return outcomes


def bars(outcomes: list[Outcome]) -> list[Bar]:
    """What has to hold, over all phases."""
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
        Bar("read_only_phases", sum(each.read_only_phases for each in outcomes), "==", 1),
        Bar("restores", sum(each.restores for each in outcomes), "==", 1),
        Bar("shared_accounts", sum(each.shared_accounts for each in outcomes), ">=", 1),
        *_clock_bars(outcomes),
    ]


def _clock_bars(outcomes: list[Outcome]) -> list[Bar]:
    """None where libfaketime is not installed: a figure says so."""
    if find_faketime() is None:
        return []
    return [
        Bar("skewed_workers", sum(each.skewed_workers for each in outcomes), ">=", 1),
        Bar("sent_by_wrong_clock", sum(each.sent_by_wrong_clock for each in outcomes), "==", 0),
    ]


def _p99(ordered: list[float]) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] if ordered else 0.0


def figures(outcomes: list[Outcome]) -> dict[str, float | int | str]:
    """What else was seen."""
    told: dict[str, float | int | str] = {}
    if find_faketime() is None:
        told["skewed_workers"] = 0
        told["skewed_workers_skipped"] = "libfaketime is not installed"
    for name, outcome in zip(_SHARES, outcomes, strict=True):
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
    for course in (each.course for each in outcomes if each.restores):
        told |= {
            "alert_after_restore_s": round(course.alert_after_s, 2),
            "resume_tries": course.resume_tries,
            "adopted_by_resume": len(course.resumed.adopted),
            "asked_by_resume": len(course.resumed.asked),
            "looked_for_by_resume": len(course.resumed.searched_again),
            "paused_by_resume": len(course.resumed.paused_accounts),
            "forgotten_posts": len(course.forgotten),
        }
    recoveries = [second for outcome in outcomes for second in outcome.recoveries]
    if recoveries:
        told["median_recovery_s"] = round(statistics.median(recoveries), 2)
        told["longest_recovery_s"] = round(max(recoveries), 2)
    return told


if __name__ == "__main__":
    sys.exit(main())
