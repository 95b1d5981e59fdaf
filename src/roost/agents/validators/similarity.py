"""A draft differs from recent posts, from the other drafts, and in its own parts."""

import functools
import re
from collections.abc import Iterator
from typing import Final

from roost.agents.terms import fold_quotes
from roost.agents.validators.candidate import Candidate, Context, find_entities

#: Two texts with so large a share of passages of four characters are near-duplicates.
_MOST_SHARED: Final = 0.6
_GRAM: Final = 4


def check_recent(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find a draft that the tenant has posted already, on any account, in similar words."""
    for part in candidate.parts:
        if any(is_near_duplicate(part, post) for post in context.recent_posts):
            yield "E-DUPLICATE: of a recent post"


def check_variants(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find a draft that another draft of the batch resembles, and parts that are alike."""
    text = "\n".join(candidate.parts)
    if any(is_near_duplicate(text, "\n".join(other.parts)) for other in context.accepted):
        yield "E-DUPLICATE: of another draft"
    for index, part in enumerate(candidate.parts):
        if any(is_near_duplicate(part, other) for other in candidate.parts[:index]):
            yield "E-DUPLICATE: of another part"


def is_near_duplicate(one: str, other: str) -> bool:
    """Whether two texts are almost the same, apart from links, hashtags and mentions."""
    left, right = _grams(one), _grams(other)
    if not left or not right:
        return left == right
    return len(left & right) > _MOST_SHARED * len(left | right)


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
