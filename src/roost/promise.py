"""Exactly once, decided: what may be done next for a post, from its rows alone.

X has no idempotency key. A part is never sent again unless there is reason to believe that it is
not there, and what cannot be known goes to a person. Nothing here does anything: `services.publish`
does, and commits around every step.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from roost import limits
from roost.journal import PartJournal, PostJournal
from roost.models import MediaAsset, Part, PartId, PartState, PostState

#: Two empty reads of the timeline lie at least this far apart.
BETWEEN_READS: Final = timedelta(seconds=15)
#: An upload that expires sooner than this is made anew.
UPLOAD_MARGIN: Final = timedelta(minutes=10)
#: A part is sent again this long after its attempt: until then the network may deliver the first.
RESEND_AFTER: Final = timedelta(seconds=120)
#: And directly after an empty read, which is at most this old.
FRESH_READ: Final = timedelta(seconds=15)
#: So many empty reads, past X's read lag, are reason to believe that a post is not there.
EMPTY_READS: Final = 2


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings say, in domain time."""

    read_lag: timedelta
    """After this a new post is on its account's timeline for sure."""
    resend_within: timedelta
    """So long after an attempt may an absent part be sent again."""
    tolerance: timedelta
    """A post that is later than this is missed; a post may have its own."""
    publish_late: bool = False
    """Whether a missed post goes out all the same."""


@dataclass(frozen=True, slots=True)
class BringMedia:
    """Files have to be on X before a part can go out; the account is free meanwhile."""


@dataclass(frozen=True, slots=True)
class Send:
    """The part may be sent; `again` where an earlier attempt surely (as we believe) failed."""

    part: PartJournal
    again: bool


@dataclass(frozen=True, slots=True)
class SearchFirst:
    """The part may be on X though the database does not know: its timeline is read once.

    Also where earlier attempts surely created nothing: a later one may have been forgotten.
    """

    part: PartJournal
    since: datetime


@dataclass(frozen=True, slots=True)
class WaitWall:
    """The last attempt's request may still be under way."""

    left: timedelta


@dataclass(frozen=True, slots=True)
class GiveUpWaiting:
    """The last attempt's time is over and its answer is not known: the part is `unknown`."""

    part: PartJournal


@dataclass(frozen=True, slots=True)
class ReadTimeline:
    """X has to be asked; an empty answer `counts` only past X's read lag."""

    part: PartJournal
    counts: bool


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Nothing to do before this instant of domain time."""

    instant: datetime
    why: str
    excused: bool = False
    """The wait does not make the post late: nothing is dropped for want of credits."""
    counts_as_late: bool = False
    """The cause is on this side: the post counts as late in alerts."""


@dataclass(frozen=True, slots=True)
class AskPerson:
    """Roost cannot know; `why` is what the person reads."""

    part: PartJournal
    why: str


@dataclass(frozen=True, slots=True)
class Settle:
    """The post has come to its end."""

    state: PostState
    why: str


Step = (
    BringMedia | Send | SearchFirst | WaitWall | GiveUpWaiting | ReadTimeline | WaitUntil
    | AskPerson | Settle
)  # fmt: skip


def decide_step(
    journal: PostJournal,
    *,
    now: datetime,
    rules: Rules,
    x_now: datetime | None = None,
    database_now: datetime | None = None,
    searched: Collection[tuple[datetime, PartId]] = (),
) -> Step:
    """What may be done next for a post on its way.

    `now` is domain time by this worker's clock, `x_now` by X's (where it is known): attempts began
    and were read at X's time. `database_now` is the database's clock; None where domain time is not
    wall time. A post is missed only when this worker's clock and the database's both say so. In
    `searched` are the parts that were looked for on X, each with the recheck's `until`.
    """
    due_at = journal.post.due_at
    if due_at is not None and due_at > now:
        return WaitUntil(due_at, "its time has not come by this worker's clock")
    current = journal.current()
    if current is None or current.part.state is PartState.FAILED:
        return Settle(outcome_of([one.part for one in journal.parts]), "every part is on X")
    if current.part.state is PartState.SENDING:
        left = current.last.wall_left
        return WaitWall(left) if left > timedelta(0) else GiveUpWaiting(current)
    if journal.app_rest is not None and journal.app_rest.until > now:
        return WaitUntil(journal.app_rest.until, journal.app_rest.why, excused=True)
    recheck = journal.recheck
    if (
        recheck is not None
        and due_at is not None
        and due_at <= recheck.until
        and (recheck.until, current.part.id) not in searched
        and (current.part.state is PartState.PENDING or current.confirmed_absent)
    ):
        if recheck.until > now:
            why = "requests of before the restore may still be on the way to X"
            return WaitUntil(recheck.until, why)
        return SearchFirst(current, min(due_at, recheck.since))
    if current.part.state is PartState.UNKNOWN:
        return _reconcile(current, now=now, x_now=x_now or now, rules=rules)
    late_by = min(now, database_now or now) - journal.late_from
    return _begin(journal, current, now=now, late_by=late_by, rules=rules)


def outcome_of(parts: Sequence[Part]) -> PostState:
    """The end of a post of which nothing is pending, being sent or unknown."""
    sent = sum(part.state is PartState.SENT for part in parts)
    if sent == len(parts):
        return PostState.PUBLISHED
    return PostState.PARTLY_PUBLISHED if sent else PostState.FAILED


def _begin(
    journal: PostJournal,
    current: PartJournal,
    *,
    now: datetime,
    late_by: timedelta,
    rules: Rules,
) -> Step:
    account = journal.account
    if account.rest_until is not None and account.rest_until > now:
        why = account.rest_why or "X takes no post at present"
        return WaitUntil(account.rest_until, why, counts_as_late=account.backoff_counts_as_late)
    left = [one for one in journal.parts if one.part.state is not PartState.SENT]
    if journal.is_untried:
        tolerance = journal.post.tolerance or rules.tolerance
        if late_by > tolerance and not rules.publish_late:
            return Settle(PostState.MISSED, f"its time was over by more than {_told(tolerance)}")
        if len(left) > 1 and (step := _room_for(journal, len(left), now)) is not None:
            return step
    if any(lacks_upload(one, asset, now=now) for one in left for asset in one.part.media):
        # Of later parts as well: a thread is not begun that a refused file would end half way.
        return BringMedia()
    return Send(current, again=False)


def _room_for(journal: PostJournal, requests: int, now: datetime) -> Step | None:
    """A thread is not begun unless the account's windows have room for all of it."""
    wait = limits.wait_for_room(journal.windows, now=now, requests=requests)
    if wait is None:
        most = min(window.limit for window in journal.windows)
        why = (
            f"thread_larger_than_window: the thread has {requests} parts, and X takes {most} posts"
            " of the account in a window"
        )
        return Settle(PostState.FAILED, why)
    if wait > timedelta(0):
        return WaitUntil(now + wait, f"X takes fewer than {requests} more posts at present")
    return None


def lacks_upload(journal: PartJournal, asset: MediaAsset, *, now: datetime) -> bool:
    """Whether a file is to be brought to X (again) before its part is sent."""
    upload = journal.upload_of(asset.id)
    return upload is None or upload.expires_at <= now + UPLOAD_MARGIN


def _reconcile(current: PartJournal, *, now: datetime, x_now: datetime, rules: Rules) -> Step:
    if current.confirmed_absent:
        return _repeat(current, now=now)
    latest, read_at = current.unsettled[-1], current.empty_read_at
    readable_at = latest.started_at + rules.read_lag
    if current.empty_reads < EMPTY_READS:
        if read_at is None:
            return ReadTimeline(current, counts=x_now >= readable_at)
        next_at = max(readable_at, read_at + BETWEEN_READS) if current.empty_reads else readable_at
        if x_now >= next_at:
            return ReadTimeline(current, counts=True)
        why = "X's timeline does not show it yet, and is read once more"
        return WaitUntil(now + (next_at - x_now), why)
    if current.said_duplicate:
        return AskPerson(
            current,
            "X refuses to have the post twice, yet its timeline does not show it once.",
        )
    if x_now > current.unsettled_since + rules.resend_within + current.app_backoff:
        if read_at is None or x_now - read_at > FRESH_READ:
            # The reads may be old: of before a restore, or of a worker that died.
            return ReadTimeline(current, counts=True)
        return AskPerson(
            current,
            "X did not answer the attempt, its timeline does not show the post, and it is too"
            " late to send it again safely.",
        )
    step = _repeat(current, now=now)
    if not isinstance(step, Send):
        return step
    resend_at = latest.started_at + RESEND_AFTER
    if x_now < resend_at:
        why = "X's timeline does not show it; its request may still be on the way"
        return WaitUntil(now + (resend_at - x_now), why)
    if read_at is None or read_at < resend_at or x_now - read_at > FRESH_READ:
        return ReadTimeline(current, counts=True)
    return step


def _repeat(current: PartJournal, *, now: datetime) -> Step:
    """The same request again, which needs the same uploads."""
    last, media = current.last, current.part.media
    uploads = [current.upload_of(asset.id) for asset in media]
    alive = {up.media_id for up in uploads if up is not None and up.expires_at > now}
    if media and not (len(last.media_ids) == len(media) and alive.issuperset(last.media_ids)):
        if current.confirmed_absent:
            # A person has looked: there is no earlier request that this one has to repeat.
            if any(lacks_upload(current, asset, now=now) for asset in media):
                return BringMedia()
            return Send(current, again=True)
        return AskPerson(
            current,
            "X did not answer the attempt, its timeline does not show the post, and its media"
            " have expired, so that the same request cannot be made again.",
        )
    return Send(current, again=True)


def _told(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    return f"{minutes // 60} h" if minutes % 60 == 0 and minutes else f"{minutes} min"
