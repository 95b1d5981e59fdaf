"""The documentation says what the code says."""

import re
import subprocess
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import pytest

from roost.models import PART_MOVES, POST_MOVES, PartState, PostState
from roost.publishing.decisions import Choice

ROOT = Path(__file__).parents[2]
PUBLISHING = (ROOT / "docs" / "publishing.md").read_text("utf-8")


@pytest.mark.parametrize("page", ["settings", "errors"])
def test_the_page_is_what_the_code_says(page: str) -> None:
    script = f"import make_docs; print(make_docs.{page}_page(), end='')"
    made = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT / "tools"
    )
    assert made.returncode == 0, made.stderr
    assert (ROOT / "docs" / f"{page}.md").read_text("utf-8") == made.stdout


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/publishing.md"]
)
def test_every_link_leads_somewhere(page: str) -> None:
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
def test_the_drawing_shows_every_move_and_no_other(
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


def test_every_choice_is_told() -> None:
    section = PUBLISHING.partition("\n## Decisions\n")[2].partition("\n## ")[0]
    assert {choice for choice in Choice if f"`{choice}" in section} == set(Choice)


def test_every_state_of_a_model_has_its_moves() -> None:
    assert set(POST_MOVES) == set(PostState)
    assert set(PART_MOVES) == set(PartState)


def test_the_sql_for_an_administrator_is_what_roost_prints() -> None:
    from roost.store.roles import administrator_sql

    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert f"```sql\n{administrator_sql('prod')}\n```" in page
