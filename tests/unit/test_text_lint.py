"""The lint: each finding has its place, and each proposal does away with it."""

from decimal import Decimal

import pytest

from roost.prices import FIGURES
from roost.text import Finding, entities, lint
from roost.text.lint import LINK_SURCHARGE_USD


def codes(text: str) -> list[str]:
    return [finding.code for finding in lint(text)]


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
def test_lint_proposes_a_spelling_for_an_accidental_link(text: str, proposal: str) -> None:
    (finding,) = lint(f"See {text} now")
    assert (finding.code, finding.proposal) == ("accidental_link", proposal)
    assert (finding.start, finding.end) == (4, 4 + len(text))
    assert entities(f"See {proposal} now").urls == ()


@pytest.mark.parametrize(
    "text",
    [
        *("https://README.md/x", "example.com", "www.Example.com", "Example.com/path", "bit.ly"),
        *("Node.js", "file.txt", "e.g.", "v1.2.3", "me@example.com", "allegro.pl", "notion.so"),
    ],
)
def test_lint_keeps_quiet_about_links_that_are_meant_and_what_is_none(text: str) -> None:
    assert lint(f"See {text} now") == []


def test_the_cost_of_a_link_is_that_of_the_price_table() -> None:
    usd = {figure.name: figure.usd for figure in FIGURES}
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
def test_lint_finds(text: str, code: str) -> None:
    assert codes(text) == [code]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("$A and #a #b for @a @b @c @d @e", id="as many as are fine"),
        pytest.param(".@bob hello", id="mention behind a full stop"),
        pytest.param("👩🏽\u200d🚀 🏳️\u200d🌈 1️⃣ ❤️", id="joined emoji"),
        pytest.param("می\u200cخواهم", id="persian needs its non-joiner"),
        pytest.param("क्\u200dष", id="hindi needs its joiner"),
        pytest.param("☎\ufe0e", id="symbol as text"),
        pytest.param("one\r\n\ttwo", id="line ends and tabs"),
    ],
)
def test_lint_keeps_quiet_about(text: str) -> None:
    assert lint(text) == []


def test_a_run_of_invisible_characters_is_one_finding_that_may_go() -> None:
    (finding,) = lint("a\u200b\u200bb")
    assert (finding.start, finding.end, finding.proposal) == (1, 3, "")


def test_findings_stand_in_the_order_of_the_text() -> None:
    found = lint("@bob see README.md\u200b")
    assert [finding.code for finding in found] == [
        "leading_mention",
        "accidental_link",
        "zero_width",
    ]
    assert all(isinstance(finding, Finding) and finding.message for finding in found)
