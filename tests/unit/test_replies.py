"""Replies of models: JSON with text around it, broken drafts, and the assembly of the parts."""

import json
from typing import Any

import pytest

from roost.agents.assembly import assemble
from roost.agents.brief import Brief
from roost.agents.replies import ParsedDraft, WrittenSentence, parse_reply

GOOD: dict[str, Any] = {"parts": [[{"text": "We open at 7. {link}", "facts": ["hours"]}]]}
PARSED = ParsedDraft(((WrittenSentence("We open at 7. {link}", ("hours",)),),))


@pytest.mark.parametrize(
    "reply",
    [
        json.dumps({"drafts": [GOOD]}),
        f"```json\n{json.dumps({'drafts': [GOOD]}, indent=2)}\n```",
        f"Sure! Here are {{your}} drafts: {json.dumps({'drafts': [GOOD]})} Enjoy [them].",
        f"<think>a {{ or [</think>{json.dumps({'drafts': [GOOD]})}",
        json.dumps([GOOD]),
        json.dumps({"drafts": [{"parts": GOOD["parts"][0]}]}),
        json.dumps({"drafts": [{"parts": [[{"text": "We open at 7. {link}", "facts": "hours"}]]}]}),
    ],
)
def test_parse_reply_reads_drafts_with_anything_around_them(reply: str) -> None:
    assert parse_reply(reply) == [PARSED]


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"parts": []},
        {"parts": "We open at 7."},
        {"parts": [[]]},
        {"parts": [["We open at 7."]]},
        {"parts": [[{"text": 7, "facts": []}]]},
        {"parts": [[{"text": "x", "facts": [7]}]]},
        {"parts": [[{"text": "x", "facts": []}], "y"]},
    ],
)
def test_parse_reply_keeps_good_drafts_beside_a_broken_one(broken: dict[str, Any]) -> None:
    assert parse_reply(json.dumps({"drafts": [GOOD, broken, GOOD]})) == [
        PARSED, ParsedDraft(()), PARSED,
    ]  # fmt: skip


def test_parse_reply_keeps_the_drafts_of_a_reply_that_is_cut_off() -> None:
    reply = json.dumps({"drafts": [GOOD, GOOD]})
    assert parse_reply(reply[:-30]) == [PARSED, ParsedDraft(())]


@pytest.mark.parametrize(
    "reply",
    ["", "No.", "{", "[" * 10_000, "null", '{"drafts": 3}', "{}" * 999, '{"drafts": ["\\ud800"]}'],
)
def test_parse_reply_finds_nothing_in_other_text(reply: str) -> None:
    assert parse_reply(reply) == []


def make_brief(**fields: Any) -> Brief:
    facts = [{"id": "hours", "text": "We open at 7."}]
    return Brief.model_validate({"account": "acme", "topic": "bread", "facts": facts} | fields)


def texts(brief: Brief, *parts: list[str]) -> tuple[str, ...]:
    written = tuple(tuple(WrittenSentence(text, ("hours",)) for text in part) for part in parts)
    candidate = assemble(ParsedDraft(written), brief)
    assert all(each.text in candidate.parts[each.part] for each in candidate.sentences)
    return candidate.parts


LINK = "https://acme.example.com/a"


def test_assemble_puts_link_and_tags_into_their_slots() -> None:
    brief = make_brief(link=LINK, tags=["Bread", "Rye"])
    assert texts(brief, ["Open at 7: {link}", "{tags} See you!"]) == (
        f"Open at 7: {LINK} #Bread #Rye See you!",
    )


def test_assemble_adds_link_and_tags__no_slot() -> None:
    brief = make_brief(link=LINK, tags=["Bread"])
    assert texts(brief, ["We open  at 7."]) == (f"We open at 7.\n\n{LINK}\n#Bread",)
    assert texts(brief, ["We open at 7 #Bread {LINK}"]) == (f"We open at 7 #Bread {LINK}",)


def test_assemble_adds_no_optional_link() -> None:
    assert texts(make_brief(link=LINK, link_use="optional"), ["We open."]) == ("We open.",)


def test_assemble_puts_disclaimer_first_and_link_last_in_a_thread() -> None:
    brief = make_brief(link=LINK, tags=["Bread"], compliance={"disclaimer": "Ad"}, form="thread")
    assert texts(brief, ["We open at 7."], ["We close at 6."]) == (
        "We open at 7.\n\nAd",
        f"We close at 6.\n\n{LINK}\n#Bread",
    )


def test_assemble_joins_sentences_as_the_language_does() -> None:
    assert texts(make_brief(language="ja"), ["7時開店。", "お待ちしています。"]) == (
        "7時開店。お待ちしています。",
    )
    assert texts(make_brief(), ["We open.", "\n\nSee you!"]) == ("We open.\n\nSee you!",)
