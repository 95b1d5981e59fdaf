"""Defines the filter of a list of posts: by state, due time and text. Pure.

The database applies the filter. In a search for a text, upper and lower case count as equal, and so
do different forms of the same characters, such as the ligature `ﬁ` and the letters `fi`. Python
computes which characters are equal, because the rules of PostgreSQL depend on its version and its
locale.
"""

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Final

from roost.models import PostState

#: No character after this one has an upper and a lower case.
_LAST_CASED: Final = 0x1FFFF


class ListGroup(IntEnum):
    """The groups of a list of posts, in the order of the list."""

    AHEAD = 0
    """Posts that Roost has still to publish, the earliest due time first."""
    NEEDS_ATTENTION = 1
    """Posts that need a user's attention (`decisions.needs_attention`), the latest first."""
    DRAFT = 2
    """Drafts, the newest first."""
    FINISHED = 3
    """All other posts, the latest due time first."""


@dataclass(frozen=True, slots=True)
class Selection:
    """A filter for posts: by state, due time, text and number."""

    states: Collection[PostState] = ()
    """The states of the posts; empty for every state."""
    since: datetime | None = None
    """The earliest due time. With `since` or `until`, drafts are left out."""
    until: datetime | None = None
    """The due times end before this instant."""
    search: str = ""
    """A passage that the text of a part contains; upper and lower case count as equal."""
    limit: int | None = None
    """The most posts."""
    limit_per_group: int | None = None
    """The most posts of each `ListGroup`."""


EVERY_POST: Final = Selection()


def fold_case(text: str) -> str:
    """Return a text in a form for comparison: texts that differ only in case become equal.

    Unicode's compatible characters become equal too: the ligature `ﬁ` becomes the letters `fi`.
    """
    plain = unicodedata.normalize("NFKC", text).replace("ß", "ss").replace("ẞ", "ss")
    return "".join(_fold(character) for character in plain)


def list_case_variants(folded: str) -> tuple[str, str]:
    """Return two strings with which PostgreSQL's `translate` folds a text as `fold_case` does.

    The first string has the characters that `fold_case` changes to a character of `folded`. The
    second string has, at the same positions, the characters that they become.
    """
    wanted = set(folded)
    variants = [
        (character, folded_character)
        for character in map(chr, range(_LAST_CASED + 1))
        if (folded_character := _fold(character)) in wanted and folded_character != character
    ]
    return "".join(old for old, _ in variants), "".join(new for _, new in variants)


def _fold(character: str) -> str:
    # The folded form of a few characters, such as `ǰ`, has several characters. They stay unchanged,
    # because `translate` can only replace one character by one other.
    folded = character.casefold()
    return folded if len(folded) == 1 else character
