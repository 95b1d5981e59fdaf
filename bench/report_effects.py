"""Benchmark the comparisons of posts in reports: false claims, and effects that are found.

    ./dev bench report_effects [--json] [--accounts N]

Accounts with 120 posts in 30 days are simulated. Their impressions vary as in the emulator, and the
accounts grow, drift and change habits. In the first set of accounts, no property of a post (such as
a link or a hashtag) affects its impressions, so every claim of an effect is false. In the second
set, one property doubles the impressions. In about half of the accounts, exactly 20 posts have this
property; in the others, 20 to 60 posts.
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
