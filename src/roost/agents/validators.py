"""Checks that a draft states only facts of its brief.

All drafts are checked in the same way, whether a composer, a model or a person wrote them. All
words, numbers, tags and links must come from the brief or from the phrases of its language. A word
that comes from an example post or from a validator's message is a violation.
"""

import functools
import re
from collections.abc import Iterator
from typing import Final

from roost.agents.brief import Brief, Draft
from roost.agents.languages import select_language
from roost.agents.quantities import extract_quantities
from roost.agents.words import contains_phrase, fold, is_known_word, split_words
from roost.models import Violation
from roost.text import Entities, extract_entities, weigh

#: A draft must be shorter than this (as X counts characters), so that an editor can add words.
DRAFT_LIMIT: Final = 240
#: A `not` can negate any of this many words after it.
_NEGATION_REACH: Final = 3
#: A draft states a fact if it has at least this share of the fact's words.
_STATED_SHARE: Final = 0.4
_NEGATIONS: Final = frozenset({
    "not", "no", "never", "none", "nothing", "nobody", "without", "cannot", "neither", "nor",
    "nicht", "kein", "keine", "keinen", "keinem", "keiner", "keines", "nie", "niemals", "ohne",
    "nunca", "jamás", "sin", "ningún", "ninguna", "tampoco",
    "pas", "jamais", "sans", "aucun", "aucune", "non",
})  # fmt: skip
_clauses = re.compile(r"[^\w\s'’\-]+").split


def validate_draft(draft: Draft, brief: Brief) -> list[Violation]:
    """Return all violations of the rules; a draft may claim only what its cited facts contain."""
    found = extract_entities(draft.text)
    claims = _without_link_and_tags(found, brief)
    cited = brief.fact_texts(draft.fact_ids)
    return [
        *_check_length(draft.text),
        *_check_citations(draft, brief),
        *_check_links(found, brief, cited),
        *_check_tags(found, brief, cited),
        *_check_mentions(found, cited),
        *_check_quantities(claims, cited),
        *_check_negations(claims, cited),
        *_check_avoided(draft.text, brief),
        *_check_words(claims, brief),
    ]


@functools.lru_cache(maxsize=8)
def _allowed_words(brief: Brief) -> frozenset[str]:
    """Return all words of the brief, and all words of the phrases in its language."""
    language = select_language(brief.language)
    phrases = [opening for openings in language.openings.values() for opening in openings]
    phrases.append(language.link_label.replace("{topic}", " "))
    facts = [fact.text for fact in brief.facts]
    return frozenset(split_words(" ".join([*facts, brief.topic, brief.audience, *phrases])))


def _check_length(text: str) -> Iterator[Violation]:
    length = weigh(text).weighted_length
    if length >= DRAFT_LIMIT:
        yield Violation(
            "text_too_long",
            f"The draft has {length} characters as X counts them; the limit is {DRAFT_LIMIT - 1}.",
            limit=DRAFT_LIMIT - 1,
            found=length,
            next="Shorten it.",
        )


def _check_citations(draft: Draft, brief: Brief) -> Iterator[Violation]:
    if not draft.fact_ids:
        yield Violation(
            "fact_missing", "The draft cites no fact.", next="State a fact and cite it."
        )
    texts = {fact.id: fact.text for fact in brief.facts}
    folded = fold(draft.text)
    for fact_id in draft.fact_ids:
        if fact_id not in texts:
            yield Violation(
                "fact_unknown",
                f"The brief has no fact {fact_id!r}.",
                found=fact_id,
                next=f"Cite one of {', '.join(texts)}.",
            )
        elif not _contains_fact(folded, texts[fact_id]):
            yield Violation(
                "fact_not_said",
                f"The draft cites the fact {fact_id!r} but does not state it.",
                found=fact_id,
                next="State the fact, or do not cite it.",
            )


def _contains_fact(folded: str, fact: str) -> bool:
    """Whether a text in the form of `fold` contains enough words of a fact to state the fact."""
    fact_words = set(split_words(fact))
    return sum(word in folded for word in fact_words) >= len(fact_words) * _STATED_SHARE


def _check_links(found: Entities, brief: Brief, cited: list[str]) -> Iterator[Violation]:
    urls = [url.value for url in found.urls]
    if brief.link and brief.link not in urls:
        yield Violation(
            "link_missing",
            "The draft does not contain the brief's link unchanged.",
            limit=brief.link,
            next="Let the program add the link.",
        )
    allowed = {brief.link, *(url.value for text in cited for url in extract_entities(text).urls)}
    yield from _invented("url_invented", "links to", [url for url in urls if url not in allowed])


def _check_tags(found: Entities, brief: Brief, cited: list[str]) -> Iterator[Violation]:
    tags = [hashtag.value for hashtag in found.hashtags]
    missing = [f"#{tag}" for tag in brief.tags if tag not in tags]
    if missing:
        yield Violation(
            "tag_missing",
            f"The draft does not contain {', '.join(missing)} unchanged.",
            limit=", ".join(missing),
            next="Let the program add the tags.",
        )
    allowed = {
        *brief.tags,
        *(tag.value for text in cited for tag in extract_entities(text).hashtags),
    }
    invented = [f"#{tag}" for tag in tags if tag not in allowed]
    yield from _invented("hashtag_invented", "has the hashtag", invented)


def _check_mentions(found: Entities, cited: list[str]) -> Iterator[Violation]:
    facts = [extract_entities(text) for text in cited]
    users = {mention.value.lower() for fact in facts for mention in fact.mentions}
    invented = [f"@{one.value}" for one in found.mentions if one.value.lower() not in users]
    yield from _invented("mention_invented", "mentions", invented)
    cashtags = {cashtag.value for fact in facts for cashtag in fact.cashtags}
    invented = [f"${one.value}" for one in found.cashtags if one.value not in cashtags]
    yield from _invented("cashtag_invented", "has the cashtag", invented)
    if len(found.cashtags) > 1:
        yield Violation(
            "too_many_cashtags",
            f"The draft has {len(found.cashtags)} cashtags; X accepts one.",
            limit=1,
            found=len(found.cashtags),
            next="Keep one of them.",
        )
    if any(mention.start == 0 for mention in found.mentions):
        yield Violation(
            "starts_with_mention",
            "The draft starts with a mention; X shows such a post to few users.",
            next="Start with another word.",
        )


def _invented(code: str, verb: str, values: list[str]) -> Iterator[Violation]:
    if values:
        yield Violation(
            code,
            f"The draft {verb} {', '.join(values)}, which no cited fact contains.",
            found=", ".join(values),
            next="Remove it.",
        )


def _without_link_and_tags(found: Entities, brief: Brief) -> str:
    """Return the text without the brief's link and tags, whose words and digits are no claims."""
    fixed = [url for url in found.urls if url.value == brief.link]
    fixed += [hashtag for hashtag in found.hashtags if hashtag.value in brief.tags]
    text = found.text
    for entity in sorted(fixed, key=lambda entity: entity.start, reverse=True):
        text = text[: entity.start] + text[entity.end :]
    return text


def _check_quantities(text: str, cited: list[str]) -> Iterator[Violation]:
    allowed = {quantity for fact in cited for quantity in extract_quantities(fact)}
    invented = sorted(str(quantity) for quantity in extract_quantities(text) - allowed)
    if invented:
        yield Violation(
            "number_not_in_facts",
            f"The draft says {'; '.join(invented)}, which no cited fact contains.",
            found="; ".join(invented),
            next="Take each number from a fact with its unit, and write both as in the fact.",
        )


def _check_negations(text: str, cited: list[str]) -> Iterator[Violation]:
    """Find words that are negated in the draft but not in the facts, or in the facts alone."""
    stated = {each for fact in cited for each in _words_with_negation(fact)}
    changed = sorted(
        word
        for word, is_negated in _words_with_negation(text) - stated
        if is_negated or (word, True) in stated
    )
    if changed:
        yield Violation(
            "negation_changed",
            f"The draft negates these words differently from its facts: {', '.join(changed)}.",
            found=", ".join(changed),
            next="Negate the same words as the fact.",
        )


def _words_with_negation(text: str) -> set[tuple[str, bool]]:
    """Return each word of a text, and whether a word shortly before negates it."""
    found = set()
    for clause in (each for line in text.splitlines() for each in _clauses(line)):
        reach = 0
        for word in split_words(clause):
            if word in _NEGATIONS or word.endswith("n't"):
                reach = _NEGATION_REACH
            else:
                found.add((word, reach > 0))
                reach -= 1
    return found


def _check_avoided(text: str, brief: Brief) -> Iterator[Violation]:
    for phrase in brief.avoid:
        if contains_phrase(text, phrase):
            yield Violation(
                "avoided_word",
                f"The draft contains {phrase!r}, which the brief avoids.",
                found=phrase,
                next="Use other words of the brief.",
            )


def _check_words(text: str, brief: Brief) -> Iterator[Violation]:
    allowed = _allowed_words(brief)
    foreign = [
        word
        for word in split_words(text)
        if not word.isdecimal() and not is_known_word(word, allowed)
    ]
    if foreign:
        listed = ", ".join(dict.fromkeys(foreign))
        yield Violation(
            "words_not_in_brief",
            f"These words are neither in the brief nor in the phrases of its language: {listed}.",
            found=listed,
            next="Use the words of the brief.",
        )
