"""Decides the next step in publishing a post, so that each part is published exactly once.

The decision is made from the state of the post in the database. X has no idempotency key. A part is
sent again only if there is reason to believe that the part is not on X; if Roost cannot know, a
user decides. This module is pure: it only names a step. `services.publish` executes the steps, and
commits before and after each step.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from roost import rate_limits
from roost.models import (
    MediaAsset,
    Part,
    PartId,
    PartState,
    PostState,
    Reason,
    ReasonCode,
)
from roost.publishing.state import PartProgress, PublishState

#: Minimum time between two empty reads of the timeline.
BETWEEN_READS: Final = timedelta(seconds=15)
#: A file is uploaded again if its upload expires within this time.
UPLOAD_MARGIN: Final = timedelta(minutes=10)
#: Minimum time between an attempt and a resend. During this time, the network may still deliver the
#: attempt's request.
RESEND_AFTER: Final = timedelta(seconds=120)
#: Maximum age of the last empty read of the timeline when Roost resends a part, or asks a user to
#: decide.
FRESH_READ: Final = timedelta(seconds=15)
#: A post counts as not on X after this number of timeline reads without the post. Only reads after
#: X's timeline lag count; the lag is the longest time until a new post is on the timeline.
EMPTY_READS: Final = 2


@dataclass(frozen=True, slots=True)
class PublishPolicy:
    """The settings on which the next step depends. All times are domain time."""

    timeline_lag: timedelta
    """X's timeline lag: the longest time until a new post is on its account's timeline."""
    resend_window: timedelta
    """A part that is not on X may be sent again within this time after its attempt."""
    tolerance: timedelta
    """A post that is later than this is missed, unless the post has a tolerance of its own."""
    publish_late: bool = False
    """Whether a post is published even if it is later than its tolerance."""


@dataclass(frozen=True, slots=True)
class UploadMedia:
    """A step: upload the files of the post. Other posts may be sent in the meantime."""


@dataclass(frozen=True, slots=True)
class Send:
    """A step: send the part.

    `again` is True for a resend, if an earlier attempt has probably created nothing.
    """

    part: PartProgress
    again: bool


@dataclass(frozen=True, slots=True)
class SearchBeforeSend:
    """A step: read the timeline before a part is sent, because the part may already be on X.

    The database may lack the attempt that created the part, for example after a restore. This is
    possible even if none of the attempts in the database created anything.
    """

    part: PartProgress
    since: datetime


@dataclass(frozen=True, slots=True)
class AwaitDeadline:
    """A step: wait, because the request of the last attempt may still be in progress."""

    left: timedelta


@dataclass(frozen=True, slots=True)
class ExpireAttempt:
    """A step: mark the part `unknown`, because its last attempt had no outcome in time."""

    part: PartProgress


@dataclass(frozen=True, slots=True)
class ReadTimeline:
    """A step: read the timeline, to find the post that the last attempt may have created.

    `counts` is False until X's timeline lag has passed, because a new post may not be on the
    timeline yet. A read without the post then proves nothing.
    """

    part: PartProgress
    counts: bool


@dataclass(frozen=True, slots=True)
class DeferUntil:
    """A step: do nothing for the post before `instant`, which is domain time."""

    instant: datetime
    reason: Reason
    excused: bool = False
    """Whether the time of the wait does not count as lateness: for example, no post is missed
    because the X app has no credits."""
    counts_as_late: bool = False
    """Whether the alert about late posts counts the post, because Roost's side causes the wait."""


@dataclass(frozen=True, slots=True)
class RequestDecision:
    """A step: ask a user to decide, because Roost cannot know whether the part is on X.

    `reason` is shown to the user.
    """

    part: PartProgress
    reason: Reason


@dataclass(frozen=True, slots=True)
class Finish:
    """A step: end the publishing of the post, and set its state to `state`."""

    state: PostState
    reason: Reason | None = None
    """The reason for the state; None if the state or the refusal of a part explains it."""


Step = (
    UploadMedia
    | Send
    | SearchBeforeSend
    | AwaitDeadline
    | ExpireAttempt
    | ReadTimeline
    | DeferUntil
    | RequestDecision
    | Finish
)


def decide_step(
    state: PublishState,
    *,
    now: datetime,
    policy: PublishPolicy,
    x_now: datetime | None = None,
    database_now: datetime | None = None,
    searched: Collection[tuple[datetime, PartId]] = (),
) -> Step:
    """Decide the next step of a post that is being published.

    `now` is domain time by this worker's clock. `x_now` is domain time by X's clock, or None if it
    is unknown; attempts and timeline reads are recorded in X's time. `database_now` is the time of
    the database's clock; None if domain time is not wall time. A post is missed only if it is late
    by the worker's clock and by the database's clock. `searched` lists the parts for which this
    worker has already searched X because of `state.recheck`, as pairs of the recheck's `until` and
    the part's id.
    """
    due_at = state.post.due_at
    if due_at is not None and due_at > now:
        return DeferUntil(due_at, Reason(ReasonCode.NOT_DUE_YET))
    current = state.current()
    if current is None or current.part.state is PartState.FAILED:
        return Finish(final_state([one.part for one in state.parts]))
    if current.part.state is PartState.SENDING:
        left = current.last.wall_left
        return AwaitDeadline(left) if left > timedelta(0) else ExpireAttempt(current)
    if state.app_backoff is not None and state.app_backoff.until > now:
        return DeferUntil(state.app_backoff.until, state.app_backoff.reason, excused=True)
    recheck = state.recheck
    if (
        recheck is not None
        and due_at is not None
        and due_at <= recheck.until
        and (recheck.until, current.part.id) not in searched
        and (current.part.state is PartState.PENDING or current.confirmed_absent)
    ):
        if recheck.until > now:
            return DeferUntil(recheck.until, Reason(ReasonCode.REQUESTS_BEFORE_RESTORE))
        return SearchBeforeSend(current, min(due_at, recheck.since))
    if current.part.state is PartState.UNKNOWN:
        return _decide_unknown(current, now=now, x_now=x_now or now, policy=policy)
    late_by = min(now, database_now or now) - state.late_from
    return _decide_pending(state, current, now=now, late_by=late_by, policy=policy)


def final_state(parts: Sequence[Part]) -> PostState:
    """Return the final state of a post of which no further part will be sent."""
    sent = sum(part.state is PartState.SENT for part in parts)
    if sent == len(parts):
        return PostState.PUBLISHED
    return PostState.PARTLY_PUBLISHED if sent else PostState.FAILED


def _decide_pending(
    state: PublishState,
    current: PartProgress,
    *,
    now: datetime,
    late_by: timedelta,
    policy: PublishPolicy,
) -> Step:
    account = state.account
    if account.backoff_until is not None and account.backoff_until > now:
        reason = account.backoff_reason or Reason(ReasonCode.NO_POSTS_ACCEPTED)
        return DeferUntil(
            account.backoff_until, reason, counts_as_late=account.backoff_counts_as_late
        )
    unsent = [one for one in state.parts if one.part.state is not PartState.SENT]
    if state.is_untried:
        tolerance = state.post.tolerance or policy.tolerance
        if late_by > tolerance and not policy.publish_late:
            facts: dict[str, Any] = {"tolerance_seconds": tolerance.total_seconds()}
            if state.post.wait is not None:
                facts["wait"] = state.post.wait.reason.to_json()
            return Finish(PostState.MISSED, Reason(ReasonCode.LATE, facts))
        if len(unsent) > 1 and (step := _await_windows(state, len(unsent), now)) is not None:
            return step
    if any(lacks_upload(one, asset, now=now) for one in unsent for asset in one.part.media):
        # The files of all parts are uploaded first, so that a refused file does not end a thread
        # after some parts.
        return UploadMedia()
    return Send(current, again=False)


def _await_windows(state: PublishState, requests: int, now: datetime) -> Step | None:
    """Return a wait until the account's rate limit windows allow `requests` requests.

    Returns None if the windows allow the requests now, and a `Finish` with the state `failed` if a
    window can never allow so many.
    """
    wait = rate_limits.time_until_allowed(state.windows, now=now, requests=requests)
    if wait is None:
        limit = min(window.limit for window in state.windows)
        facts = {"parts": requests, "limit": limit}
        return Finish(PostState.FAILED, Reason(ReasonCode.THREAD_LARGER_THAN_WINDOW, facts))
    if wait > timedelta(0):
        return DeferUntil(now + wait, Reason(ReasonCode.WINDOW_TOO_SMALL, {"parts": requests}))
    return None


def lacks_upload(part: PartProgress, asset: MediaAsset, *, now: datetime) -> bool:
    """Whether a file must be uploaded: it has no upload, or only one that expires soon."""
    upload = part.upload_of(asset.id)
    return upload is None or upload.expires_at <= now + UPLOAD_MARGIN


def _decide_unknown(
    current: PartProgress, *, now: datetime, x_now: datetime, policy: PublishPolicy
) -> Step:
    if current.confirmed_absent:
        return _resend(current, now=now)
    latest, read_at = current.unresolved[-1], current.empty_read_at
    readable_at = latest.started_at + policy.timeline_lag
    if current.empty_reads < EMPTY_READS:
        if read_at is None:
            return ReadTimeline(current, counts=x_now >= readable_at)
        next_at = max(readable_at, read_at + BETWEEN_READS) if current.empty_reads else readable_at
        if x_now >= next_at:
            return ReadTimeline(current, counts=True)
        return DeferUntil(now + (next_at - x_now), Reason(ReasonCode.READ_AGAIN))
    if current.was_refused_as_duplicate:
        return RequestDecision(current, Reason(ReasonCode.DUPLICATE_NOT_FOUND))
    if x_now > current.unresolved_since + policy.resend_window + current.app_backoff:
        if read_at is None or x_now - read_at > FRESH_READ:
            # The last read may be too old: it may have been made before a restore, or by a worker
            # that died.
            return ReadTimeline(current, counts=True)
        return RequestDecision(current, Reason(ReasonCode.TOO_LATE_TO_RESEND))
    step = _resend(current, now=now)
    if not isinstance(step, Send):
        return step
    resend_at = latest.started_at + RESEND_AFTER
    if x_now < resend_at:
        return DeferUntil(now + (resend_at - x_now), Reason(ReasonCode.MAY_STILL_ARRIVE))
    if read_at is None or read_at < resend_at or x_now - read_at > FRESH_READ:
        return ReadTimeline(current, counts=True)
    return step


def _resend(current: PartProgress, *, now: datetime) -> Step:
    """Return the step that leads to a resend of the part.

    A resend repeats the last request with the same uploads. If these cannot be used any more, a
    user must decide, unless a user has already confirmed that the part is not on X.
    """
    last, media = current.last, current.part.media
    uploads = [current.upload_of(asset.id) for asset in media]
    usable = {up.media_id for up in uploads if up is not None and up.expires_at > now}
    if media and not (len(last.media_ids) == len(media) and usable.issuperset(last.media_ids)):
        if current.confirmed_absent:
            # A user confirmed that the part is not on X, so the new request may use new uploads.
            if any(lacks_upload(current, asset, now=now) for asset in media):
                return UploadMedia()
            return Send(current, again=True)
        return RequestDecision(current, Reason(ReasonCode.MEDIA_EXPIRED))
    return Send(current, again=True)
