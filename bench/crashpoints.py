"""Run all crash cases: each failpoint with each signal and each response of X.

    ./dev bench crashpoints [--json] [--parallel N] [--only WORD] [--seed N]

Several test setups run cases in parallel. Each has its own database, emulator and worker processes.
`wrong` counts the cases with a problem: for example, a part is on X twice or not at all, or the
database disagrees with X. `--only` runs the cases whose names contain WORD.
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

from harness.crash_cases import CrashCase, all_cases
from harness.crash_runner import CrashResult, run_cases
from harness.report import Threshold, report
from harness.server import cancel_on_sigterm, open_server


def main() -> int:
    """Run the benchmark; return 1 if a result misses its threshold, otherwise 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--parallel", type=int, default=4, help="number of scenarios (default 4)")
    parser.add_argument("--only", default="", help="run only crashes whose names contain this")
    parser.add_argument("--seed", type=int, default=7, help="determines the order of the crashes")
    arguments = parser.parse_args()
    cases = [case for case in all_cases() if arguments.only in case.name]
    random.Random(arguments.seed).shuffle(cases)
    began = time.monotonic()
    results = asyncio.run(_run(cases, arguments.parallel))
    thresholds = [
        Threshold("wrong", sum(bool(result.problems) for result in results), "==", 0),
        Threshold("combinations", len(results), ">=", 300),
    ]
    signals = Counter(result.case.signal.value for result in results)
    figures: dict[str, float | int | str] = {
        "failpoints": len({result.case.failpoint for result in results}),
        "kinds": len({result.case.kind for result in results}),
        "responses": len({result.case.response for result in results}),
        **{f"signals_{signal}": count for signal, count in sorted(signals.items())},
        "faults_not_met": sum(result.fault_unused for result in results),
        "locks_held": sum(result.lock_held for result in results),
        "slowest_end_s": round(max((result.shutdown_s for result in results), default=0.0), 1),
        "asked_a_person": sum(result.needs_decision for result in results),
        "seconds": round(time.monotonic() - began, 1),
    }
    return report("crashpoints", thresholds, figures, arguments.json)


async def _run(cases: list[CrashCase], parallel: int) -> list[CrashResult]:
    def print_result(result: CrashResult, done: int) -> None:
        verdict = "; ".join(result.problems) or "right"
        print(f"{done}/{len(cases)} {result.case.name}: {verdict}", file=sys.stderr, flush=True)
        if result.history:
            print(result.history, file=sys.stderr, flush=True)

    cancel_on_sigterm()
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crashpoints-")))
        server = await stack.enter_async_context(open_server(folder))
        return await run_cases(server, cases, parallel, print_result)


if __name__ == "__main__":
    sys.exit(main())
