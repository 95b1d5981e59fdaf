"""Composes drafts from the facts of a brief and fixed phrases, without a language model.

A draft contains two facts only if the brief says that the second fact follows the first. The same
brief and seed give the same drafts on every machine.
"""

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

from roost.agents.assembly import join_sentences
from roost.agents.brief import Brief, Draft, Fact
from roost.agents.languages import Language, select_language, select_tone
from roost.agents.quantities import extract_quantities
from roost.agents.sentences import capitalize, continue_sentence, end_sentence, is_statement
from roost.agents.validators import is_valid
from roost.agents.validators.candidate import Candidate, Context
from roost.agents.validators.length import FEWEST_PARTS
from roost.agents.words import split_words
from roost.agents.written import CitedSentence
from roost.errors import BriefInvalid
from roost.formats import format_count
from roost.text import weigh

#: The most combinations of facts that are tried for one thread of a length.
_MOST_CHOICES: Final = 200


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
    context = Context(brief.model_copy(update={"form": "post"}))
    language = select_language(brief.language)
    groups = [each for each in _list_fact_groups(brief) if _is_usable(each, context, language)]
    uses: Counter[object] = Counter()
    tried: set[_Outline] = set()
    drafts: dict[str, Draft] = {}
    while len(drafts) < brief.n:
        for outline in _list_outlines(groups, brief, language, uses, seed):
            if outline in tried:
                continue
            tried.add(outline)
            candidate = _find_valid(outline, context, language)
            if candidate is not None and candidate.parts[0] not in drafts:
                break
        else:
            usable_facts = {fact.id for group in groups for fact in group}
            raise _too_few_drafts(brief, len(usable_facts), len(drafts))
        ids = tuple(fact.id for fact in outline.facts)
        weight = weigh(candidate.parts[0])
        drafts[candidate.parts[0]] = Draft(weight.text, ids, weight.weighted_length)
        uses.update([outline.facts[0], outline.facts, outline.opening])
    return list(drafts.values())


def compose_candidates(context: Context, *, seed: int = 0) -> Iterator[Candidate]:
    """Yield valid drafts until no more can be made; no post states the facts of another.

    What `context` counts as released between two drafts is taken into account.
    """
    brief, language = context.brief, select_language(context.brief.language)
    if brief.form == "thread":
        yield from _compose_threads(context, language, seed)
        return
    uses: Counter[object] = Counter()
    groups = _list_fact_groups(brief)
    stated = {
        fact_id
        for candidate in context.accepted
        for sentence in candidate.sentences
        for fact_id in sentence.fact_ids
    }
    # Facts that no draft of the batch states come first.
    uses.update(group[0] for group in groups if group[0].id in stated)
    while groups:
        for outline in _list_outlines(groups, brief, language, uses, seed):
            candidate = _find_valid(outline, context, language)
            if candidate is not None:
                break
        else:
            return
        yield candidate
        # A fact beside a pair that contains the fact is no new draft.
        groups = [each for each in groups if each[0] != outline.facts[0]]
        uses.update([outline.opening])


def _compose_threads(context: Context, language: Language, seed: int) -> Iterator[Candidate]:
    """Yield threads; each part is a fact, or a fact and one that follows.

    The facts take turns, and two threads have at most half of their facts in common.
    """
    brief = context.brief
    outlines = _list_thread_outlines(context, language, seed)
    threads: list[tuple[_Outline, ...]] = []
    longest = _thread_length(len(outlines), brief.n)
    while True:
        uses = Counter(outline for thread in threads for outline in thread)
        by_use = sorted(outlines, key=lambda outline: uses[outline])
        choices = (
            choice
            for length in range(longest, FEWEST_PARTS - 1, -1)
            for choice in itertools.islice(itertools.combinations(by_use, length), _MOST_CHOICES)
            if all(_share_few(choice, thread) for thread in threads)
        )
        for choice in choices:
            candidate = _find_valid_thread(choice, context, language)
            if candidate is not None:
                break
        else:
            return
        yield candidate
        threads.append(choice)


def _list_thread_outlines(context: Context, language: Language, seed: int) -> list[_Outline]:
    """Return one outline for each possible first fact; those that make a valid post come first."""
    groups = _list_fact_groups(context.brief)
    by_first_fact: dict[Fact, _Outline] = {}
    for outline in _list_outlines(groups, context.brief, language, Counter(), seed):
        by_first_fact.setdefault(outline.facts[0], _Outline(outline.facts, ""))
    post = Context(
        context.brief.model_copy(update={"form": "post"}), recent_posts=context.recent_posts
    )
    return sorted(
        by_first_fact.values(), key=lambda outline: _find_valid(outline, post, language) is None
    )


def _share_few(one: tuple[_Outline, ...], other: tuple[_Outline, ...]) -> bool:
    return 2 * len({*one} & {*other}) <= min(len(one), len(other))


def _find_valid_thread(
    outlines: tuple[_Outline, ...], context: Context, language: Language
) -> Candidate | None:
    last = len(outlines) - 1
    for label in _list_labels(context.brief, language):
        parts = [
            _compose(outline, label, context.brief, language, has_tail=(not index, index == last))
            for index, outline in enumerate(outlines)
        ]
        candidate = _join_parts(parts)
        if is_valid(candidate, context):
            return candidate
    return None


def _thread_length(facts: int, drafts: int) -> int:
    """Return the number of parts with which the facts give the most threads that are long."""
    return max(FEWEST_PARTS, min(4, facts // max(1, drafts)))


def _join_parts(parts: list[Candidate]) -> Candidate:
    texts, sentences = [], []
    for index, part in enumerate(parts):
        texts.append(part.parts[0])
        sentences += [CitedSentence(index, each.text, each.fact_ids) for each in part.sentences]
    return Candidate(tuple(texts), tuple(sentences))


def _list_fact_groups(brief: Brief) -> list[tuple[Fact, ...]]:
    """Return every group of facts that one draft may state: single facts, and pairs of facts."""
    leads = {fact.id: fact for fact in brief.facts if fact.follows is None}
    pairs = [(leads[fact.follows], fact) for fact in brief.facts if fact.follows is not None]
    return [*((fact,) for fact in leads.values()), *pairs]


def _is_usable(group: tuple[Fact, ...], context: Context, language: Language) -> bool:
    outlines = _list_outlines([group], context.brief, language, Counter(), 0)
    return any(_find_valid(outline, context, language) for outline in outlines)


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


def _find_valid(outline: _Outline, context: Context, language: Language) -> Candidate | None:
    brief = context.brief
    for label in _list_labels(brief, language):
        candidate = _compose(outline, label, brief, language, has_tail=(True, True))
        if is_valid(candidate, context):
            return candidate
    return None


def _list_labels(brief: Brief, language: Language) -> list[str]:
    """Return what can stand before the link, the best first."""
    action = brief.call_to_action.rstrip(".!。！ ")
    if action:
        return [f"{action}{language.colon}", ""]
    # The label contains the topic, which may be too long, or may have a number or a word to avoid.
    # In that case the draft is tried again with a link that has no label.
    if brief.link and not extract_quantities(brief.topic, None):
        return [language.link_label.format(topic=capitalize(brief.topic)), ""]
    return [""]


def _compose(
    outline: _Outline, label: str, brief: Brief, language: Language, *, has_tail: tuple[bool, bool]
) -> Candidate:
    """Return a part; `has_tail` says whether it has the disclaimer, and the link and tags."""
    texts = [end_sentence(fact.text, language) for fact in outline.facts]
    if outline.opening:
        texts = [continue_sentence(text, language) for text in texts]
        texts[0] = outline.opening + texts[0]
    else:
        texts = [capitalize(text) for text in texts]
    sentences = [
        CitedSentence(0, text, (fact.id,)) for text, fact in zip(texts, outline.facts, strict=True)
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
