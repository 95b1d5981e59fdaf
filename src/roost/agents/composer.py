"""Composes drafts from the facts of a brief, without a language model.

Each draft says what it is about: the draft begins with the topic, unless its facts name the topic.
A draft contains two facts only if the brief says that the second fact follows the first. The same
brief and seed give the same drafts on every machine.
"""

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Final

from roost.agents.assembly import join_sentences
from roost.agents.brief import Brief, Draft, Fact
from roost.agents.languages import select_language
from roost.agents.references import find_reference
from roost.agents.sentences import capitalize, end_sentence
from roost.agents.topics import denies, is_about_topic, name_topic, names_topic, suits_topic
from roost.agents.validators import is_valid
from roost.agents.validators.candidate import Candidate, Context
from roost.agents.validators.length import FEWEST_PARTS
from roost.agents.written import CitedSentence
from roost.errors import BriefInvalid
from roost.formats import format_count
from roost.text import weigh

#: The most combinations of facts that are tried for each number of parts of a thread.
_MOST_CHOICES: Final = 200


Group = tuple[Fact, ...]
"""The facts of one draft: one fact, or two of which the second follows the first."""


def compose_drafts(brief: Brief, *, seed: int = 0) -> list[Draft]:
    """Compose the `n` drafts that a brief asks for; all drafts are different and valid.

    Each fact that can begin a draft begins one draft before any of them begins a second draft.

    Raises: BriefInvalid if the facts yield fewer than `n` valid drafts. A valid draft makes sense
    alone, is short enough and contains no word to avoid.
    """
    context = Context(brief.model_copy(update={"form": "post"}))
    drafts: dict[str, Draft] = {}
    usable_facts: set[str] = set()
    for group in _list_groups(brief, seed):
        candidate = _find_valid(group, context)
        if candidate is None:
            continue
        ids = tuple(fact.id for fact in group)
        usable_facts.update(ids)
        weight = weigh(candidate.parts[0])
        drafts.setdefault(candidate.parts[0], Draft(weight.text, ids, weight.weighted_length))
    if len(drafts) < brief.n:
        raise _too_few_drafts(brief, len(usable_facts), len(drafts))
    return list(drafts.values())[: brief.n]


def compose_candidates(context: Context, *, seed: int = 0) -> Iterator[Candidate]:
    """Yield valid drafts until no more can be composed; no two single posts share a fact.

    The caller may add a draft to `context.accepted` before it asks for the next draft. The next
    draft is then compared with that draft too.
    """
    if context.brief.form == "thread":
        yield from _compose_threads(context, seed)
        return
    stated = {
        fact_id
        for candidate in context.accepted
        for sentence in candidate.sentences
        for fact_id in sentence.fact_ids
    }
    groups = _list_groups(context.brief, seed)
    first_facts: set[Fact] = set()
    # Groups whose first fact is not yet in an accepted draft come first.
    for group in sorted(groups, key=lambda group: group[0].id in stated):
        # A draft that begins with this fact was already yielded; another one would repeat the fact.
        if group[0] in first_facts:
            continue
        candidate = _find_valid(group, context)
        if candidate is not None:
            first_facts.add(group[0])
            yield candidate


def _compose_threads(context: Context, seed: int) -> Iterator[Candidate]:
    """Yield valid threads; each part states one fact, or a fact and the one that follows it.

    The facts that earlier threads use least are tried first. Two threads have at most half of
    their groups of facts in common.
    """
    groups = _list_thread_groups(context, seed)
    threads: list[tuple[Group, ...]] = []
    longest = _thread_length(len(groups), context.brief.n)
    while True:
        uses = Counter(group for thread in threads for group in thread)
        by_use = sorted(groups, key=lambda group: uses[group])
        choices = (
            choice
            for length in range(longest, FEWEST_PARTS - 1, -1)
            for choice in itertools.islice(itertools.combinations(by_use, length), _MOST_CHOICES)
            if all(_share_few(choice, thread) for thread in threads)
        )
        for choice in choices:
            candidate = _find_valid_thread(choice, context)
            if candidate is not None:
                break
        else:
            return
        yield candidate
        threads.append(choice)


def _list_thread_groups(context: Context, seed: int) -> list[Group]:
    """Return one group of facts for each fact that can begin a part of a thread.

    Groups that are valid as a single post come first.
    """
    by_first_fact: dict[Fact, Group] = {}
    for group in _list_groups(context.brief, seed):
        by_first_fact.setdefault(group[0], group)
    post = Context(
        context.brief.model_copy(update={"form": "post"}), recent_posts=context.recent_posts
    )
    return sorted(by_first_fact.values(), key=lambda group: _find_valid(group, post) is None)


def _share_few(one: tuple[Group, ...], other: tuple[Group, ...]) -> bool:
    return 2 * len({*one} & {*other}) <= min(len(one), len(other))


def _find_valid_thread(groups: tuple[Group, ...], context: Context) -> Candidate | None:
    last = len(groups) - 1
    for action in _list_actions(context.brief):
        parts = [
            _compose(group, action, context.brief, is_first=not index, is_last=index == last)
            for index, group in enumerate(groups)
        ]
        candidate = _join_parts(parts)
        if is_valid(candidate, context):
            return candidate
    return None


def _thread_length(facts: int, drafts: int) -> int:
    """Return how many parts, 2 to 4, each thread has if the threads share the facts evenly."""
    return max(FEWEST_PARTS, min(4, facts // max(1, drafts)))


def _join_parts(parts: list[Candidate]) -> Candidate:
    texts, sentences = [], []
    for index, part in enumerate(parts):
        texts.append(part.parts[0])
        sentences += [CitedSentence(index, each.text, each.fact_ids) for each in part.sentences]
    return Candidate(tuple(texts), tuple(sentences))


def _list_groups(brief: Brief, seed: int) -> list[Group]:
    """Return every group of facts that one draft may state, in the order to try them.

    A fact that makes no sense alone is only in a group with the fact that it follows.
    """
    leads = {fact.id: fact for fact in brief.facts if _stands_alone(fact, brief)}
    pairs = [(leads[fact.follows], fact) for fact in brief.facts if fact.follows in leads]

    def sort_key(group: Group) -> tuple[int, int, str]:
        """Return the sort key: rank, size (pairs first), and a hash of the seed and fact ids."""
        pieces = [str(seed), *(fact.id for fact in group)]
        shuffle_key = hashlib.sha256("\0".join(pieces).encode()).hexdigest()
        return _rank(group, brief), -len(group), shuffle_key

    ordered = sorted([*((fact,) for fact in leads.values()), *pairs], key=sort_key)
    turns: Counter[Fact] = Counter()
    turn_of = dict[Group, int]()
    for group in ordered:
        turn_of[group] = turns[group[0]]
        turns[group[0]] += 1
    return sorted(ordered, key=lambda group: turn_of[group])


def _stands_alone(fact: Fact, brief: Brief) -> bool:
    if fact.follows is not None or find_reference(fact.text, brief.language):
        return False
    # The first fact needs no check: authors of briefs begin with the fact that is the topic itself.
    return fact is brief.facts[0] or suits_topic(fact.text, brief)


def _rank(group: Group, brief: Brief) -> int:
    """Return how well a group of facts suits the brief's topic, from 0 (best) to 4."""
    first = group[0]
    if first is brief.facts[0]:
        return 0
    if denies(first.text, brief):
        return 4
    if names_topic([first.text], brief):
        return 1
    return 2 if is_about_topic(first.text, brief) else 3


def _find_valid(group: Group, context: Context) -> Candidate | None:
    for action in _list_actions(context.brief):
        candidate = _compose(group, action, context.brief, is_first=True, is_last=True)
        if is_valid(candidate, context):
            return candidate
    return None


def _list_actions(brief: Brief) -> list[str]:
    """Return the texts to try before the link: the call to action, if any, then no text."""
    action = brief.call_to_action.rstrip(":： ")
    if not action:
        return [""]
    language = select_language(brief.language)
    # The empty text is tried too, because the call to action can make a draft too long or contain a
    # word to avoid.
    is_sentence = action.endswith(language.sentence_ends)
    return [end_sentence(action, language) if is_sentence else action, ""]


def _compose(
    group: Group, action: str, brief: Brief, *, is_first: bool, is_last: bool
) -> Candidate:
    """Compose one part of a draft from a group of facts.

    The first part contains the topic and the disclaimer. The last part contains the call to action
    (`action`), the link and the hashtags.
    """
    language = select_language(brief.language)
    texts = [end_sentence(fact.text, language) for fact in group]
    is_named = not is_first or names_topic(texts, brief)
    texts = [name_topic(texts[0], brief, is_named=is_named), *map(capitalize, texts[1:])]
    sentences = [
        CitedSentence(0, text, (fact.id,)) for text, fact in zip(texts, group, strict=True)
    ]
    last_lines = []
    if is_first and brief.compliance.disclaimer:
        last_lines.append(brief.compliance.disclaimer)
    if is_last:
        if action:
            sentences.append(CitedSentence(0, action, ()))
        link = brief.link if brief.link_rule != "none" else None
        last_lines.append(" ".join(filter(None, [action, link])))
        last_lines.append(" ".join(f"#{tag}" for tag in brief.tags))
    parts = filter(None, [join_sentences(texts, brief), "\n".join(filter(None, last_lines))])
    return Candidate(("\n\n".join(parts),), tuple(sentences))


def _too_few_drafts(brief: Brief, usable_facts: int, composed: int) -> BriefInvalid:
    if not usable_facts:
        return BriefInvalid(
            "facts: no fact can be used. Each fact refers to another sentence, contains a word to "
            "avoid, or is too long with the topic, the link and the tags.",
            next="Name the subject of each fact, shorten a fact, or remove a word from `avoid`.",
            fields=["facts"],
        )
    return BriefInvalid(
        f"n: The brief asks for {format_count(brief.n, 'draft')}, but {usable_facts} of"
        f" {format_count(len(brief.facts), 'fact')} can be used and give only {composed}.",
        next=f"Add facts, or set n to {composed}.",
        fields=["n"],
    )
