"""Composes drafts from the facts of a brief and fixed phrases, without a language model.

A draft contains two facts only if the brief says that the second fact follows the first. The same
brief and seed give the same drafts on every machine.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from roost.agents.brief import Brief, Draft, Fact
from roost.agents.languages import Language, select_language, select_tone
from roost.agents.sentences import capitalize, continue_sentence, end_sentence, is_statement
from roost.agents.validators import DRAFT_LIMIT, validate_draft
from roost.agents.words import split_words
from roost.errors import BriefInvalid
from roost.formats import format_count
from roost.text import weigh


class _Outline(NamedTuple):
    """The facts of one draft, and the phrase that precedes the facts."""

    facts: tuple[Fact, ...]
    opening: str


def compose_drafts(brief: Brief, *, seed: int = 0) -> list[Draft]:
    """Compose the `n` drafts that a brief asks for; all drafts are different and valid.

    A draft has one fact, or two facts of which the second follows the first. The facts take turns:
    no fact begins a second draft before every other possible first fact has begun a draft.

    Raises: BriefInvalid if the facts do not yield `n` drafts that are short enough and contain no
    word to avoid.
    """
    language = select_language(brief.language)
    groups = [each for each in _list_fact_groups(brief) if _is_usable(each, brief, language)]
    uses: Counter[object] = Counter()
    tried: set[_Outline] = set()
    drafts: dict[str, Draft] = {}
    while len(drafts) < brief.n:
        for outline in _list_outlines(groups, brief, language, uses, seed):
            if outline in tried:
                continue
            tried.add(outline)
            draft = _find_valid_draft(outline, brief, language)
            if draft is not None and draft.text not in drafts:
                break
        else:
            usable_facts = {fact.id for group in groups for fact in group}
            raise _too_few_drafts(brief, len(usable_facts), len(drafts))
        drafts[draft.text] = draft
        uses.update([outline.facts[0], outline.facts, outline.opening])
    return list(drafts.values())


def _list_fact_groups(brief: Brief) -> list[tuple[Fact, ...]]:
    """Return every group of facts that one draft may state: single facts, and pairs of facts."""
    leads = {fact.id: fact for fact in brief.facts if fact.follows is None}
    pairs = [(leads[fact.follows], fact) for fact in brief.facts if fact.follows is not None]
    return [*((fact,) for fact in leads.values()), *pairs]


def _is_usable(group: tuple[Fact, ...], brief: Brief, language: Language) -> bool:
    outlines = _list_outlines([group], brief, language, Counter(), 0)
    return any(_find_valid_draft(outline, brief, language) for outline in outlines)


def _list_outlines(
    groups: list[tuple[Fact, ...]],
    brief: Brief,
    language: Language,
    uses: Counter[object],
    seed: int,
) -> Iterator[_Outline]:
    """Yield every combination of a fact group and an opening; the least used come first."""
    tone = select_tone(split_words(brief.tone))

    def shuffle_key(*pieces: str) -> str:
        """Return a sort key that looks random, but depends only on the seed and the pieces."""
        return hashlib.sha256("\0".join([str(seed), *pieces]).encode()).hexdigest()

    by_use = sorted(
        groups,
        key=lambda group: (
            uses[group[0]],
            uses[group],
            -len(group),
            shuffle_key(*(fact.id for fact in group)),
        ),
    )
    openings = sorted(
        language.openings[tone], key=lambda opening: (uses[opening], shuffle_key(opening))
    )
    for group in by_use:
        for opening in openings:
            if _opening_fits(opening, group, language):
                yield _Outline(group, opening)


def _opening_fits(opening: str, group: tuple[Fact, ...], language: Language) -> bool:
    # A pair has no opening, because the opening would seem to introduce the second sentence too.
    return not opening or (len(group) == 1 and is_statement(group[0].text, language))


def _find_valid_draft(outline: _Outline, brief: Brief, language: Language) -> Draft | None:
    # The label contains the topic, which may be too long, or may have a number or a word to avoid.
    # In that case the draft is tried again with a link that has no label.
    for label in dict.fromkeys([language.link_label, ""]):
        draft = _compose_draft(outline, label, brief, language)
        # The length is checked first: most invalid drafts are too long, and checking the other
        # rules takes a hundred times as long.
        if draft.weighted_length < DRAFT_LIMIT and not validate_draft(draft, brief):
            return draft
    return None


def _compose_draft(outline: _Outline, label: str, brief: Brief, language: Language) -> Draft:
    sentences = [end_sentence(fact.text, language) for fact in outline.facts]
    if outline.opening:
        sentences = [continue_sentence(sentence, language) for sentence in sentences]
    else:
        sentences = [capitalize(sentence) for sentence in sentences]
    last_lines = []
    if brief.link:
        last_lines.append(label.format(topic=capitalize(brief.topic)) + brief.link)
    if brief.tags:
        last_lines.append(" ".join(f"#{tag}" for tag in brief.tags))
    body = outline.opening + language.separator.join(sentences)
    text = "\n\n".join([body, "\n".join(last_lines)]) if last_lines else body
    weight = weigh(text)
    return Draft(weight.text, tuple(fact.id for fact in outline.facts), weight.weighted_length)


def _too_few_drafts(brief: Brief, usable_facts: int, composed: int) -> BriefInvalid:
    if not usable_facts:
        return BriefInvalid(
            "facts: no fact can be used. Each fact contains a word to avoid, or is too long with "
            "the link and tags.",
            next="Shorten a fact, or remove a word from `avoid`.",
            fields=["facts"],
        )
    return BriefInvalid(
        f"n: The brief asks for {format_count(brief.n, 'draft')}, but {usable_facts} of"
        f" {format_count(len(brief.facts), 'fact')} can be used and give only {composed}.",
        next=f"Add facts, or set n to {composed}.",
        fields=["n"],
    )
