"""Benchmark the declared comparisons of the report: false claims, and effects that are found.

    ./dev bench report_effects [--json] [--accounts N]

Accounts with 120 posts in 30 days are simulated. Their impressions vary as those of the emulator,
and the accounts grow, drift and change habits. No property of their posts has an effect, so every
claim about them is false. In a second set of accounts, one property doubles the impressions; 20 to
60 posts have this property, in about half of the accounts exactly 20.
"""

import argparse
import time

from harness.report import Threshold, report
from harness.report_world import measure_effects


def main() -> int:
    """Run the benchmark; return 1 if a result misses its threshold, otherwise 0."""
    parser = argparse.ArgumentParser(description="Benchmark the comparisons of the report.")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--accounts", type=int, default=1000, help="number of simulated accounts")
    arguments = parser.parse_args()
    began = time.perf_counter()
    counts = measure_effects(arguments.accounts, seed=17)
    thresholds = [
        Threshold("accounts_with_false_claim", counts.false_share, "<=", 0.05),
        Threshold("power", counts.power, ">=", 0.8),
    ]
    figures: dict[str, float | int | str] = {
        "accounts": counts.accounts,
        "seconds": round(time.perf_counter() - began, 1),
    }
    return report("report_effects", thresholds, figures, arguments.json)


if __name__ == "__main__":
    raise SystemExit(main())
