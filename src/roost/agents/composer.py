"""Composes drafts from a brief without a language model, from facts and fixed phrases.

Two facts are in one draft only if the brief says that the second follows the first. The same brief
and seed give the same drafts on every machine.
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


class _Frame(NamedTuple):
    """The facts of one draft, and the phrase before them."""

    facts: tuple[Fact, ...]
    opening: str


def compose_drafts(brief: Brief, *, seed: int = 0) -> list[Draft]:
    """Compose the brief's `n` drafts, all different and valid, of one fact or of two that follow.

    Every fact that follows no other comes first in a draft before one comes first in a second.

    Raises: BriefInvalid (the facts do not yield `n` drafts that are short enough and contain no
        word to avoid).
    """
    language = select_language(brief.language)
    choices = [each for each in _list_choices(brief) if _is_usable(each, brief, language)]
    uses: Counter[object] = Counter()
    tried: set[_Frame] = set()
    drafts: dict[str, Draft] = {}
    while len(drafts) < brief.n:
        for frame in _list_frames(choices, brief, language, uses, seed):
            if frame in tried:
                continue
            tried.add(frame)
            draft = _find_valid_draft(frame, brief, language)
            if draft is not None and draft.text not in drafts:
                break
        else:
            usable_facts = {fact.id for choice in choices for fact in choice}
            raise _too_few_drafts(brief, len(usable_facts), len(drafts))
        drafts[draft.text] = draft
        uses.update([frame.facts[0], frame.facts, frame.opening])
    return list(drafts.values())


def _list_choices(brief: Brief) -> list[tuple[Fact, ...]]:
    """Return the facts and pairs of facts that a draft may state, and nothing else."""
    leads = {fact.id: fact for fact in brief.facts if fact.follows is None}
    pairs = [(leads[fact.follows], fact) for fact in brief.facts if fact.follows is not None]
    return [*((fact,) for fact in leads.values()), *pairs]


def _is_usable(choice: tuple[Fact, ...], brief: Brief, language: Language) -> bool:
    frames = _list_frames([choice], brief, language, Counter(), 0)
    return any(_find_valid_draft(frame, brief, language) for frame in frames)


def _list_frames(
    choices: list[tuple[Fact, ...]],
    brief: Brief,
    language: Language,
    uses: Counter[object],
    seed: int,
) -> Iterator[_Frame]:
    """Yield every combination of facts and opening, those used least first."""
    tone = select_tone(split_words(brief.tone))

    def shuffled(*pieces: str) -> str:
        """Return a sort key that looks random, but depends only on the seed and the pieces."""
        return hashlib.sha256("\0".join([str(seed), *pieces]).encode()).hexdigest()

    by_use = sorted(
        choices,
        key=lambda choice: (
            uses[choice[0]],
            uses[choice],
            -len(choice),
            shuffled(*(fact.id for fact in choice)),
        ),
    )
    openings = sorted(
        language.openings[tone], key=lambda opening: (uses[opening], shuffled(opening))
    )
    for choice in by_use:
        for opening in openings:
            if _fits(opening, choice, language):
                yield _Frame(choice, opening)


def _fits(opening: str, choice: tuple[Fact, ...], language: Language) -> bool:
    # An opening would cover the second sentence of a pair too.
    return not opening or (len(choice) == 1 and is_statement(choice[0].text, language))


def _find_valid_draft(frame: _Frame, brief: Brief, language: Language) -> Draft | None:
    # The topic may be long, or have a number or a word to avoid. Then the link has no label.
    for label in dict.fromkeys([language.link_label, ""]):
        draft = _compose_draft(frame, label, brief, language)
        # Most invalid drafts are too long, and the other rules take a hundred times as long.
        if draft.weighted_length < DRAFT_LIMIT and not validate_draft(draft, brief):
            return draft
    return None


def _compose_draft(frame: _Frame, label: str, brief: Brief, language: Language) -> Draft:
    sentences = [end_sentence(fact.text, language) for fact in frame.facts]
    if frame.opening:
        sentences = [continue_sentence(sentence, language) for sentence in sentences]
    else:
        sentences = [capitalize(sentence) for sentence in sentences]
    last_lines = []
    if brief.link:
        last_lines.append(label.format(topic=capitalize(brief.topic)) + brief.link)
    if brief.tags:
        last_lines.append(" ".join(f"#{tag}" for tag in brief.tags))
    body = frame.opening + language.separator.join(sentences)
    text = "\n\n".join([body, "\n".join(last_lines)]) if last_lines else body
    weight = weigh(text)
    return Draft(weight.text, tuple(fact.id for fact in frame.facts), weight.weighted_length)


def _too_few_drafts(brief: Brief, usable_facts: int, composed: int) -> BriefInvalid:
    if not usable_facts:
        return BriefInvalid(
            "facts: no fact can be used. Each one contains a word to avoid, or is too long with "
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
