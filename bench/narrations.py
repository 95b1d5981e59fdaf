"""Benchmark the narrator of reports with hostile and good narrations.

    ./dev bench narrations [--json] [--hostile N] [--seed N]

A narration is the text that a language model writes about the facts of a report. It must write each
number and each comparison as a slot, such as `{impressions}`. A checker refuses other narrations.

A simulated model replies with hostile narrations. Each is a good narration with an inserted number,
comparison, cause or wrong slot. Numbers are inserted as digits, words or fractions, in other
scripts and languages, and with invisible characters, look-alike letters or hyphens. A wrong slot is
used for another figure. The narrator must release none of these narrations. The benchmark counts
those that it releases, and among them those in which an independent oracle finds a number.

The good narrations are in `bench/data/narrations`, and the benchmark reads all of them. They were
written before the checker. The checker's list of allowed words was then completed with their words,
so the narrator probably refuses a larger share of new texts. The texts in `fresh-*.txt` were not
used for the list. They are idiomatic on purpose, and are counted without a threshold.
"""

import argparse
import asyncio
import sys
import time

from harness.narrations.oracle import find_invented
from harness.narrations.runs import count_narrations
from harness.report import Threshold, report


def main() -> int:
    """Run the benchmark; return 1 if a result misses its threshold, otherwise 0."""
    parser = argparse.ArgumentParser(description="Benchmark the narrator of the report.")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--hostile", type=int, default=10_000, help="number of hostile narrations")
    parser.add_argument("--seed", type=int, default=17)
    arguments = parser.parse_args()
    began = time.perf_counter()
    counts = asyncio.run(count_narrations(arguments.hostile, arguments.seed))
    for title, texts in (
        ("released", counts.released),
        ("good, refused", counts.good_refused),
        ("fresh, refused", counts.fresh_refused),
        ("good, accepted, with a number by the oracle", counts.good_with_numbers),
    ):
        for text in texts:
            print(f"{title}: {text}", file=sys.stderr)
    thresholds = [
        Threshold("invented_numbers", len(counts.released), "==", 0),
        Threshold("good_narrations_refused", len(counts.good_refused) / counts.good, "<=", 0.05),
        Threshold("good_narrations", counts.good, ">=", 500),
        Threshold("oracle_recall", counts.found_by_oracle / counts.readable, ">=", 0.9),
        Threshold("numbers_in_accepted_good", len(counts.good_with_numbers), "==", 0),
    ]
    figures: dict[str, float | int | str] = {
        "hostile": counts.hostile.total(),
        "released_with_number_by_oracle": sum(
            bool(find_invented(each)) for each in counts.released
        ),
        "good": counts.good,
        "good_fresh": counts.fresh,
        "good_fresh_refused": len(counts.fresh_refused) / counts.fresh,
        **{f"hostile_{name}": count for name, count in sorted(counts.hostile.items())},
        "seconds": round(time.perf_counter() - began, 1),
    }
    return report("narrations", thresholds, figures, arguments.json)


if __name__ == "__main__":
    raise SystemExit(main())
