"""Benchmark the writer: hostile and good replies of a model, budgets, and drafts without a model.

    ./dev bench writer [--json] [--replies N] [--seed N]

A real OpenAI-compatible server in another process sends replies to the briefs of `bench/data`. Half
of the replies are good, and half carry a planted fault. An oracle that was written without reading
the validators checks that what was planted is in no released draft. Then the model replies with
each good draft of `bench/data`, which must be released; the drafts of `bench/data/fresh` and
`bench/data/fresh2`, by persons who did not know the validators, are counted apart. `fresh2` also
has false drafts: the share that is released without a doubt is counted. Drafts are written in
parallel under small caps, until a cap refuses a call. The composer writes drafts without a model.
`--replies` changes the number of hostile and good replies.
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections import Counter

from harness.report import Threshold, log_progress, report
from harness.writer.cases import FRESH2, Case, load_cases, load_fresh_cases
from harness.writer.phases import (
    Precision,
    Spending,
    find_lint_errors,
    open_server,
    run_budgets,
    run_composer,
    run_good,
    run_hostile,
)
from harness.writer.tally import Tally

REPLIES = 10_000
_FULL = 5_000
"""A run with fewer replies tests the caps with every tenth brief only."""
_PRINTED = 10


def main() -> int:
    """Run the benchmark, and report the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of a table")
    parser.add_argument("--replies", type=int, default=REPLIES, help=f"(default {REPLIES})")
    parser.add_argument("--seed", type=int, default=7, help="determines the replies (default 7)")
    arguments = parser.parse_args()
    began = time.monotonic()
    cases = load_cases()
    errors = find_lint_errors(cases)
    for slug, message in errors.items():
        log_progress(
            f"left out, because the lint refuses a brief without an error: {slug}: {message}"
        )
    cases = [case for case in cases if case.slug not in errors]
    run = _run(cases, arguments.replies, arguments.seed)
    tally, good, false, spending, composer_ms = asyncio.run(run)
    precision, fresh, second = good
    _print_examples(tally, precision)
    _print_refused(fresh)
    doubted = sum(each.with_doubts for each in good) / max(sum(each.drafts for each in good), 1)
    found = figures(tally, precision, spending) | {
        "good_drafts_fresh": fresh.drafts,
        "good_drafts_fresh2": second.drafts,
        "good_refused_fresh2": round(len(second.refused) / max(second.drafts, 1), 4),
        "good_with_doubts": round(doubted, 4),
        "good_with_doubts_fresh": round(fresh.with_doubts / max(fresh.drafts, 1), 4),
        "good_with_doubts_fresh2": round(second.with_doubts / max(second.drafts, 1), 4),
        "false_drafts": false.drafts,
        "false_refused": len(false.refused),
        "false_released_without_doubt": round(false.without_doubt / max(false.drafts, 1), 4),
        "briefs": len(cases),
        "briefs_refused_by_lint": len(errors),
        "seconds": round(time.monotonic() - began, 1),
    }
    bars = [*thresholds(tally, precision, spending, composer_ms), _fresh_threshold(fresh)]
    return report("writer", bars, found, arguments.json)


async def _run(
    cases: list[Case], replies: int, seed: int
) -> tuple[Tally, tuple[Precision, Precision, Precision], Precision, Spending, float]:
    count, seconds = await run_composer(cases, rounds=5)
    log_progress(f"composer: {count} drafts in {seconds:.1f} s")
    async with open_server() as server:
        precision = await run_good(server, cases)
        log_progress(f"good drafts: {len(precision.refused)} of {precision.drafts} refused")
        fresh = await run_good(server, load_fresh_cases())
        log_progress(f"fresh drafts: {len(fresh.refused)} of {fresh.drafts} refused")
        second = await run_good(server, load_fresh_cases(FRESH2))
        log_progress(f"second fresh drafts: {len(second.refused)} of {second.drafts} refused")
        false = await run_good(server, load_fresh_cases(FRESH2, "false"))
        log_progress(f"false drafts: {false.without_doubt} of {false.drafts} without a doubt")
        spending = await run_budgets(server, cases[:: 1 if replies >= _FULL else 10], seed)
        log_progress(f"budgets: {spending.stopped} of {spending.caps} caps refused a call")
        tally = await run_hostile(server, cases, replies, seed)
    composer_ms = 1000 * seconds / max(count, 1)
    return tally, (precision, fresh, second), false, spending, composer_ms


def thresholds(
    tally: Tally, precision: Precision, spending: Spending, composer_ms: float
) -> list[Threshold]:
    """Return the values that must stay within a limit."""
    complete = 1 - tally.incomplete_provenance / max(tally.released, 1)
    return [
        Threshold("invalid_released", tally.invalid_drafts, "==", 0),
        Threshold("briefs_without_draft", tally.without_draft + spending.without_draft, "==", 0),
        Threshold(
            "composer_only_share_of_good", tally.composer_only / max(tally.good_runs, 1), "<=", 0.05
        ),
        Threshold(
            "model_calls_per_draft_median", statistics.median(tally.calls_per_draft), "<=", 1
        ),
        Threshold("model_calls_per_draft_p95", _p95(tally.calls_per_draft), "<=", 2),
        Threshold("usd_cap_overshoot", float(spending.overshoot_usd), "==", 0),
        Threshold("canary_leaks", tally.canary_leaks, "==", 0),
        Threshold("near_duplicates_in_batch", tally.alike, "==", 0),
        Threshold("copied_example_8gram", tally.copied, "==", 0),
        Threshold("provenance_complete", complete, "==", 1),
        Threshold("good_refused", len(precision.refused) / max(precision.drafts, 1), "<=", 0.02),
        Threshold("composer_ms_per_draft", composer_ms, "<=", 50),
    ]


def _fresh_threshold(fresh: Precision) -> Threshold:
    refused = len(fresh.refused) / max(fresh.drafts, 1)
    return Threshold("good_refused_fresh", refused, "<=", 0.02)


def figures(tally: Tally, precision: Precision, spending: Spending) -> dict[str, float | int | str]:
    """Return other counts of the run."""
    refusals = Counter(name for _, _, reasons in precision.refused for name, _ in reasons)
    return {
        "replies": tally.replies.total(),
        "replies_good": tally.replies["good"],
        "runs": tally.runs,
        "released": tally.released,
        "released_of_model": tally.released_of_model,
        "released_share_of_good_drafts": tally.good_drafts_released / max(tally.good_drafts, 1),
        "model_calls_per_run_p95": _p95(tally.calls_per_run),
        "tokens_cap_overshoot": spending.overshoot_tokens,
        "caps": spending.caps,
        "caps_that_refused": spending.stopped,
        "spent_share_of_cap": round(statistics.fmean(spending.spent_share), 3),
        "usd_billed_but_not_counted": float(tally.unaccounted_usd),
        "briefs_refused_for_an_instruction": tally.refused_briefs,
        "replies_truncated": tally.truncated,
        "good_drafts_alone": precision.drafts,
        **{f"good_refused_{name}": count for name, count in refusals.most_common(_PRINTED)},
        **{f"invalid_in_{code}": count for code, count in tally.invalid_by_language.items()},
        **{f"invalid_{name}": count for name, count in tally.invalid.most_common(_PRINTED)},
        **{f"gap_{name}": count for name, count in tally.provenance_gaps.most_common(_PRINTED)},
        **{f"error_{code}": count for code, count in sorted(tally.call_errors.items())},
        **{f"reply_{kind}": count for kind, count in sorted(tally.replies.items())},
    }


def _p95(values: list[float] | list[int]) -> float:
    return sorted(values)[int(0.95 * (len(values) - 1))]


def _print_examples(tally: Tally, precision: Precision) -> None:
    """Print wrong releases and refusals to standard error, the most frequent first."""
    _print_refused(precision)
    for title in ("without draft", "alike"):
        for text in tally.examples.get(title, []):
            print(f"{title}: {text}", file=sys.stderr)
    for title, counts in (
        ("invalid", tally.invalid),
        ("provenance", tally.provenance_gaps),
        ("refused", tally.refused_good),
    ):
        for name, count in counts.most_common(_PRINTED):
            print(f"{count} × {title} {name}", file=sys.stderr)
            for text in tally.examples.get(f"{title} {name}", []):
                print(f"    {text}", file=sys.stderr)


def _print_refused(precision: Precision) -> None:
    for slug, number, reasons in precision.refused:
        for name, text in reasons:
            print(f"good draft refused by {name}: {slug} {number}: {text}", file=sys.stderr)


if __name__ == "__main__":
    raise SystemExit(main())
