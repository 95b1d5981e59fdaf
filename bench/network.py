"""Publish over bad networks and with wrong clocks, and check the posts on X.

    ./dev bench network [--json] [--only WORD] [--short]

A schedule is a list of actions on the requests of one post. Real worker processes with Roost's
default settings reach the emulator through a proxy that delays and repeats requests, and loses and
replaces responses. If the machine allows this, other workers have wall clocks that are wrong or
step (libfaketime), or a loopback device that loses packets. `--only` runs the schedules whose names
contain WORD. A schedule with a problem is printed with the post's history.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from harness.network.suite import SuiteResult, figures, run_short_suite, run_suite, thresholds
from harness.report import report
from harness.server import cancel_on_sigterm, open_server
from harness.workers import find_faketime

#: The minimum number of schedules in a full run, which has about 250. If fewer schedules ran than
#: the minimum, some were left out by mistake.
MIN_SCHEDULES = 230


def main() -> int:
    """Run the benchmark; return 1 if a result misses its threshold, otherwise 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", default="", help="run only schedules whose names contain this")
    parser.add_argument("--short", action="store_true", help="few schedules, short timeouts")
    arguments = parser.parse_args()
    if not arguments.short and find_faketime() is None:
        parser.error("libfaketime is missing. On Debian: apt-get install faketime")
    began = time.monotonic()
    suite = asyncio.run(_run(arguments.only, short=arguments.short))
    min_schedules = 1 if arguments.short or arguments.only else MIN_SCHEDULES
    found = figures(suite) | {"seconds": round(time.monotonic() - began, 1)}
    return report("network", thresholds(suite, min_schedules), found, arguments.json)


async def _run(only: str, *, short: bool) -> SuiteResult:
    cancel_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="network-") as folder:
        async with open_server(Path(folder)) as server:
            return await (run_short_suite(server) if short else run_suite(server, only))


if __name__ == "__main__":
    sys.exit(main())
