"""Checks each planned post against the emulator's ground truth and the database.

These pure functions do not know how Roost decides. Their input is the planned posts, the posts that
X has or had, the actions of people on X, and the final rows and history of each post.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from harness.records import FINAL_STATES, PlannedPost, PostRow, XPost

#: The allowed changes of a part's state.
_TRANSITIONS = frozenset(
    {
        ("pending", "sending"), ("pending", "failed"),
        ("sending", "sent"), ("sending", "failed"), ("sending", "pending"), ("sending", "unknown"),
        ("unknown", "sent"), ("unknown", "sending"), ("unknown", "failed"),
    }
)  # fmt: skip
#: The domain time by which a post may be late before it is missed: Roost's default setting.
LATE_TOLERANCE = timedelta(hours=1)
#: The domain time by which correct clocks may differ. Several processes write one post's history,
#: so the times in it may decrease by this much.
CLOCK_TOLERANCE = timedelta(seconds=5)
_TWEET_ID = re.compile(r"\b\d{15,20}\b")


class FindingKind(StrEnum):
    """The ways in which Roost can fail to publish every part exactly once and in order."""

    DUPLICATE = "duplicate"
    """At some time, X had more copies of a text than were planned."""
    LOST = "lost"
    """Roost accepted the post, but the post is not on X and its state gives no reason."""
    OUT_OF_ORDER = "out_of_order"
    """A part of a thread does not reply to the part before it."""
    UNEXPLAINED = "unexplained"
    """Neither the history nor the ground truth explains the post's final state."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation of the delivery guarantee."""

    kind: FindingKind
    post_id: int
    description: str


@dataclass(frozen=True)
class Evidence:
    """The planned posts, rows and X posts of whole accounts, which are checked together.

    Identical posts must be checked together, because a copy on X can belong to any of them. An
    account here is an account on X, even if two tenants have connected it. After a restore, the
    rows of the lost period are missing, but X still has all posts. A post that X received in the
    lost period must therefore be adopted, decided by a person, or explained like any other post.
    """

    planned: Sequence[PlannedPost]
    rows: Mapping[int, PostRow]
    x_posts: Sequence[XPost]
    clock_tolerance: timedelta = CLOCK_TOLERANCE
    """The domain time by which the clocks of processes that write one history may differ."""
    now: datetime | None = None
    """The domain time at which the rows were read. None if all posts were due.

    A post with a later due time may still be `scheduled`.
    """
    restored_at: datetime | None = None
    """The time at which a copy of the rows was restored. None if there was no restore.

    If a person had deleted the first part of a thread on X before the restore, the restored rows
    look as if this part had never been sent. In that case, the whole thread may be sent again.
    """
    copies: Mapping[tuple[str, str], list[XPost]] = field(init=False)
    """The posts that X has or had, by account and text, oldest first. Posts that a person made
    are not included."""
    planned_by_text: Mapping[tuple[str, str], list[tuple[PlannedPost, int]]] = field(init=False)
    """The planned posts, each with the position (from 1) of the part, by account and text."""

    def __post_init__(self) -> None:
        copies: dict[tuple[str, str], list[XPost]] = defaultdict(list)
        for post in sorted(self.x_posts, key=lambda each: int(each.id)):
            if not post.posted_manually:
                copies[post.user_id, post.text].append(post)
        planned_posts: dict[tuple[str, str], list[tuple[PlannedPost, int]]] = defaultdict(list)
        for planned in self.planned:
            for position, text in enumerate(planned.texts, start=1):
                planned_posts[planned.user_id, text].append((planned, position))
        object.__setattr__(self, "copies", dict(copies))
        object.__setattr__(self, "planned_by_text", dict(planned_posts))

    def copies_of_part(self, planned: PlannedPost, position: int) -> list[XPost]:
        """Return the posts on X with the text of a part; some may belong to identical posts."""
        return self.copies.get((planned.user_id, planned.texts[position - 1]), [])


def check_posts(evidence: Evidence, *, all_settled: bool = True) -> list[Finding]:
    """Find every violation of the delivery guarantee (see `FindingKind`).

    `all_settled` says that every post had enough time to reach a final state. A due post without
    a final state then counts as lost.
    """
    return [
        *_check_duplicates(evidence),
        *_check_deletions(evidence),
        *_check_each(evidence, all_settled),
    ]


def _check_each(evidence: Evidence, all_settled: bool) -> Iterator[Finding]:
    for planned in evidence.planned:
        if planned.undone_by_restore:
            continue
        row = evidence.rows.get(planned.post_id)
        if row is None:
            yield Finding(FindingKind.LOST, planned.post_id, "the post has no row")
            continue
        for kind, description in (
            *_check_lost(evidence, planned, row, all_settled),
            *_check_order(evidence, planned, row),
            *_check_explained(evidence, planned, row),
        ):
            yield Finding(kind, planned.post_id, description)


def _check_duplicates(evidence: Evidence) -> Iterator[Finding]:
    by_id = {each.id: each for each in evidence.x_posts}
    for key, copies in evidence.copies.items():
        planned_posts = evidence.planned_by_text.get(key, [])
        for index, copy in enumerate(copies):
            present = [
                each
                for each in copies[: index + 1]
                if not _was_deleted(each, copy.created_at)
                and not _is_orphan_from_before_restore(evidence, by_id, each, copy)
            ]
            if len(present) > len(planned_posts):
                post_id = planned_posts[0][0].post_id if planned_posts else 0
                ids = ", ".join(each.id for each in present)
                description = f"{len(present)} copies at once, {len(planned_posts)} planned: {ids}"
                yield Finding(FindingKind.DUPLICATE, post_id, description)


def _was_deleted(post: XPost, at: datetime) -> bool:
    return post.deleted_manually and (post.deleted_at is None or post.deleted_at <= at)


def _is_orphan_from_before_restore(
    evidence: Evidence, by_id: Mapping[str, XPost], post: XPost, copy: XPost
) -> bool:
    """Whether a post from before the restore replies, even indirectly, to a deleted post.

    If so, `post` does not count as a duplicate of `copy`, which was created after the restore,
    because a thread whose first part was deleted may be sent again.
    """
    restored_at = evidence.restored_at
    if restored_at is None or not post.created_at < restored_at <= copy.created_at:
        return False
    parent = by_id.get(post.reply_to or "")
    while parent is not None:
        if _was_deleted(parent, copy.created_at):
            return True
        parent = by_id.get(parent.reply_to or "")
    return False


def _check_deletions(evidence: Evidence) -> Iterator[Finding]:
    for key, copies in evidence.copies.items():
        for copy in copies:
            if copy.deleted_at is not None and not copy.deleted_manually:
                planned_posts = evidence.planned_by_text.get(key, [])
                post_id = planned_posts[0][0].post_id if planned_posts else 0
                description = f"{copy.id} was deleted, but not by a person"
                yield Finding(FindingKind.LOST, post_id, description)


def _check_lost(
    evidence: Evidence, planned: PlannedPost, row: PostRow, all_settled: bool
) -> Iterator[tuple[FindingKind, str]]:
    if all_settled and row.state not in FINAL_STATES and not _is_waiting(evidence, row):
        yield FindingKind.LOST, f"the post is {row.state} and does not reach a final state"
    if len(row.parts) != len(planned.texts):
        yield FindingKind.LOST, f"only {len(row.parts)} of {len(planned.texts)} parts have a row"
    for part in row.parts:
        copies = evidence.copies_of_part(planned, part.position)
        if part.sent_as is not None:
            if part.sent_as not in {each.id for each in copies}:
                description = f"part {part.position} claims {part.sent_as}, which X never had"
                yield FindingKind.LOST, description
        elif row.state == "published":
            yield (
                FindingKind.LOST,
                f"the post is published, but part {part.position} is {part.state}",
            )
        elif row.state in FINAL_STATES and not (row.reason or "").strip():
            yield FindingKind.LOST, f"part {part.position} is {part.state} without a reason"


def _is_waiting(evidence: Evidence, row: PostRow) -> bool:
    """Whether a post is not due yet, and Roost has not begun to publish it."""
    return (
        row.state == "scheduled"
        and evidence.now is not None
        and row.due_at is not None
        and row.due_at > evidence.now
        and all(part.state == "pending" for part in row.parts)
    )


def _check_order(
    evidence: Evidence, planned: PlannedPost, row: PostRow
) -> Iterator[tuple[FindingKind, str]]:
    for position in range(1, len(planned.texts) + 1):
        parents = evidence.copies_of_part(planned, position - 1) if position > 1 else []
        parent_ids = {each.id for each in parents}
        for copy in evidence.copies_of_part(planned, position):
            if position == 1 and copy.reply_to != planned.reply_to:
                description = f"the first part {copy.id} replies to {copy.reply_to}"
                yield FindingKind.OUT_OF_ORDER, description
            if position > 1 and copy.reply_to not in parent_ids:
                description = f"part {position} ({copy.id}) replies to {copy.reply_to}"
                yield FindingKind.OUT_OF_ORDER, f"{description}, not part {position - 1}"
    by_id = {each.id: each for each in evidence.x_posts}
    for first, second in pairwise(row.parts):
        if second.sent_as is None or second.sent_as not in by_id:
            continue
        if by_id[second.sent_as].reply_to != first.sent_as:
            description = f"part {second.position} does not reply to {first.sent_as} on X"
            yield FindingKind.OUT_OF_ORDER, description


def _check_explained(
    evidence: Evidence, planned: PlannedPost, row: PostRow
) -> Iterator[tuple[FindingKind, str]]:
    descriptions = [
        *_check_history(row, evidence.clock_tolerance),
        *_check_ids(evidence, row),
        *_check_content(evidence, planned),
    ]
    if row.state == "needs_decision":
        descriptions += _check_decision(evidence, row)
    elif row.state in ("failed", "partly_published"):
        descriptions += _check_failure(evidence, planned, row)
    elif row.state == "missed":
        descriptions += _check_missed(row)
    elif row.state == "cancelled":
        descriptions.append("the post is cancelled, although no person cancelled it")
    for description in descriptions:
        yield FindingKind.UNEXPLAINED, description


def _check_history(row: PostRow, clock_tolerance: timedelta) -> Iterator[str]:
    """Check that the events form an unbroken chain that ends in the present state of the row."""
    for part in row.parts:
        state = "pending"
        for event in row.events:
            if event.position != part.position or not event.is_about_part:
                continue
            change = f"from {event.from_state} to {event.to_state}"
            if event.from_state != state:
                yield f"part {part.position} changes {change} while it is {state}"
            if (event.from_state, event.to_state) not in _TRANSITIONS:
                yield f"part {part.position} changes {change}, which is not allowed"
            state = event.to_state
        if state != part.state:
            yield f"part {part.position} is {part.state}, but its history ends at {state}"
    post_events = [event for event in row.events if not event.is_about_part]
    if row.state in FINAL_STATES and (not post_events or post_events[-1].to_state != row.state):
        yield f"the post is {row.state}, but no event of its history says so"
    if any(later.at < earlier.at - clock_tolerance for earlier, later in pairwise(row.events)):
        yield "the times in the post's history decrease"
    if not all(event.reason.strip() for event in row.events):
        yield "an event of the post's history has no reason"


def _check_ids(evidence: Evidence, row: PostRow) -> Iterator[str]:
    own_ids = {part.sent_as for part in row.parts if part.sent_as}
    others = Counter(
        part.sent_as
        for other in evidence.rows.values()
        if other.id != row.id
        for part in other.parts
        if part.sent_as in own_ids
    )
    if others:
        yield f"other posts claim the same X posts: {', '.join(filter(None, others))}"
    if own_ids & {each.id for each in evidence.x_posts if each.posted_manually}:
        yield "the post claims an X post that a person made"


def _check_content(evidence: Evidence, planned: PlannedPost) -> Iterator[str]:
    for position in range(1, len(planned.texts) + 1):
        media = planned.media[position - 1] if planned.media else ()
        extras = (planned.quote_of, planned.poll) if position == 1 else (None, None)
        for copy in evidence.copies_of_part(planned, position):
            if (copy.media, copy.quote_of, copy.poll) != (media, *extras):
                yield f"{copy.id} differs from part {position} in its media, quote or poll"


def _unclaimed(evidence: Evidence, planned: PlannedPost, position: int) -> list[XPost]:
    """Return the posts on X that have the text of a part, but whose id is in no row."""
    claimed = {part.sent_as for row in evidence.rows.values() for part in row.parts if part.sent_as}
    return [each for each in evidence.copies_of_part(planned, position) if each.id not in claimed]


def _check_decision(evidence: Evidence, row: PostRow) -> Iterator[str]:
    unknown_parts = [part for part in row.parts if part.state == "unknown"]
    if not unknown_parts:
        yield "the post needs a decision, but no part is unknown"
    for part in unknown_parts:
        events = [each for each in row.events if each.position == part.position]
        if not any(each.to_state == "unknown" for each in events):
            yield f"part {part.position} is unknown, but no event says since when"
    known = {each.id for each in evidence.x_posts}
    for tweet_id in _TWEET_ID.findall(row.reason or ""):
        if tweet_id not in known:
            yield f"the post's reason names {tweet_id}, which X never had"


def _check_missed(row: PostRow) -> Iterator[str]:
    if any(part.state != "pending" for part in row.parts):
        yield f"the post is missed, with parts {', '.join(part.state for part in row.parts)}"
    if row.due_at is None or row.events[-1].at - row.due_at < LATE_TOLERANCE:
        yield f"the post became missed at {row.events[-1].at}, and was due at {row.due_at}"


def _check_failure(evidence: Evidence, planned: PlannedPost, row: PostRow) -> Iterator[str]:
    refused = [part for part in row.parts if part.state == "failed"]
    if not refused:
        yield f"the post is {row.state}, but no part failed"
    if (row.state == "partly_published") != any(part.state == "sent" for part in row.parts):
        yield f"the post is {row.state}, with parts {', '.join(part.state for part in row.parts)}"
    code = (row.reason or "").partition(":")[0]
    for part in refused:
        identical = evidence.planned_by_text[planned.user_id, planned.texts[part.position - 1]]
        unclaimed = _unclaimed(evidence, planned, part.position)
        if unclaimed and len(identical) == 1:
            yield f"part {part.position} is failed, but X has it as {unclaimed[0].id}"
        is_on_x_manually = any(
            post.posted_manually and post.text == planned.texts[part.position - 1]
            for post in evidence.x_posts
        )
        parents = evidence.copies_of_part(planned, part.position - 1) if part.position > 1 else []
        has_deleted_parent = any(each.deleted_manually for each in parents)
        is_duplicate = len(identical) > 1 or is_on_x_manually
        if not has_deleted_parent and not (code == "duplicate_post" and is_duplicate):
            yield f"part {part.position} is failed ({code}), but X had no reason to refuse it"
