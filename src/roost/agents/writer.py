"""Drafts posts from a brief without any model: facts word for word, framed and put together.

The same brief and seed give the same drafts on every machine.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from itertools import permutations
from typing import Final, NamedTuple

from roost.agents.brief import Brief, Draft, Fact, read_brief
from roost.agents.languages import Language, find_language, find_tone
from roost.agents.validators import DRAFT_LIMIT, validate
from roost.agents.words import words
from roost.errors import BriefInvalid
from roost.text import weigh

__all__ = ["Brief", "Draft", "Fact", "compose", "read_brief"]

_MOST_FACTS: Final = 2
_ENDS: Final = ".!?…。！？"
_CLOSERS: Final = "\"'”’»)]」』"
_SYMBOLS: Final = "%‰°€$£¥"


class _Frame(NamedTuple):
    """One way to say some facts."""

    facts: tuple[Fact, ...]
    opening: str
    closing: str


def compose(brief: Brief, *, seed: int = 0) -> list[Draft]:
    """Write the brief's `n` drafts, each of one or two facts, all different and all valid.

    Every fact leads a draft before one leads a second. Raises: BriefInvalid where the facts do
    not give so many drafts that are short enough and hold no word to avoid.
    """
    language = find_language(brief.language)
    facts = [fact for fact in brief.facts if _can_be_said(fact, brief, language)]
    uses: Counter[object] = Counter()
    tried: set[_Frame] = set()
    drafts: dict[str, Draft] = {}
    while len(drafts) < brief.n:
        for frame in _frames(facts, brief, language, uses, seed):
            if frame in tried:
                continue
            tried.add(frame)
            draft = _draft(frame, brief, language)
            if draft.text not in drafts and _is_valid(draft, brief):
                break
        else:
            raise _too_few(brief, len(facts), len(drafts))
        drafts[draft.text] = draft
        uses.update(_marks(frame))
    return list(drafts.values())


def _is_valid(draft: Draft, brief: Brief) -> bool:
    # Most of what fails is too long; the other rules cost a hundred times as much to ask.
    return draft.weighted_length < DRAFT_LIMIT and not validate(draft, brief)


def _can_be_said(fact: Fact, brief: Brief, language: Language) -> bool:
    return any(
        _is_valid(_draft(frame, brief, language), brief)
        for frame in _frames([fact], brief, language, Counter(), 0)
    )


def _frames(
    facts: list[Fact], brief: Brief, language: Language, uses: Counter[object], seed: int
) -> Iterator[_Frame]:
    """Every way to say something, those first whose pieces were used least."""
    tone = find_tone(words(brief.tone))

    def order(*pieces: str) -> str:
        return hashlib.sha256("\0".join([str(seed), *pieces]).encode()).hexdigest()

    chosen = [one for size in range(1, _MOST_FACTS + 1) for one in permutations(facts, size)]
    chosen.sort(
        key=lambda some: (
            uses[some[0]],
            uses[len(some)],
            uses[frozenset(some)],
            order(*(fact.id for fact in some)),
        )
    )
    openings = [one for one in language.openings[tone] if brief.audience or "{audience}" not in one]
    openings.sort(key=lambda one: (uses["opening", one], order(one)))
    closings = list(language.closings[tone]) if brief.link else [""]
    closings.sort(key=lambda one: (uses["closing", one], order(one)))
    for some in chosen:
        for opening in openings:
            for closing in closings:
                yield _Frame(some, opening, closing)


def _marks(frame: _Frame) -> list[object]:
    """What a later draft should use less."""
    return [
        frame.facts[0],
        len(frame.facts),
        frozenset(frame.facts),
        ("opening", frame.opening),
        ("closing", frame.closing),
    ]


def _draft(frame: _Frame, brief: Brief, language: Language) -> Draft:
    opening = frame.opening.format(
        topic=brief.topic, Topic=_capitalised(brief.topic), audience=brief.audience
    )
    said = [_ended(fact.text, language) for fact in frame.facts]
    # After a colon one fact goes on as it is; anywhere else it begins a sentence.
    goes_on = len(said) == 1 and opening.rstrip().endswith((":", "：", "、"))
    said = [said[0] if goes_on else _capitalised(said[0]), *map(_capitalised, said[1:])]
    last = [frame.closing + brief.link] if brief.link else []
    last += [" ".join(f"#{tag}" for tag in brief.tags)] if brief.tags else []
    body = opening + language.blank.join(said)
    text = "\n\n".join([body, "\n".join(last)]) if last else body
    weight = weigh(text)
    return Draft(weight.text, tuple(fact.id for fact in frame.facts), weight.weighted_length)


def _capitalised(text: str) -> str:
    """With a capital, unless the first word has a spelling of its own (`iPhone`)."""
    first = text.partition(" ")[0]
    return text[:1].upper() + text[1:] if first.islower() and first.isalpha() else text


def _ended(text: str, language: Language) -> str:
    """As a sentence: with a full stop, unless it ends in a sign of its own."""
    last = text.rstrip(_CLOSERS)[-1:]
    if last in _ENDS or not (last.isalnum() or last in _SYMBOLS):
        return text
    return text + language.full_stop


def _too_few(brief: Brief, sayable: int, made: int) -> BriefInvalid:
    if not sayable:
        return BriefInvalid(
            "facts: not one can be said: with link and tags each is too long, or it holds a word "
            "to avoid.",
            next="Shorten a fact, or take a word out of `avoid`.",
            fields=["facts"],
        )
    return BriefInvalid(
        f"n: {brief.n} drafts are asked for; of {len(brief.facts)} facts {sayable} can be said "
        f"and give {made}.",
        next=f"Add facts, or set n to {made}.",
        fields=["n"],
    )
