"""Composes drafts from a brief without a language model, from facts and fixed phrases.

Two facts are in one draft only if the brief says that the second follows the first. The same brief
and seed give the same drafts on every machine.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from roost.agents.assembly import join_sentences
from roost.agents.brief import Brief, Draft, Fact
from roost.agents.languages import Language, select_language, select_tone
from roost.agents.quantities import extract_quantities
from roost.agents.sentences import capitalize, continue_sentence, end_sentence, is_statement
from roost.agents.validators import is_valid
from roost.agents.validators.candidate import Candidate, Context
from roost.agents.words import split_words
from roost.agents.written import CitedSentence
from roost.errors import BriefInvalid
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
    context = Context(brief.model_copy(update={"form": "post"}))
    language = select_language(brief.language)
    choices = [each for each in _list_choices(brief) if _is_usable(each, context, language)]
    uses: Counter[object] = Counter()
    tried: set[_Frame] = set()
    drafts: dict[str, Draft] = {}
    while len(drafts) < brief.n:
        for frame in _list_frames(choices, brief, language, uses, seed):
            if frame in tried:
                continue
            tried.add(frame)
            candidate = _find_valid(frame, context, language)
            if candidate is not None and candidate.parts[0] not in drafts:
                break
        else:
            usable_facts = {fact.id for choice in choices for fact in choice}
            raise _too_few_drafts(brief, len(usable_facts), len(drafts))
        ids = tuple(fact.id for fact in frame.facts)
        weight = weigh(candidate.parts[0])
        drafts[candidate.parts[0]] = Draft(weight.text, ids, weight.weighted_length)
        uses.update([frame.facts[0], frame.facts, frame.opening])
    return list(drafts.values())


def compose_candidates(context: Context, *, seed: int = 0) -> Iterator[Candidate]:
    """Yield valid drafts until no more can be made; no draft states the facts of another.

    What `context` counts as released between two drafts is taken into account.
    """
    brief, language = context.brief, select_language(context.brief.language)
    if brief.form == "thread":
        yield from _compose_threads(context, language, seed)
        return
    uses: Counter[object] = Counter()
    choices = _list_choices(brief)
    stated = {
        fact_id
        for candidate in context.accepted
        for sentence in candidate.sentences
        for fact_id in sentence.fact_ids
    }
    # Facts that no draft of the batch states come first.
    uses.update(choice[0] for choice in choices if choice[0].id in stated)
    while choices:
        for frame in _list_frames(choices, brief, language, uses, seed):
            candidate = _find_valid(frame, context, language)
            if candidate is not None:
                break
        else:
            return
        yield candidate
        # A fact beside a pair that contains the fact is no new draft.
        choices = [each for each in choices if each[0] != frame.facts[0]]
        uses.update([frame.opening])


def _compose_threads(context: Context, language: Language, seed: int) -> Iterator[Candidate]:
    """Yield threads of different facts; each part is a fact, or a fact and one that follows."""
    brief = context.brief
    frames = [
        _Frame(choice, "")
        for choice in {
            frame.facts[0]: frame.facts
            for frame in reversed(
                list(_list_frames(_list_choices(brief), brief, language, Counter(), seed))
            )
        }.values()
    ]
    length = _thread_length(len(frames), brief.n)
    while len(frames) >= length:
        chosen, frames = frames[:length], frames[length:]
        for label in _list_labels(brief, language):
            parts = [
                _compose(
                    frame,
                    label,
                    brief,
                    language,
                    has_tail=(index == 0, index == length - 1),
                )
                for index, frame in enumerate(chosen)
            ]
            candidate = _join_parts(parts)
            if is_valid(candidate, context):
                yield candidate
                break


def _thread_length(facts: int, drafts: int) -> int:
    """Return the number of parts with which the facts give the most threads that are long."""
    return max(2, min(4, facts // max(1, drafts)))


def _join_parts(parts: list[Candidate]) -> Candidate:
    texts, sentences = [], []
    for index, part in enumerate(parts):
        texts.append(part.parts[0])
        sentences += [CitedSentence(index, each.text, each.fact_ids) for each in part.sentences]
    return Candidate(tuple(texts), tuple(sentences))


def _list_choices(brief: Brief) -> list[tuple[Fact, ...]]:
    """Return the facts and pairs of facts that a draft may state, and nothing else."""
    leads = {fact.id: fact for fact in brief.facts if fact.follows is None}
    pairs = [(leads[fact.follows], fact) for fact in brief.facts if fact.follows is not None]
    return [*((fact,) for fact in leads.values()), *pairs]


def _is_usable(choice: tuple[Fact, ...], context: Context, language: Language) -> bool:
    frames = _list_frames([choice], context.brief, language, Counter(), 0)
    return any(_find_valid(frame, context, language) for frame in frames)


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


def _find_valid(frame: _Frame, context: Context, language: Language) -> Candidate | None:
    brief = context.brief
    for label in _list_labels(brief, language):
        candidate = _compose(frame, label, brief, language, has_tail=(True, True))
        if is_valid(candidate, context):
            return candidate
    return None


def _list_labels(brief: Brief, language: Language) -> list[str]:
    """Return what can stand before the link, the best first."""
    action = brief.call_to_action.rstrip(".!。！ ")
    if action:
        return [f"{action}{language.colon}", ""]
    # The topic may be long, or have a number or a word to avoid. Then the link has no label.
    if brief.link and not extract_quantities(brief.topic, None):
        return [language.link_label.format(topic=capitalize(brief.topic)), ""]
    return [""]


def _compose(
    frame: _Frame, label: str, brief: Brief, language: Language, *, has_tail: tuple[bool, bool]
) -> Candidate:
    """Return a part; `has_tail` says whether it has the disclaimer, and the link and tags."""
    texts = [end_sentence(fact.text, language) for fact in frame.facts]
    if frame.opening:
        texts = [continue_sentence(text, language) for text in texts]
        texts[0] = frame.opening + texts[0]
    else:
        texts = [capitalize(text) for text in texts]
    sentences = [
        CitedSentence(0, text, (fact.id,)) for text, fact in zip(texts, frame.facts, strict=True)
    ]
    last_lines = []
    if has_tail[0] and brief.compliance.disclaimer:
        last_lines.append(brief.compliance.disclaimer)
    if has_tail[1]:
        if brief.link and brief.link_rule != "none":
            last_lines.append(label + brief.link)
        elif label and brief.call_to_action:
            last_lines.append(brief.call_to_action)
        if label and brief.call_to_action:
            action = last_lines[-1].removesuffix(brief.link or "").rstrip()
            sentences.append(CitedSentence(0, action, ()))
        if brief.tags:
            last_lines.append(" ".join(f"#{tag}" for tag in brief.tags))
    parts = filter(None, [join_sentences(texts, brief), "\n".join(last_lines)])
    return Candidate(("\n\n".join(parts),), tuple(sentences))


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
