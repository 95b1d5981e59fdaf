"""Each kind of output is written by one module, which escapes text from outside Roost."""

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "roost"
#: The modules that may use each kind of output; all others use these modules.
ALLOWED = {
    "print": {"cli/output.py"},
    "Console": {"cli/output.py"},
    "StreamHandler": {"telemetry.py"},
    # This separate program writes only JSON in ASCII, and only Roost reads this output.
    "write_stdout": {"insights/reports/svg_process.py"},
}


def _outputs(tree: ast.AST) -> set[str]:
    """Return the kinds of output that a module uses."""
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


def test_each_kind_of_output_has_one_module() -> None:
    for path in SOURCE.rglob("*.py"):
        module = path.relative_to(SOURCE).as_posix()
        for output in _outputs(ast.parse(path.read_text("utf-8"))):
            assert module in ALLOWED[output], f"{module} uses {output}"


def test_every_template_environment_escapes() -> None:
    environments = []
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Environment"):
                options = {one.arg: ast.unparse(one.value) for one in node.keywords}
                environments += [options] if "loader" in options else []
    assert len(environments) >= 2
    for options in environments:
        assert (options.get("autoescape"), options.get("finalize")) == ("True", "_finalize")
