"""The types of planned posts, of their database rows, and of posts that X has or had."""

from dataclasses import dataclass
from datetime import datetime

#: The final states: a post stays in such a state until a person acts.
FINAL_STATES = frozenset(
    {"published", "partly_published", "failed", "needs_decision", "cancelled", "missed"}
)
_PART_STATES = frozenset({"pending", "sending", "sent", "unknown"})


@dataclass(frozen=True, slots=True)
class PlannedPost:
    """A post as Roost accepted it when it was planned.

    The texts of a post distinguish it from other posts, except for identical posts.
    """

    post_id: int
    user_id: str
    """The id of the post's account on X."""
    texts: tuple[str, ...]
    media: tuple[tuple[str, ...], ...] = ()
    """The SHA-256 of the files of each part. Empty if no part has a file."""
    reply_to: str | None = None
    """The id of the X post to which the first part replies."""
    quote_of: str | None = None
    """The id of the X post that the first part quotes."""
    poll: tuple[str, ...] | None = None
    """The options of the poll of the first part."""
    undone_by_restore: bool = False
    """Whether the post was planned after the database copy that was later restored.

    Such a post has no row, and another post may have got its id. X may have the post at most once.
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
    """Whether a person made the post on X itself, without an app."""
    deleted_manually: bool = False
    quote_of: str | None = None
    poll: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event of a post's history."""

    at: datetime
    position: int | None
    from_state: str | None
    to_state: str
    reason: str
    """The reason: its code and its facts."""

    @property
    def is_about_part(self) -> bool:
        """Whether the event is a change of a part's state.

        An event that changes the state of the whole post can also have the position of a part.
        """
        known = _PART_STATES | {"failed"}
        return self.position is not None and self.to_state in known and self.from_state in known


@dataclass(frozen=True, slots=True)
class PartRow:
    """A row of the table `parts`."""

    position: int
    state: str
    sent_as: str | None


@dataclass(frozen=True, slots=True)
class PostRow:
    """A row of the table `posts`, with the post's parts and events."""

    id: int
    state: str
    reason: str | None
    due_at: datetime | None
    parts: tuple[PartRow, ...]
    events: tuple[EventRow, ...]
