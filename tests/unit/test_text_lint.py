"""`lint_text` reports each problem with its span; applying a proposal removes the problem."""

from decimal import Decimal

import pytest

from roost.prices import PRICE_LIST
from roost.text import Finding, extract_entities, lint_text
from roost.text.lint import LINK_SURCHARGE_USD


def codes(text: str) -> list[str]:
    return [finding.code for finding in lint_text(text)]


@pytest.mark.parametrize(
    ("text", "proposal"),
    [
        ("README.md", "README (.md)"),
        ("script.py", "script (.py)"),
        ("main.rs", "main (.rs)"),
        ("data.zip", "data (.zip)"),
        ("photo.mov", "photo (.mov)"),
        ("main.cc", "main (.cc)"),
        ("done.It", "done. It"),
        ("news.So", "news. So"),
        ("Booking.com", "Booking com"),
        ("ASP.NET", "ASP NET"),
    ],
)
def test_lint_text_proposes_another_spelling__accidental_link(text: str, proposal: str) -> None:
    (finding,) = lint_text(f"See {text} now")
    assert (finding.code, finding.proposal) == ("accidental_link", proposal)
    assert (finding.start, finding.end) == (4, 4 + len(text))
    assert extract_entities(f"See {proposal} now").urls == ()


@pytest.mark.parametrize(
    "text",
    [
        *("https://README.md/x", "example.com", "www.Example.com", "Example.com/path", "bit.ly"),
        *("Node.js", "file.txt", "e.g.", "v1.2.3", "me@example.com", "allegro.pl", "notion.so"),
    ],
)
def test_lint_text_ignores_intended_links_and_other_texts(text: str) -> None:
    assert lint_text(f"See {text} now") == []


def test_accidental_link_costs_nothing_more__another_link() -> None:
    (alone,) = lint_text("Read README.md")
    assert alone.message.endswith("; a post with a link costs $0.185 more.")
    (beside,) = lint_text("Read https://example.com and README.md")
    assert beside.message == "X turns README.md into a link."


def test_link_surcharge_equals_the_price_list() -> None:
    usd = {listed.name: listed.usd for listed in PRICE_LIST}
    assert usd["create a post with a link"] - usd["create a post"] == LINK_SURCHARGE_USD
    assert Decimal("0.185") == LINK_SURCHARGE_USD


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("$A and $B", "several_cashtags", id="cashtags"),
        pytest.param("#a #b #c", "many_hashtags", id="hashtags"),
        pytest.param("for @a @b @c @d @e @f", "many_mentions", id="mentions"),
        pytest.param(" @bob hello", "leading_mention", id="leading mention"),
        pytest.param("a\x07b", "control_character", id="control"),
        pytest.param("a\u202eb", "bidi_override", id="bidi override"),
        pytest.param("a\u2067b", "bidi_override", id="bidi isolate"),
        pytest.param("a\u200bb", "zero_width", id="zero width space"),
        pytest.param("a\u200db", "zero_width", id="joiner between latin letters"),
        pytest.param("❤️\u200b", "zero_width", id="right after an emoji"),
        pytest.param("a\ud800b", "lone_surrogate", id="surrogate"),
        pytest.param("a\ufeffb", "forbidden_character", id="byte order mark"),
        pytest.param(" \n", "blank_text", id="blank"),
        pytest.param("", "blank_text", id="empty"),
    ],
)
def test_lint_text_reports(text: str, code: str) -> None:
    assert codes(text) == [code]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("$A and #a #b for @a @b @c @d @e", id="as many as allowed"),
        pytest.param(".@bob hello", id="mention after a full stop"),
        pytest.param("👩🏽\u200d🚀 🏳️\u200d🌈 1️⃣ ❤️", id="joined emoji"),
        pytest.param("می\u200cخواهم", id="persian needs its non-joiner"),
        pytest.param("क्\u200dष", id="hindi needs its joiner"),
        pytest.param("☎\ufe0e", id="symbol as text"),
        pytest.param("one\r\n\ttwo", id="line ends and tabs"),
    ],
)
def test_lint_text_ignores(text: str) -> None:
    assert lint_text(text) == []


def test_lint_text_reports_adjacent_invisible_characters_once() -> None:
    (finding,) = lint_text("a\u200b\u200bb")
    assert (finding.start, finding.end, finding.proposal) == (1, 3, "")


def test_lint_text_returns_findings_in_text_order() -> None:
    found = lint_text("@bob see README.md\u200b")
    assert [finding.code for finding in found] == [
        "leading_mention",
        "accidental_link",
        "zero_width",
    ]
    assert all(isinstance(finding, Finding) and finding.message for finding in found)
