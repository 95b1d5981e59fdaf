"""Tests that the emulator's documentation lists all rules, switches, faults and routes."""

import ast
import re
from pathlib import Path

import msgspec
import pytest
from starlette.routing import Route

from x_emulator.control import api
from x_emulator.faults.fault_specs import OPERATIONS
from x_emulator.rules.rate_limits import LIMITS
from x_emulator.switches import Switches

TESTS = Path(__file__).parent
REFERENCE = TESTS.parents[1] / "docs" / "reference"
RULES = (REFERENCE / "emulator-rules.md").read_text("utf-8")
MANUAL = (REFERENCE / "emulator.md").read_text("utf-8")


def rows() -> list[list[str]]:
    lines = [line for line in RULES.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0] != "Rule"]


def test_every_rule_names_a_source_and_a_test_that_exists() -> None:
    known = {
        f"{path.stem}.{node.name}"
        for path in TESTS.glob("test_*.py")
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert len(rows()) > 100
    for row in rows():
        rule, source, test = row
        assert rule
        assert source
        named = re.fullmatch(r"`(\w+\.test_\w+)`", test)
        assert named, rule
        assert named.group(1) in known, rule


def test_every_rule_is_listed_once() -> None:
    rules = [row[0] for row in rows() if not row[0].startswith("…")]
    assert sorted(set(rules)) == sorted(rules)


@pytest.mark.parametrize("switch", msgspec.structs.fields(Switches), ids=lambda each: each.name)
def test_every_switch_is_documented_with_its_default(switch: msgspec.structs.FieldInfo) -> None:
    default = msgspec.json.encode(switch.default).decode().strip('"')
    assert re.search(rf"^\| `{switch.name}` \| `?{re.escape(default)}`? \|", MANUAL, re.MULTILINE)


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_every_operation_of_faults_is_documented(operation: str) -> None:
    assert f"`{operation}`" in MANUAL.partition("- `operation`:")[2].partition("\n")[0]


def test_every_operation_with_a_limit_accepts_faults() -> None:
    assert LIMITS.keys() < OPERATIONS


@pytest.mark.parametrize("route", api.ROUTES, ids=lambda each: each.path)
def test_every_control_route_is_documented(route: Route) -> None:
    path = re.sub(r"\{(\w+)\}", lambda match: match.group(1).upper(), route.path)
    assert path in MANUAL
