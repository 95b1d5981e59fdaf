"""The layers and the call paths in docs/explain/architecture.md are those of the code."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "roost"
PAGE = (ROOT / "docs" / "explain" / "architecture.md").read_text("utf-8")
PATHS = (
    "The text of a post, from the command line to the HTTP request",
    "A refresh token, from the callback to the refresh",
    "A part, through publishing",
    "A metric, from X to the report",
)


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def drawn_layers() -> list[list[str]]:
    """Return the modules of each layer in the page's drawing, from the top layer down."""
    drawing = section("Layers").partition("```\n")[2].partition("```")[0]
    layers: list[list[str]] = []
    numbers = []
    for line in drawing.splitlines():
        drawn = re.fullmatch(r"([ \d]{2})  (\S+) +\S.*", line)
        assert drawn, line
        if drawn[1].strip():
            numbers.append(int(drawn[1]))
            layers.append([])
        layers[-1].append(drawn[2])
    assert numbers == list(range(len(numbers), 0, -1))
    return layers


def contract_layers() -> list[set[str]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (layers,) = [one["layers"] for one in contracts if one["type"] == "layers"]
    return [set(layer.split(" | ")) for layer in layers]


def module_name(drawn: str) -> str:
    return "roost." + drawn.removesuffix("/").removesuffix(".py").replace("/", ".")


def test_drawing_equals_the_import_contract() -> None:
    assert [{module_name(one) for one in layer} for layer in drawn_layers()] == contract_layers()


def test_drawing_shows_files_and_folders_that_exist() -> None:
    drawn = [one for layer in drawn_layers() for one in layer]
    assert [one for one in drawn if not (SOURCE / one).exists()] == []
    assert [one for one in drawn if (SOURCE / one).is_dir() != one.endswith("/")] == []


def test_drawing_shows_every_module_of_the_package() -> None:
    shown = {one.partition("/")[0] for layer in drawn_layers() for one in layer}
    present = {path.name for path in SOURCE.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert present - shown - {"__init__.py", "__main__.py", "__pycache__"} == set()


@pytest.mark.parametrize("title", PATHS)
def test_path_names_existing_functions_in_ten_steps(title: str) -> None:
    steps = re.findall(r"(?m)^(\d+)\. `([\w/.]+)` `([\w.]+)`: \S", section(title))
    assert [int(number) for number, _, _ in steps] == list(range(1, 11))
    assert [(file, name) for _, file, name in steps if not has_definition(file, name)] == []


def has_definition(file: str, name: str) -> bool:
    text = (SOURCE / file).read_text("utf-8")
    if file.endswith(".sql"):
        return f"FUNCTION {name}(" in text
    body: list[ast.stmt] = ast.parse(text).body
    for part in name.split("."):
        found = [
            node
            for node in body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and node.name == part
        ]
        if not found:
            return False
        body = found[0].body
    return True
