"""The documentation matches the code."""

import ast
import re
import subprocess
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import pytest

from roost.models import PART_MOVES, POST_MOVES, PartState, PostState
from roost.services.resolve import Choice

ROOT = Path(__file__).parents[2]
PUBLISHING = (ROOT / "docs" / "publishing.md").read_text("utf-8")


@pytest.mark.parametrize("page", ["settings", "errors"])
def test_generated_page_is_up_to_date(page: str) -> None:
    script = f"import make_docs; print(make_docs.{page}_page(), end='')"
    generated = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT / "tools"
    )
    assert generated.returncode == 0, generated.stderr
    assert (ROOT / "docs" / f"{page}.md").read_text("utf-8") == generated.stdout


def error_classes() -> set[str]:
    """The public subclasses of RoostError in the source, found without importing it."""
    bases: dict[str, set[str]] = {}
    for path in (ROOT / "src" / "roost").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                names = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
                bases.setdefault(node.name, set()).update(names)
    found = {"RoostError"}
    while more := {name for name, parents in bases.items() if parents & found} - found:
        found |= more
    return {name for name in found if not name.startswith("_")}


def test_error_page_draws_every_error_class_once() -> None:
    page = (ROOT / "docs" / "errors.md").read_text("utf-8")
    tree = page.partition("```text\n")[2].partition("```")[0]
    assert sorted(re.findall(r"(\w+)  \(roost\.", tree)) == sorted(error_classes())


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/publishing.md"]
)
def test_every_link_of_the_docs_resolves(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    missing = [link for link in links if not ((ROOT / page).parent / link).exists()]
    assert missing == []


def test_every_command_of_the_readme_exists() -> None:
    from roost.cli import app

    text = (ROOT / "README.md").read_text("utf-8")
    named = set(re.findall(r"^roost (\w+)", text, re.MULTILINE))
    assert named
    assert named <= set(app)


@pytest.mark.parametrize(
    ("title", "moves"), [("A post", POST_MOVES), ("A part", PART_MOVES)], ids=["post", "part"]
)
def test_state_diagram_shows_exactly_the_moves(
    title: str, moves: Mapping[StrEnum, frozenset[StrEnum]]
) -> None:
    section = PUBLISHING.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    drawn = re.findall(r"^(\w+) +── .+ ─+▶ (\w+)$", section, re.MULTILINE)
    assert section.count("▶") == len(drawn)
    assert sorted(drawn) == sorted(
        (before.value, after.value) for before, afters in moves.items() for after in afters
    )
    states = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert states == [state.value for state in moves]


def test_docs_describe_every_choice() -> None:
    section = PUBLISHING.partition("\n## Decisions\n")[2].partition("\n## ")[0]
    assert {choice for choice in Choice if f"`{choice}" in section} == set(Choice)


def test_every_state_of_a_model_has_its_moves() -> None:
    assert set(POST_MOVES) == set(PostState)
    assert set(PART_MOVES) == set(PartState)


def test_docs_have_the_sql_that_roost_prints_for_an_administrator() -> None:
    from roost.store.roles import administrator_sql

    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert f"```sql\n{administrator_sql('prod')}\n```" in page
