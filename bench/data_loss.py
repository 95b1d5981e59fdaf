"""Every way in which the database forgets what is on X: fail-over, restore, copy, another machine.

    ./dev bench data_loss [--json] [--only WORD] [--worlds N] [--seed N]

Real worker processes on real clusters, played side by side, each schedule with X's refusal of
duplicates off and on. An operator resumes where, and only where, an alert was opened; then the
ground truth of the emulator is compared with what was planned.
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

from _cluster import open_site
from _ground import end_well
from _loss_judge import Fault
from _loss_list import all_schedules
from _loss_play import Play, Verdict, play_all
from _report import Bar, report

#: Findings of the other judge that are printed for each play.
_SHOWN = 5


def main() -> int:
    """Play them all; the exit code: 1 if a threshold is not met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", default="", help="a word of the names of schedules")
    parser.add_argument("--worlds", type=int, default=4, help="played side by side (default 4)")
    parser.add_argument("--seed", type=int, default=7, help="the order in which they are played")
    asked = parser.parse_args()
    plays = [Play(schedule, refuses) for schedule in all_schedules() for refuses in (False, True)]
    plays = [play for play in plays if asked.only in play.name]
    random.Random(asked.seed).shuffle(plays)
    began = time.monotonic()
    verdicts = asyncio.run(_run(plays, asked.worlds, asked.seed))
    seconds = round(time.monotonic() - began, 1)
    return report("data_loss", bars(verdicts), figures(verdicts) | {"seconds": seconds}, asked.json)


async def _run(plays: list[Play], worlds: int, seed: int) -> list[Verdict]:
    def show(verdict: Verdict, done: int) -> None:
        what = ", ".join(sorted({each.fault.value for each in verdict.harm})) or "right"
        lines = [f"{done}/{len(plays)} {verdict.play.name}: {verdict.broken or what}"]
        lines[0] += f" ({verdict.seconds:.0f} s)"
        lines += [f"  a worker ended by itself: {ending}" for ending in verdict.endings]
        lines += [
            f"  also {each.wrong.value}: post {each.post_id}: {each.what}"
            for each in verdict.findings[:_SHOWN]
        ]
        lines += [verdict.story] if verdict.story else []
        print("\n".join(lines), file=sys.stderr, flush=True)

    end_well()
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="data-loss-")))
        site = await stack.enter_async_context(open_site(folder))
        return await play_all(site, folder, plays, worlds, seed, show)


def bars(verdicts: list[Verdict]) -> list[Bar]:
    """What has to hold."""
    harm = Counter(each.fault for verdict in verdicts for each in verdict.harm)
    played = {verdict.play.schedule.name for verdict in verdicts if not verdict.broken}
    return [
        *(Bar(fault.value, harm[fault], "==", 0) for fault in Fault),
        Bar("not_played", sum(bool(verdict.broken) for verdict in verdicts), "==", 0),
        Bar("schedules", len(played), ">=", 24),
    ]


def figures(verdicts: list[Verdict]) -> dict[str, float | int | str]:
    """What else was seen."""
    kinds = Counter(verdict.play.schedule.kind for verdict in verdicts)
    alerts = sum((verdict.alerts for verdict in verdicts), Counter[str]())
    findings = Counter(each.wrong.value for verdict in verdicts for each in verdict.findings)
    return {
        "plays": len(verdicts),
        **{f"plays_{kind}": count for kind, count in sorted(kinds.items())},
        **{f"alerts_{kind}": count for kind, count in sorted(alerts.items())},
        "resumes": sum(verdict.resumes for verdict in verdicts),
        "adopted": sum(verdict.adopted for verdict in verdicts),
        "reconnected": sum(verdict.reconnected for verdict in verdicts),
        "asked": sum(verdict.asked for verdict in verdicts),
        "workers_ended_by_themselves": sum(len(verdict.endings) for verdict in verdicts),
        **{f"also_{wrong}": count for wrong, count in sorted(findings.items())},
        "slowest_play_s": round(max((verdict.seconds for verdict in verdicts), default=0.0), 1),
    }


if __name__ == "__main__":
    sys.exit(main())
