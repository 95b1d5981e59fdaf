"""Describes a post's history and the state of its parts in sentences for people. Pure."""

import re
from collections.abc import Mapping
from typing import Final

from roost.models import Actor, ActorKind, Event, PartState, PostState
from roost.publishing.state import Attempt, Outcome, PartProgress

#: What to call a change of state whose reason alone does not say what happened. The reason alone
#: describes all others: "handed to X (attempt 1)", "X refused the post: …", "discarded manually".
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
#: Operation names in the messages of `roost.x`, and what to call them.
_OPERATIONS: Final = {"create_post": "the post"}
#: A reason that begins with a stable code, such as `duplicate_post: …`.
_REASON_WITH_CODE: Final = re.compile(r"([a-z]+(?:_[a-z]+)+): (.*)", re.DOTALL)

_OUTCOMES: Final[Mapping[Outcome | None, str]] = {
    None: "its request is in progress, or its worker died",
    Outcome.SENT: "X responded with the post's id",
    Outcome.ADOPTED: "the post was found on X",
    Outcome.REFUSED: "X refused it",
    Outcome.NOT_CREATED: "X created nothing",
    Outcome.NO_PARENT: "X did not show the post that it replies to, and created nothing",
    Outcome.DUPLICATE: "X refused it as a duplicate of a post that it has",
    Outcome.UNKNOWN: "no response came",
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
    # Parts and posts can both be `failed`; the state before shows which of them failed.
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


def describe_actor(actor: Actor) -> str:
    """Name an actor: `worker host:17`, `rita@host at the terminal`."""
    match actor.kind:
        case ActorKind.WORKER:
            return f"worker {actor.name}"
        case ActorKind.DISPATCHER:
            return "dispatcher"
        case ActorKind.COMMAND_LINE:
            return f"{actor.name} at the terminal"
        case ActorKind.WEB_SERVER:
            return "the web server"


def describe_outcome(attempt: Attempt) -> str:
    """Describe the result of one attempt."""
    return _OUTCOMES[attempt.outcome]


def describe_reads(attempt: Attempt) -> str | None:
    """Describe what reading X's timeline for an attempt has shown; None if it was not read."""
    if attempt.confirmed_absent:
        return "a user checked X and confirmed that it is not there"
    if attempt.empty_read_at is None:
        return None
    if attempt.empty_reads == 0:
        return "X's timeline did not show it, but was read too early for that to count"
    times = "once" if attempt.empty_reads == 1 else f"{attempt.empty_reads} times"
    return f"X's timeline was read {times} without showing it"


def describe_media(part: PartProgress) -> str | None:
    """Name a part's files as X's timeline would show them; None if no name is known."""
    keys = ", ".join(sorted(part.media_keys))
    return f"its files are on X as {keys}" if keys else None
