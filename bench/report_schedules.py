"""Benchmark scheduled reports while workers are killed.

    ./dev bench report_schedules [--json] [--weeks N] [--seed N]

Tenants in three time zones have weekly schedules. Workers are killed in every week: at a failpoint,
or at a random time within two seconds after a report is due. At the end no worker runs for three
weeks. Every period must have one report and one event `report.ready`. The exceptions are periods
that no worker could report on in time; the next report must list them as skipped.
"""

import argparse
import asyncio
import sys
import time

from harness.report import Threshold, report
from harness.report_schedules import ZONES, ScheduleOutcome, run_schedules
from harness.server import cancel_on_sigterm
from harness.workload import open_workload


def main() -> int:
    """Run the benchmark; return 1 if a result misses its threshold, otherwise 0."""
    parser = argparse.ArgumentParser(description="Benchmark scheduled reports.")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--weeks", type=int, default=20, help="number of weeks with workers")
    parser.add_argument("--seed", type=int, default=17, help="determines the times of the kills")
    arguments = parser.parse_args()
    began = time.monotonic()
    outcome = asyncio.run(_run(arguments.weeks, arguments.seed))
    for problem in outcome.problems:
        print(problem, file=sys.stderr)
    thresholds = [Threshold("missing_or_made_twice", len(outcome.problems), "==", 0)]
    figures: dict[str, float | int | str] = {
        "reports": outcome.expected,
        "workers_killed": outcome.killed,
        "seconds": round(time.monotonic() - began, 1),
    }
    return report("report_schedules", thresholds, figures, arguments.json)


async def _run(weeks: int, seed: int) -> ScheduleOutcome:
    cancel_on_sigterm()
    async with open_workload([1] * len(ZONES)) as workload:
        return await run_schedules(workload, weeks=weeks, seed=seed)


if __name__ == "__main__":
    raise SystemExit(main())
