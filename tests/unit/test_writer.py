"""The drafts of `compose_drafts`, the quantities in a text, and the page about briefs.

`follows_rules` states the rules of a good draft independently of the validators.
"""

import doctest
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roost.agents.brief import Brief, Compliance, Draft, Fact
from roost.agents.composer import compose_drafts
from roost.agents.lexicons import LANGUAGES, find_lexicon
from roost.agents.quantities import extract_quantities
from roost.agents.validators import VALIDATORS
from roost.errors import BriefInvalid

FACTS = [
    {"id": "hours", "text": "The workshop is open from 10 am to 6 pm."},
    {"id": "price", "text": "A call-out costs £60, VAT included"},
    {"id": "parking", "text": "Parking at the workshop is not free."},
    {"id": "quote", "text": "A first look is free."},
]


def brief(**fields: Any) -> Brief:
    defaults = {"account": "acme", "topic": "frozen pipes", "facts": FACTS, "n": 4}
    return Brief.model_validate(defaults | fields)


# Tests of `compose_drafts`.


def follows_rules(draft: Draft, facts: dict[str, str], link: str, tag: str) -> bool:
    """Whether a draft has the topic, one fact word for word, and the link and the tag once."""
    body, _, tail = draft.text.partition("\n\n")
    stated = [facts[name] for name in draft.fact_ids]
    positions = [body.casefold().find(fact.rstrip(".").casefold()) for fact in stated]
    numbers = {number for fact in stated for number in re.findall(r"\d+", fact)}
    return (
        len(stated) == 1
        and "frozen pipes" in body.casefold()
        and min(positions) >= 0
        and positions == sorted(positions)
        and tail.count(link) == draft.text.count(link) == 1
        and tail.endswith(f"\n#{tag}")
        and draft.text.count("#") == 1
        and set(re.findall(r"\d+", draft.text)) <= numbers
    )


def test_compose_drafts_returns_n_different_drafts() -> None:
    link, facts = "https://example.com/winter", {one["id"]: one["text"] for one in FACTS}
    for language in ("en", "de", "es", "fr", "et"):
        for tone in ("plain", "warm", "formal"):
            drafts = compose_drafts(
                brief(n=4, link=link, tags=["Pipes"], language=language, tone=tone)
            )
            assert len({draft.text for draft in drafts}) == 4
            assert all(follows_rules(draft, facts, link, "Pipes") for draft in drafts)


def test_compose_drafts_stays_below_240_with_link_and_tags() -> None:
    # The weighted length of a draft must be below 240. The link counts 23, "#Winter" 7, the line
    # breaks 3, and the topic with its colon and space 5. So the fact of 201 just fits.
    facts = [{"id": "b", "text": "y" * 201 + "."}, {"id": "a", "text": "x" * 200 + "."}]
    fields = {"link": "https://example.com", "tags": ["Winter"], "language": "et"}
    drafts = compose_drafts(brief(facts=facts, topic="wax", **fields, n=1))
    assert [draft.fact_ids for draft in drafts] == [("a",)]
    assert drafts[0].text.startswith("Wax: xxx")
    assert drafts[0].weighted_length == 5 + 201 + 2 + 23 + 1 + 7 == 239


def test_compose_drafts_limits_weight_not_characters() -> None:
    facts = [{"id": "a", "text": "水" * 119}, {"id": "b", "text": "湯" * 118}]
    drafts = compose_drafts(brief(facts=facts, topic="湯", language="ja", n=1))
    assert [draft.fact_ids for draft in drafts] == [("b",)]
    assert drafts[0].text == "湯" * 118 + "。"
    assert drafts[0].weighted_length == 238


def test_compose_drafts_is_deterministic__same_brief_and_seed() -> None:
    assert compose_drafts(brief(), seed=3) == compose_drafts(brief(), seed=3)
    assert len({tuple(compose_drafts(brief(), seed=seed)) for seed in range(5)}) > 1


def test_compose_drafts_starts_with_every_fact_before_repeating_one() -> None:
    facts = [*FACTS, {"id": "van", "text": "It has a red door.", "follows": "hours"}]
    drafts = compose_drafts(brief(facts=facts, n=5))
    leads = [draft.fact_ids[0] for draft in drafts]
    assert sorted(leads[:4]) == ["hours", "parking", "price", "quote"]
    assert [drafts[0].fact_ids, drafts[4].fact_ids] == [("hours", "van"), ("hours",)]


@pytest.mark.parametrize("language", ["de", "de-AT", "German", "Deutsch", "DE_ch"])
def test_compose_drafts_accepts_language_code_or_name(language: str) -> None:
    facts = [{"id": "a", "text": "Er ist frisch"}]
    with pytest.raises(BriefInvalid, match="refers to another sentence"):
        compose_drafts(brief(facts=facts, language=language, topic="Brot"))


def test_compose_drafts_has_no_opening__any_tone() -> None:
    """No draft begins with an opening such as `Good to know:`, as if in a conversation."""
    for tone in ("plain", "warm and neighbourly", "professional"):
        texts = {draft.text for draft in compose_drafts(brief(tone=tone))}
        assert texts == {
            "Frozen pipes: The workshop is open from 10 am to 6 pm.",
            "Frozen pipes: A call-out costs £60, VAT included.",
            "Frozen pipes: Parking at the workshop is not free.",
            "Frozen pipes: A first look is free.",
        }


def test_compose_drafts_leaves_out_audience__fact_may_not_concern_it() -> None:
    drafts = compose_drafts(brief(audience="people with old pipes"))
    assert drafts == compose_drafts(brief())


def test_compose_drafts_names_topic_before_fact__never_with_link() -> None:
    for draft in compose_drafts(brief(link="https://example.com/winter")):
        fact, _, link = draft.text.partition("\n\n")
        assert fact.startswith("Frozen pipes: ")
        assert link == "https://example.com/winter"


def test_compose_drafts_capitalizes_sentences__except_own_spellings() -> None:
    facts = [{"id": "a", "text": "free parking"}, {"id": "b", "text": "iPhone parking"}]
    drafts = compose_drafts(brief(facts=facts, topic="parking", language="et", n=2))
    assert {draft.text for draft in drafts} == {"Free parking.", "iPhone parking."}


def test_compose_drafts_adds_no_full_stop__sentence_already_ended() -> None:
    for text in ("Open!", "Open?", "“Open.”", "Open (from May)…", "Open 🎉"):
        facts = [{"id": "a", "text": text}]
        (draft,) = compose_drafts(brief(facts=facts, topic="open", language="et", n=1))
        assert draft.text == text


def test_compose_drafts_leaves_out_words_to_avoid() -> None:
    drafts = compose_drafts(brief(n=2, avoid=["FREE"]))
    assert {name for draft in drafts for name in draft.fact_ids} == {"hours", "price"}
    assert all("free" not in draft.text.lower() for draft in drafts)


def test_compose_drafts_refuses_brief__topic_has_word_to_avoid() -> None:
    with pytest.raises(BriefInvalid, match="no fact can be used"):
        compose_drafts(brief(avoid=["frozen"]))


def test_compose_drafts_refuses_brief__too_few_different_drafts() -> None:
    facts = FACTS[:2]
    with pytest.raises(BriefInvalid, match="2 of 2 facts can be used and give only 2") as raised:
        compose_drafts(brief(facts=facts, language="et", n=3))
    assert raised.value.facts["fields"] == ["n"]


def test_compose_drafts_refuses_brief__no_usable_fact() -> None:
    with pytest.raises(BriefInvalid, match="facts: no fact can be used") as raised:
        compose_drafts(brief(facts=[{"id": "a", "text": "x" * 240}]))
    assert raised.value.facts["fields"] == ["facts"]


WORDS = st.text("abcdefgh £10.:%-é水お", min_size=1, max_size=90).filter(lambda one: one.strip())


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(WORDS, min_size=1, max_size=3), seed=st.integers(0, 9))
def test_compose_drafts_states_facts_word_for_word__any_facts(texts: list[str], seed: int) -> None:
    facts = {str(number): " ".join(text.split()) for number, text in enumerate(texts)}
    try:
        drafts = compose_drafts(
            brief(facts=[{"id": name, "text": text} for name, text in facts.items()], n=2),
            seed=seed,
        )
    except BriefInvalid:
        return
    for draft in drafts:
        for name in draft.fact_ids:
            assert facts[name].casefold() in draft.text.casefold()


# Tests of `extract_quantities`.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10 am", ["10:00 time"]),
        ("6 p.m.", ["18:00 time"]),
        ("from 10–12 kg", ["10 kg", "12 kg"]),
        ("£1,200 per hour", ["1.2|1.200|1200 gbp /hour"]),
        ("12.50 €", ["12.5|12.50 eur"]),
        ("five pounds", ["5 gbp"]),
        ("-5 °C and -£5", ["-5 gbp", "-5 °c"]),
        ("10-minute", ["10 minute"]),
        ("24/7, CO2, 50%", ["24/7", "50 percent"]),
        ("since 2019.", ["2019"]),
        ("$3 million", ["3 usd million"]),
        ("version 4.20", ["4.20"]),
    ],
)
def test_extract_quantities_returns_numbers_with_units(text: str, expected: list[str]) -> None:
    found = extract_quantities(text, find_lexicon("en"))
    assert sorted(f"{'|'.join(sorted(q.readings))} {q.unit}".strip() for q in found) == expected


def test_extract_quantities_knows_the_units_of_japanese() -> None:
    found = extract_quantities("朝7時から10時間、午後6時半、1,200円", find_lexicon("ja"))
    assert [(sorted(q.readings)[0], q.unit) for q in found] == [
        ("7:00", "time"), ("10", "hour"), ("18:30", "time"), ("1.2", "jpy"),
    ]  # fmt: skip


# Tests of the page `docs/reference/briefs.md`.


PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "briefs.md"


def test_writer_page_examples_run() -> None:
    text = re.sub(r"(?m)^```.*$", "", PAGE.read_text("utf-8"))
    examples = doctest.DocTestParser().get_doctest(text, {}, PAGE.name, PAGE.name, 0)
    results = doctest.DocTestRunner().run(examples)
    assert results.attempted == 18
    assert results.failed == 0


def test_writer_page_lists_every_field_and_validator() -> None:
    page = PAGE.read_text("utf-8")
    names = {validator.name for validator in VALIDATORS}
    fields = set(Brief.model_fields) | set(Fact.model_fields) | set(Compliance.model_fields)
    assert [name for name in names | fields if f"`{name}`" not in page] == []


def test_languages_page_lists_every_language_and_validator() -> None:
    page = (PAGE.parent / "languages.md").read_text("utf-8")
    assert [code for code in LANGUAGES if f"`{code}`" not in page] == []
    assert [each.name for each in VALIDATORS if f"`{each.name}`" not in page] == []
