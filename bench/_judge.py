"""Right or wrong, by what X has: each planned post held against the emulator's truth and its rows.

Pure, and knows nothing of how Roost decides: only what was planned, what X has or had, what a hand
did there, and what the rows and the history say in the end.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

#: Post states in which nothing happens any more without a person.
FINAL = frozenset(
    {"published", "partly_published", "failed", "needs_decision", "cancelled", "missed"}
)
_PART_WORDS = frozenset({"pending", "sending", "sent", "unknown"})
#: Which state of a part may follow which.
_MOVES = frozenset(
    {
        ("pending", "sending"), ("pending", "failed"),
        ("sending", "sent"), ("sending", "failed"), ("sending", "pending"), ("sending", "unknown"),
        ("unknown", "sent"), ("unknown", "sending"), ("unknown", "failed"),
    }
)  # fmt: skip
#: How late a post may be, in domain time: the product's own setting.
TOLERANCE = timedelta(hours=1)
#: Two processes write one history; right clocks may differ by this much of domain time.
CLOCKS_DIFFER = timedelta(seconds=5)
_TWEET_ID = re.compile(r"\b\d{15,20}\b")


class Wrong(StrEnum):
    """The ways in which a promise can be broken."""

    DUPLICATE = "duplicate"
    """More on X at one time than was planned."""
    LOST = "lost"
    """Accepted, not on X, and not in a state that says why."""
    OUT_OF_ORDER = "out_of_order"
    """A thread's part that does not answer the part before it."""
    UNEXPLAINED = "unexplained"
    """A final state that its history or X's truth does not justify."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A post as it was accepted; texts tell posts apart, but for twins."""

    post_id: int
    user_id: str
    """X's id of the account."""
    texts: tuple[str, ...]
    media: tuple[tuple[str, ...], ...] = ()
    """For each part, the SHA-256 of its files; empty: no part has any."""
    reply_to: str | None = None
    """What its first part answers."""
    quote_of: str | None = None
    """What its first part quotes."""
    poll: tuple[str, ...] | None = None
    """The options of its first part's poll."""
    forgotten: bool = False
    """Planned after the copy of the database that was restored: no row knows it, and another post
    may have its number. It may be on X, once."""


@dataclass(frozen=True, slots=True)
class OnX:
    """A post that X has or had."""

    id: str
    user_id: str
    text: str
    media: tuple[str, ...]
    reply_to: str | None
    created_at: datetime
    deleted_at: datetime | None
    by_hand: bool = False
    """A person made it, without any app."""
    deleted_by_hand: bool = False
    quote_of: str | None = None
    poll: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class EventRow:
    """One line of a post's history."""

    at: datetime
    position: int | None
    before: str | None
    after: str
    why: str

    @property
    def is_of_part(self) -> bool:
        """Whether it tells of a part; what ends a post may name a part too."""
        known = _PART_WORDS | {"failed"}
        return self.position is not None and self.after in known and self.before in known


@dataclass(frozen=True, slots=True)
class PartRow:
    """One part as its row stands."""

    position: int
    state: str
    sent_as: str | None


@dataclass(frozen=True, slots=True)
class PostRow:
    """One post as its rows stand."""

    id: int
    state: str
    reason: str | None
    due_at: datetime | None
    parts: tuple[PartRow, ...]
    events: tuple[EventRow, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken promise."""

    wrong: Wrong
    post_id: int
    what: str


@dataclass(frozen=True)
class Case:
    """All that is judged together: whole accounts, since twins share their copies.

    An account is X's: two tenants that have connected it plan for the same one. After a restore the
    rows are the copy's, with what was done to them since; X has what it had. So a post that X got
    in the time that the copy lacks has to be adopted, asked about or explained like any other.
    """

    planned: Sequence[Planned]
    rows: Mapping[int, PostRow]
    on_x: Sequence[OnX]
    clocks_differ: timedelta = CLOCKS_DIFFER
    """How far apart the clocks of those that write one history may be, in domain time."""
    now: datetime | None = None
    """Domain time of the rows: what is due later may still be `scheduled`. None: all was due."""
    restored_at: datetime | None = None
    """When a copy of the rows was put in their place; None: never. A thread whose beginning was
    deleted by hand before looks to the copy like one that never was: it may begin anew."""
    copies: Mapping[tuple[str, str], list[OnX]] = field(init=False)
    """By account and text, in the order in which X made them; a hand's own are not among them."""
    planned_of: Mapping[tuple[str, str], list[tuple[Planned, int]]] = field(init=False)
    """By account and text: who wants it, and as which part (from 1)."""

    def __post_init__(self) -> None:
        copies: dict[tuple[str, str], list[OnX]] = defaultdict(list)
        for post in sorted(self.on_x, key=lambda each: int(each.id)):
            if not post.by_hand:
                copies[post.user_id, post.text].append(post)
        wanted: dict[tuple[str, str], list[tuple[Planned, int]]] = defaultdict(list)
        for planned in self.planned:
            for position, text in enumerate(planned.texts, start=1):
                wanted[planned.user_id, text].append((planned, position))
        object.__setattr__(self, "copies", dict(copies))
        object.__setattr__(self, "planned_of", dict(wanted))

    def copies_of(self, planned: Planned, position: int) -> list[OnX]:
        """What X has or had of a part, a twin's included."""
        return self.copies.get((planned.user_id, planned.texts[position - 1]), [])


def judge(case: Case, *, at_rest: bool = True) -> list[Finding]:
    """Every broken promise; none: all is as it should be.

    `at_rest`: everything has had its time, and what still moves is lost.
    """
    return [*_duplicates(case), *_foreign_deletions(case), *_each(case, at_rest)]


def _each(case: Case, at_rest: bool) -> Iterator[Finding]:
    for planned in case.planned:
        if planned.forgotten:
            continue
        row = case.rows.get(planned.post_id)
        if row is None:
            yield Finding(Wrong.LOST, planned.post_id, "its row is gone")
            continue
        for wrong, what in (
            *_lost(case, planned, row, at_rest),
            *_out_of_order(case, planned, row),
            *_unexplained(case, planned, row),
        ):
            yield Finding(wrong, planned.post_id, what)


def _duplicates(case: Case) -> Iterator[Finding]:
    by_id = {each.id: each for each in case.on_x}
    for key, copies in case.copies.items():
        wanted = case.planned_of.get(key, [])
        for at, copy in enumerate(copies):
            standing = [
                each
                for each in copies[: at + 1]
                if not _was_deleted(each, copy.created_at)
                and not _is_forgotten_orphan(case, by_id, each, copy)
            ]
            if len(standing) > len(wanted):
                post_id = wanted[0][0].post_id if wanted else 0
                ids = ", ".join(each.id for each in standing)
                what = f"{len(standing)} on X at once, {len(wanted)} planned: {ids}"
                yield Finding(Wrong.DUPLICATE, post_id, what)


def _was_deleted(post: OnX, at: datetime) -> bool:
    return post.deleted_by_hand and (post.deleted_at is None or post.deleted_at <= at)


def _is_forgotten_orphan(case: Case, by_id: Mapping[str, OnX], post: OnX, copy: OnX) -> bool:
    """Whether a post of before the restore answers, in the end, one that a hand had deleted."""
    if case.restored_at is None or not post.created_at < case.restored_at <= copy.created_at:
        return False
    parent = by_id.get(post.reply_to or "")
    while parent is not None:
        if _was_deleted(parent, copy.created_at):
            return True
        parent = by_id.get(parent.reply_to or "")
    return False


def _foreign_deletions(case: Case) -> Iterator[Finding]:
    for key, copies in case.copies.items():
        for copy in copies:
            if copy.deleted_at is not None and not copy.deleted_by_hand:
                wanted = case.planned_of.get(key, [])
                post_id = wanted[0][0].post_id if wanted else 0
                yield Finding(Wrong.LOST, post_id, f"{copy.id} was deleted, and by no hand")


def _lost(case: Case, planned: Planned, row: PostRow, at_rest: bool) -> Iterator[tuple[Wrong, str]]:
    if at_rest and row.state not in FINAL and not _is_ahead(case, row):
        yield Wrong.LOST, f"it is {row.state} and comes to no end"
    if len(row.parts) != len(planned.texts):
        yield Wrong.LOST, f"{len(row.parts)} parts of {len(planned.texts)} are left"
    for part in row.parts:
        copies = case.copies_of(planned, part.position)
        if part.sent_as is not None:
            if part.sent_as not in {each.id for each in copies}:
                yield Wrong.LOST, f"part {part.position} is said to be {part.sent_as}; X disagrees"
        elif row.state == "published":
            yield Wrong.LOST, f"published, but part {part.position} is {part.state}"
        elif row.state in FINAL and not (row.reason or "").strip():
            yield Wrong.LOST, f"part {part.position} is {part.state}, and nothing says why"


def _is_ahead(case: Case, row: PostRow) -> bool:
    """Whether a post waits for its time, untouched."""
    return (
        row.state == "scheduled"
        and case.now is not None
        and row.due_at is not None
        and row.due_at > case.now
        and all(part.state == "pending" for part in row.parts)
    )


def _out_of_order(case: Case, planned: Planned, row: PostRow) -> Iterator[tuple[Wrong, str]]:
    for position in range(1, len(planned.texts) + 1):
        before = {each.id for each in case.copies_of(planned, position - 1)} if position > 1 else ()
        for copy in case.copies_of(planned, position):
            if position == 1 and copy.reply_to != planned.reply_to:
                yield Wrong.OUT_OF_ORDER, f"the first part {copy.id} answers {copy.reply_to}"
            if position > 1 and copy.reply_to not in before:
                what = f"part {position} ({copy.id}) answers {copy.reply_to}"
                yield Wrong.OUT_OF_ORDER, f"{what}, not part {position - 1}"
    by_id = {each.id: each for each in case.on_x}
    for first, second in pairwise(row.parts):
        if second.sent_as is None or second.sent_as not in by_id:
            continue
        if by_id[second.sent_as].reply_to != first.sent_as:
            what = f"part {second.position} is kept as an answer to {first.sent_as}; X disagrees"
            yield Wrong.OUT_OF_ORDER, what


def _unexplained(case: Case, planned: Planned, row: PostRow) -> Iterator[tuple[Wrong, str]]:
    told = [
        *_broken_story(row, case.clocks_differ),
        *_shared_ids(case, row),
        *_content(case, planned),
    ]
    if row.state == "needs_decision":
        told += _unfounded_doubt(case, row)
    elif row.state in ("failed", "partly_published"):
        told += _unfounded_failure(case, planned, row)
    elif row.state == "missed":
        told += _unfounded_miss(row)
    elif row.state == "cancelled":
        told.append("cancelled, although nobody took it back")
    for what in told:
        yield Wrong.UNEXPLAINED, what


def _broken_story(row: PostRow, clocks_differ: timedelta) -> Iterator[str]:
    """Whether the history is one chain that ends where the row stands, without a leap."""
    for part in row.parts:
        state = "pending"
        for event in row.events:
            if event.position != part.position or not event.is_of_part:
                continue
            if event.before != state:
                yield f"part {part.position} is told to leave {event.before} while {state}"
            if (event.before, event.after) not in _MOVES:
                yield f"part {part.position} is told to go from {event.before} to {event.after}"
            state = event.after
        if state != part.state:
            yield f"part {part.position} is {part.state}, and its history ends at {state}"
    ends = [event for event in row.events if not event.is_of_part]
    if row.state in FINAL and (not ends or ends[-1].after != row.state):
        yield f"the post is {row.state}, and no line of its history says so"
    if any(later.at < earlier.at - clocks_differ for earlier, later in pairwise(row.events)):
        yield "its history goes back in time"
    if not all(event.why.strip() for event in row.events):
        yield "a line of its history gives no reason"


def _shared_ids(case: Case, row: PostRow) -> Iterator[str]:
    mine = {part.sent_as for part in row.parts if part.sent_as}
    others = Counter(
        part.sent_as
        for other in case.rows.values()
        if other.id != row.id
        for part in other.parts
        if part.sent_as in mine
    )
    if others:
        yield f"other posts claim its ids too: {', '.join(filter(None, others))}"
    if mine & {each.id for each in case.on_x if each.by_hand}:
        yield "it claims what a hand posted"


def _content(case: Case, planned: Planned) -> Iterator[str]:
    for position in range(1, len(planned.texts) + 1):
        media = planned.media[position - 1] if planned.media else ()
        more = (planned.quote_of, planned.poll) if position == 1 else (None, None)
        for copy in case.copies_of(planned, position):
            if (copy.media, copy.quote_of, copy.poll) != (media, *more):
                yield f"{copy.id} carries, quotes or asks something else than part {position}"


def _unclaimed(case: Case, planned: Planned, position: int) -> list[OnX]:
    """Copies of a part on X that no row calls its own."""
    claimed = {part.sent_as for row in case.rows.values() for part in row.parts if part.sent_as}
    return [each for each in case.copies_of(planned, position) if each.id not in claimed]


def _unfounded_doubt(case: Case, row: PostRow) -> Iterator[str]:
    doubted = [part for part in row.parts if part.state == "unknown"]
    if not doubted:
        yield "a person is asked, and no part is unknown"
    for part in doubted:
        events = [each for each in row.events if each.position == part.position]
        if not any(each.after == "unknown" for each in events):
            yield f"part {part.position} is unknown, and nothing says since when"
    known = {each.id for each in case.on_x}
    for named in _TWEET_ID.findall(row.reason or ""):
        if named not in known:
            yield f"its reason names {named}, which X never had"


def _unfounded_miss(row: PostRow) -> Iterator[str]:
    if any(part.state != "pending" for part in row.parts):
        yield f"missed, with parts {', '.join(part.state for part in row.parts)}"
    if row.due_at is None or row.events[-1].at - row.due_at < TOLERANCE:
        yield f"missed at {row.events[-1].at}, and it was due at {row.due_at}"


def _unfounded_failure(case: Case, planned: Planned, row: PostRow) -> Iterator[str]:
    refused = [part for part in row.parts if part.state == "failed"]
    if not refused:
        yield f"{row.state}, and no part was refused"
    if (row.state == "partly_published") != any(part.state == "sent" for part in row.parts):
        yield f"{row.state}, with parts {', '.join(part.state for part in row.parts)}"
    code = (row.reason or "").partition(":")[0]
    for part in refused:
        twins = case.planned_of[planned.user_id, planned.texts[part.position - 1]]
        unclaimed = _unclaimed(case, planned, part.position)
        if unclaimed and len(twins) == 1:
            yield f"part {part.position} is failed, and X has it as {unclaimed[0].id}"
        by_hand = any(
            post.by_hand and post.text == planned.texts[part.position - 1] for post in case.on_x
        )
        parents = case.copies_of(planned, part.position - 1) if part.position > 1 else []
        orphan = any(each.deleted_by_hand for each in parents)
        founded = orphan or (code == "duplicate_post" and (len(twins) > 1 or by_hand))
        if not founded:
            yield f"part {part.position} is failed ({code}), and X had no reason to refuse it"
