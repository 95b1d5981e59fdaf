"""Improves a draft by a user's instruction; every validator must accept the new text.

The model gets the instruction as data, not as one of its own rules. An instruction such as `in
French` sets the language in a copy of the brief. The validators check the new text against this
copy.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from roost.agents.assembly import LINK_SLOT, assemble
from roost.agents.brief import Brief
from roost.agents.budget import Budget
from roost.agents.errors import ModelNeeded
from roost.agents.language_names import find_language_code, language_code
from roost.agents.model import Model
from roost.agents.prompts import IMPROVE_REPAIR_INSTRUCTIONS, Improvement, improve_prompt
from roost.agents.replies import ParsedDraft, WrittenSentence
from roost.agents.safe_facts import withhold
from roost.agents.validators.candidate import Candidate, Context
from roost.agents.writer import Batch, ask_model
from roost.agents.written import CitedSentence, Writing
from roost.errors import BriefInvalid, InvalidInput
from roost.text import weigh

_MOST_CHARACTERS: Final = 500
_LEAST_LIMIT: Final = 40
_language = re.compile(r"in (\S+)").fullmatch
#: Finds a colon, an arrow or a dash at the end of a sentence from which the link was removed. Such
#: a sentence only introduced the link.
_introduces = re.compile(r"[:：→>–—-]\s*$").search
#: The instructions that code can follow without a model.
_RULES: Final = ("shorter", "without the link")


@dataclass(frozen=True, slots=True)
class Wish:
    """A user's instruction, and the brief by which the improved draft is validated."""

    text: str
    brief: Brief
    rule: Literal["shorter", "without the link"] | None
    """The rule by which code can improve the draft without a model; or None."""


def read_wish(instruction: str, brief: Brief, parts: Sequence[str]) -> Wish:
    """Parse a user's instruction for a draft with these `parts`. Raises: InvalidInput."""
    text = " ".join(instruction.replace("\0", " ").split())
    if not text or len(text) > _MOST_CHARACTERS:
        raise InvalidInput(
            f"An instruction has 1 to {_MOST_CHARACTERS} characters.",
            next="Say what to change, such as `shorter` or `warmer`.",
        )
    word = text.casefold().strip(" .!")
    changes: dict[str, object] = {}
    if word == "shorter" and len(parts) == 1:
        changes["limit"] = max(_LEAST_LIMIT, min(brief.limit, _weight(parts)))
    elif word == "without the link":
        changes["link_use"] = "none"
    elif word == "warmer":
        changes["tone"] = "warm"
    elif word == "as a thread":
        changes["form"] = "thread"
    elif word == "as a post":
        changes["form"] = "post"
    elif (found := _language(word)) and (code := find_language_code(found[1])):
        changes["language"] = code
    rule = next((each for each in _RULES if each == word), None)
    return Wish(text, brief.model_copy(update=changes), rule)


async def improve_draft(
    draft: Candidate,
    wish: Wish,
    model: Model | None,
    *,
    facts_language: str,
    recent_posts: Sequence[str] = (),
    budget: Budget | None = None,
    now: datetime,
) -> Writing:
    """Write one improved draft; `Writing.drafts` is empty if every attempt was refused.

    For `without the link`, code removes the link, and the model is asked only if the result is
    refused. For `shorter`, the model is asked first. If its draft is refused or not shorter, code
    removes whole sentences.

    `facts_language` is the language of the facts. If the draft has another language, some
    validators cannot judge the draft, and their verdicts say so.

    Raises: BriefInvalid (no fact can be used); ModelNeeded (there is no model, and code alone
    cannot follow the instruction).
    """
    if model is None and wish.rule is None:
        raise ModelNeeded(
            f"Without a model, Roost cannot follow the instruction {wish.text!r}.",
            did="The draft did not change.",
        )
    brief = wish.brief.model_copy(update={"n": 1})
    safe = withhold(brief, today=now.date())
    if safe.brief is None:
        raise BriefInvalid(
            "Every fact of the brief is out of date or reads like an instruction.",
            next="Write a new draft from facts that are true now.",
        )
    context = Context(
        safe.brief,
        recent_posts=recent_posts,
        instructions=(IMPROVE_REPAIR_INSTRUCTIONS,),
        withheld=safe.withheld_texts,
        translates=language_code(facts_language) != language_code(brief.language),
    )
    batch = Batch(wish.brief, context, old_parts=draft.parts)
    if wish.rule == "without the link":
        await _try_rule(batch, _remove_link(draft, brief))
    if batch.missing and model is not None:
        safe_brief = safe.brief
        improvement = Improvement(_with_slots(draft, brief), wish.text)
        await ask_model(
            batch,
            model,
            budget,
            improve_prompt(safe_brief, improvement),
            lambda refused, count: improve_prompt(safe_brief, improvement, refused),
        )
    if wish.rule == "shorter" and (not batch.drafts or _is_longer(batch.drafts[0].parts, draft)):
        batch.drafts.clear()
        batch.context.accepted.clear()
        await _try_rule(batch, _shorten(draft, brief))
    return Writing(tuple(batch.drafts), tuple(batch.refused), tuple(batch.calls))


async def _try_rule(batch: Batch, candidates: Iterator[ParsedDraft]) -> None:
    await batch.examine_all(assemble(each, batch.context.brief) for each in candidates)


def _weight(parts: Sequence[str]) -> int:
    return sum(weigh(part).weighted_length for part in parts)


def _is_longer(parts: Sequence[str], draft: Candidate) -> bool:
    return _weight(parts) >= _weight(draft.parts)


def _sentences(draft: Candidate) -> list[CitedSentence]:
    """Return the draft's sentences, or each part as one sentence if the draft lists none."""
    if draft.sentences:
        return list(draft.sentences)
    return [CitedSentence(index, part, ()) for index, part in enumerate(draft.parts)]


def _to_parts(sentences: Sequence[CitedSentence]) -> ParsedDraft:
    """Group sentences into the parts of a draft; a part without a sentence is left out."""
    parts: dict[int, list[WrittenSentence]] = {}
    for each in sentences:
        parts.setdefault(each.part, []).append(WrittenSentence(each.text, each.fact_ids))
    return ParsedDraft(tuple(tuple(part) for _, part in sorted(parts.items())))


def _with_slots(draft: Candidate, brief: Brief) -> ParsedDraft:
    """Return the draft as a model would have written it: with `{link}` in place of the link."""
    sentences = _sentences(draft)
    if brief.link:
        link = brief.link
        sentences = [replace(s, text=s.text.replace(link, LINK_SLOT)) for s in sentences]
    return _to_parts(sentences)


def _remove_link(draft: Candidate, brief: Brief) -> Iterator[ParsedDraft]:
    """Yield the draft without its link, then without every sentence that contained the link.

    Both versions omit a sentence that only introduced the link.
    """
    kept, cut = [], []
    for sentence in _sentences(draft):
        if not brief.link or brief.link not in sentence.text:
            kept.append(sentence)
            cut.append(sentence)
            continue
        rest = re.sub(r"[^\S\n]+", " ", sentence.text.replace(brief.link, "")).strip()
        rest = re.sub(r" (?=[.!?。！？]$)", "", rest)
        if any(character.isalnum() for character in rest) and not _introduces(rest):
            kept.append(replace(sentence, text=rest))
    yield _to_parts(kept)
    yield _to_parts(cut)


def _shorten(draft: Candidate, brief: Brief) -> Iterator[ParsedDraft]:
    """Yield the draft with one sentence less, then with two sentences less, and so on.

    Among drafts of the same length, the draft without the last sentences comes first, because the
    last sentences add detail.
    """
    sentences = _sentences(draft)
    leads = {fact.id: fact.follows for fact in brief.facts if fact.follows is not None}
    for count in range(1, len(sentences)):
        for end in range(len(sentences), count - 1, -1):
            kept = sentences[: end - count] + sentences[end:]
            cited = {fact_id for sentence in kept for fact_id in sentence.fact_ids}
            # A fact that follows another fact makes no sense without that other fact.
            if all(leads.get(fact_id) in {None, *cited} for fact_id in cited):
                yield _to_parts(kept)
