"""The nouns of Roost: frozen values that every floor may hold, and the states they can be in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final, NewType

TenantId = NewType("TenantId", int)
IntegrationId = NewType("IntegrationId", int)
PostId = NewType("PostId", int)
PartId = NewType("PartId", int)
AttemptId = NewType("AttemptId", int)
MediaAssetId = NewType("MediaAssetId", int)
#: X's own numbers stay strings: they do not fit every reader's integers.
TweetId = NewType("TweetId", str)
XUserId = NewType("XUserId", str)
XMediaId = NewType("XMediaId", str)


class Environment(StrEnum):
    """Which X an integration was connected to; it never changes."""

    LIVE = "live"
    """The real X."""
    EMULATOR = "emulator"
    """An emulator: what is planned here can never go out on the real X."""


class IntegrationStatus(StrEnum):
    """Whether an account can be used."""

    CONNECTED = "connected"
    """The grant works, as far as we know."""
    NEEDS_RECONNECT = "needs_reconnect"
    """X refused the refresh token for good; posts wait until the owner connects again."""
    DISCONNECTED = "disconnected"
    """Its owner took it off Roost."""


class PostState(StrEnum):
    """Where a post stands."""

    DRAFT = "draft"
    """Written, not yet given a time."""
    SCHEDULED = "scheduled"
    """Waits for its time; may be edited and cancelled."""
    PUBLISHING = "publishing"
    """Its time has come; its parts say how far it is."""
    PUBLISHED = "published"
    """Every part is on X."""
    PARTLY_PUBLISHED = "partly_published"
    """Some parts are on X and a later one was refused for good."""
    FAILED = "failed"
    """Nothing of it is on X, and it was refused for good."""
    NEEDS_DECISION = "needs_decision"
    """Roost cannot know whether a part is on X; a person looks."""
    CANCELLED = "cancelled"
    """Taken back: before its time, or with what was out already deleted from X."""
    MISSED = "missed"
    """Its time was over by more than it may be late; nothing of it was sent."""


#: Where a post may go from where it stands; the database refuses all else.
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
            # By a person, while X has nothing of it.
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
    """Where one tweet of a post stands."""

    PENDING = "pending"
    """Surely not on X; may be sent."""
    SENDING = "sending"
    """An attempt is committed; its request may be on the way."""
    SENT = "sent"
    """On X; its id is known."""
    UNKNOWN = "unknown"
    """An attempt ended without X's answer; the timeline has to tell."""
    FAILED = "failed"
    """X refused it for good, or a person dropped it."""


#: Where a part may go from where it stands; the database refuses all else.
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
    """What X lets stand together in one tweet: four images, or one GIF, or one video."""

    IMAGE = "image"
    GIF = "gif"
    VIDEO = "video"


class Metric(StrEnum):
    """What is measured, in our words; X's names stay at its edge."""

    IMPRESSIONS = "impressions"
    ENGAGEMENTS = "engagements"
    LIKES = "likes"
    REPLIES = "replies"
    REPOSTS = "reposts"
    QUOTES = "quotes"
    BOOKMARKS = "bookmarks"
    LINK_CLICKS = "link_clicks"
    PROFILE_CLICKS = "profile_clicks"
    FOLLOWERS = "followers"
    FOLLOWING = "following"
    POSTS = "posts"


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule of X that a post breaks: known before anything is sent."""

    code: str
    """Snake case, the same name as the error X's own refusal would become."""
    message: str
    """What is wrong, in a sentence."""
    limit: int | float | str | None = None
    found: int | float | str | None = None
    next: str = ""
    """What to change."""
    part: int | None = None
    """The part of a thread it concerns, counted from 1; None: the whole post."""


@dataclass(frozen=True, slots=True)
class PostFinding:
    """One thing about a post that X takes but that is probably not meant: a warning."""

    code: str
    message: str
    """What it means for the post, in a sentence."""
    next: str = ""
    """What to change."""
    part: int | None = None
    """The part of a thread it concerns, counted from 1; None: the whole post."""
    start: int | None = None
    end: int | None = None
    """Where it is in the text, in code points of its NFC form; None: it concerns a file."""
    proposal: str | None = None
    """What could be there instead; empty: nothing."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """One customer of the platform; nothing of one is ever seen by another."""

    id: TenantId
    name: str
    """Unique, lower case, what `--tenant` takes."""
    time_zone: str
    """IANA name; plan files without an offset are read in it."""


@dataclass(frozen=True, slots=True)
class Integration:
    """One connected X account. Its secrets are never part of this value."""

    id: IntegrationId
    tenant_id: TenantId
    environment: Environment
    x_user_id: XUserId
    username: str
    name: str
    client_id: str
    """The X app that the grant belongs to."""
    scopes: tuple[str, ...]
    status: IntegrationStatus
    subscription_type: str | None
    """X's word: None, Basic, Premium, PremiumPlus; missing means the 280 limit."""
    token_expires_at: datetime
    connected_at: datetime
    health: str | None = None
    """What did not work when the account was read last; None: all is well."""
    paused: bool = False
    """Its posts are held back by hand."""
    rest_until: datetime | None = None
    """X takes no post of it before then."""
    rest_why: str | None = None
    rests: int = 0
    """How often in a row X took none."""
    backoff_counts_as_late: bool = False
    """The back-off has its cause on this side: its posts count as late meanwhile."""


@dataclass(frozen=True, slots=True)
class MediaAsset:
    """A file that a part carries: kept by path and hash, so that a change is noticed."""

    id: MediaAssetId
    path: str
    sha256: str
    kind: MediaKind
    mime_type: str
    size_bytes: int
    alt_text: str | None


class ReplySettings(StrEnum):
    """Who may reply, in X's words; X has none for everybody: it is left out."""

    FOLLOWING = "following"
    """Accounts that the author follows."""
    MENTIONED_USERS = "mentionedUsers"
    SUBSCRIBERS = "subscribers"
    VERIFIED = "verified"


@dataclass(frozen=True, slots=True)
class Poll:
    """A question's choices: two to four of 1 to 25 characters, open for 5 minutes to 7 days."""

    options: Sequence[str]
    duration: timedelta


@dataclass(frozen=True, slots=True)
class PartOptions:
    """What a part is besides its text and files; by default none of it."""

    reply_to: TweetId | None = None
    """The post on X that a post's first part answers; later parts answer the part before."""
    quote_of: TweetId | None = None
    """The post on X that it quotes."""
    poll: Poll | None = None
    reply_settings: ReplySettings | None = None
    """Who may reply; None: everybody."""


NO_OPTIONS: Final = PartOptions()


@dataclass(frozen=True, slots=True)
class Part:
    """One tweet of a post."""

    id: PartId
    post_id: PostId
    position: int
    """From 1."""
    text: str
    state: PartState
    sent_as: TweetId | None
    sent_at: datetime | None
    media: tuple[MediaAsset, ...] = ()
    deleted_at: datetime | None = None
    """When a person had it taken off X again; it stays `sent`, as what happened."""
    options: PartOptions = NO_OPTIONS


@dataclass(frozen=True, slots=True)
class Wait:
    """What keeps a post that is on its way."""

    reason: str
    until: datetime | None
    """None: until somebody has acted."""


@dataclass(frozen=True, slots=True)
class Post:
    """What a person schedules: one part, or a thread of several."""

    id: PostId
    tenant_id: TenantId
    integration_id: IntegrationId
    state: PostState
    due_at: datetime | None
    """None only for a draft."""
    reason: str | None
    """Why it is in this state, for a reader, where that is not plain."""
    parts: tuple[Part, ...] = ()
    paused: bool = False
    """Held back by hand; its account, its tenant or everything may be as well."""
    tolerance: timedelta | None = None
    """How late it may go out; None: as the settings say."""
    wait: Wait | None = None
    """What it waited for last while it was on its way; over where `until` is past."""
    acknowledged_at: datetime | None = None
    """When a person said that it stays as it is."""
    possible_duplicate: bool = False
    """X may have a part of it twice, and no person has acknowledged that yet."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a post's history."""

    at: datetime
    post_id: PostId
    position: int | None
    """The part it concerns, or None for the whole post."""
    before: str | None
    after: str
    """A state; or `held` and `free`, where the account, the tenant or everything was paused."""
    why: str
    actor: str = "roost"
    """Whose hand it was: a worker, the dispatcher, a person at the terminal or on the page."""


@dataclass(frozen=True, slots=True)
class AccountSnapshot:
    """What an account had at an instant."""

    integration_id: IntegrationId
    at: datetime
    metrics: Mapping[Metric, int | None]
    """A value that X did not give is None, never 0."""


@dataclass(frozen=True, slots=True)
class PostSnapshot:
    """What one tweet had earned at an instant."""

    integration_id: IntegrationId
    part_id: PartId
    sent_as: TweetId
    sent_at: datetime
    at: datetime
    metrics: Mapping[Metric, int | None]
    text: str = ""
    """The tweet's own text, for reports; empty where it was not asked for."""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One X request and what X bills for it."""

    at: datetime
    operation: str
    """`create_post`, `read_posts`, …: the names of `roost.prices`."""
    status: int | None
    """X's HTTP status; None where no answer came."""
    usd: Decimal
    reason: str


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Something out of the ordinary in an account's figures."""

    integration_id: IntegrationId
    metric: Metric
    day: date
    """The UTC day on which it happened."""
    score: float
    """Robust standard deviations from what was usual."""
    observed: float
    expected: float
    message: str


class AlertKind(StrEnum):
    """What an alert for a person is about; it ends when its cause ends."""

    DECISION = "decision"
    """A post needs a decision, or only a part of it is on X."""
    MISSED = "missed"
    FAILED = "failed"
    POSSIBLE_DUPLICATE = "possible_duplicate"
    """X answered an older attempt late: it may have a part twice."""
    RECONNECT = "reconnect"
    """X no longer accepts the grant of an account."""
    CREDITS = "credits"
    """X takes nothing of an app, for want of credits."""
    APP = "app"
    """X takes nothing of an app, by its settings or credentials."""
    LIMIT = "limit"
    """X takes nothing of an app: its window of 24 hours is empty."""
    LATE = "late"
    RESTORED = "restored"
    COPIED = "copied"
    CLOCK_SKEW = "clock_skew"


@dataclass(frozen=True, slots=True)
class Alert:
    """Something about the work itself that a person has to see to; an alert is about figures."""

    kind: AlertKind
    subject: str
    """What it concerns: `account 3`, `post 17`, an app. One at a time is open for each."""
    raised_at: datetime
    message: str
    next: str
    """What to do."""
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccountHistory:
    """One account with everything measured about it: what insights and reports are made of."""

    integration: Integration
    account: tuple[AccountSnapshot, ...] = ()
    """Oldest first."""
    posts: tuple[PostSnapshot, ...] = ()
    """By part, oldest first."""
    anomalies: tuple[Anomaly, ...] = ()
    usd: Decimal = field(default=Decimal(0))
    """What X billed for this account in the reported range."""
    known_before: Mapping[PartId, Mapping[Metric, int]] = field(default_factory=dict)
    """Of the tweets in `posts`, the last value of each metric before the time that they cover."""
