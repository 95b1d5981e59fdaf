"""Lose data by fail-over, restore and other ways, and check the posts on X.

    ./dev bench data_loss [--json] [--only WORD] [--parallel N] [--seed N]

A schedule is one way to lose data. Real worker processes run on real PostgreSQL clusters, several
schedules in parallel. Each schedule runs twice: once X refuses duplicates, and once X accepts
duplicates. An operator resumes publishing only if an alert was opened. At the end, the emulator's
ground truth is compared with the planned posts.
"""

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from harness.data_loss.checker import HarmKind
from harness.data_loss.cluster import open_cluster_host
from harness.data_loss.runner import LossCase, LossResult, run_cases
from harness.data_loss.schedules import all_schedules
from harness.report import Threshold, report
from harness.server import cancel_on_sigterm

#: The number of violations (`harness.checker.Finding`) that are printed for each case.
_PRINTED_FINDINGS = 5


def main() -> int:
    """Run the benchmark; return 1 if a result misses its threshold, otherwise 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", default="", help="run only schedules whose names contain this")
    parser.add_argument("--parallel", type=int, default=4, help="environments (default 4)")
    parser.add_argument("--seed", type=int, default=7, help="determines the order of the schedules")
    arguments = parser.parse_args()
    cases = [
        LossCase(schedule, refuse_duplicates)
        for schedule in all_schedules()
        for refuse_duplicates in (False, True)
    ]
    cases = [case for case in cases if arguments.only in case.name]
    random.Random(arguments.seed).shuffle(cases)
    began = time.monotonic()
    results = asyncio.run(_run(cases, arguments.parallel, arguments.seed))
    found = figures(results) | {"seconds": round(time.monotonic() - began, 1)}
    return report("data_loss", thresholds(results), found, arguments.json)


async def _run(cases: list[LossCase], parallel: int, seed: int) -> list[LossResult]:
    def print_result(result: LossResult, done: int) -> None:
        verdict = ", ".join(sorted({each.kind.value for each in result.harm})) or "right"
        name, seconds = result.case.name, f"({result.seconds:.0f} s)"
        lines = [f"{done}/{len(cases)} {name}: {result.failure or verdict} {seconds}"]
        lines += [f"  a worker ended by itself: {log}" for log in result.exit_logs]
        lines += [
            f"  also {each.kind.value}: post {each.post_id}: {each.description}"
            for each in result.findings[:_PRINTED_FINDINGS]
        ]
        lines += [result.history] if result.history else []
        print("\n".join(lines), file=sys.stderr, flush=True)

    cancel_on_sigterm()
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="data-loss-")))
        host = await stack.enter_async_context(open_cluster_host(folder))
        return await run_cases(host, folder, cases, parallel, seed, print_result)


def thresholds(results: list[LossResult]) -> list[Threshold]:
    """Return the measured values that have a limit, with their limits."""
    harm = Counter(each.kind for result in results for each in result.harm)
    completed = {result.case.schedule.name for result in results if not result.failure}
    return [
        *(Threshold(kind.value, harm[kind], "==", 0) for kind in HarmKind),
        Threshold("not_run", sum(bool(result.failure) for result in results), "==", 0),
        Threshold("schedules", len(completed), ">=", 24),
    ]


def figures(results: list[LossResult]) -> dict[str, float | int | str]:
    """Return the measured values that have no threshold, by name."""
    kinds = Counter(result.case.schedule.kind for result in results)
    alerts = sum((result.alerts for result in results), Counter[str]())
    findings = Counter(each.kind.value for result in results for each in result.findings)
    return {
        "cases": len(results),
        **{f"cases_{kind}": count for kind, count in sorted(kinds.items())},
        **{f"alerts_{kind}": count for kind, count in sorted(alerts.items())},
        "resumes": sum(result.resumes for result in results),
        "adopted": sum(result.adopted for result in results),
        "reconnected": sum(result.reconnected for result in results),
        "needs_decision": sum(result.needs_decision for result in results),
        "workers_ended_by_themselves": sum(len(result.exit_logs) for result in results),
        **{f"also_{kind}": count for kind, count in sorted(findings.items())},
        "slowest_case_s": round(max((result.seconds for result in results), default=0.0), 1),
    }


if __name__ == "__main__":
    sys.exit(main())
