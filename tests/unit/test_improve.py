"""Rules that improve a draft without a model, and what an instruction changes in the brief."""

from datetime import UTC, datetime
from typing import Any

import pytest

from roost.agents.brief import Brief
from roost.agents.improve import improve_draft, read_wish
from roost.agents.validators.candidate import Candidate
from roost.agents.writer import write_drafts
from roost.agents.written import CitedSentence, Writing
from roost.errors import BriefInvalid

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
LINK = "https://acme.example.com/a"
FACTS = [
    {"id": "price", "text": "A repair costs £60."},
    {"id": "time", "text": "It takes one day.", "follows": "price"},
    {"id": "hours", "text": "The shop opens at 8 am."},
]


def make_brief(**fields: Any) -> Brief:
    defaults = {"account": "acme", "topic": "repairs", "facts": FACTS, "link": LINK}
    return Brief.model_validate(defaults | fields)


def make_draft(*sentences: tuple[str, str], tail: str = "") -> Candidate:
    cited = tuple(CitedSentence(0, text, (fact,) if fact else ()) for text, fact in sentences)
    return Candidate((" ".join(text for text, _ in sentences) + tail,), cited)


async def improve(draft: Candidate, instruction: str, brief: Brief) -> Writing:
    wish = read_wish(instruction, brief, draft.parts)
    return await improve_draft(draft, wish, None, facts_language=brief.language, now=NOW)


async def text_of(draft: Candidate, instruction: str, brief: Brief | None = None) -> str:
    (improved,) = (await improve(draft, instruction, brief or make_brief())).drafts
    return improved.parts[0]


@pytest.mark.parametrize(
    ("sentence", "rest"),
    [
        (f"The shop opens at 8 am: {LINK}", ""),
        (f"The shop opens at 8 am. {LINK}", " The shop opens at 8 am."),
        (f"The shop opens at 8 am {LINK}.", " The shop opens at 8 am."),
        (LINK, ""),
    ],
)
async def test_without_the_link_keeps_a_sentence_that_says_more(sentence: str, rest: str) -> None:
    draft = make_draft(("A repair costs £60.", "price"), (sentence, "hours"))
    assert await text_of(draft, "Without the link.") == f"A repair costs £60.{rest}"


async def test_without_the_link_keeps_tags_of_a_composed_draft() -> None:
    brief = make_brief(tags=["Repairs"])
    (composed,) = (await write_drafts(brief, None, now=NOW)).drafts
    assert LINK in composed.parts[0]
    text = await text_of(Candidate(composed.parts, composed.sentences), "without the link", brief)
    assert LINK not in text
    assert text.endswith("#Repairs")
    assert "epairs:" not in text


async def test_shorter_never_keeps_a_fact_without_the_one_that_it_follows() -> None:
    draft = make_draft((f"A repair costs £60. {LINK}", "price"), ("It takes one day.", "time"))
    assert await text_of(draft, "shorter") == f"A repair costs £60. {LINK}"
    required = make_brief(require=["one day"])
    assert (await improve(draft, "shorter", required)).drafts == ()


async def test_shorter_keeps_required_words() -> None:
    draft = make_draft(
        ("A repair costs £60.", "price"), (f"The shop opens at 8 am. {LINK}", "hours")
    )
    brief = make_brief(require=["8 am"])
    assert await text_of(draft, "shorter", brief) == f"The shop opens at 8 am. {LINK}"


async def test_one_sentence_cannot_be_shorter() -> None:
    draft = make_draft((f"A repair costs £60. {LINK}", "price"))
    assert (await improve(draft, "shorter", make_brief())).drafts == ()


async def test_a_draft_whose_facts_are_out_of_date_is_not_improved() -> None:
    facts = [{"id": "sale", "text": "The sale ends on Friday.", "valid_until": "2026-11-01"}]
    draft = make_draft((f"The sale ends on Friday. {LINK}", "sale"))
    with pytest.raises(BriefInvalid):
        await improve(draft, "without the link", make_brief(facts=facts))


@pytest.mark.parametrize(
    ("instruction", "changed"),
    [
        ("warmer", {"tone": "warm"}),
        ("As a thread", {"form": "thread"}),
        ("as a post.", {"form": "post"}),
        ("in French", {"language": "fr"}),
        ("in 日本語", {"language": "ja"}),
        ("without the link", {"link_use": "none"}),
        ("shorter", {"limit": 50}),
        ("in brief", {}),
        ("mention the price first", {}),
    ],
)
def test_read_wish_changes_only_what_the_instruction_says(
    instruction: str, changed: dict[str, object]
) -> None:
    brief = make_brief(form="post")
    wish = read_wish(f"  {instruction} ", brief, ("x" * 50,))
    assert wish.text == instruction
    assert wish.brief == brief.model_copy(update=changed)
    # A stored brief is read by the rules of briefs.
    assert Brief.model_validate(wish.brief.model_dump(mode="json")) == wish.brief


def test_shorter_than_the_least_limit_stays_a_valid_brief() -> None:
    assert read_wish("shorter", make_brief(), ("Hi.",)).brief.limit == 40
