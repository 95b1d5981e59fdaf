"""Describes events, reasons, attempts and actors in sentences for people. Pure.

Events and reasons are stored as codes with facts; only this module turns them into sentences.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from roost.errors import RoostError
from roost.formats import format_count, format_time
from roost.models import (
    Actor,
    ActorKind,
    Detail,
    Event,
    EventCode,
    IntegrationStatus,
    PartState,
    PostState,
    Reason,
    ReasonCode,
    Wait,
)
from roost.publishing.changes import describe_changes
from roost.publishing.state import Attempt, Outcome, PartProgress

_NO_RESPONSE: Final = (
    "X sent no response to the attempt, the account's timeline does not show the post, and"
)

#: For each reason whose sentence needs no facts, the sentence.
_REASONS: Final[Mapping[str, str]] = {
    ReasonCode.NOT_DUE_YET: "this worker's clock has not reached the due time",
    ReasonCode.REQUESTS_BEFORE_RESTORE: "requests from before the restore may still reach X",
    ReasonCode.NO_POSTS_ACCEPTED: "X accepts no posts at present",
    ReasonCode.READ_AGAIN: "X's timeline does not show the post yet; Roost reads it once more",
    ReasonCode.MAY_STILL_ARRIVE: (
        "X's timeline does not show the post, but the request may still reach X"
    ),
    ReasonCode.DUPLICATE_NOT_FOUND: (
        "X refused the post as a duplicate, but the account's timeline does not show the post"
    ),
    ReasonCode.TOO_LATE_TO_RESEND: f"{_NO_RESPONSE} it is too late to send the post again safely",
    ReasonCode.MEDIA_EXPIRED: (
        f"{_NO_RESPONSE} its uploads have expired, so that the same request cannot be sent again"
    ),
    ReasonCode.UPLOADING: "its files are being uploaded",
    ReasonCode.LOCK_LOST: "the worker lost the account's lock before the request was sent",
    ReasonCode.WORKER_ENDED: "the worker ended before X's response was known",
    ReasonCode.ALREADY_ON_X: "X responded that it has this post already",
    ReasonCode.ABSENT_ON_TIMELINE: "X's timeline does not show the post",
    ReasonCode.CONFIRMED_ABSENT: "a user confirmed that X does not have the post",
    ReasonCode.RECHECK: "searched for on X first, because the database may lack an attempt",
    ReasonCode.DISCARDED: "it was discarded",
    ReasonCode.DELETION_REQUESTED: ("cancelled: its published parts are being deleted from X"),
    ReasonCode.NOT_SEARCHED: "X could not be searched for the account's posts after the restore",
}


def _describe_late(detail: Detail) -> str:
    late = f"it was late by more than {_format_span(detail['tolerance_seconds'])}"
    if "wait" not in detail:
        return late
    return f"{late}; before, it waited: {describe_reason(Reason.from_json(detail['wait']))}"


def _format_span(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h" if minutes % 60 == 0 and minutes else f"{minutes} min"


def _describe_parent(detail: Detail) -> str:
    subject = "the part before it" if detail["is_own"] else "the post that it replies to"
    return f"{subject} ({detail['tweet_id']})"


def _describe_found(sentence: str) -> Callable[[Detail], str]:
    return lambda detail: f"{sentence}: {', '.join(detail['tweet_ids'])}"


def _describe_gap(sentence: str) -> Callable[[Detail], str]:
    def describe(detail: Detail) -> str:
        if "complete_until" not in detail:
            return sentence
        until = format_time(datetime.fromisoformat(detail["complete_until"]), "UTC")
        return f"{sentence}; it has no records from after {until}"

    return describe


def _describe_cause(detail: Detail) -> str:
    return describe_reason(Reason.from_json(detail["reason"]))


#: For each reason whose sentence needs facts, the function that returns the sentence.
_REASONS_WITH_FACTS: Final[Mapping[str, Callable[[Detail], str]]] = {
    ReasonCode.LATE: _describe_late,
    ReasonCode.THREAD_LARGER_THAN_WINDOW: lambda detail: (
        f"the thread has {detail['parts']} parts, and X accepts {detail['limit']} posts of the"
        " account in a rate limit window (thread_larger_than_window)"
    ),
    ReasonCode.WINDOW_TOO_SMALL: lambda detail: (
        f"X accepts fewer than {format_count(detail['parts'], 'more post')} at present"
    ),
    ReasonCode.UPLOAD_FAILED: lambda detail: f"an upload failed: {_describe_cause(detail)}",
    ReasonCode.UNEXPECTED_ERROR: lambda detail: (
        "an unexpected error: " + ", ".join(filter(None, (detail["type"], detail.get("message"))))
    ),
    ReasonCode.RESEND_REFUSED: lambda detail: (
        f"X sent no response to the first attempt, and refused the next: {_describe_cause(detail)}"
    ),
    ReasonCode.PARENT_NOT_VISIBLE: lambda detail: (
        f"{_describe_parent(detail)} is not visible to X yet"
    ),
    ReasonCode.PARENT_GONE: lambda detail: (
        f"{_describe_parent(detail)} is no longer on X, or is hidden from this account"
        " (parent_gone)"
    ),
    ReasonCode.UNCLAIMED_DUPLICATE: lambda detail: (
        f"X responded that it has this post already: {_describe_address(detail)}, which Roost has"
        " not recorded for any post"
    ),
    ReasonCode.FOREIGN_APP: _describe_found("another app made an identical post"),
    ReasonCode.SEVERAL_MATCHES: _describe_found("several posts on X could be this part"),
    ReasonCode.OTHER_TIME: _describe_found("an identical post was made at another time"),
    ReasonCode.TIMELINE_HIDDEN: lambda detail: (
        f"X does not show the account's timeline: {_describe_cause(detail)}"
    ),
    ReasonCode.LATE_RESPONSE: lambda detail: (
        f"X responded late to an earlier attempt: the part is on X as {detail['tweet_id']}, and may"
        " be there twice"
    ),
    ReasonCode.IDENTICAL_ON_X: lambda detail: (
        f"X has an identical post that was made after the backup: {detail['tweet_id']}"
    ),
    ReasonCode.NOT_CONNECTED: lambda detail: f"@{detail['username']} has to be connected again",
    ReasonCode.MANUAL: lambda detail: (
        f"paused manually ({describe_actor(Actor.parse(detail['actor']))})"
    ),
    ReasonCode.RESTORED: _describe_gap("the database was restored"),
    ReasonCode.LACKS_EVENTS: _describe_gap(
        "the database lacks events that this machine has seen: it was restored, or failed over to"
        " an older copy"
    ),
    ReasonCode.IS_COPY: _describe_gap(
        "the database is a copy of the database from which workers have published"
    ),
}


#: For each state of a post, the words that follow `Post 17`.
_STATES: Final[Mapping[PostState, str]] = {
    PostState.DRAFT: "is a draft",
    PostState.SCHEDULED: "is scheduled",
    PostState.PUBLISHING: "is being published",
    PostState.PUBLISHED: "is published",
    PostState.PARTLY_PUBLISHED: "is partly published",
    PostState.FAILED: "has failed",
    PostState.NEEDS_DECISION: "needs a decision",
    PostState.CANCELLED: "is cancelled",
    PostState.MISSED: "was missed",
}


#: For each status of an account, the words that follow the account's name in a sentence.
_ACCOUNT_STATUSES: Final[Mapping[IntegrationStatus, str]] = {
    IntegrationStatus.CONNECTED: "is connected",
    IntegrationStatus.NEEDS_RECONNECT: "has to be connected again",
    IntegrationStatus.DISCONNECTED: "is disconnected",
}


def describe_account_status(status: IntegrationStatus) -> str:
    """Return the words that follow an account's name in a sentence, such as `is disconnected`."""
    return _ACCOUNT_STATUSES[status]


def describe_state(state: PostState) -> str:
    """Return the words that follow `Post 17` in a sentence, such as `needs a decision`."""
    return _STATES[state]


def error_reason(error: RoostError, **facts: Any) -> Reason:
    """Convert an error to a reason with the same code; the message becomes one of the facts."""
    return Reason(error.code, {"message": error.message, **facts})


def describe_reason(reason: Reason) -> str:
    """Return the sentence for a reason, without a full stop.

    For an error, the error's code is added in parentheses.
    """
    with_facts = _REASONS_WITH_FACTS.get(reason.code)
    if with_facts is not None:
        return with_facts(reason.detail)
    if reason.code in _REASONS:
        return _REASONS[reason.code]
    message = str(reason.detail.get("message", "")).removesuffix(".")
    if "duplicate" in reason.detail:
        message += f". The other post is {_describe_duplicate(reason.detail['duplicate'])}"
    described = f"{message} ({reason.code})" if message else reason.code
    return _describe_gap(described)(reason.detail)


def _describe_address(detail: Detail) -> str:
    """Return the address of a post on X; a post on an emulator has no address, only an id."""
    return detail["url"] or f"{detail['tweet_id']} on the emulator"


def _describe_duplicate(detail: Detail) -> str:
    post = f" (post {detail['post_id']})" if detail.get("post_id") is not None else ""
    return f"{_describe_address(detail)}{post}"


def reason_as_json(reason: Reason | None) -> dict[str, Any] | None:
    """Return a reason as JSON data: its code, its facts and the sentence for people."""
    if reason is None:
        return None
    return reason.to_json() | {"message": describe_reason(reason)}


def wait_as_json(wait: Wait | None) -> dict[str, Any] | None:
    """Return a wait as JSON data: its reason and its end; None if there is no wait."""
    return None if wait is None else {"reason": reason_as_json(wait.reason), "until": wait.until}


#: For each event whose description needs no facts, the description.
_EVENTS: Final[Mapping[EventCode, str]] = {
    EventCode.POST_PAUSED: "paused",
    EventCode.POST_RESUMED: "resumed",
    EventCode.POST_DUE: "the post became due",
    EventCode.POST_UPLOADED: "its files are on X",
    EventCode.POST_PUBLISHED: "published: every part is on X",
    EventCode.POST_ACKNOWLEDGED: "acknowledged: it stays as it is",
    EventCode.POST_REOPENED: (
        "the database was restored, and may lack the record that the post was sent"
    ),
    EventCode.PART_DISCARDED: "discarded",
    EventCode.PART_RETRIED: "retried",
    EventCode.PART_EDITED: "edited",
    EventCode.PART_DELETED: "deleted from X",
    EventCode.REPORT_READY: "a report was made",
    EventCode.TENANT_PAUSED: "the tenant was paused",
    EventCode.TENANT_RESUMED: "the tenant was resumed",
    EventCode.EVERYTHING_RESUMED: "everything was resumed",
}
#: For each event whose description ends with its reason, the words before the reason.
_EVENTS_WITH_REASON: Final[Mapping[EventCode, str]] = {
    EventCode.POST_DEFERRED: "waits",
    EventCode.POST_PARTLY_PUBLISHED: "only some parts are on X",
    EventCode.POST_FAILED: "no part is on X",
    EventCode.POST_MISSED: "missed",
    EventCode.POST_NEEDS_DECISION: "needs a decision",
}


def event_as_json(event: Event) -> dict[str, Any]:
    """Return an event as JSON data: its facts and the sentence for people."""
    return {
        "at": event.at,
        "post_id": event.post_id,
        "position": event.position,
        "code": event.code,
        "from_state": event.from_state,
        "to_state": event.to_state,
        "detail": event.detail,
        "actor": {"kind": event.actor.kind, "name": event.actor.name},
        "message": describe_event(event),
    }


def describe_event(event: Event, zone: str = "UTC") -> str:
    """Describe an event of a post's history, such as `part 1: handed to X (attempt 1)`.

    Times in the description are in the time zone `zone`.
    """
    description = _describe_change(event)
    if changes := event.detail.get("changes"):
        description += f": {describe_changes(changes, zone)}"
    return description if event.position is None else f"part {event.position}: {description}"


def _describe_change(event: Event) -> str:
    if event.code in _EVENTS:
        return _EVENTS[event.code]
    reason = "" if event.reason is None else describe_reason(event.reason)
    if event.code in _EVENTS_WITH_REASON:
        change = _EVENTS_WITH_REASON[event.code]
        return f"{change}: {reason}" if reason else change
    return _describe_with_facts(event, reason)


def _describe_with_facts(event: Event, reason: str) -> str:
    detail = event.detail
    match event.code:
        case EventCode.POST_DRAFTED | EventCode.POST_SCHEDULED:
            state = "scheduled" if event.code is EventCode.POST_SCHEDULED else "saved as a draft"
            if "file" not in detail:
                return state
            return f"{state}: imported from {detail['file']}, line {detail['line']}"
        case EventCode.POST_EDITED:
            is_same = event.from_state == event.to_state
            return "edited" if is_same else f"{event.to_state}: edited"
        case EventCode.POST_CANCELLED:
            return reason or "cancelled"
        case EventCode.POST_RESOLVED:
            return _describe_decision(detail)
        case EventCode.PART_ATTEMPTED:
            again = f" again, since {reason}" if reason else ""
            return f"handed to X{again} (attempt {detail['attempt']})"
        case EventCode.PART_ATTEMPT_ASSUMED:
            return reason or _EVENTS[EventCode.POST_REOPENED]
        case EventCode.PART_SENT:
            return f"X has the post as {detail['tweet_id']}"
        case EventCode.PART_ADOPTED:
            where = "manually" if detail.get("is_manual") else "on X's timeline"
            return f"found {where} as {detail['tweet_id']}"
        case EventCode.PART_NOT_CREATED:
            return f"not on X: {reason}" if event.to_state == PartState.PENDING else reason
        case EventCode.PART_UNKNOWN:
            return reason
        case EventCode.PART_REFUSED:
            was_sent = event.from_state == PartState.SENDING
            return reason if was_sent else f"cannot be published: {reason}"
        case EventCode.PART_ANSWERED_LATE:
            return describe_reason(Reason(ReasonCode.LATE_RESPONSE, detail))
        case EventCode.PART_FORGOTTEN:
            return (
                "X responded to an attempt that the database lacks: the part is on X as"
                f" {detail['tweet_id']}"
            )
        case EventCode.ACCOUNT_PAUSED:
            return f"@{detail['username']} was paused" + (f": {reason}" if reason else "")
        case EventCode.ACCOUNT_RESUMED:
            return f"@{detail['username']} was resumed"
        case EventCode.EVERYTHING_PAUSED:
            return f"everything was paused: {reason}" if reason else "everything was paused"
        case _:
            raise AssertionError(f"the event {event.code} has no words")


def _describe_decision(detail: Detail) -> str:
    """Describe a user's decision about a post that Roost could not finish."""
    decision = {
        "found": f"it is on X as {detail.get('tweet_id')}",
        "resend": "it is sent although it was missed",
        "continue": "the thread continues from there",
        "acknowledge": "acknowledged, and the post continues",
    }[detail["choice"]]
    if detail["choice"] == "resend" and "part" in detail:
        decision = f"part {detail['part']} is not on X, so it is sent"
    return f"resolved: {decision}"


def describe_actor(actor: Actor) -> str:
    """Return an actor's name, such as `worker host:17` or `rita@host at the terminal`."""
    match actor.kind:
        case ActorKind.WORKER:
            return f"worker {actor.name}"
        case ActorKind.DISPATCHER:
            return "dispatcher"
        case ActorKind.COMMAND_LINE:
            return f"{actor.name} at the terminal"
        case ActorKind.WEB_SERVER:
            return "the web server"


_OUTCOMES: Final[Mapping[Outcome | None, str]] = {
    None: "its request is in progress, or its worker died",
    Outcome.SENT: "X responded with the post's id",
    Outcome.ADOPTED: "the post was found on X",
    Outcome.REFUSED: "X refused the post",
    Outcome.NOT_CREATED: "X created nothing",
    Outcome.NO_PARENT: "X did not show the post that it replies to, and created nothing",
    Outcome.DUPLICATE: "X refused the post as a duplicate of a post that is on X",
    Outcome.UNKNOWN: "X sent no response",
}


def describe_outcome(attempt: Attempt) -> str:
    """Describe the result of one attempt."""
    return _OUTCOMES[attempt.outcome]


def describe_reads(attempt: Attempt) -> str | None:
    """Describe the reads of the timeline for an attempt; None if the timeline was not read."""
    if attempt.confirmed_absent:
        return "a user checked X and confirmed that the post is not there"
    if attempt.empty_read_at is None:
        return None
    if attempt.empty_reads == 0:
        return "X's timeline did not show the post, but was read too early to prove anything"
    times = "once" if attempt.empty_reads == 1 else f"{attempt.empty_reads} times"
    return f"X's timeline was read {times} and did not show the post"


def describe_media(part: PartProgress) -> str | None:
    """Say under which media keys a part's files are on X; None if X has returned no keys."""
    keys = ", ".join(sorted(part.media_keys))
    return f"its files are on X as {keys}" if keys else None
