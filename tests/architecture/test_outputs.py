"""What goes out goes through one place for each kind of output, where foreign text is escaped."""

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "roost"
#: Where each way out may be taken; everything else goes through these.
ALLOWED = {
    "print": {"cli/output.py"},
    "Console": {"cli/output.py"},
    "StreamHandler": {"telemetry.py"},
    # A program of its own, whose output is JSON in ASCII for Roost.
    "write_stdout": {"insights/reports/svg_process.py"},
}


def _ways_out(tree: ast.AST) -> set[str]:
    """The ways out that a module takes."""
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        if name in {"sys.stdout.write", "sys.stderr.write"}:
            found.add("write_stdout")
        found |= {name.rpartition(".")[2]} & {"Console", "StreamHandler"}
        if name == "print":
            found.add("print")
    return found


def test_each_kind_of_output_has_one_place() -> None:
    for path in SOURCE.rglob("*.py"):
        place = path.relative_to(SOURCE).as_posix()
        for way in _ways_out(ast.parse(path.read_text("utf-8"))):
            assert place in ALLOWED[way], f"{place} takes the way out {way}"


def test_every_template_environment_escapes() -> None:
    environments = []
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Environment"):
                given = {one.arg: ast.unparse(one.value) for one in node.keywords}
                environments += [given] if "loader" in given else []
    assert len(environments) >= 2
    for given in environments:
        assert (given.get("autoescape"), given.get("finalize")) == ("True", "_finalize")
