"""A short run of the writer benchmark: a model server sends good and hostile replies.

`./dev bench writer` is the full run, with 10,000 replies.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.timing

ROOT = Path(__file__).parents[2]
_REPLIES = 200


def _run_bench() -> dict[str, Any]:
    run = subprocess.run(
        [sys.executable, "bench/writer.py", "--json", "--replies", str(_REPLIES)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT / 'tests'}{os.pathsep}{ROOT / 'src'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout, run.stderr
    output: dict[str, Any] = json.loads(run.stdout)
    return output | {"stderr": run.stderr}


def test_writer_meets_the_bars() -> None:
    report = _run_bench()
    missed = {bar["name"] for bar in report["bars"] if not bar["holds"]}
    assert missed == set(), report["stderr"]
    assert len(report["bars"]) == 13
    figures = report["figures"]
    assert figures["replies"] >= _REPLIES
    assert 0.45 <= figures["replies_good"] / figures["replies"] <= 0.65
    assert figures["good_drafts_alone"] == 10 * figures["briefs"]
    assert figures["released_of_model"] > figures["released"] / 2
    assert figures["caps_that_refused"] == figures["caps"] > 0
