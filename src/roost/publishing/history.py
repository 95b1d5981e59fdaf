"""A post's history and what is known of its parts, in sentences that a person understands. Pure."""

import re
from collections.abc import Mapping
from typing import Final

from roost.models import Event, PartState, PostState
from roost.publishing.state import Attempt, Outcome, PartProgress

#: What a move is called where its `why` alone does not say what happened. The other moves are told
#: by their `why`: "handed to X (attempt 1)", "X refused the post: …", "dropped by hand".
_POST: Final[Mapping[str, str]] = {
    PostState.DRAFT: "kept as a draft",
    PostState.SCHEDULED: "scheduled",
    PostState.PUBLISHED: "published",
    PostState.PARTLY_PUBLISHED: "only some of it is on X",
    PostState.FAILED: "nothing of it is on X",
    PostState.NEEDS_DECISION: "a person has to decide",
    PostState.MISSED: "missed",
}
_PART: Final[Mapping[tuple[str | None, str], str]] = {
    (PartState.SENDING, PartState.PENDING): "not on X",
    (PartState.PENDING, PartState.FAILED): "cannot go out",
}
#: Names of requests, as they stand in what `roost.x` says about an answer.
_REQUESTS: Final = {"create_post": "the post"}
#: A reason that begins with a stable code, such as `duplicate_post: …`.
_CODED: Final = re.compile(r"([a-z]+(?:_[a-z]+)+): (.*)", re.DOTALL)

_OUTCOMES: Final[Mapping[Outcome | None, str]] = {
    None: "its request is under way, or its worker has died",
    Outcome.SENT: "X answered with the post's id",
    Outcome.ADOPTED: "the post was found on X",
    Outcome.REFUSED: "X refused it",
    Outcome.NOT_CREATED: "X surely created nothing",
    Outcome.NO_PARENT: "X did not show the post that it answers, and created nothing",
    Outcome.DUPLICATE: "X refused it as a repetition of what it has",
    Outcome.UNKNOWN: "no answer came",
}


def describe_event(event: Event) -> str:
    """One step of a post's history: `part 1: handed to X (attempt 1)`."""
    told = _told(event)
    return told if event.position is None else f"part {event.position}: {told}"


def _told(event: Event) -> str:
    why = _in_words(event.why)
    if event.before == event.after:
        return why
    lead = _PART.get((event.before, event.after))
    # Both a part and a post can be `failed`; from where it came tells which.
    is_part = event.after == PartState.FAILED and event.before in set(PartState)
    if lead is None and not is_part:
        lead = _POST.get(event.after)
    return why if lead is None else f"{lead}: {why}"


def _in_words(why: str) -> str:
    """A reason without the dot at its end, its code (if it has one) behind it."""
    for name, words in _REQUESTS.items():
        why = why.replace(name, words)
    coded = _CODED.fullmatch(why)
    return why.removesuffix(".") if coded is None else f"{coded[2].removesuffix('.')} ({coded[1]})"


def describe_outcome(attempt: Attempt) -> str:
    """What became of one try at sending a part."""
    return _OUTCOMES[attempt.outcome]


def describe_reads(attempt: Attempt) -> str | None:
    """What looking for it on X's timeline has shown; None where nobody has looked."""
    if attempt.decided_absent:
        return "a person has looked, and said that X does not have it"
    if attempt.empty_read_at is None:
        return None
    if attempt.empty_reads == 0:
        return "X's timeline did not show it, but was read too early for that to count"
    times = "once" if attempt.empty_reads == 1 else f"{attempt.empty_reads} times"
    return f"X's timeline was read {times} without showing it"


def describe_media(part: PartProgress) -> str | None:
    """By which names X's timeline would show the part's files; None where none is known."""
    keys = ", ".join(sorted(part.media_keys))
    return f"its files are on X as {keys}" if keys else None
