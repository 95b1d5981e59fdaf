"""Planned posts, their rows in the database, and the posts that X has or had."""

from dataclasses import dataclass
from datetime import datetime

#: States in which a post stays until a person acts.
FINAL_STATES = frozenset(
    {"published", "partly_published", "failed", "needs_decision", "cancelled", "missed"}
)
_PART_STATES = frozenset({"pending", "sending", "sent", "unknown"})


@dataclass(frozen=True, slots=True)
class PlannedPost:
    """A post as it was accepted.

    Posts are distinguished by their texts, except for identical posts.
    """

    post_id: int
    user_id: str
    """X's id of the account."""
    texts: tuple[str, ...]
    media: tuple[tuple[str, ...], ...] = ()
    """For each part, the SHA-256 of its files; empty if no part has any."""
    reply_to: str | None = None
    """The post to which its first part replies."""
    quote_of: str | None = None
    """The post that its first part quotes."""
    poll: tuple[str, ...] | None = None
    """The options of its first part's poll."""
    undone_by_restore: bool = False
    """The post was planned after the database copy that was later restored.

    It has no row, and another post may have its number. X may have it once.
    """


@dataclass(frozen=True, slots=True)
class XPost:
    """A post that X has or had."""

    id: str
    user_id: str
    text: str
    media: tuple[str, ...]
    reply_to: str | None
    created_at: datetime
    deleted_at: datetime | None
    posted_manually: bool = False
    """A person made it, without any app."""
    deleted_manually: bool = False
    quote_of: str | None = None
    poll: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event of a post's history."""

    at: datetime
    position: int | None
    from_state: str | None
    to_state: str
    reason: str
    """Its code and its facts."""

    @property
    def is_about_part(self) -> bool:
        """Whether the event is about a part; an event that ends a post may name a part too."""
        known = _PART_STATES | {"failed"}
        return self.position is not None and self.to_state in known and self.from_state in known


@dataclass(frozen=True, slots=True)
class PartRow:
    """A row of `parts`."""

    position: int
    state: str
    sent_as: str | None


@dataclass(frozen=True, slots=True)
class PostRow:
    """A row of `posts` with its parts and events."""

    id: int
    state: str
    reason: str | None
    due_at: datetime | None
    parts: tuple[PartRow, ...]
    events: tuple[EventRow, ...]
