"""Runs all network schedules and clock cases, and computes their thresholds and counts."""

import asyncio
import contextlib
import sys
from collections.abc import Coroutine
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from fix_processes import QUICK
from harness.network.checker import EARLY_S, ScheduleResult
from harness.network.clock_cases import (
    SHORT_CASE,
    ClockCase,
    ClockResult,
    clock_cases,
    run_clock_case,
)
from harness.network.environment import NetworkResult, run_schedules
from harness.network.lossy_network import LossyNetwork, open_lossy_network
from harness.network.packet_loss import packet_loss_cases, run_packet_loss_case
from harness.network.schedules import cached_schedules, network_schedules, short_schedules
from harness.report import Threshold
from harness.server import Server
from harness.workers import find_faketime

#: The number of clock and packet loss cases, with one or two workers each, that run in parallel.
_PARALLEL_CASES = 4
#: The number of emulated seconds that pass in one wall second in the short form.
SHORT_RATE = 20


@dataclass
class SuiteResult:
    """The results of all schedules and cases that were run."""

    results: list[ScheduleResult] = field(default_factory=list)
    clocks: list[tuple[ClockCase, ClockResult]] = field(default_factory=list)
    app_backoffs: int = 0
    """The number of X apps that were in back-off, although no response of X was about an app."""
    false_clock_alerts: int = 0
    """The number of test setups that had a clock alert although all their clocks are correct."""
    packet_loss: str = "not run"


async def run_short_suite(server: Server) -> SuiteResult:
    """Run a few schedules with short timeouts, and a clock case if libfaketime is installed."""
    suite = SuiteResult()
    async with asyncio.TaskGroup() as group:
        for refuse_duplicates in (False, True):
            schedules = run_schedules(
                server,
                short_schedules(),
                wall=QUICK,
                refuse_duplicates=refuse_duplicates,
                rate=SHORT_RATE,
                within_s=60,
            )
            group.create_task(_add_network(suite, schedules))
        if find_faketime() is not None:
            clock = run_clock_case(server, SHORT_CASE, wall=QUICK, refuse_duplicates=False)
            group.create_task(_add_clock(suite, SHORT_CASE, clock))
    return suite


async def run_suite(server: Server, only: str) -> SuiteResult:
    """Run the schedules and cases whose names contain `only`."""
    suite = SuiteResult()
    async with contextlib.AsyncExitStack() as stack:
        network = await stack.enter_async_context(open_lossy_network())
        suite.packet_loss = network if isinstance(network, str) else network.tool
        lists = [
            [each for each in schedules if only in f"proxy/{each.name}"]
            for schedules in (network_schedules(), cached_schedules())
        ]
        limit = asyncio.Semaphore(_PARALLEL_CASES)
        async with asyncio.TaskGroup() as group:
            for schedules, refuse_duplicates in product(filter(None, lists), (False, True)):
                run = run_schedules(server, schedules, wall={}, refuse_duplicates=refuse_duplicates)
                group.create_task(_add_network(suite, run))
            for number, case in enumerate(clock_cases()):
                if only in f"clock/{case.name}":
                    clock = run_clock_case(server, case, wall={}, refuse_duplicates=number % 2 == 1)
                    group.create_task(_run_within(limit, _add_clock(suite, case, clock)))
            if isinstance(network, LossyNetwork):
                for loss in packet_loss_cases(network):
                    if only in f"loss/{loss.name}":
                        lossy = run_packet_loss_case(server, network, loss, wall={})
                        group.create_task(_run_within(limit, _add_packet_loss(suite, lossy)))
    return suite


async def _run_within(limit: asyncio.Semaphore, run: Coroutine[Any, Any, None]) -> None:
    async with limit:
        await run


async def _add_network(suite: SuiteResult, run: Coroutine[Any, Any, NetworkResult]) -> None:
    network = await run
    suite.app_backoffs += network.app_backoffs
    suite.false_clock_alerts += network.has_clock_alert
    _add_results(suite, network.results)


async def _add_packet_loss(
    suite: SuiteResult, run: Coroutine[Any, Any, list[ScheduleResult]]
) -> None:
    _add_results(suite, await run)


async def _add_clock(
    suite: SuiteResult, case: ClockCase, run: Coroutine[Any, Any, ClockResult]
) -> None:
    clock = await run
    suite.clocks.append((case, clock))
    if clock.sent_while_wrong:
        _print(f"clock/{case.name}: {clock.sent_while_wrong} creates while the clock was wrong")
    _add_results(suite, clock.results)


def _add_results(suite: SuiteResult, results: list[ScheduleResult]) -> None:
    for each in results:
        _print(f"{each.name}: {each.state}, {', '.join(each.problems) or 'right'}")
        if each.history:
            _print(each.history)
    suite.results += results


def _print(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def thresholds(suite: SuiteResult, min_schedules: int) -> list[Threshold]:
    """Return the measured values that have a limit, over all schedules, with their limits."""
    results = suite.results
    early_s = round(max((each.early_s for each in results), default=0.0), 2)
    sent_while_wrong = sum(clock.sent_while_wrong for _, clock in suite.clocks)
    return [
        Threshold("duplicates", sum(each.duplicates for each in results), "==", 0),
        Threshold("unnoticed", sum(each.unnoticed for each in results), "==", 0),
        Threshold("failed_though_on_x", sum(each.failed_though_on_x for each in results), "==", 0),
        Threshold("lost", sum(each.lost for each in results), "==", 0),
        Threshold("early_s_max", early_s, "<=", EARLY_S),
        Threshold("sent_while_clock_wrong", sent_while_wrong, "==", 0),
        Threshold("app_backoffs", suite.app_backoffs, "==", 0),
        Threshold("false_clock_alerts", suite.false_clock_alerts, "==", 0),
        Threshold("schedules", len(results), ">=", min_schedules),
    ]


def figures(suite: SuiteResult) -> dict[str, float | int | str]:
    """Return the measured values that have no threshold, by name."""
    results = suite.results
    far_off = [clock for case, clock in suite.clocks if case.is_too_far_off]
    return {
        "published": sum(each.state == "published" for each in results),
        "needs_decision": sum(each.needs_decision for each in results),
        "needs_decision_though_on_x": sum(each.needs_decision_though_on_x for each in results),
        "adopted": sum(each.adopted for each in results),
        "resends": sum(each.resends for each in results),
        "proxy_duplicates": sum(each.proxy_duplicates for each in results),
        "proxy_duplicates_without_trace": sum(
            each.proxy_duplicates for each in results if not each.shows_trace
        ),
        "clock_cases": len(suite.clocks),
        "clock_cases_beyond_30_s": len(far_off),
        "clock_alerts": sum(clock.has_alert for clock in far_off),
        "sent_by_correct_worker_meanwhile": sum(clock.sent_by_correct_worker for clock in far_off),
        "packet_loss": suite.packet_loss,
        "wrong_schedules": sum(bool(each.problems) for each in results),
    }
