"""Publish posts while workers, X, clocks and the database fail, and check the result.

    ./dev bench chaos [--json] [--posts N] [--seed N] [--short]

Three real worker processes are killed or stopped every few seconds, and X fails in 15 to 20 % of
the requests. The clock of every other worker is wrong by some seconds. The clock of a fourth worker
is wrong by 100 s, so that this worker must not send. Two tenants share some accounts. There are
three phases:

(a) X accepts duplicates, and reads are stale within Roost's timeline lag. The database refuses
    writes for a while, and later restarts.
(b) X refuses duplicates, and some reads are stale for far longer than the lag. The database
    crashes.
(c) As in (a), but a copy of the database is restored while the workers run.

A seed always gives the same posts, interruptions, clocks and faults. Each violation of the delivery
guarantee is printed with the post's rows, history and ground truth.
"""

import argparse
import asyncio
import sys
from dataclasses import replace

from harness.chaos.config import FULL, SHORT, ChaosConfig
from harness.chaos.phases import SHARES, run_phases
from harness.chaos.results import PhaseResult, figures, thresholds
from harness.report import report
from harness.server import cancel_on_sigterm


def main() -> int:
    """Publish in all phases, and print violations; return 1 if a threshold is not met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--posts", type=int, help="number of posts in all phases together (default 2000)"
    )
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--short", action="store_true", help="few posts, short timeouts")
    arguments = parser.parse_args()
    config = SHORT if arguments.short else FULL
    if arguments.posts is not None:
        config = replace(config, posts=arguments.posts)
    results = asyncio.run(_run(config, arguments.seed))
    for result in results:
        for finding in result.findings:
            print(f"\n{finding.kind.value}: {finding.description}", file=sys.stderr)
            print(result.histories.get(finding.post_id, ""), file=sys.stderr)
        for history in result.decision_histories.values():
            print(f"\na post needs a decision:\n{history}", file=sys.stderr)
    return report("chaos", thresholds(results), figures(list(SHARES), results), arguments.json)


async def _run(config: ChaosConfig, seed: int) -> list[PhaseResult]:
    cancel_on_sigterm()
    return await run_phases(config, seed)


if __name__ == "__main__":
    sys.exit(main())
