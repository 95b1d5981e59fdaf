"""Requests made by schemathesis from the official OpenAPI: the benchmark's run, kept short."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from emulator.schema import OPENAPI

ROOT = Path(__file__).parents[2]


def test_what_nobody_thought_of_fits_the_schema_and_breaks_nothing() -> None:
    if not OPENAPI.is_file():
        pytest.skip(f"no official OpenAPI at {OPENAPI}")
    run = subprocess.run(
        [sys.executable, "bench/emulator_schema.py", "--json", "--examples", "4"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout, run.stderr
    told = json.loads(run.stdout)
    assert all(bar["holds"] for bar in told["bars"]), run.stderr
    assert (told["figures"]["operations"], told["figures"]["requests"]) == (19, 19 * 2 * 4)
    assert run.returncode == 0
