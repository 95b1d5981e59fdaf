"""Composes drafts from a brief without a language model, from facts and fixed phrases.

The same brief and seed give the same drafts on every machine.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from itertools import permutations
from typing import Final, NamedTuple

from roost.agents.brief import Brief, Draft, Fact
from roost.agents.languages import Language, select_language, select_tone
from roost.agents.validators import DRAFT_LIMIT, validate_draft
from roost.agents.words import split_words
from roost.errors import BriefInvalid
from roost.text import weigh

_MAX_FACTS: Final = 2
_SENTENCE_ENDS: Final = ".!?…。！？"
_CLOSING_MARKS: Final = "\"'”’»)]」』"
#: Symbols that may end a sentence before its full stop.
_SYMBOLS: Final = "%‰°€$£¥"


class _Frame(NamedTuple):
    """The facts and phrases of one draft."""

    facts: tuple[Fact, ...]
    opening: str
    closing: str


def compose_drafts(brief: Brief, *, seed: int = 0) -> list[Draft]:
    """Compose the brief's `n` drafts, all different and valid, of one or two facts each.

    No fact begins a second draft before every fact has begun one.

    Raises: BriefInvalid (the facts do not yield `n` drafts that are short enough and contain no
        word to avoid).
    """
    language = select_language(brief.language)
    facts = [fact for fact in brief.facts if _is_usable(fact, brief, language)]
    uses: Counter[object] = Counter()
    tried: set[_Frame] = set()
    drafts: dict[str, Draft] = {}
    while len(drafts) < brief.n:
        for frame in _list_frames(facts, brief, language, uses, seed):
            if frame in tried:
                continue
            tried.add(frame)
            draft = _compose_draft(frame, brief, language)
            if draft.text not in drafts and _is_valid(draft, brief):
                break
        else:
            raise _too_few_drafts(brief, len(facts), len(drafts))
        drafts[draft.text] = draft
        uses.update(_pieces(frame))
    return list(drafts.values())


def _is_valid(draft: Draft, brief: Brief) -> bool:
    # The length is checked first: most invalid drafts are too long, and checking the other rules
    # takes a hundred times as long.
    return draft.weighted_length < DRAFT_LIMIT and not validate_draft(draft, brief)


def _is_usable(fact: Fact, brief: Brief, language: Language) -> bool:
    return any(
        _is_valid(_compose_draft(frame, brief, language), brief)
        for frame in _list_frames([fact], brief, language, Counter(), 0)
    )


def _list_frames(
    facts: list[Fact], brief: Brief, language: Language, uses: Counter[object], seed: int
) -> Iterator[_Frame]:
    """Yield every combination of facts and phrases; the least used pieces come first."""
    tone = select_tone(split_words(brief.tone))

    def shuffled(*pieces: str) -> str:
        """Return a sort key that looks random, but depends only on the seed and the pieces."""
        return hashlib.sha256("\0".join([str(seed), *pieces]).encode()).hexdigest()

    fact_choices = [each for size in range(1, _MAX_FACTS + 1) for each in permutations(facts, size)]
    fact_choices.sort(
        key=lambda choice: (
            uses[choice[0]],
            uses[len(choice)],
            uses[frozenset(choice)],
            shuffled(*(fact.id for fact in choice)),
        )
    )
    openings = [
        opening
        for opening in language.openings[tone]
        if brief.audience or "{audience}" not in opening
    ]
    openings.sort(key=lambda opening: (uses["opening", opening], shuffled(opening)))
    closings = list(language.closings[tone]) if brief.link else [""]
    closings.sort(key=lambda closing: (uses["closing", closing], shuffled(closing)))
    for choice in fact_choices:
        for opening in openings:
            for closing in closings:
                yield _Frame(choice, opening, closing)


def _pieces(frame: _Frame) -> list[object]:
    """Return the facts and phrases of a frame, which later drafts should use less often."""
    return [
        frame.facts[0],
        len(frame.facts),
        frozenset(frame.facts),
        ("opening", frame.opening),
        ("closing", frame.closing),
    ]


def _compose_draft(frame: _Frame, brief: Brief, language: Language) -> Draft:
    opening = frame.opening.format(
        topic=brief.topic, Topic=_capitalize(brief.topic), audience=brief.audience
    )
    sentences = [_end_sentence(fact.text, language) for fact in frame.facts]
    # A single fact after a colon continues the sentence; any other fact begins a new sentence.
    continues = len(sentences) == 1 and opening.rstrip().endswith((":", "：", "、"))
    if not continues:
        sentences = [_capitalize(sentence) for sentence in sentences]
    last_lines = [frame.closing + brief.link] if brief.link else []
    last_lines += [" ".join(f"#{tag}" for tag in brief.tags)] if brief.tags else []
    body = opening + language.separator.join(sentences)
    text = "\n\n".join([body, "\n".join(last_lines)]) if last_lines else body
    weight = weigh(text)
    return Draft(weight.text, tuple(fact.id for fact in frame.facts), weight.weighted_length)


def _capitalize(text: str) -> str:
    """Capitalize a text, unless its first word has a special spelling, such as `iPhone`."""
    first_word = text.partition(" ")[0]
    is_plain = first_word.islower() and first_word.isalpha()
    return text[:1].upper() + text[1:] if is_plain else text


def _end_sentence(text: str, language: Language) -> str:
    """Add a full stop, unless the text already ends with a punctuation mark or a symbol."""
    last = text.rstrip(_CLOSING_MARKS)[-1:]
    if last in _SENTENCE_ENDS or not (last.isalnum() or last in _SYMBOLS):
        return text
    return text + language.full_stop


def _too_few_drafts(brief: Brief, usable_facts: int, composed: int) -> BriefInvalid:
    if not usable_facts:
        return BriefInvalid(
            "facts: no fact can be used. Each one contains a word to avoid, or is too long with "
            "the link and tags.",
            next="Shorten a fact, or remove a word from `avoid`.",
            fields=["facts"],
        )
    return BriefInvalid(
        f"n: {brief.n} drafts are requested, but {usable_facts} of {len(brief.facts)} facts can be "
        f"used and give only {composed}.",
        next=f"Add facts, or set n to {composed}.",
        fields=["n"],
    )
