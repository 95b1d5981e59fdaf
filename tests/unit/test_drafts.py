"""The drafts of eleven trades' briefs in six languages equal those that a person approved.

The approved drafts of `briefs/NAME.yaml` are in `briefs/NAME.txt`, separated by a line of dashes.
If a change of the composer changes these files, read every draft as an editor of the brand would.
"""

from pathlib import Path
from typing import Any

import pytest

from roost.agents.brief import Brief, read_brief
from roost.agents.composer import compose_drafts
from roost.errors import BriefInvalid
from unit.test_writer import brief

FOLDER = Path(__file__).parent / "briefs"
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "brief.yaml"
PATHS = {"plumber": EXAMPLE} | {path.stem: path for path in sorted(FOLDER.glob("*.yaml"))}


def written_out(name: str) -> list[str]:
    return (FOLDER / f"{name}.txt").read_text("utf-8").rstrip("\n").split("\n---\n")


def stated_facts(text: str, example: Brief) -> set[str]:
    """Return the ids of the facts that `text` contains word for word.

    The first letter and the full stop of a fact may differ or be missing.
    """
    return {fact.id for fact in example.facts if fact.text[1:].rstrip(".") in text}


def test_drafts_of_eleven_briefs_are_written_out() -> None:
    assert len(PATHS) == 11
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(PATHS)


@pytest.mark.parametrize("name", PATHS)
def test_compose_drafts_returns_the_approved_drafts(name: str) -> None:
    drafts = compose_drafts(read_brief(PATHS[name]))
    assert [draft.text for draft in drafts] == written_out(name)


@pytest.mark.parametrize("name", PATHS)
def test_compose_drafts_joins_only_facts_that_follow__any_seed(name: str) -> None:
    example = read_brief(PATHS[name])
    joined = {frozenset({fact.id, fact.follows}) for fact in example.facts if fact.follows}
    alone = {frozenset({fact.id}) for fact in example.facts if not fact.follows}
    for seed in range(10):
        for draft in compose_drafts(example, seed=seed):
            assert stated_facts(draft.text, example) == set(draft.fact_ids)
            assert frozenset(draft.fact_ids) in joined | alone


def test_compose_drafts_never_joins_facts__none_follows_another() -> None:
    facts = [{"id": str(n), "text": f"Shop {n} is open."} for n in range(6)]
    for seed in range(20):
        drafts = compose_drafts(brief(facts=facts, n=6), seed=seed)
        assert sorted(draft.text for draft in drafts) == [f"Shop {n} is open." for n in range(6)]


def test_compose_drafts_states_following_fact_only_after_its_lead() -> None:
    facts = [
        {"id": "price", "text": "A check costs £49."},
        {"id": "time", "text": "It takes a day.", "follows": "price"},
        {"id": "hours", "text": "Open from 8 am."},
    ]
    drafts = compose_drafts(brief(facts=facts, n=4))
    assert {draft.text: draft.fact_ids for draft in drafts} == {
        "A check costs £49. It takes a day.": ("price", "time"),
        "Open from 8 am.": ("hours",),
        "A check costs £49.": ("price",),
        "Good to know: a check costs £49.": ("price",),
    }
    assert drafts[0].fact_ids == ("price", "time") or drafts[1].fact_ids == ("price", "time")


def test_compose_drafts_states_lead_alone__following_fact_too_long() -> None:
    facts = [
        {"id": "a", "text": "x" * 100},
        {"id": "b", "text": "y" * 150, "follows": "a"},
    ]
    (draft,) = compose_drafts(brief(facts=facts, n=1))
    assert draft.fact_ids == ("a",)


@pytest.mark.parametrize(
    ("language", "text", "opened"),
    [
        ("en", "The shop opens at 7 am", "Good to know: the shop opens at 7 am."),
        ("en", "I open at 7 am", "Good to know: I open at 7 am."),
        ("en", "The Hague has two shops", "Good to know: The Hague has two shops."),
        ("en", "24 shops open at 7 am", "Good to know: 24 shops open at 7 am."),
        ("de", "Der Laden öffnet um 7 Uhr", "Gut zu wissen: Der Laden öffnet um 7 Uhr."),
        ("es", "La tienda abre a las 7", "Conviene saberlo: la tienda abre a las 7."),
        ("fr", "L'entrée coûte 8 €", "Bon à savoir\u00a0: l'entrée coûte 8 €."),
        ("fr", "L'Oréal ouvre à 7 h", "Bon à savoir\u00a0: L'Oréal ouvre à 7 h."),
        ("ja", "7時に開店します", "お知らせ：7時に開店します。"),
    ],
)
def test_compose_drafts_opens_statements(language: str, text: str, opened: str) -> None:
    fields: dict[str, Any] = {"facts": [{"id": "a", "text": text}], "language": language}
    assert opened in {draft.text for draft in compose_drafts(brief(**fields, n=2))}


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Send us a photo"),
        ("en", "Which tap drips?"),
        ("en", "The shop: open from 7 am"),
        ("en", "We are open!"),
        ("de", "Buche deinen Termin im Laden"),
        ("es", "Reserva por teléfono"),
        ("fr", "Réservez deux semaines à l'avance"),
        ("ja", "タオルをお持ちください"),
    ],
)
def test_compose_drafts_opens_nothing_but_statements(language: str, text: str) -> None:
    fields: dict[str, Any] = {"facts": [{"id": "a", "text": text}], "language": language}
    with pytest.raises(BriefInvalid, match="give only 1"):
        compose_drafts(brief(**fields, n=2))
