"""Benchmark the report: every number of every form is recomputed by an independent oracle.

    ./dev bench report [--json] [--worlds N] [--seed N] [--short]

Each world has one to three accounts of one tenant, whose metrics are those of the emulator at the
instants at which a worker read them: with gaps, threads, replies, late, missed and failed posts,
spending, and time zones with daylight saving. The report on a random range is rendered as HTML,
Markdown, PDF, XLSX and CSV. Parsers read the keyed figures back, and SQL over the tables computes
the same figures from the sentences of the glossary (`tests/harness/report_oracle`). Then 50 texts
that a spreadsheet may run as formulas are reported, and a month with 1,000 posts is timed. The
full run includes the other benchmarks of the report; `--short` leaves them and the time out.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

from harness.report import Threshold, log_progress, report
from harness.report_oracle.checks import Findings, check_world
from harness.report_oracle.database import ReportDatabase, open_report_database
from harness.report_oracle.injections import PAYLOADS, find_injections
from harness.report_oracle.worlds import plan_month, plan_world
from harness.server import cancel_on_sigterm
from roost.insights.reports.content.build import build_document
from roost.insights.reports.forms.html import render_html
from roost.insights.reports.forms.pdf import render_pdf
from roost.insights.reports.svg import draw_charts
from roost.insights.reports.words import load_words

WORLDS = 200
_PARTS = ("report_effects", "narrations", "report_schedules", "report_service")
_PRINTED = 20
_POSTS = 1000
_ROUNDS = 3
_STEPS = ("compute", "document", "charts", "html", "pdf")


def main() -> int:
    """Run the benchmark; return 1 if a result misses its threshold, otherwise 0."""
    parser = argparse.ArgumentParser(description="Benchmark the report and its forms.")
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of a table")
    parser.add_argument("--worlds", type=int, default=WORLDS, help=f"(default {WORLDS})")
    parser.add_argument("--seed", type=int, default=0, help="the first seed (default 0)")
    parser.add_argument("--short", action="store_true", help="only the recomputed figures")
    arguments = parser.parse_args()
    began = time.monotonic()
    thresholds, figures = asyncio.run(
        _measure(range(arguments.seed, arguments.seed + arguments.worlds), arguments.short)
    )
    if not arguments.short:
        for name in _PARTS:
            thresholds += _run_part(name, figures)
    figures["seconds"] = round(time.monotonic() - began, 1)
    return report("report", thresholds, figures, arguments.json)


async def _measure(
    seeds: range, is_short: bool
) -> tuple[list[Threshold], dict[str, float | int | str]]:
    cancel_on_sigterm()
    findings = Findings()
    async with open_report_database() as database:
        for seed in seeds:
            planned = plan_world(seed)
            await check_world(database, planned, database.store(planned), findings)
            if seed % 10 == 9:
                log_progress(
                    f"seed {seed}: {sum(findings.figures.values()):,} figures,"
                    f" {len(findings.differences)} differ"
                )
        injections, shown = await find_injections(database)
        timing, seconds = ([], {}) if is_short else await _measure_time(database)
    for line in (*findings.differences, *findings.unkeyed, *findings.broken_identities)[:_PRINTED]:
        log_progress(line)
    for line in injections[:_PRINTED]:
        log_progress(f"may run as a formula: {line}")
    figures: dict[str, float | int | str] = {
        "seeds": f"{seeds.start} to {seeds.stop - 1}",
        **{f"figures {form}": count for form, count in findings.figures.items()},
        "differences": len(findings.differences),
        "numbers_without_key": len(findings.unkeyed),
        "identities": findings.identities,
        "formula_payloads": len(PAYLOADS),
        "kinds_of_payloads_shown": shown,
        **seconds,
    }
    return [
        Threshold("recomputed", findings.recomputed, "==", 1),
        Threshold("identity_holds", findings.identity_holds, "==", 1),
        Threshold("formula_injections", len(injections), "==", 0),
        *timing,
    ], figures


async def _measure_time(database: ReportDatabase) -> tuple[list[Threshold], dict[str, float]]:
    """Time the report on a month with 1,000 posts; each time is the shortest of three."""
    planned = plan_month(_POSTS)
    stored = database.store(planned)
    words = load_words("en")
    steps: dict[str, list[float]] = {}
    page = ""
    for _ in range(_ROUNDS):
        marks = [time.perf_counter()]
        made = await database.make_report(planned, stored)
        marks.append(time.perf_counter())
        document = build_document(made, words)
        marks.append(time.perf_counter())
        pictures = draw_charts(document)
        marks.append(time.perf_counter())
        page = render_html(document, pictures)
        marks.append(time.perf_counter())
        render_pdf(document, pictures)
        marks.append(time.perf_counter())
        for name, (since, until) in zip(_STEPS, pairwise(marks), strict=True):
            steps.setdefault(name, []).append(until - since)
    seconds = {f"{name}_s": round(min(times), 3) for name, times in steps.items()}
    whole = sum(seconds[f"{name}_s"] for name in _STEPS[:-1])
    return [
        Threshold("report_vs_charts_alone", round(whole / seconds["charts_s"], 3), "<=", 2),
        Threshold("html_kb", round(len(page.encode()) / 1000, 1), "<=", 400),
        Threshold("pdf_s", seconds.pop("pdf_s"), "<=", 1),
    ], seconds


def _run_part(name: str, figures: dict[str, float | int | str]) -> list[Threshold]:
    """Run another benchmark of the report in its own process, and return its thresholds."""
    path = Path(__file__).with_name(f"{name}.py")
    if not path.exists():
        figures[f"{name} is missing"] = 1
        return []
    log_progress(f"running {name}")
    run = subprocess.run(
        [sys.executable, str(path), "--json"],
        env=os.environ,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    output = json.loads(run.stdout.strip().splitlines()[-1])
    return [
        Threshold(each["name"], each["value"], each["op"], each["bar"]) for each in output["bars"]
    ]


if __name__ == "__main__":
    raise SystemExit(main())
