"""Publishing behind bad networks and by wrong clocks, held against what X then has.

    ./dev bench network [--json] [--only WORD] [--short]

Real worker processes at the product's own settings reach the emulator through a proxy that holds,
repeats, loses and replaces answers; run by wall clocks that are wrong or step (libfaketime); and on
a loopback that loses packets, where the machine allows it. `--only` plays the schedules whose
name has the word in it. What goes wrong is told with the post's history.
"""

import argparse
import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from _clock_world import SHORT_CASE, ClockCase, ClockResult, clock_cases, play_clock
from _ground import Ground, end_well, open_ground
from _net_judge import EARLY_S, Verdict
from _net_schedules import cached_schedules, network_schedules, short_schedules
from _net_world import NetworkResult, play_network
from _packet_loss import LossyNetwork, open_lossy_network
from _packet_loss_world import loss_cases, play_loss
from _report import Bar, report
from _workers import find_faketime

from fix_processes import QUICK

#: Every portal's answer, before and after delivery, with X's refusal of duplicates off and on:
#: some 250. Fewer means that a part of the list was not played.
LEAST_SCHEDULES = 230
#: Small worlds (one worker or two) that are played at the same time.
_SIDE_BY_SIDE = 4
#: Emulated seconds in one wall second of the short form.
SHORT_RATE = 20


@dataclass
class Outcome:
    """All that was played."""

    verdicts: list[Verdict] = field(default_factory=list)
    clocks: list[tuple[ClockCase, ClockResult]] = field(default_factory=list)
    app_backoffs: int = 0
    """X apps of which all posts waited, although X said nothing about an app."""
    false_clock_alerts: int = 0
    """Worlds in which all clocks are right, and an alert said otherwise."""
    packet_loss: str = "not played"


def main() -> int:
    """Play them all, and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", default="", help="a word of the names of schedules")
    parser.add_argument("--short", action="store_true", help="few schedules, quick settings")
    asked = parser.parse_args()
    if not asked.short and find_faketime() is None:
        parser.error("libfaketime is missing. On Debian: apt-get install faketime")
    began = time.monotonic()
    outcome = asyncio.run(_run(asked.only, short=asked.short))
    least = 1 if asked.short or asked.only else LEAST_SCHEDULES
    found = figures(outcome) | {"seconds": round(time.monotonic() - began, 1)}
    return report("network", thresholds(outcome, least), found, asked.json)


def thresholds(outcome: Outcome, least: int) -> list[Bar]:
    """What has to hold, over all schedules."""
    verdicts = outcome.verdicts
    return [
        Bar("duplicates", sum(each.duplicates for each in verdicts), "==", 0),
        Bar("unnoticed", sum(each.unnoticed for each in verdicts), "==", 0),
        Bar("failed_though_on_x", sum(each.failed_though_on_x for each in verdicts), "==", 0),
        Bar("lost", sum(each.lost for each in verdicts), "==", 0),
        Bar("early_s_max", _worst_early(verdicts), "<=", EARLY_S),
        Bar(
            "sent_while_clock_wrong",
            sum(result.sent_while_wrong for _, result in outcome.clocks),
            "==",
            0,
        ),
        Bar("app_backoffs", outcome.app_backoffs, "==", 0),
        Bar("false_clock_alerts", outcome.false_clock_alerts, "==", 0),
        Bar("schedules", len(verdicts), ">=", least),
    ]


def _worst_early(verdicts: list[Verdict]) -> float:
    return round(max((each.early_s for each in verdicts), default=0.0), 2)


def figures(outcome: Outcome) -> dict[str, float | int | str]:
    """What else was seen."""
    verdicts = outcome.verdicts
    beyond = [result for case, result in outcome.clocks if case.is_beyond]
    return {
        "published": sum(each.state == "published" for each in verdicts),
        "needs_decision": sum(each.asked for each in verdicts),
        "needs_decision_though_on_x": sum(each.asked_though_on_x for each in verdicts),
        "adopted": sum(each.adopted for each in verdicts),
        "resends": sum(each.resends for each in verdicts),
        "proxy_duplicates": sum(each.proxy_duplicates for each in verdicts),
        "proxy_duplicates_without_trace": sum(
            each.proxy_duplicates for each in verdicts if not each.shows_trace
        ),
        "clock_cases": len(outcome.clocks),
        "clock_cases_beyond_30_s": len(beyond),
        "clock_alerts": sum(result.has_alert for result in beyond),
        "sent_by_right_worker_meanwhile": sum(result.sent_beside for result in beyond),
        "packet_loss": outcome.packet_loss,
        "wrong_schedules": sum(bool(each.wrong) for each in verdicts),
    }


async def _run(only: str, *, short: bool) -> Outcome:
    end_well()
    with tempfile.TemporaryDirectory(prefix="network-") as folder:
        async with open_ground(Path(folder)) as ground:
            return await (run_short(ground) if short else run(ground, only))


async def run_short(ground: Ground) -> Outcome:
    """A few schedules with quick settings, for a test; clocks only where libfaketime is."""
    outcome = Outcome()
    async with asyncio.TaskGroup() as group:
        for refuses in (False, True):
            play = play_network(
                ground, short_schedules(), wall=QUICK, refuses=refuses, rate=SHORT_RATE, within_s=60
            )
            group.create_task(_play_network(play, outcome))
        if find_faketime() is not None:
            group.create_task(_play_clock(ground, SHORT_CASE, QUICK, False, outcome))
    return outcome


async def run(ground: Ground, only: str) -> Outcome:
    """Every schedule whose name has the word in it."""
    outcome = Outcome()
    async with contextlib.AsyncExitStack() as stack:
        network = await stack.enter_async_context(open_lossy_network())
        outcome.packet_loss = network if isinstance(network, str) else network.how
        lists = [
            [each for each in schedules if only in f"proxy/{each.name}"]
            for schedules in (network_schedules(), cached_schedules())
        ]
        small = asyncio.Semaphore(_SIDE_BY_SIDE)
        async with asyncio.TaskGroup() as group:
            for schedules, refuses in product(filter(None, lists), (False, True)):
                play = play_network(ground, schedules, wall={}, refuses=refuses)
                group.create_task(_play_network(play, outcome))
            for number, case in enumerate(clock_cases()):
                if only in f"clock/{case.name}":
                    refuses = number % 2 == 1
                    clock = _play_clock(ground, case, {}, refuses, outcome)
                    group.create_task(_within(small, clock))
            if isinstance(network, LossyNetwork):
                for loss in loss_cases(network):
                    if only in f"loss/{loss.name}":
                        lossy = play_loss(ground, network, loss, wall={})
                        group.create_task(_within(small, _play_loss(lossy, outcome)))
    return outcome


async def _within(places: asyncio.Semaphore, play: Coroutine[Any, Any, None]) -> None:
    async with places:
        await play


async def _play_network(play: Coroutine[Any, Any, NetworkResult], outcome: Outcome) -> None:
    result = await play
    outcome.app_backoffs += result.app_backoffs
    outcome.false_clock_alerts += result.has_clock_alert
    _keep(outcome, result.verdicts)


async def _play_loss(play: Coroutine[Any, Any, list[Verdict]], outcome: Outcome) -> None:
    _keep(outcome, await play)


async def _play_clock(
    ground: Ground, case: ClockCase, wall: Mapping[str, str], refuses: bool, outcome: Outcome
) -> None:
    result = await play_clock(ground, case, wall=wall, refuses=refuses)
    outcome.clocks.append((case, result))
    if result.sent_while_wrong:
        _say(f"clock/{case.name}: {result.sent_while_wrong} creates while the clock was wrong")
    _keep(outcome, result.verdicts)


def _keep(outcome: Outcome, verdicts: list[Verdict]) -> None:
    for each in verdicts:
        what = ", ".join(each.wrong) or "right"
        _say(f"{each.name}: {each.state}, {what}")
        if each.story:
            _say(each.story)
    outcome.verdicts += verdicts


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
