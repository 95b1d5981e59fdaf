"""Tests that depend on wall time or on processes that run beside them carry the mark `timing`."""

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
#: What starts something that runs beside a test, waits for it, or limits how long it may take.
TIMED = {
    *("sleep", "timeout", "wait_for", "ClientTimeout", "monotonic", "boot_seconds"),
    *("until", "under_way", "answered", "somebody_waits", "send_signal", "kill"),
    *("Popen", "create_subprocess_exec", "python_process", "piped_python"),
    *("playing", "open_scenario", "run_cases", "run_phases", "run_short_suite", "start_worker"),
    *("Thread", "create_task", "ensure_future"),
}
#: Faults of the emulator that last for wall seconds.
SLOW = {"delay", "slow"}
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def names_in(node: ast.AST) -> set[str]:
    """Every name, attribute and parameter below a node."""
    names = set()
    for each in ast.walk(node):
        match each:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                names.add(name)
    return names


def timed_in(node: ast.AST) -> set[str]:
    """What a node calls of `TIMED`, and the faults of `SLOW` that it passes to a call."""
    found: set[str] = set()
    for call in (each for each in ast.walk(node) if isinstance(each, ast.Call)):
        found |= TIMED & {getattr(call.func, "id", getattr(call.func, "attr", ""))}
        found |= SLOW & {each.value for each in call.args if isinstance(each, ast.Constant)}
    return found


def is_marked(module: ast.Module, test: _Function) -> bool:
    """Whether the module's `pytestmark` or a decorator of the test has the mark."""
    marks = [
        each.value
        for each in module.body
        if isinstance(each, ast.Assign)
        and any(isinstance(one, ast.Name) and one.id == "pytestmark" for one in each.targets)
    ]
    return any("timing" in names_in(each) for each in (*marks, *test.decorator_list))


def unmarked(module: ast.Module) -> Iterator[str]:
    """Tests that use a timed name, directly or through functions of their module, without mark."""
    named = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    nodes = {each.name: each for each in module.body if isinstance(each, named)}
    for test in module.body:
        if not isinstance(test, _Function) or not test.name.startswith("test_"):
            continue
        reached, pending = {test.name}, [test.name]
        while pending:
            called = names_in(nodes[pending.pop()]) & nodes.keys() - reached
            reached |= called
            pending += called
        found = sorted(set().union(*(timed_in(nodes[each]) for each in reached)))
        if found and not is_marked(module, test):
            yield f"{test.name} uses {', '.join(found)}"


def test_what_depends_on_timing_is_marked() -> None:
    found = {
        str(path.relative_to(TESTS)): tests
        for path in TESTS.rglob("test_*.py")
        if (tests := list(unmarked(ast.parse(path.read_text("utf-8")))))
    }
    assert found == {}
