"""Whether a draft says what its brief says and nothing else; every rule at once.

Whoever drafted it, a composer or a model, is not trusted: link, tags and numbers have to be the
brief's own, and no word may come from elsewhere (an example post, or a validator's complaint).
"""

import functools
import re
from collections.abc import Iterator
from string import Formatter
from typing import Final

from roost.agents.brief import Brief, Draft
from roost.agents.languages import find_language
from roost.agents.quantities import quantities
from roost.agents.words import folded, is_made_of, occurs, words
from roost.models import Violation
from roost.text import Entities, entities, weigh

#: A draft weighs less than this, so that an editor has room.
DRAFT_LIMIT: Final = 240
#: How many words after a `not` it may deny.
_SCOPE: Final = 3
#: The share of a fact's words below which a draft does not say it.
_SAID: Final = 0.4
_NEGATIONS: Final = frozenset({
    "not", "no", "never", "none", "nothing", "nobody", "without", "cannot", "neither", "nor",
    "nicht", "kein", "keine", "keinen", "keinem", "keiner", "keines", "nie", "niemals", "ohne",
    "nunca", "jamás", "sin", "ningún", "ninguna", "tampoco",
    "pas", "jamais", "sans", "aucun", "aucune", "non",
})  # fmt: skip
_clauses = re.compile(r"[^\w\s'’\-]+").split


def validate(draft: Draft, brief: Brief) -> list[Violation]:
    """Every rule that a draft breaks; only the facts it cites vouch for it."""
    found = entities(draft.text)
    own = _without_fixed(found, brief)
    cited = brief.fact_texts(draft.fact_ids)
    return [
        *_judge_length(draft.text),
        *_judge_citation(draft, brief),
        *_judge_link(found, brief, cited),
        *_judge_tags(found, brief, cited),
        *_judge_mentions(found, cited),
        *_judge_quantities(own, cited),
        *_judge_negation(own, cited),
        *_judge_avoided(draft.text, brief),
        *_judge_words(own, brief),
    ]


@functools.lru_cache(maxsize=8)
def vocabulary(brief: Brief) -> frozenset[str]:
    """Every word that a draft may use: the brief's own, and the phrases of its language."""
    language = find_language(brief.language)
    templates = [
        one
        for phrases in (*language.openings.values(), *language.closings.values())
        for one in phrases
    ]
    phrases = [literal for one in templates for literal, *_ in Formatter().parse(one)]
    facts = [fact.text for fact in brief.facts]
    return frozenset(words(" ".join([*facts, brief.topic, brief.audience, *phrases])))


def _judge_length(text: str) -> Iterator[Violation]:
    length = weigh(text).weighted_length
    if length >= DRAFT_LIMIT:
        yield Violation(
            "text_too_long",
            f"The draft has {length} characters as X counts them; {DRAFT_LIMIT - 1} is the most.",
            limit=DRAFT_LIMIT - 1,
            found=length,
            next="Say less.",
        )


def _judge_citation(draft: Draft, brief: Brief) -> Iterator[Violation]:
    if not draft.fact_ids:
        yield Violation("fact_missing", "The draft cites no fact.", next="Say one, and cite it.")
    texts = {fact.id: fact.text for fact in brief.facts}
    said = folded(draft.text)
    for name in draft.fact_ids:
        if name not in texts:
            yield Violation(
                "fact_unknown",
                f"The brief has no fact {name!r}.",
                found=name,
                next=f"Cite one of {', '.join(texts)}.",
            )
        elif not _says(said, texts[name]):
            yield Violation(
                "fact_not_said",
                f"The draft cites {name!r} and says nothing of it.",
                found=name,
                next="Say it, or do not cite it.",
            )


def _says(said: str, fact: str) -> bool:
    """Whether a text has a good part of a fact's words; the small ones are in every text."""
    wanted = set(words(fact))
    return sum(word in said for word in wanted) >= len(wanted) * _SAID


def _judge_link(found: Entities, brief: Brief, cited: list[str]) -> Iterator[Violation]:
    urls = [one.value for one in found.urls]
    if brief.link and brief.link not in urls:
        yield Violation(
            "link_missing",
            "The brief's link does not stand in the draft exactly as it is.",
            limit=brief.link,
            next="Leave the link to code.",
        )
    known = {brief.link, *(one.value for text in cited for one in entities(text).urls)}
    yield from _invented("url_invented", "links to", [one for one in urls if one not in known])


def _judge_tags(found: Entities, brief: Brief, cited: list[str]) -> Iterator[Violation]:
    tags = [one.value for one in found.hashtags]
    missing = [f"#{one}" for one in brief.tags if one not in tags]
    if missing:
        yield Violation(
            "tag_missing",
            f"{', '.join(missing)} does not stand in the draft exactly so.",
            limit=", ".join(missing),
            next="Leave the tags to code.",
        )
    known = {*brief.tags, *(one.value for text in cited for one in entities(text).hashtags)}
    invented = [f"#{one}" for one in tags if one not in known]
    yield from _invented("hashtag_invented", "is tagged", invented)


def _judge_mentions(found: Entities, cited: list[str]) -> Iterator[Violation]:
    facts = [entities(text) for text in cited]
    known = {one.value.lower() for fact in facts for one in fact.mentions}
    strangers = [f"@{one.value}" for one in found.mentions if one.value.lower() not in known]
    yield from _invented("mention_invented", "mentions", strangers)
    known = {one.value for fact in facts for one in fact.cashtags}
    strangers = [f"${one.value}" for one in found.cashtags if one.value not in known]
    yield from _invented("cashtag_invented", "is tagged", strangers)
    if len(found.cashtags) > 1:
        yield Violation(
            "too_many_cashtags",
            f"The draft has {len(found.cashtags)} cashtags; X takes one.",
            limit=1,
            found=len(found.cashtags),
            next="Keep one of them.",
        )
    if any(one.start == 0 for one in found.mentions):
        yield Violation(
            "starts_with_mention",
            "The draft begins with a mention; X shows such a post to few.",
            next="Begin with another word.",
        )


def _invented(code: str, verb: str, values: list[str]) -> Iterator[Violation]:
    if values:
        yield Violation(
            code,
            f"The draft {verb} {', '.join(values)}, which no fact that it cites does.",
            found=", ".join(values),
            next="Take it out.",
        )


def _without_fixed(found: Entities, brief: Brief) -> str:
    """The text but for the brief's link and tags, whose words and digits are no claims."""
    fixed = [one for one in found.urls if one.value == brief.link]
    fixed += [one for one in found.hashtags if one.value in brief.tags]
    text = found.text
    for one in sorted(fixed, key=lambda one: one.start, reverse=True):
        text = text[: one.start] + text[one.end :]
    return text


def _judge_quantities(text: str, cited: list[str]) -> Iterator[Violation]:
    known = {one for fact in cited for one in quantities(fact)}
    invented = sorted(str(one) for one in quantities(text) - known)
    if invented:
        yield Violation(
            "number_not_in_facts",
            f"The draft says {'; '.join(invented)}, which no fact that it cites does.",
            found="; ".join(invented),
            next="Take numbers from a fact, with what they count, and write them alike.",
        )


def _judge_negation(text: str, cited: list[str]) -> Iterator[Violation]:
    """`not free` from a `free` fact, and `free` from a `not free` one."""
    known = {one for fact in cited for one in _statements(fact)}
    turned = sorted(
        word for word, negated in _statements(text) - known if negated or (word, True) in known
    )
    if turned:
        yield Violation(
            "negation_changed",
            f"The draft denies what its facts state, or the other way: {', '.join(turned)}.",
            found=", ".join(turned),
            next="Keep a fact's `not` where it is.",
        )


def _statements(text: str) -> set[tuple[str, bool]]:
    """Every word of a text, and whether one of the words just before it denies it."""
    found = set()
    for clause in (one for line in text.splitlines() for one in _clauses(line)):
        denied = 0
        for word in words(clause):
            if word in _NEGATIONS or word.endswith("n't"):
                denied = _SCOPE
            else:
                found.add((word, denied > 0))
                denied -= 1
    return found


def _judge_avoided(text: str, brief: Brief) -> Iterator[Violation]:
    for phrase in brief.avoid:
        if occurs(phrase, text):
            yield Violation(
                "avoided_word",
                f"The brief avoids {phrase!r}.",
                found=phrase,
                next="Say it in other words of the brief.",
            )


def _judge_words(text: str, brief: Brief) -> Iterator[Violation]:
    known = vocabulary(brief)
    foreign = [one for one in words(text) if not one.isdecimal() and not is_made_of(one, known)]
    if foreign:
        shown = ", ".join(dict.fromkeys(foreign))
        yield Violation(
            "words_not_in_brief",
            f"The draft has words that neither the brief nor the language's phrases have: {shown}.",
            found=shown,
            next="Write in the words of the brief.",
        )
