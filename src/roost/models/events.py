"""Events and reasons as data: a code and its facts.

`roost.publishing.history` describes events and reasons in sentences.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from roost.models.ids import PostId, TweetId
from roost.models.scope import Actor

#: Facts of an event, a reason or an alert: JSON values by name.
Detail = Mapping[str, Any]


class ReasonCode(StrEnum):
    """The codes of the reasons for events, alerts and waits.

    If the reason is an error, the error's code is used instead of one of these codes. The names in
    backticks at the start of a code's docstring are the names of the reason's facts.
    """

    NOT_DUE_YET = "not_due_yet"
    """The worker's clock has not reached the due time."""
    REQUESTS_BEFORE_RESTORE = "requests_before_restore"
    """Requests from before a restore may still reach X."""
    NO_POSTS_ACCEPTED = "no_posts_accepted"
    """X accepts no posts of the account at present."""
    LATE = "late"
    """`tolerance_seconds`: the post was later than its tolerance."""
    THREAD_LARGER_THAN_WINDOW = "thread_larger_than_window"
    """`parts`, `limit`: the thread has more parts than X accepts in a rate limit window."""
    WINDOW_TOO_SMALL = "window_too_small"
    """`parts`: X accepts fewer posts at present than the thread has parts."""
    READ_AGAIN = "read_again"
    """The timeline does not show the post yet, and is read once more."""
    MAY_STILL_ARRIVE = "may_still_arrive"
    """The timeline does not show the post, but the post's request may still reach X."""
    DUPLICATE_NOT_FOUND = "duplicate_not_found"
    """X refused the post as a duplicate, but the timeline does not show such a post."""
    TOO_LATE_TO_RESEND = "too_late_to_resend"
    """The timeline does not show the post, and the resend window is over."""
    MEDIA_EXPIRED = "media_expired"
    """The timeline does not show the post, and the post's uploads have expired."""
    UPLOADING = "uploading"
    """The post's files are being uploaded."""
    UPLOAD_FAILED = "upload_failed"
    """`reason`: the error."""
    UNEXPECTED_ERROR = "unexpected_error"
    """`type`, `message`: the class of an unexpected exception, and the operating system's message
    if there is one."""
    LOCK_LOST = "lock_lost"
    """The worker lost the account's lock before the request was sent."""
    WORKER_ENDED = "worker_ended"
    """The worker ended before X's response was known."""
    ALREADY_ON_X = "already_on_x"
    """X refused a resend, because it has the post already."""
    RESEND_REFUSED = "resend_refused"
    """`reason`: why X refused a resend, after X sent no response to the first attempt."""
    PARENT_NOT_VISIBLE = "parent_not_visible"
    """`tweet_id`, `is_own`: X does not show the post to reply to; `is_own` says whether that post
    is the part before this part."""
    PARENT_GONE = "parent_gone"
    """`tweet_id`, `is_own`: like `parent_not_visible`, but X will never show the post."""
    UNCLAIMED_DUPLICATE = "unclaimed_duplicate"
    """`tweet_id`, `url`: X has the same post, which is not recorded for any post in Roost."""
    FOREIGN_APP = "foreign_app"
    """`tweet_ids`: another app made an identical post."""
    SEVERAL_MATCHES = "several_matches"
    """`tweet_ids`: several posts on X look like the part."""
    OTHER_TIME = "other_time"
    """`tweet_ids`: an identical post was made at another time."""
    TIMELINE_HIDDEN = "timeline_hidden"
    """`reason`: why X does not show the account's timeline."""
    ABSENT_ON_TIMELINE = "absent_on_timeline"
    """X's timeline does not show the post, so it is sent again."""
    CONFIRMED_ABSENT = "confirmed_absent"
    """A user confirmed that X does not have the post."""
    RECHECK = "recheck"
    """The database may lack an attempt, so the part was searched for on X."""
    LATE_RESPONSE = "late_response"
    """`tweet_id`: X responded late to an earlier attempt, so the part may be on X twice."""
    DISCARDED = "discarded"
    """A user gave the post up."""
    DELETION_REQUESTED = "deletion_requested"
    """A user requested that the post's published parts be deleted from X."""
    IDENTICAL_ON_X = "identical_on_x"
    """`tweet_id`: X has an identical post, which was made after the backup of the database."""
    NOT_CONNECTED = "not_connected"
    """`username`: the account has to be connected again."""
    MANUAL = "manual"
    """`actor`: who paused everything."""
    RESTORED = "restored"
    """`complete_until`: a user restored the database, which may lack posts that were sent later."""
    LACKS_EVENTS = "lacks_events"
    """`complete_until`: the database lacks events that this machine has seen."""
    IS_COPY = "is_copy"
    """`complete_until`: the database is a copy of the database that workers publish from."""
    NOT_SEARCHED = "not_searched"
    """X could not be searched for the account's posts after a restore."""


@dataclass(frozen=True, slots=True)
class Reason:
    """The reason for an event, an alert or a wait, as a code with its facts."""

    code: str
    """A `ReasonCode`, or the code of an error, whose `message` is in the detail."""
    detail: Detail = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form in which the reason is stored."""
        return {"code": str(self.code), "detail": dict(self.detail)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Reason":
        """Convert a reason from its stored JSON form, which `to_json` returns."""
        return cls(stored["code"], stored["detail"])

    @property
    def cause(self) -> "Reason | None":
        """The reason that caused this reason; None if there is none."""
        return find_reason(self.detail)

    @property
    def tweet_ids(self) -> tuple[TweetId, ...]:
        """The ids of the posts on X that the reason's facts contain."""
        return tuple(_find_tweet_ids(self.detail))


def find_reason(detail: Detail) -> Reason | None:
    """Return the reason among the facts in `detail`; None if they contain no reason."""
    stored = detail.get("reason")
    return None if stored is None else Reason.from_json(stored)


def reason_detail(reason: Reason | None) -> dict[str, Any]:
    """Return the facts of an event or alert that has a reason; empty if `reason` is None."""
    return {} if reason is None else {"reason": reason.to_json()}


def _find_tweet_ids(detail: Detail) -> Iterator[TweetId]:
    if "tweet_id" in detail:
        yield TweetId(detail["tweet_id"])
    yield from map(TweetId, detail.get("tweet_ids", ()))
    for value in detail.values():
        if isinstance(value, Mapping):
            yield from _find_tweet_ids(value)


class EventCode(StrEnum):
    """The codes of events: what the event is about, and what happened, as in `tenant.paused`.

    The names in backticks at the start of a code's docstring are the names of the event's facts.
    """

    POST_DRAFTED = "post.drafted"
    """`file`, `line`: the plan file and the line from which the post was imported, if any."""
    POST_SCHEDULED = "post.scheduled"
    """`file`, `line`: as for `post.drafted`."""
    POST_EDITED = "post.edited"
    """`changes`: what the edit changed, with the values before and after it."""
    POST_CANCELLED = "post.cancelled"
    POST_PAUSED = "post.paused"
    POST_RESUMED = "post.resumed"
    POST_DUE = "post.due"
    """The due time was reached."""
    POST_DEFERRED = "post.deferred"
    """The post waits."""
    POST_UPLOADED = "post.uploaded"
    """The post's files are on X."""
    POST_PUBLISHED = "post.published"
    POST_PARTLY_PUBLISHED = "post.partly_published"
    POST_FAILED = "post.failed"
    POST_MISSED = "post.missed"
    POST_NEEDS_DECISION = "post.needs_decision"
    POST_RESOLVED = "post.resolved"
    """`choice`, `tweet_id`, `part`: what a user decided."""
    POST_ACKNOWLEDGED = "post.acknowledged"
    POST_REOPENED = "post.reopened"
    """The database was restored, and may lack the record that the post was sent."""
    PART_ATTEMPTED = "part.attempted"
    """`attempt`: the number of the attempt."""
    PART_ATTEMPT_ASSUMED = "part.attempt_assumed"
    """The database may lack an attempt, so one was added; no request was sent."""
    PART_SENT = "part.sent"
    """`tweet_id`: the id from X's response."""
    PART_ADOPTED = "part.adopted"
    """`tweet_id`, `is_manual`: the post was found on the timeline, or a user named the post."""
    PART_NOT_CREATED = "part.not_created"
    PART_UNKNOWN = "part.unknown"
    PART_REFUSED = "part.refused"
    PART_DISCARDED = "part.discarded"
    PART_RETRIED = "part.retried"
    PART_EDITED = "part.edited"
    """As `post.edited`."""
    PART_DELETED = "part.deleted"
    PART_ANSWERED_LATE = "part.answered_late"
    """`tweet_id`: X responded late to an earlier attempt, so the part may be on X twice."""
    PART_FORGOTTEN = "part.forgotten"
    """`tweet_id`: X responded to an attempt that the database lacks."""
    REPORT_READY = "report.ready"
    """`number`, `first_day`, `last_day`, `skipped`: a report was made. `skipped` has the first days
    of the earlier periods for which its schedule has made no report."""
    ACCOUNT_PAUSED = "account.paused"
    """`username`."""
    ACCOUNT_RESUMED = "account.resumed"
    TENANT_PAUSED = "tenant.paused"
    TENANT_RESUMED = "tenant.resumed"
    EVERYTHING_PAUSED = "everything.paused"
    EVERYTHING_RESUMED = "everything.resumed"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a post."""

    at: datetime
    post_id: PostId
    position: int | None
    """The position of the part that the event concerns; None for the whole post."""
    code: EventCode
    from_state: str | None
    """The state before the event; None for a new post, and for a pause of the account or tenant."""
    to_state: str | None
    """The state after the event, which may be the same; None for a pause of the account or
    tenant."""
    detail: Detail
    actor: Actor
    """The originator of the event."""

    @property
    def reason(self) -> Reason | None:
        """Why the event happened; None if its code says this already."""
        return find_reason(self.detail)
