"""Roost's public names exist, and `import roost` loads no library that does I/O."""

import subprocess
import sys

import pytest

import roost

IO_LIBRARIES = {"aiohttp", "psycopg", "sqlalchemy", "procrastinate", "fastapi", "pydantic", "av"}


def test_public_names_are_sorted_and_exist() -> None:
    assert roost.__all__ == sorted(roost.__all__)
    assert all(getattr(roost, name) is not None for name in roost.__all__)


@pytest.mark.parametrize("module", ["roost", "roost.text", "roost.prices", "roost.rate_limits"])
def test_rule_modules_load_no_io_library(module: str) -> None:
    script = f"import sys, {module}; print(*(name for name in sys.modules if '.' not in name))"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    assert IO_LIBRARIES.isdisjoint(loaded)
