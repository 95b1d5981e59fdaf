"""Every crash there is: each point of publishing, each way to fall silent, each answer in flight.

    ./dev bench crashpoints [--json] [--worlds N] [--only WORD] [--seed N]

Real worker processes in worlds of their own, played side by side; `wrong` counts the crashes after
which X or the rows are not as promised. `--only` plays the crashes whose name has the word in it.
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

from _cells import Cell, all_cells
from _ground import end_well, open_ground
from _report import Bar, report
from _strike import Verdict, play_all


def main() -> int:
    """Play them all, and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--worlds", type=int, default=4, help="played side by side (default 4)")
    parser.add_argument("--only", default="", help="a word of the names of crashes")
    parser.add_argument("--seed", type=int, default=7, help="the order in which they are played")
    asked = parser.parse_args()
    cells = [cell for cell in all_cells() if asked.only in cell.name]
    random.Random(asked.seed).shuffle(cells)
    began = time.monotonic()
    verdicts = asyncio.run(_run(cells, asked.worlds))
    wrong = [verdict for verdict in verdicts if verdict.wrong]
    bars = [
        Bar("wrong", len(wrong), "==", 0),
        Bar("combinations", len(verdicts), ">=", 300),
    ]
    blows = Counter(verdict.cell.blow.value for verdict in verdicts)
    figures: dict[str, float | int | str] = {
        "points": len({verdict.cell.point for verdict in verdicts}),
        "kinds": len({verdict.cell.kind for verdict in verdicts}),
        "answers": len({verdict.cell.answer for verdict in verdicts}),
        **{f"blows_{blow}": count for blow, count in sorted(blows.items())},
        "faults_not_met": sum(verdict.fault_unmet for verdict in verdicts),
        "locks_held": sum(verdict.lock_held for verdict in verdicts),
        "slowest_end_s": round(max((verdict.end_s for verdict in verdicts), default=0.0), 1),
        "asked_a_person": sum(verdict.asked for verdict in verdicts),
        "seconds": round(time.monotonic() - began, 1),
    }
    return report("crashpoints", bars, figures, asked.json)


async def _run(cells: list[Cell], worlds: int) -> list[Verdict]:
    def tell(verdict: Verdict, done: int) -> None:
        what = "; ".join(verdict.wrong) or "right"
        print(f"{done}/{len(cells)} {verdict.cell.name}: {what}", file=sys.stderr, flush=True)
        if verdict.story:
            print(verdict.story, file=sys.stderr, flush=True)

    end_well()
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crashpoints-")))
        ground = await stack.enter_async_context(open_ground(folder))
        return await play_all(ground, cells, worlds, tell)


if __name__ == "__main__":
    sys.exit(main())
