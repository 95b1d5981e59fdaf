"""A short run of the benchmark that recomputes every number of a report's forms.

`./dev bench report` is the full run, with 200 worlds.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timing

ROOT = Path(__file__).parents[2]


def test_report_equals_an_independent_computation() -> None:
    run = subprocess.run(
        [sys.executable, "bench/report.py", "--json", "--short", "--worlds", "3", "--seed", "4"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT / 'tests'}{os.pathsep}{ROOT / 'src'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout, run.stderr
    output = json.loads(run.stdout)
    values = {bar["name"]: bar["value"] for bar in output["bars"]}
    assert values == {"recomputed": 1, "identity_holds": 1, "formula_injections": 0}, run.stderr
    figures = output["figures"]
    assert all(figures[f"figures {form}"] > 300 for form in ("html", "markdown", "pdf", "xlsx"))
    assert (figures["formula_payloads"], figures["kinds_of_payloads_shown"]) == (50, 5)
