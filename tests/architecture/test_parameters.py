"""A function has at most seven parameters, unless `REASONS` states why it has more."""

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"
MAX_PARAMETERS = 7

_COMMAND = "each parameter is an option of the command line"
_STATEMENT = "each keyword is a parameter of one SQL statement"
_OPTIONS = "independent options with defaults, given by keyword"
#: The functions with more than `MAX_PARAMETERS` parameters, each with its reason.
REASONS = {
    "roost.agents.writer.write_drafts": _OPTIONS,
    "roost.cli.draft.draft": _COMMAND,
    "roost.cli.edit.edit": _COMMAND,
    "roost.cli.emulator.emulator": _COMMAND,
    "roost.cli.pause.resume": _COMMAND,
    "roost.cli.posts.posts": _COMMAND,
    "roost.cli.publish.publish": _COMMAND,
    "roost.services.publish.outcomes._end_attempt": _STATEMENT,
    "roost.services.schedule.posts.schedule_post": _OPTIONS,
    "roost.store.posts.add": _STATEMENT,
    "roost.store.posts.add_event": _STATEMENT,
    "roost.store.posts.move": _STATEMENT,
    "roost.store.publishing.begin_attempt": _STATEMENT,
    "roost.store.publishing.defer_post": _STATEMENT,
    "roost.store.publishing.end_attempt": _STATEMENT,
    "roost.store.publishing.move_part": _STATEMENT,
    "roost.store.publishing.record_sent": _STATEMENT,
    "roost.store.report_schedules.add": _STATEMENT,
    "roost.x.auth.signing.authorization_header": _OPTIONS,
    "roost.x.client.Client.__init__": _OPTIONS,
    "roost.x.media.transfers.transfer": _OPTIONS,
    "roost.x.media.uploads.upload": _OPTIONS,
    "roost.x.transport.exchange": _OPTIONS,
}


def functions(node: ast.AST, name: str) -> list[tuple[str, ast.arguments]]:
    """Return the qualified name and the parameters of every function below a syntax node."""
    found = []
    for child in ast.iter_child_nodes(node):
        child_name = name
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            child_name = f"{name}.{child.name}"
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append((child_name, child.args))
        found += functions(child, child_name)
    return found


def test_functions_with_many_parameters_have_a_reason() -> None:
    many = set()
    for path in SOURCE.rglob("*.py"):
        module = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        for name, parameters in functions(ast.parse(path.read_text("utf-8")), module):
            names = [*parameters.posonlyargs, *parameters.args, *parameters.kwonlyargs]
            if len([each for each in names if each.arg not in {"self", "cls"}]) > MAX_PARAMETERS:
                many.add(name)
    assert many == set(REASONS)
