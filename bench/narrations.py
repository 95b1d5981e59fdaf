"""Benchmark the narrator of the report: hostile narrations of a model, and good ones.

    ./dev bench narrations [--json] [--hostile N] [--seed N]

A model replies with hostile narrations. Each is a good narration into which a number, a comparison,
a cause or a wrong slot is planted: as digits, words or fractions, in other scripts and languages,
with invisible characters, look-alike letters, hyphens, or as a slot with another figure's meaning.
Every hostile narration that is released counts, and so does every released narration in which an
oracle with own lists finds a number.

The good narrations are readable texts in `bench/data/narrations`, and the benchmark reads all of
them. They were written before the checker, whose words were then completed with them, so their
share of refusals is a lower limit. The texts in `fresh-*.txt` were not used for this; they are
idiomatic on purpose, and are counted without a threshold.
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
