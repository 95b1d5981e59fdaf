"""Describes a post's history and the state of its parts in sentences for people. Pure."""

import re
from collections.abc import Mapping
from typing import Final

from roost.models import Event, PartState, PostState
from roost.publishing.state import Attempt, Outcome, PartProgress

#: Names for changes of state whose reason does not say what happened. Other changes need no name,
#: because their reason does: "handed to X (attempt 1)", "discarded manually".
_POST_CHANGES: Final[Mapping[str, str]] = {
    PostState.DRAFT: "saved as a draft",
    PostState.SCHEDULED: "scheduled",
    PostState.PUBLISHED: "published",
    PostState.PARTLY_PUBLISHED: "only some parts are on X",
    PostState.FAILED: "no part is on X",
    PostState.NEEDS_DECISION: "needs a decision",
    PostState.MISSED: "missed",
}
_PART_CHANGES: Final[Mapping[tuple[str | None, str], str]] = {
    (PartState.SENDING, PartState.PENDING): "not on X",
    (PartState.PENDING, PartState.FAILED): "cannot be published",
}
#: Operation names in the messages of `roost.x`, and the words that replace them.
_OPERATIONS: Final = {"create_post": "the post"}
#: A reason that begins with a stable code, such as `duplicate_post: …`.
_REASON_WITH_CODE: Final = re.compile(r"([a-z]+(?:_[a-z]+)+): (.*)", re.DOTALL)

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


def describe_event(event: Event) -> str:
    """Describe one event of a post's history: `part 1: handed to X (attempt 1)`."""
    description = _describe_change(event)
    return description if event.position is None else f"part {event.position}: {description}"


def _describe_change(event: Event) -> str:
    reason = _format_reason(event.why)
    if event.before == event.after:
        return reason
    change = _PART_CHANGES.get((event.before, event.after))
    # Both a part and a post can be `failed`; a part's earlier state shows that the part failed.
    is_part = event.after == PartState.FAILED and event.before in set(PartState)
    if change is None and not is_part:
        change = _POST_CHANGES.get(event.after)
    return reason if change is None else f"{change}: {reason}"


def _format_reason(reason: str) -> str:
    """Return a reason without its final dot, and with its code (if any) at the end."""
    for operation, name in _OPERATIONS.items():
        reason = reason.replace(operation, name)
    parsed = _REASON_WITH_CODE.fullmatch(reason)
    if parsed is None:
        return reason.removesuffix(".")
    return f"{parsed[2].removesuffix('.')} ({parsed[1]})"


def describe_outcome(attempt: Attempt) -> str:
    """Describe the result of one attempt."""
    return _OUTCOMES[attempt.outcome]


def describe_reads(attempt: Attempt) -> str | None:
    """Describe the reads of X's timeline for an attempt; None if it was not read."""
    if attempt.confirmed_absent:
        return "a user checked X and confirmed that the post is not there"
    if attempt.empty_read_at is None:
        return None
    if attempt.empty_reads == 0:
        return "X's timeline did not show the post, but was read too early to prove anything"
    times = "once" if attempt.empty_reads == 1 else f"{attempt.empty_reads} times"
    return f"X's timeline was read {times} and did not show the post"


def describe_media(part: PartProgress) -> str | None:
    """Name a part's files by the keys that X's timeline would show; None if no key is known."""
    keys = ", ".join(sorted(part.media_keys))
    return f"its files are on X as {keys}" if keys else None
