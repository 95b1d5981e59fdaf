"""Posts, their parts and files, and the states that they can be in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from roost.models.events import Reason
from roost.models.ids import IntegrationId, MediaAssetId, PartId, PostId, TenantId, TweetId

#: A post is late if it was not published within this time after its due time.
LATE_AFTER: Final = timedelta(minutes=2)


class PostState(StrEnum):
    """The states of a post, from `draft` to a final state such as `published`."""

    DRAFT = "draft"
    """The post is written, but has no due time."""
    SCHEDULED = "scheduled"
    """The post waits for its due time. It can be edited and cancelled."""
    PUBLISHING = "publishing"
    """The due time has passed. The states of the parts show the progress."""
    PUBLISHED = "published"
    """Every part is on X."""
    PARTLY_PUBLISHED = "partly_published"
    """Some parts are on X, and X permanently refused a later part."""
    FAILED = "failed"
    """X permanently refused the post, and none of its parts is on X."""
    NEEDS_DECISION = "needs_decision"
    """Roost cannot determine whether a part is on X, so a person has to decide."""
    CANCELLED = "cancelled"
    """The post was cancelled before its due time, or its parts were deleted from X."""
    MISSED = "missed"
    """The post was later than its tolerance allows, so none of its parts was sent."""


#: Allowed state changes of a post. The database refuses any other.
POST_MOVES: Mapping[PostState, frozenset[PostState]] = {
    PostState.DRAFT: frozenset({PostState.SCHEDULED, PostState.CANCELLED}),
    PostState.SCHEDULED: frozenset({PostState.PUBLISHING, PostState.CANCELLED, PostState.FAILED}),
    PostState.PUBLISHING: frozenset(
        {
            PostState.PUBLISHED,
            PostState.PARTLY_PUBLISHED,
            PostState.FAILED,
            PostState.NEEDS_DECISION,
            PostState.MISSED,
            # A post gets these states if it is edited or cancelled while none of its parts is on X.
            PostState.SCHEDULED,
            PostState.CANCELLED,
        }
    ),
    PostState.PUBLISHED: frozenset(),
    PostState.PARTLY_PUBLISHED: frozenset({PostState.PUBLISHING, PostState.CANCELLED}),
    PostState.FAILED: frozenset({PostState.SCHEDULED, PostState.CANCELLED}),
    PostState.NEEDS_DECISION: frozenset(
        {
            PostState.PUBLISHING,
            PostState.PARTLY_PUBLISHED,
            PostState.FAILED,
        }
    ),
    PostState.CANCELLED: frozenset(),
    PostState.MISSED: frozenset({PostState.SCHEDULED, PostState.PUBLISHING, PostState.CANCELLED}),
}


class PartState(StrEnum):
    """The states of a part: whether it may be sent, is being sent, or is on X."""

    PENDING = "pending"
    """The part is certainly not on X, and may be sent."""
    SENDING = "sending"
    """An attempt is committed, and its request may be in progress."""
    SENT = "sent"
    """The part is on X, and its id is known."""
    UNKNOWN = "unknown"
    """An attempt ended without a response from X, so the timeline must be read."""
    FAILED = "failed"
    """X permanently refused the part, or a person discarded it."""


#: Allowed state changes of a part. The database refuses any other.
PART_MOVES: Mapping[PartState, frozenset[PartState]] = {
    PartState.PENDING: frozenset({PartState.SENDING, PartState.FAILED}),
    PartState.SENDING: frozenset(
        {PartState.SENT, PartState.FAILED, PartState.PENDING, PartState.UNKNOWN}
    ),
    PartState.SENT: frozenset(),
    PartState.UNKNOWN: frozenset({PartState.SENT, PartState.SENDING, PartState.FAILED}),
    PartState.FAILED: frozenset({PartState.PENDING}),
}


class MediaKind(StrEnum):
    """Kinds of media. X allows four images, or one GIF, or one video in a tweet."""

    IMAGE = "image"
    GIF = "gif"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule of X that a post breaks, found before anything is sent."""

    code: str
    """The code, in snake case, of the error that would be raised if X refused the post."""
    message: str
    """A sentence that says what is wrong."""
    limit: int | float | str | None = None
    found: int | float | str | None = None
    next: str = ""
    """A sentence that says what to change."""
    part: int | None = None
    """The affected part, counted from 1; None for the whole post."""


@dataclass(frozen=True, slots=True)
class PostFinding:
    """A warning about a probable mistake in a post. X accepts a post with such a mistake."""

    code: str
    message: str
    """A sentence that says how the mistake affects the post."""
    next: str = ""
    """A sentence that says what to change."""
    part: int | None = None
    """The affected part, counted from 1; None for the whole post."""
    start: int | None = None
    end: int | None = None
    """End in the text, in code points of its NFC form; None if the warning concerns a file."""
    proposal: str | None = None
    """Text to replace the passage with; empty to delete it, None if there is no proposal."""


@dataclass(frozen=True, slots=True)
class MediaAsset:
    """A media file of a part, with its alt text; `sha256` identifies its content."""

    id: MediaAssetId
    path: str
    sha256: str
    kind: MediaKind
    mime_type: str
    size_bytes: int
    alt_text: str | None


class ReplySettings(StrEnum):
    """Who may reply, in X's values. X has no value for everyone: the field is omitted."""

    FOLLOWING = "following"
    """Only accounts that the author follows may reply."""
    MENTIONED_USERS = "mentionedUsers"
    SUBSCRIBERS = "subscribers"
    VERIFIED = "verified"


@dataclass(frozen=True, slots=True)
class Poll:
    """A poll: two to four options of 1 to 25 characters, open for 5 minutes to 7 days."""

    options: Sequence[str]
    duration: timedelta


@dataclass(frozen=True, slots=True)
class PartOptions:
    """What a part may have besides text and media: a reply, a quote, a poll, reply settings."""

    reply_to: TweetId | None = None
    """The tweet that the first part replies to. Later parts reply to the previous part."""
    quote_of: TweetId | None = None
    """The quoted tweet."""
    poll: Poll | None = None
    reply_settings: ReplySettings | None = None
    """The accounts that may reply; None for everyone."""


NO_OPTIONS: Final = PartOptions()


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a post: one tweet, with its text, media, options and state."""

    id: PartId
    post_id: PostId
    position: int
    """The position in the post, counted from 1."""
    text: str
    state: PartState
    sent_as: TweetId | None
    sent_at: datetime | None
    media: tuple[MediaAsset, ...] = ()
    deleted_at: datetime | None = None
    """When a person deleted the part from X. The state of the part stays `sent`."""
    options: PartOptions = NO_OPTIONS


@dataclass(frozen=True, slots=True)
class Wait:
    """The reason why a post in the state `publishing` waits, and the end of the wait."""

    reason: Reason
    until: datetime | None
    """The end of the wait; None if the post waits for a person."""


@dataclass(frozen=True, slots=True)
class Post:
    """A scheduled post: one part, or a thread of several."""

    id: PostId
    tenant_id: TenantId
    integration_id: IntegrationId
    state: PostState
    due_at: datetime | None
    """The due time; None only for a draft."""
    reason: Reason | None
    """The reason for the state, if the state alone does not show it."""
    parts: tuple[Part, ...] = ()
    paused: bool = False
    """Whether a person has paused this post. Pauses of accounts and tenants are not included."""
    tolerance: timedelta | None = None
    """How late the post may be published; None if the setting applies."""
    wait: Wait | None = None
    """The last wait in the state `publishing`. The wait is over if `until` is in the past."""
    acknowledged_at: datetime | None = None
    """The time at which a person accepted the state of the post as final."""
    possible_duplicate: bool = False
    """Whether X may have a part twice, and no person has acknowledged this yet."""
