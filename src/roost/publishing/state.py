"""The publishing state of a post, from which a worker decides the next step."""

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
    """X permanently refused the part."""
    NOT_CREATED = "not_created"
    """It is certain that X created nothing, or no request left the machine."""
    NO_PARENT = "no_parent"
    """X created nothing, because it does not show the post to reply to yet."""
    DUPLICATE = "duplicate"
    """X refused a resend as a duplicate, which means that the post is on X."""
    UNKNOWN = "unknown"
    """X sent no response; only the timeline can show whether the post exists."""


#: Outcomes of attempts that created no post on X.
_NOTHING_CREATED: Final = frozenset({Outcome.NOT_CREATED, Outcome.NO_PARENT, Outcome.REFUSED})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to create a part on X, committed before the request is sent."""

    id: AttemptId
    number: int
    """The number of the attempt, counted from 1."""
    started_at: datetime
    """Domain time of the start; reconciling reads the timeline from this instant on."""
    wall_left: timedelta
    """Wall time until the request has certainly ended; negative after that moment."""
    outcome: Outcome | None = None
    """None while the attempt is in progress, or if its worker died."""
    empty_reads: int = 0
    """Number of timeline reads after X's timeline lag that did not show the post."""
    empty_read_at: datetime | None = None
    """The time of the latest read that did not show the post; this may be a read during the lag."""
    confirmed_absent: bool = False
    """Whether a user checked X and confirmed that the post is not there."""
    media_ids: tuple[XMediaId, ...] = ()
    media_keys: tuple[str, ...] = ()
    """X's media keys of the files in the request; a timeline names files by these keys."""
    app_backoff: timedelta = timedelta(0)
    """How long the X app was in back-off after this attempt."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was uploaded to X: its ids on X, and when it expires there."""

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
        """The latest attempt. Every part that is not `pending` has an attempt."""
        return self.attempts[-1]

    @property
    def unresolved(self) -> tuple[Attempt, ...]:
        """The attempts that may have created a post; if there are none, the last attempt."""
        absent = max((each.number for each in self.attempts if each.confirmed_absent), default=0)
        found = tuple(
            each
            for each in self.attempts
            if each.outcome not in _NOTHING_CREATED and each.number > absent
        )
        return found or self.attempts[-1:]

    @property
    def confirmed_absent(self) -> bool:
        """Whether a user confirmed that the part is not on X, and no later attempt created it."""
        confirmed = max(
            (each.number for each in self.attempts if each.confirmed_absent), default=None
        )
        return confirmed is not None and all(
            each.outcome in _NOTHING_CREATED for each in self.attempts if each.number > confirmed
        )

    @property
    def unresolved_since(self) -> datetime:
        """The time at which the first of the `unresolved` attempts began."""
        return self.unresolved[0].started_at

    @property
    def app_backoff(self) -> timedelta:
        """How long the X app has been in back-off since `unresolved_since`."""
        first = self.unresolved[0].number
        waits = (each.app_backoff for each in self.attempts if each.number >= first)
        return sum(waits, timedelta(0))

    @property
    def empty_reads(self) -> int:
        """Number of timeline reads without the post, since the latest unresolved attempt."""
        return sum(each.empty_reads for each in self._since_unresolved)

    @property
    def empty_read_at(self) -> datetime | None:
        """The time of the last read without the post, since the latest unresolved attempt."""
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
        """The number of attempts that X refused because it did not show the post to reply to."""
        return sum(each.outcome is Outcome.NO_PARENT for each in self.attempts)

    @property
    def media_keys(self) -> frozenset[str]:
        """X's keys of the files of all attempts; empty if no attempt had files."""
        return frozenset(key for each in self.attempts for key in each.media_keys)

    def upload_of(self, asset_id: MediaAssetId) -> Upload | None:
        """The upload of a file; None if there is none."""
        return (self.uploads or {}).get(asset_id)


@dataclass(frozen=True, slots=True)
class Recheck:
    """A period in which posts may have been sent without a record in the database.

    Before Roost sends a part of a post that is due by `until`, Roost searches X for the part, even
    if all known attempts created nothing. The search is made at `until` or later, because requests
    from before a restore can reach X until then.
    """

    since: datetime
    """The time of the newest event in the database; posts that were sent later may be missing."""
    until: datetime


@dataclass(frozen=True, slots=True)
class Backoff:
    """A time until which Roost sends nothing, because X refused a request."""

    until: datetime
    reason: Reason


@dataclass(frozen=True, slots=True)
class PublishState:
    """A post that is being published: its parts, account, rate limits and back-offs."""

    post: Post
    account: Integration
    parts: tuple[PartProgress, ...]
    late_from: datetime
    """The time from which the post counts as late: its due time, or the end of an excused wait."""
    windows: tuple[Window, ...] = ()
    """The account's rate limit windows for creates, from X's latest response."""
    app_backoff: Backoff | None = None
    """A back-off that applies to all accounts of the X app; None if there is none."""
    recheck: Recheck | None = None
    """A period of which the database may lack posts; None if there is none."""

    @property
    def is_untried(self) -> bool:
        """Whether no part of the post has an attempt."""
        return not any(each.attempts for each in self.parts)

    def current(self) -> PartProgress | None:
        """The first part that is not on X; None if all parts are on X."""
        return next((one for one in self.parts if one.part.state is not PartState.SENT), None)

    def parent_of(self, part: Part) -> TweetId | None:
        """The tweet that a part replies to: the part before it, or the first part's `reply_to`."""
        before = [one.part for one in self.parts if one.part.position < part.position]
        return before[-1].sent_as if before else part.options.reply_to


def find_wait(post: Post, account: Integration, now: datetime) -> Wait | None:
    """Return the current wait of an unpublished post; None if the post does not wait.

    A pause is not a wait; `services.pause.active_pauses` lists the pauses.
    """
    if post.state not in {PostState.SCHEDULED, PostState.PUBLISHING}:
        return None
    if account.status is not IntegrationStatus.CONNECTED:
        return Wait(Reason(ReasonCode.NOT_CONNECTED, {"username": account.username}), None)
    if post.state is not PostState.PUBLISHING or post.wait is None:
        return None
    return post.wait if post.wait.until is None or post.wait.until > now else None
