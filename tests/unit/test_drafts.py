"""The drafts of briefs of eleven trades in six languages, each read and approved as written out.

The drafts of `briefs/NAME.yaml` are in `briefs/NAME.txt`, separated by a line of dashes. A change
of the composer changes these files: read every draft as the editor of the brand.
"""

from pathlib import Path

import pytest

from roost.agents.brief import Brief, read_brief
from roost.agents.composer import compose_drafts

FOLDER = Path(__file__).parent / "briefs"
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "brief.yaml"
PATHS = {"plumber": EXAMPLE} | {path.stem: path for path in sorted(FOLDER.glob("*.yaml"))}


def written_out(name: str) -> list[str]:
    return (FOLDER / f"{name}.txt").read_text("utf-8").rstrip("\n").split("\n---\n")


def stated_facts(text: str, brief: Brief) -> set[str]:
    """Return the ids of the facts of which the text has the words, from the second word on."""
    return {fact.id for fact in brief.facts if fact.text[1:].rstrip(".") in text}


def test_drafts_of_eleven_briefs_are_written_out() -> None:
    assert len(PATHS) == 11
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(PATHS)


@pytest.mark.parametrize("name", PATHS)
def test_compose_drafts_returns_the_approved_drafts(name: str) -> None:
    drafts = compose_drafts(read_brief(PATHS[name]))
    assert [draft.text for draft in drafts] == written_out(name)


@pytest.mark.parametrize("name", PATHS)
def test_compose_drafts_joins_only_facts_that_follow__any_seed(name: str) -> None:
    brief = read_brief(PATHS[name])
    joined = {frozenset({fact.id, fact.follows}) for fact in brief.facts if fact.follows}
    alone = {frozenset({fact.id}) for fact in brief.facts if not fact.follows}
    for seed in range(10):
        for draft in compose_drafts(brief, seed=seed):
            assert stated_facts(draft.text, brief) == set(draft.fact_ids)
            assert frozenset(draft.fact_ids) in joined | alone
