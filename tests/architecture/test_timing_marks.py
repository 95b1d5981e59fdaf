"""Tests that depend on wall time or on concurrent processes have the mark `timing`."""

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
#: Calls that start something concurrent to a test, wait for it, or limit its duration.
TIMED = {
    *("sleep", "timeout", "wait_for", "ClientTimeout", "monotonic", "boot_seconds"),
    *("until", "wait_for_request", "wait_for_responses", "wait_for_lock_conflict"),
    *("send_signal", "kill"),
    *("Popen", "create_subprocess_exec", "python_process", "piped_python"),
    *("playing", "open_scenario", "run_cases", "run_phases", "run_short_suite", "start_worker"),
    *("Thread", "create_task", "ensure_future"),
}
#: Faults of the emulator that last for wall seconds.
SLOW = {"delay", "slow"}
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def names_in(node: ast.AST) -> set[str]:
    """Return every name, attribute and parameter below a node."""
    names = set()
    for each in ast.walk(node):
        match each:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                names.add(name)
    return names


def timed_in(node: ast.AST) -> set[str]:
    """Return the names of `TIMED` that a node calls, and the faults of `SLOW` that it passes."""
    found: set[str] = set()
    for call in (each for each in ast.walk(node) if isinstance(each, ast.Call)):
        found |= TIMED & {getattr(call.func, "id", getattr(call.func, "attr", ""))}
        found |= SLOW & {each.value for each in call.args if isinstance(each, ast.Constant)}
    return found


def is_marked(module: ast.Module, test: _Function) -> bool:
    """Whether the module's `pytestmark` or a decorator of the test has the mark `timing`."""
    marks = [
        each.value
        for each in module.body
        if isinstance(each, ast.Assign)
        and any(isinstance(one, ast.Name) and one.id == "pytestmark" for one in each.targets)
    ]
    return any("timing" in names_in(each) for each in (*marks, *test.decorator_list))


def unmarked(module: ast.Module) -> Iterator[str]:
    """Yield unmarked tests that use a timed call or a slow fault.

    A test also counts if only a function or a class of its module uses the call or the fault.
    """
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
