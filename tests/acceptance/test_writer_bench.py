"""A short run of the writer against hostile replies, served over HTTP.

`./dev bench writer` is the full run, with 10,000 replies.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
_REPLIES = 200


def test_writer_releases_nothing_that_was_planted() -> None:
    run = subprocess.run(
        [sys.executable, "bench/writer.py", "--json", "--replies", str(_REPLIES)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout, run.stderr
    report = json.loads(run.stdout)
    assert [bar["name"] for bar in report["bars"] if not bar["holds"]] == [], run.stderr
    figures = report["figures"]
    assert figures["replies"] >= _REPLIES
    assert 0.45 <= figures["replies_good"] / figures["replies"] <= 0.65
    assert figures["released_of_model"] > figures["released"] / 2
    assert figures["caps_that_refused"] == figures["caps"] > 0
    assert run.returncode == 0
