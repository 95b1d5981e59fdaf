"""The documentation matches the code."""

import ast
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import pytest

from roost.models import PART_MOVES, POST_MOVES, PartState, PostState
from roost.publishing.decisions import Choice

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
STATES = (DOCS / "reference" / "post-states.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("page", "function"),
    [
        ("settings", "settings_page"),
        ("errors", "errors_page"),
        ("commands", "commands_page"),
        ("monthly-costs", "costs_page"),
        ("json", "json_page"),
    ],
)
def test_generated_page_is_up_to_date(page: str, function: str) -> None:
    script = f"import make_docs; print(make_docs.{function}(), end='')"
    generated = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT / "tools"
    )
    assert generated.returncode == 0, generated.stderr
    assert (DOCS / "reference" / f"{page}.md").read_text("utf-8") == generated.stdout


def test_generated_schemas_are_up_to_date() -> None:
    script = "import json, make_docs; print(json.dumps(make_docs.json_schemas()))"
    generated = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT / "tools"
    )
    assert generated.returncode == 0, generated.stderr
    folder = DOCS / "reference" / "json"
    files = {path.name: path.read_text("utf-8") for path in folder.iterdir()}
    assert files == json.loads(generated.stdout)


def error_classes() -> set[str]:
    """Return the names of RoostError's public subclasses, without importing the source."""
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
    page = (DOCS / "reference" / "errors.md").read_text("utf-8")
    tree = page.partition("```text\n")[2].partition("```")[0]
    assert sorted(re.findall(r"(\w+)  \(roost\.", tree)) == sorted(error_classes())


def pages() -> list[Path]:
    return [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "CHANGELOG.md",
        *DOCS.rglob("*.md"),
    ]


def page_name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """Return the anchors that a Markdown viewer makes of a page's headings."""
    text = re.sub(r"(?ms)^```.*?^```", "", page.read_text("utf-8"))
    headings = re.findall(r"(?m)^#+ (.*)$", text)
    return {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }


@pytest.mark.parametrize("page", pages(), ids=page_name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    links = [
        link
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8"))
        if "://" not in link
    ]
    missing = []
    for link in links:
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            missing.append(link)
    assert missing == []


def test_the_index_links_to_every_page() -> None:
    index = DOCS / "README.md"
    linked = set(re.findall(r"\]\(([^)#]+\.md)\)", index.read_text("utf-8")))
    assert linked == {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")} - {
        "README.md"
    }


def test_every_command_has_an_example_that_parses() -> None:
    from roost.cli import app

    page = (DOCS / "reference" / "commands.md").read_text("utf-8")
    examples = re.findall(r"(?m)^```sh\nroost (.*)\n```$", page)
    assert [example.split()[0] for example in examples] == [
        name for name in app if not name.startswith("-")
    ]
    for example in examples:
        app.parse_args(shlex.split(example), exit_on_error=False, print_error=False)


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
    section = STATES.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    drawn = re.findall(r"^(\w+) +── .+ ─+▶ (\w+)$", section, re.MULTILINE)
    assert section.count("▶") == len(drawn)
    assert sorted(drawn) == sorted(
        (before.value, after.value) for before, afters in moves.items() for after in afters
    )
    states = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert states == [state.value for state in moves]


def test_docs_describe_every_choice() -> None:
    section = STATES.partition("\n## Decisions\n")[2].partition("\n## ")[0]
    assert {choice for choice in Choice if f"`{choice}" in section} == set(Choice)


def test_every_state_of_a_model_has_its_moves() -> None:
    assert set(POST_MOVES) == set(PostState)
    assert set(PART_MOVES) == set(PartState)


def test_docs_have_the_sql_that_roost_prints_for_an_administrator() -> None:
    from roost.store.roles import administrator_sql

    page = (DOCS / "howto" / "prepare-a-database.md").read_text("utf-8")
    assert f"```sql\n{administrator_sql('prod')}\n```" in page
