"""Posts, their parts and files, and the states that they can be in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from roost.models.events import Reason
from roost.models.ids import IntegrationId, MediaAssetId, PartId, PostId, TenantId, TweetId


class PostState(StrEnum):
    """The state of a post."""

    DRAFT = "draft"
    """Written, without a time."""
    SCHEDULED = "scheduled"
    """Waits for its time. It can be edited and cancelled."""
    PUBLISHING = "publishing"
    """Its time has come. The states of its parts show the progress."""
    PUBLISHED = "published"
    """Every part is on X."""
    PARTLY_PUBLISHED = "partly_published"
    """Some parts are on X, and X refused a later one for good."""
    FAILED = "failed"
    """X refused it for good, and nothing of it is on X."""
    NEEDS_DECISION = "needs_decision"
    """Roost cannot determine whether a part is on X. A person decides."""
    CANCELLED = "cancelled"
    """Cancelled before its time, or its published parts were deleted from X."""
    MISSED = "missed"
    """It was later than its tolerance allows, and nothing of it was sent."""


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
            # Edited or cancelled by a person while nothing of it is on X.
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
    """The state of one part of a post."""

    PENDING = "pending"
    """Certainly not on X; may be sent."""
    SENDING = "sending"
    """An attempt is committed. Its request may be in progress."""
    SENT = "sent"
    """On X, with a known id."""
    UNKNOWN = "unknown"
    """An attempt ended without a response from X. The timeline must be read."""
    FAILED = "failed"
    """X refused it for good, or a person discarded it."""


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
    """Snake case. The same code as the error that X's own refusal would raise."""
    message: str
    """What is wrong, as a sentence."""
    limit: int | float | str | None = None
    found: int | float | str | None = None
    next: str = ""
    """What to change."""
    part: int | None = None
    """The part that it concerns, counted from 1; None for the whole post."""


@dataclass(frozen=True, slots=True)
class PostFinding:
    """A warning: X accepts this, but it is probably a mistake."""

    code: str
    message: str
    """The effect on the post, as a sentence."""
    next: str = ""
    """What to change."""
    part: int | None = None
    """The part that it concerns, counted from 1; None for the whole post."""
    start: int | None = None
    end: int | None = None
    """Position in the text, in code points of its NFC form; None if it concerns a file."""
    proposal: str | None = None
    """A replacement; empty to delete the text."""


@dataclass(frozen=True, slots=True)
class MediaAsset:
    """A media file of a part, identified by its hash."""

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
    """Accounts that the author follows."""
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
    """The options of a part, in addition to its text and media."""

    reply_to: TweetId | None = None
    """The tweet that the first part replies to. Later parts reply to the previous part."""
    quote_of: TweetId | None = None
    """The quoted tweet."""
    poll: Poll | None = None
    reply_settings: ReplySettings | None = None
    """Who may reply; None for everyone."""


NO_OPTIONS: Final = PartOptions()


@dataclass(frozen=True, slots=True)
class Part:
    """One tweet of a post."""

    id: PartId
    post_id: PostId
    position: int
    """Counted from 1."""
    text: str
    state: PartState
    sent_as: TweetId | None
    sent_at: datetime | None
    media: tuple[MediaAsset, ...] = ()
    deleted_at: datetime | None = None
    """When a person deleted it from X. Its state stays `sent`."""
    options: PartOptions = NO_OPTIONS


@dataclass(frozen=True, slots=True)
class Wait:
    """Why a post in `publishing` waits."""

    reason: Reason
    until: datetime | None
    """None if it waits for a person."""


@dataclass(frozen=True, slots=True)
class Post:
    """A scheduled post: one part, or a thread of several."""

    id: PostId
    tenant_id: TenantId
    integration_id: IntegrationId
    state: PostState
    due_at: datetime | None
    """None only for a draft."""
    reason: Reason | None
    """Why it is in this state, where the state does not say it."""
    parts: tuple[Part, ...] = ()
    paused: bool = False
    """A person has paused the post. Its account, tenant or everything can be paused too."""
    tolerance: timedelta | None = None
    """How late it may be published; None for the value of the settings."""
    wait: Wait | None = None
    """The last wait while `publishing`; over when `until` is past."""
    acknowledged_at: datetime | None = None
    """When a person accepted its state as final."""
    possible_duplicate: bool = False
    """X may have a part twice, and no person has acknowledged it yet."""
