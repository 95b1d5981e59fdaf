"""The composer's drafts, and the validation of drafts from any author.

`follows_rules` states the rules of a good draft independently of the validators.
"""

import doctest
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roost.agents.brief import Brief, Draft
from roost.agents.composer import compose_drafts
from roost.agents.quantities import extract_quantities
from roost.agents.validators import validate_draft
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


def codes(text: str, *fact_ids: str, **fields: Any) -> list[str]:
    draft = Draft(text, fact_ids, len(text))
    return [violation.code for violation in validate_draft(draft, brief(**fields))]


# Tests of composed drafts.


def follows_rules(draft: Draft, facts: dict[str, str], link: str, tag: str) -> bool:
    """Whether a draft has one or two facts word for word, and the link and tag once each."""
    body, _, tail = draft.text.partition("\n\n")
    stated = [facts[name] for name in draft.fact_ids]
    positions = [body.casefold().find(fact.rstrip(".").casefold()) for fact in stated]
    numbers = {number for fact in stated for number in re.findall(r"\d+", fact)}
    return (
        len(stated) in (1, 2)
        and min(positions) >= 0
        and positions == sorted(positions)
        and tail.count(link) == draft.text.count(link) == 1
        and tail.endswith(f"\n#{tag}")
        and draft.text.count("#") == 1
        and set(re.findall(r"\d+", draft.text)) <= numbers
    )


def test_compose_drafts_returns_n_different_drafts() -> None:
    link, facts = "https://example.com/winter", {one["id"]: one["text"] for one in FACTS}
    for language in ("en", "de", "es", "fr", "ja", "et"):
        for tone in ("plain", "warm", "formal"):
            drafts = compose_drafts(
                brief(n=4, link=link, tags=["Pipes"], language=language, tone=tone)
            )
            assert len({draft.text for draft in drafts}) == 4
            assert all(follows_rules(draft, facts, link, "Pipes") for draft in drafts)


def test_compose_drafts_stays_below_240_with_link_and_tags() -> None:
    # A draft must weigh less than 240. The link weighs 23, "#Winter" 7 and the separators 3. So the
    # fact that weighs 206 just fits.
    facts = [{"id": "a", "text": "x" * 205 + "."}, {"id": "b", "text": "y" * 209 + "."}]
    drafts = compose_drafts(
        brief(facts=facts, link="https://example.com", tags=["Winter"], language="et", n=1)
    )
    assert [draft.fact_ids for draft in drafts] == [("a",)]
    assert drafts[0].weighted_length == 206 + 2 + 23 + 1 + 7 == 239


def test_compose_drafts_limits_weight_not_characters() -> None:
    facts = [{"id": "a", "text": "水" * 119}, {"id": "b", "text": "湯" * 118}]
    drafts = compose_drafts(brief(facts=facts, language="ja", n=1))
    assert [draft.fact_ids for draft in drafts] == [("b",)]
    assert drafts[0].text == "湯" * 118 + "。"
    assert drafts[0].weighted_length == 238


def test_compose_drafts_is_deterministic__same_brief_and_seed() -> None:
    assert compose_drafts(brief(), seed=3) == compose_drafts(brief(), seed=3)
    assert len({tuple(compose_drafts(brief(), seed=seed)) for seed in range(5)}) > 1


def test_compose_drafts_starts_with_every_fact_before_repeating_one() -> None:
    facts = [*FACTS[:2], FACTS[3], {"id": "van", "text": "Our van has a red door."}]
    leads = [draft.fact_ids[0] for draft in compose_drafts(brief(facts=facts, n=8))]
    assert sorted(leads[:4]) == sorted(leads[4:]) == ["hours", "price", "quote", "van"]


def test_compose_drafts_uses_facts_alone__unsupported_language() -> None:
    facts = [{"id": "a", "text": "Avame kell 7"}]
    (draft,) = compose_drafts(
        brief(facts=facts, language="Estonian", n=1, link="https://example.com")
    )
    assert draft.text == "Avame kell 7.\n\nhttps://example.com"


@pytest.mark.parametrize("language", ["de", "de-AT", "German", "Deutsch", "DE_ch"])
def test_compose_drafts_accepts_language_code_or_name(language: str) -> None:
    facts = [{"id": "a", "text": "Wir öffnen um 7 Uhr"}]
    drafts = compose_drafts(brief(facts=facts, language=language, topic="Brot", n=2))
    assert "Gut zu wissen: Wir öffnen um 7 Uhr." in {draft.text for draft in drafts}


def test_compose_drafts_uses_phrases_of_the_tone() -> None:
    texts = {
        tone: " ".join(draft.text for draft in compose_drafts(brief(n=7, tone=tone)))
        for tone in ("plain", "warm and neighbourly", "professional")
    }
    assert "By the way: " in texts["warm and neighbourly"]
    assert "Please note: " in texts["professional"]
    assert "By the way: " not in texts["plain"] + texts["professional"]


def test_compose_drafts_leaves_out_audience__fact_may_not_concern_it() -> None:
    drafts = compose_drafts(brief(n=7, audience="people with old pipes"))
    assert drafts == compose_drafts(brief(n=7))


def test_compose_drafts_names_topic_with_link__never_with_fact() -> None:
    drafts = compose_drafts(brief(n=7, link="https://example.com/winter"))
    for draft in drafts:
        fact, _, link = draft.text.partition("\n\n")
        assert "frozen pipes" not in fact.casefold()
        assert link == "Frozen pipes: https://example.com/winter"


def test_compose_drafts_capitalizes_sentences__except_own_spellings() -> None:
    facts = [{"id": "a", "text": "free parking"}, {"id": "b", "text": "iPhone repairs"}]
    texts = {draft.text for draft in compose_drafts(brief(facts=facts, language="et", n=2))}
    assert texts == {"Free parking.", "iPhone repairs."}


def test_compose_drafts_adds_no_full_stop__sentence_already_ended() -> None:
    for text in ("Open!", "Really?", "“Open.”", "Open (from May)…", "Open 🎉", "営業中。"):
        (draft,) = compose_drafts(brief(facts=[{"id": "a", "text": text}], language="et", n=1))
        assert draft.text == text


def test_compose_drafts_leaves_out_words_to_avoid() -> None:
    drafts = compose_drafts(brief(n=4, avoid=["FREE", "by the way"], tone="warm"))
    assert {name for draft in drafts for name in draft.fact_ids} == {"hours", "price"}
    assert all("free" not in draft.text.lower() for draft in drafts)
    assert all("by the way" not in draft.text.lower() for draft in drafts)


def test_compose_drafts_leaves_out_topic__number_not_in_facts() -> None:
    link = "https://example.com/winter"
    drafts = compose_drafts(brief(n=7, topic="the winter of 2026", link=link))
    assert all(draft.text.endswith(f"\n\n{link}") for draft in drafts)


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


# Validation


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("The workshop is open from 10 am to 6 pm.", "hours"),
        ("By the way: A call-out costs £60, VAT included.", "price"),
        ("A call-out costs £60.", "price"),
        ("Parking is not free.", "parking"),
        ("Frozen pipes: A first look is free!", "quote"),
    ],
)
def test_validate_draft_accepts_statement_of_fact(text: str, fact: str) -> None:
    assert codes(text, fact) == []


@pytest.mark.parametrize(
    "text",
    [
        "The draft has 251 characters as X counts them; the limit is 239. Shorten it.",
        "Open from 10 am to 6 pm. Take each number from a fact with its unit.",
        "Here is the corrected post: The workshop is open from 10 am to 6 pm.",
    ],
)
def test_validate_draft_refuses_words_of_validator_message(text: str) -> None:
    assert "words_not_in_brief" in codes(text, "hours")


def test_validate_draft_refuses_words_of_example_post() -> None:
    example = "Fresh croissants every morning! The workshop is open from 10 am to 6 pm."
    assert codes(example, "hours") == ["words_not_in_brief"]


@pytest.mark.parametrize(
    "text",
    [
        "A call-out costs £10.",
        "A call-out costs 10.",
        "The workshop is open from 10 pm to 6 pm.",
        "The workshop is open from 10 to 6 pm.",
        "The workshop is open from 10:30 am to 6 pm.",
        "A call-out costs €60.",
        "A call-out costs 60.",
        "A call-out costs £60 million.",
        "A call-out costs £6.",
        "A call-out costs -£60.",
        "A call-out costs US$60.",
        "A call-out costs £６１.",
    ],
)
def test_validate_draft_refuses_number__other_unit_than_in_facts(text: str) -> None:
    assert "number_not_in_facts" in codes(text, "hours", "price")


def test_validate_draft_refuses_number__fact_not_cited() -> None:
    assert "number_not_in_facts" in codes("A call-out costs £60.", "quote")


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("A first look is not free.", "quote"),
        ("A first look is never really free.", "quote"),
        ("A first look isn’t free.", "quote"),
        ("Parking at the workshop is free.", "parking"),
        ("Free parking at the workshop.", "parking"),
    ],
)
def test_validate_draft_refuses_changed_negation(text: str, fact: str) -> None:
    assert "negation_changed" in codes(text, fact)


def test_validate_draft_refuses_negation__of_a_fact_not_cited() -> None:
    both = "Parking at the workshop is not free. A first look is free."
    assert codes(both, "parking", "quote") == []
    assert "negation_changed" in codes(both, "quote")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A first look is free.", ["link_missing", "tag_missing"]),
        ("A first look is free. https://example.com/a #Pipes", []),
        ("A first look is free. https://example.com/A #Pipes", ["link_missing", "url_invented"]),
        ("A first look is free. https://example.com/a?b #Pipes", ["link_missing", "url_invented"]),
        ("A first look is free. https://example.com/a #pipes", ["tag_missing", "hashtag_invented"]),
        ("A first look is free. https://example.com/a look.is #Pipes", ["url_invented"]),
        ("A first look is free. https://example.com/a #Pipes #free", ["hashtag_invented"]),
        ("A first look is free, @free. https://example.com/a #Pipes", ["mention_invented"]),
        ("A first look is free, $FREE . https://example.com/a #Pipes", ["cashtag_invented"]),
    ],
)
def test_validate_draft_requires_exact_link_and_tags_and_no_other_entities(
    text: str, expected: list[str]
) -> None:
    fields = {"link": "https://example.com/a", "tags": ["#Pipes"]}
    found = codes(text, "quote", **fields)
    assert [code for code in found if code != "words_not_in_brief"] == expected


def test_validate_draft_requires_cited_facts_to_be_stated() -> None:
    assert codes("A first look is free.") == ["fact_missing"]
    assert codes("A first look is free.", "quote", "nothing") == ["fact_unknown"]
    assert codes("A first look is free.", "quote", "hours") == ["fact_not_said"]
    assert codes("", "quote") == ["fact_not_said"]


def test_validate_draft_requires_fact_stated__only_small_words_shared() -> None:
    assert codes("A first look is free at the workshop.", "quote", "hours") == ["fact_not_said"]


def test_validate_draft_refuses_weight_of_240() -> None:
    facts = [{"id": "a", "text": "x" * 300}]
    assert codes("x" * 240, "a", facts=facts)[0] == "text_too_long"
    assert "text_too_long" not in codes("x" * 239, "a", facts=facts)


@pytest.mark.parametrize(
    ("phrase", "text", "occurs"),
    [
        ("free", "A first look is FREE.", True),
        ("free", "A ﬁrst look is freehand.", False),
        ("first  look", "A first\nlook is free.", True),
        ("無料", "初回は無料です。", True),
        ("c++", "We write C++.", True),
    ],
)
def test_validate_draft_finds_avoided_phrase_as_whole_words(
    phrase: str, text: str, occurs: bool
) -> None:
    assert ("avoided_word" in codes(text, "quote", avoid=[phrase])) is occurs


def test_validate_draft_refuses_leading_mention_and_second_cashtag() -> None:
    facts = [{"id": "a", "text": "@acme reads $A and $B"}]
    assert codes("@acme reads $A and $B.", "a", facts=facts) == [
        "too_many_cashtags",
        "starts_with_mention",
    ]


def test_validate_draft_checks_words__unspaced_script() -> None:
    facts = [{"id": "a", "text": "初回は無料です。"}]
    fields: dict[str, Any] = {"facts": facts, "topic": "冬の配管", "language": "ja"}
    assert codes("冬の配管について。初回は無料です。", "a", **fields) == []
    assert codes("夏の配管について。初回は無料です。", "a", **fields) == ["words_not_in_brief"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10 am", ["10 am"]),
        ("10 a.m.", ["10 am"]),
        ("from 10–12 pm", ["10 pm", "12 pm"]),
        ("£1,200 per hour", ["£ 1,200 /hour"]),
        ("12,50 €", ["€ 12,50"]),
        ("朝7時から10時間", ["10 時間", "7 時"]),
        ("-5 °C and -£5", ["-5 °c", "£ -5"]),
        ("10-minute", ["10 minute"]),
        ("24/7, CO2, 50%", ["24/7", "50 %"]),
        ("since 2019.", ["2019"]),
    ],
)
def test_extract_quantities_returns_numbers_with_units(text: str, expected: list[str]) -> None:
    assert sorted(map(str, extract_quantities(text))) == expected


# Tests of the documentation page.


PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "briefs.md"


def test_writer_page_examples_run() -> None:
    text = re.sub(r"(?m)^```.*$", "", PAGE.read_text("utf-8"))
    examples = doctest.DocTestParser().get_doctest(text, {}, PAGE.name, PAGE.name, 0)
    results = doctest.DocTestRunner().run(examples)
    assert results.attempted == 9
    assert results.failed == 0


def test_writer_page_lists_every_field_and_code() -> None:
    page = PAGE.read_text("utf-8")
    rules = Path(validate_draft.__code__.co_filename).read_text("utf-8")
    found = set(re.findall(r'(?:Violation\(\s*|_invented\()"([a-z_]+)"', rules))
    assert len(found) == 16
    assert [name for name in found | set(Brief.model_fields) if f"`{name}`" not in page] == []
