"""A short run of requests that schemathesis generates from the official OpenAPI file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from emulator.schema import OPENAPI

ROOT = Path(__file__).parents[2]


def test_generated_requests_fit_the_schema_and_cause_no_server_error() -> None:
    if not OPENAPI.is_file():
        pytest.skip(f"no official OpenAPI at {OPENAPI}")
    run = subprocess.run(
        [sys.executable, "bench/emulator_schema.py", "--json", "--examples", "4"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout, run.stderr
    report = json.loads(run.stdout)
    assert all(bar["holds"] for bar in report["bars"]), run.stderr
    assert (report["figures"]["operations"], report["figures"]["requests"]) == (19, 19 * 2 * 4)
    assert run.returncode == 0
