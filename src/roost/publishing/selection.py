"""Selects and sorts the posts of a list: by state, due time and text. Pure."""

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from roost.models import Post, PostState
from roost.publishing.decisions import needs_attention

#: The states of the posts that Roost has still to publish.
_AHEAD: Final = (PostState.SCHEDULED, PostState.PUBLISHING)
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


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


EVERY_POST: Final = Selection()


def select_posts(posts: Sequence[Post], selection: Selection = EVERY_POST) -> list[Post]:
    """Return the selected posts: first those that Roost has still to publish, earliest first.

    Then come the posts that need a user's attention, then drafts, then all other posts. Within each
    of these groups, the latest due time comes first.
    """
    chosen = [post for post in posts if _is_selected(post, selection)]
    chosen.sort(key=_rank)
    return chosen[: selection.limit]


def _rank(post: Post) -> tuple[int, float, int]:
    due_at = (post.due_at or _NEVER).timestamp()
    if post.state in _AHEAD and not post.possible_duplicate:
        return 0, due_at, post.id
    group = 1 if needs_attention(post) else 2 if post.state is PostState.DRAFT else 3
    return group, -due_at, -post.id


def _is_selected(post: Post, selection: Selection) -> bool:
    if selection.states and post.state not in selection.states:
        return False
    if selection.since is not None and (post.due_at is None or post.due_at < selection.since):
        return False
    if selection.until is not None and (post.due_at is None or post.due_at >= selection.until):
        return False
    passage = _folded(selection.search)
    return not passage or any(passage in _folded(part.text) for part in post.parts)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
