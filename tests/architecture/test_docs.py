"""The documentation says what the code says."""

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
DOCS = ROOT / "docs"
STATES = (DOCS / "reference" / "post-states.md").read_text("utf-8")


@pytest.mark.parametrize("page", ["settings", "errors"])
def test_the_page_is_what_the_code_says(page: str) -> None:
    script = f"import make_docs; print(make_docs.{page}_page(), end='')"
    made = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT / "tools"
    )
    assert made.returncode == 0, made.stderr
    assert (DOCS / "reference" / f"{page}.md").read_text("utf-8") == made.stdout


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


def test_every_command_of_the_readme_exists() -> None:
    from roost.cli import app

    text = (ROOT / "README.md").read_text("utf-8")
    named = set(re.findall(r"^roost (\w+)", text, re.MULTILINE))
    assert named
    assert named <= set(app)


@pytest.mark.parametrize(
    ("title", "moves"), [("A post", POST_MOVES), ("A part", PART_MOVES)], ids=["post", "part"]
)
def test_the_drawing_shows_every_move_and_no_other(
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


def test_every_choice_is_documented() -> None:
    section = STATES.partition("\n## Decisions\n")[2].partition("\n## ")[0]
    assert {choice for choice in Choice if f"`{choice}" in section} == set(Choice)


def test_every_state_of_a_model_has_its_moves() -> None:
    assert set(POST_MOVES) == set(PostState)
    assert set(PART_MOVES) == set(PartState)


def test_the_sql_for_an_administrator_is_what_roost_prints() -> None:
    from roost.store.roles import administrator_sql

    page = (DOCS / "howto" / "prepare-a-database.md").read_text("utf-8")
    assert f"```sql\n{administrator_sql('prod')}\n```" in page
