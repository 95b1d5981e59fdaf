"""Checks that a draft repeats no recent post, no other draft, and no part of its own."""

import functools
import re
from collections.abc import Iterator
from typing import Final

from roost.agents.terms import fold_quotes
from roost.agents.validators.candidate import Candidate, Context, find_entities

#: Two texts are near-duplicates if they share more than this fraction of all their passages of four
#: characters.
_MOST_SHARED: Final = 0.6
#: A text repeats a longer text if more than this fraction of its own passages are in the longer
#: text.
_MOST_CONTAINED: Final = 0.85
#: A text with fewer passages is too short to be recognized inside a longer text.
_FEWEST_GRAMS: Final = 20
_GRAM: Final = 4


def check_recent(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find parts that resemble a recent post of the tenant, on any account."""
    posts = [_without_action(post, context) for post in context.recent_posts]
    for body in _list_bodies(candidate):
        if any(is_near_duplicate(body, post) for post in posts):
            yield "E-DUPLICATE: of a recent post"


def check_variants(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find a draft that resembles another draft of the batch, and parts that are alike."""
    bodies = _list_bodies(candidate)
    for other in context.accepted:
        if is_near_duplicate("\n".join(bodies), "\n".join(_list_bodies(other))):
            yield "E-DUPLICATE: of another draft"
    for index, body in enumerate(bodies):
        if any(is_near_duplicate(body, other) for other in bodies[:index]):
            yield "E-DUPLICATE: of another part"


def _without_action(post: str, context: Context) -> str:
    """Return a post without the brief's call to action."""
    action = context.brief.call_to_action
    return re.sub(re.escape(fold_quotes(action)), " ", fold_quotes(post)) if action else post


def _list_bodies(candidate: Candidate) -> list[str]:
    """Return, for each part, the text of its sentences that cite facts.

    Other sentences may repeat, such as the call to action.
    """
    bodies = [
        " ".join(s.text for s in candidate.sentences if s.part == index and s.fact_ids)
        for index in range(len(candidate.parts))
    ]
    return [body for body in bodies if body]


def is_near_duplicate(one: str, other: str) -> bool:
    """Whether two texts are almost the same, or one contains almost all of the other.

    Links, hashtags and mentions do not count.
    """
    shorter, longer = sorted((_grams(one), _grams(other)), key=len)
    if not shorter:
        return not longer
    shared = len(shorter & longer)
    if shared > _MOST_SHARED * len(shorter | longer):
        return True
    return len(shorter) >= _FEWEST_GRAMS and shared > _MOST_CONTAINED * len(shorter)


@functools.lru_cache(maxsize=2048)
def _grams(text: str) -> frozenset[str]:
    found = find_entities(text)
    bare = found.text
    for entity in reversed(found.all()):
        bare = bare[: entity.start] + " " + bare[entity.end :]
    bare = re.sub(r"[\W_]+", " ", fold_quotes(bare)).strip()
    if len(bare) <= _GRAM:
        return frozenset({bare} if bare else ())
    return frozenset(bare[at : at + _GRAM] for at in range(len(bare) - _GRAM + 1))
