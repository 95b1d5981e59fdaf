"""What the page shows of a draft: texts as X shows them, evidence and prices."""

from decimal import Decimal
from typing import Any

import pytest

from roost.agents.brief import Brief
from roost.agents.validators import VALIDATORS
from roost.agents.written import CitedSentence, Doubt, DoubtCode
from roost.web.draft_cards import (
    RULES,
    language_tag,
    list_evidence,
    price_posting,
    shorten_link,
    show_part,
)

LINK = "https://larkbooks.example.com/hours"


def brief(**fields: Any) -> Brief:
    facts = [{"id": "tea", "text": "Tea costs £3."}, {"id": "open", "text": "We open at 7."}]
    return Brief.model_validate({"account": "larkbooks", "topic": "tea", "facts": facts} | fields)


def test_links_and_tags_are_shown_as_x_shows_them() -> None:
    part = show_part(f"<b> {LINK} #Tea @larkbooks")
    assert part.markup == (
        f'&lt;b&gt; <bdi class="entity" dir="ltr" title="{LINK}">larkbooks.example.com/hours</bdi>'
        ' <span class="entity">#Tea</span> <span class="entity">@larkbooks</span>'
    )
    assert part.links == (LINK,)


@pytest.mark.parametrize(
    ("text", "length", "is_too_long"),
    [
        ("a" * 280, 280, False),
        ("a" * 281, 281, True),
        ("営業時間", 8, False),
        (f"Tea: {LINK}", 28, False),
    ],
)
def test_length_is_weighted(text: str, length: int, is_too_long: bool) -> None:
    part = show_part(text)
    assert (part.weighted_length, part.is_too_long) == (length, is_too_long)


def test_direction_overrides_are_visible() -> None:
    assert str(show_part("a\u202eb").markup) == "a\\u202eb"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://www.example.com/a", "example.com/a"),
        ("http://example.com/12345678901234", "example.com/12345678901234"),
        ("https://example.com/123456789012345", "example.com/123456789012345"),
        ("https://example.com/1234567890123456", "example.com/12345678901234…"),
        ("example.com", "example.com"),
    ],
)
def test_long_links_are_cut(url: str, shown: str) -> None:
    assert shorten_link(url) == shown


def test_each_sentence_has_its_facts() -> None:
    sentences = [
        CitedSentence(0, "Tea is £3.", ("tea",)),
        CitedSentence(1, "Open at 7!", ("open", "gone")),
        CitedSentence(1, "#Tea", ()),
    ]
    rail = list_evidence(brief(), sentences)
    assert [(each.part, [fact.id for fact in each.facts], each.unknown) for each in rail] == [
        (1, ["tea"], ()),
        (2, ["open"], ("gone",)),
        (2, [], ()),
    ]


def test_doubts_are_beside_their_sentence() -> None:
    sentences = [CitedSentence(0, "Tea is £3.", ("tea",)), CitedSentence(0, "Fells birch.", ())]
    doubts = [Doubt(DoubtCode.NO_FACT_CITED, 1, "fells, birch")]
    rail = list_evidence(brief(), sentences, doubts)
    assert [each.doubts for each in rail] == [
        (),
        ("The sentence cites no fact, and none says: fells, birch.",),
    ]


def test_both_prices_are_shown_if_a_link_is_possible() -> None:
    plain, linked = Decimal("0.015"), Decimal("0.200")
    price = price_posting(["Tea."], brief())
    assert (price.has_link, price.with_link, price.without_link.low) == (False, None, plain)
    price = price_posting(["Tea.", f"More: {LINK}"], brief(link=LINK))
    assert price.with_link is not None
    assert (price.has_link, price.with_link.low) == (True, plain + linked)
    assert price.without_link.low == 2 * plain
    price = price_posting(["Tea."], brief(link=LINK, link_use="optional"))
    assert price.with_link is not None
    assert (price.has_link, price.with_link.low, price.without_link.low) == (False, linked, plain)


def test_files_make_the_price_uncertain() -> None:
    price = price_posting(["Tea.", "More."], brief(), media=[1]).without_link
    assert (price.low, price.high) == (Decimal("0.030"), Decimal("0.215"))


@pytest.mark.parametrize(
    ("language", "tag"), [("de-AT", "de"), ("日本語", "ja"), ("العربية", "ar"), ("Klingon", "")]
)
def test_language_of_the_texts_is_marked(language: str, tag: str) -> None:
    assert language_tag(brief(language=language)) == tag


def test_every_validator_is_described() -> None:
    assert set(RULES) == {validator.name for validator in VALIDATORS}
