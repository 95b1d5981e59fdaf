"""The publishing state of a post: what a worker loads to decide on the next step."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from roost.models import (
    AttemptId,
    Integration,
    IntegrationStatus,
    MediaAssetId,
    Part,
    PartState,
    Post,
    PostState,
    Reason,
    ReasonCode,
    TweetId,
    Wait,
    XMediaId,
)
from roost.rate_limits import Window


class Outcome(StrEnum):
    """The result of an attempt."""

    SENT = "sent"
    """X responded with the post's id."""
    ADOPTED = "adopted"
    """The post was found on X's timeline, or a user named it."""
    REFUSED = "refused"
    """X refused it for good."""
    NOT_CREATED = "not_created"
    """X created nothing for certain, or no request left the machine."""
    NO_PARENT = "no_parent"
    """X did not show the post that it replies to yet; nothing was created."""
    DUPLICATE = "duplicate"
    """X refused a resend as a duplicate: by X's own account it has the post."""
    UNKNOWN = "unknown"
    """No response came; only the timeline can show whether the post exists."""


#: X has no post of an attempt with one of these outcomes.
_NOTHING_CREATED: Final = frozenset({Outcome.NOT_CREATED, Outcome.NO_PARENT, Outcome.REFUSED})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at sending a part, committed before its request is sent."""

    id: AttemptId
    number: int
    """From 1."""
    started_at: datetime
    """Domain time; reconciling reads the timeline from here."""
    wall_left: timedelta
    """Wall time until its request is surely over; negative once it is."""
    outcome: Outcome | None = None
    """None while it is in progress, and after its worker died."""
    empty_reads: int = 0
    """Timeline reads without the post, made after X's timeline lag."""
    empty_read_at: datetime | None = None
    """When the timeline was last read without the post; also set by a read within the lag."""
    confirmed_absent: bool = False
    """A user checked X and confirmed that the post is not there."""
    media_ids: tuple[XMediaId, ...] = ()
    media_keys: tuple[str, ...] = ()
    """The keys of its files, as a timeline names them."""
    app_backoff: timedelta = timedelta(0)
    """How long the X app was in back-off after this attempt."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that X has stored."""

    asset_id: MediaAssetId
    media_id: XMediaId
    media_key: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PartProgress:
    """A part with its attempts (oldest first) and its uploads."""

    part: Part
    attempts: tuple[Attempt, ...] = ()
    uploads: Mapping[MediaAssetId, Upload] | None = None

    @property
    def last(self) -> Attempt:
        """The latest attempt. Every part that is not `pending` has one."""
        return self.attempts[-1]

    @property
    def unresolved(self) -> tuple[Attempt, ...]:
        """The attempts that may have created a post; the last attempt if there are none."""
        absent = max((each.number for each in self.attempts if each.confirmed_absent), default=0)
        found = tuple(
            each
            for each in self.attempts
            if each.outcome not in _NOTHING_CREATED and each.number > absent
        )
        return found or self.attempts[-1:]

    @property
    def confirmed_absent(self) -> bool:
        """Whether a user confirmed that X has no post, and no later attempt created one."""
        confirmed = max(
            (each.number for each in self.attempts if each.confirmed_absent), default=None
        )
        return confirmed is not None and all(
            each.outcome in _NOTHING_CREATED for each in self.attempts if each.number > confirmed
        )

    @property
    def unresolved_since(self) -> datetime:
        """When the first attempt began that may have created a post."""
        return self.unresolved[0].started_at

    @property
    def app_backoff(self) -> timedelta:
        """How long the X app was in back-off since `unresolved_since`."""
        first = self.unresolved[0].number
        waits = (each.app_backoff for each in self.attempts if each.number >= first)
        return sum(waits, timedelta(0))

    @property
    def empty_reads(self) -> int:
        """Timeline reads without the post, since the latest attempt that may have created it."""
        return sum(each.empty_reads for each in self._since_unresolved)

    @property
    def empty_read_at(self) -> datetime | None:
        """When the latest of those reads was made."""
        reads = (each.empty_read_at for each in self._since_unresolved if each.empty_read_at)
        return max(reads, default=None)

    @property
    def _since_unresolved(self) -> list[Attempt]:
        latest = self.unresolved[-1].number
        return [each for each in self.attempts if each.number >= latest]

    @property
    def was_refused_as_duplicate(self) -> bool:
        """Whether X refused a resend as a duplicate."""
        return any(each.outcome is Outcome.DUPLICATE for each in self.attempts)

    @property
    def parent_refusals(self) -> int:
        """How many attempts X refused because it did not show the post that they reply to."""
        return sum(each.outcome is Outcome.NO_PARENT for each in self.attempts)

    @property
    def media_keys(self) -> frozenset[str]:
        """The keys of its files, as a timeline names them; empty if no attempt had files."""
        return frozenset(key for each in self.attempts for key in each.media_keys)

    def upload_of(self, asset_id: MediaAssetId) -> Upload | None:
        """The upload of one file."""
        return (self.uploads or {}).get(asset_id)


@dataclass(frozen=True, slots=True)
class Recheck:
    """The database may be missing posts that were sent, without showing it.

    A part of a post due by `until` is searched for on X before it is sent, also after attempts
    that created nothing. The search is made at `until` at the earliest: after a restore, no
    request from before it can reach X any more by then.
    """

    since: datetime
    """The newest event of the database: posts sent later may be missing."""
    until: datetime


@dataclass(frozen=True, slots=True)
class Backoff:
    """X accepts nothing before an instant."""

    until: datetime
    reason: Reason


@dataclass(frozen=True, slots=True)
class PublishState:
    """A post that is being published, with its parts, its account and X's limits."""

    post: Post
    account: Integration
    parts: tuple[PartProgress, ...]
    late_from: datetime
    """Its lateness counts from here: its due time, or the end of a delay that is excused."""
    windows: tuple[Window, ...] = ()
    """How many more creates X accepts from the account, by its latest response."""
    app_backoff: Backoff | None = None
    """X accepts nothing from any account of the app."""
    recheck: Recheck | None = None
    """What the database may be missing."""

    @property
    def is_untried(self) -> bool:
        """Whether no attempt was ever made."""
        return not any(each.attempts for each in self.parts)

    def current(self) -> PartProgress | None:
        """The first part that is not on X; None if all are."""
        return next((one for one in self.parts if one.part.state is not PartState.SENT), None)

    def parent_of(self, part: Part) -> TweetId | None:
        """What a part replies to: the part before it, or for the first part its option."""
        before = [one.part for one in self.parts if one.part.position < part.position]
        return before[-1].sent_as if before else part.options.reply_to


def find_wait(post: Post, account: Integration, now: datetime) -> Wait | None:
    """What an unpublished post waits for at present, and until when; None if nothing.

    A pause is not a wait: `services.pause.active_pauses` lists those.
    """
    if post.state not in {PostState.SCHEDULED, PostState.PUBLISHING}:
        return None
    if account.status is not IntegrationStatus.CONNECTED:
        return Wait(Reason(ReasonCode.NOT_CONNECTED, {"username": account.username}), None)
    if post.state is not PostState.PUBLISHING or post.wait is None:
        return None
    return post.wait if post.wait.until is None or post.wait.until > now else None
