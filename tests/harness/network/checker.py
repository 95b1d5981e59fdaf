"""Checks a post that was published over a bad network or with a wrong clock.

These pure functions are stricter than `harness.checker`. X refuses nothing in these schedules. A
post therefore counts as lost if it fails, is missed or gets no final state, even if its history
gives a reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.post_rows import describe_post
from harness.records import FINAL_STATES, PlannedPost, PostRow, XPost

#: The states of a post that X does not have, or of which X does not have all parts.
_UNPUBLISHED_STATES = frozenset({"failed", "missed", "partly_published", "cancelled"})
#: Codes in a history from which a person learns that X may have a post twice.
_DUPLICATE_CODES = ("part.answered_late", "late_response", "several_matches")


@dataclass(frozen=True, slots=True)
class ScheduleEvidence:
    """The rows and X posts of a schedule after its run."""

    name: str
    planned: PlannedPost
    row: PostRow
    x_posts: Sequence[XPost]
    """The posts of the account that X has or had."""
    attempts: int
    adopted: int
    """The number of parts that Roost found on the timeline and adopted."""
    has_alert: bool
    """Whether an alert about this post is open."""
    proxy_delivers_twice: bool = False
    shows_trace: bool = True


@dataclass(frozen=True, slots=True)
class ScheduleResult:
    """The result of a schedule. All counts concern its single post."""

    name: str
    state: str
    duplicates: int
    """The number of additional copies of parts that Roost has sent."""
    shows_trace: bool
    """Whether a response gave Roost a reason to look for copies that the proxy made."""
    proxy_duplicates: int
    """The number of additional copies that the proxy made."""
    unnoticed: int
    """The number of the proxy's copies that no row or alert shows, if Roost had a reason to look
    for copies."""
    failed_though_on_x: bool
    lost: bool
    early_s: float
    """The seconds by which the earliest part was too early on X; 0 if no part was early."""
    needs_decision: bool
    needs_decision_though_on_x: bool
    adopted: int
    resends: int
    history: str
    """The rows and ground truth if there is a problem or the post needs a decision."""

    @property
    def problems(self) -> list[str]:
        """The names of the thresholds that the schedule does not meet."""
        problems = {
            "duplicates": self.duplicates > 0,
            "unnoticed": self.unnoticed > 0,
            "failed_though_on_x": self.failed_though_on_x,
            "lost": self.lost,
            "early": self.early_s > EARLY_S,
        }
        return [name for name, is_broken in problems.items() if is_broken]


#: The seconds by which a post may be on X before its due time.
EARLY_S = 2.0


def check_schedule(evidence: ScheduleEvidence) -> ScheduleResult:
    """Compare the post of a schedule with the ground truth and the database rows."""
    planned, row = evidence.planned, evidence.row
    copies = [
        [post for post in evidence.x_posts if post.text == text and post.deleted_at is None]
        for text in planned.texts
    ]
    extra_copies = sum(max(0, len(each) - 1) for each in copies)
    # The proxy delivered the first create twice. Roost must have sent any further copies.
    proxy_copies = min(1, max(0, len(copies[0]) - 1)) if evidence.proxy_delivers_twice else 0
    unsent = {part.position for part in row.parts if part.state != "sent"}
    present = {position for position, each in enumerate(copies, start=1) if each}
    absent = len(copies) - len(present)
    early = [
        (row.due_at - post.created_at).total_seconds()
        for each in copies
        for post in each
        if row.due_at is not None
    ]
    needs_decision = row.state == "needs_decision"
    is_unnoticed = proxy_copies and evidence.shows_trace and not _is_noticed(evidence)
    result = ScheduleResult(
        name=evidence.name,
        state=row.state,
        duplicates=extra_copies - proxy_copies,
        shows_trace=evidence.shows_trace,
        proxy_duplicates=proxy_copies,
        unnoticed=proxy_copies if is_unnoticed else 0,
        failed_though_on_x=row.state in _UNPUBLISHED_STATES and bool(unsent & present),
        lost=row.state not in FINAL_STATES or (absent > 0 and not needs_decision),
        early_s=max(0.0, *early) if early else 0.0,
        needs_decision=needs_decision,
        needs_decision_though_on_x=needs_decision and not absent,
        adopted=evidence.adopted,
        resends=evidence.attempts
        - len({part.position for part in row.parts} - _unattempted_positions(row)),
        history="",
    )
    if not (result.problems or needs_decision):
        return result
    history = describe_post(row, [post for post in evidence.x_posts if post.text in planned.texts])
    return replace(result, history=history)


def _unattempted_positions(row: PostRow) -> set[int]:
    attempted = {event.position for event in row.events if event.to_state == "sending"}
    return {part.position for part in row.parts} - attempted


def _is_noticed(evidence: ScheduleEvidence) -> bool:
    if evidence.has_alert or evidence.row.state == "needs_decision":
        return True
    return any(code in event.reason for event in evidence.row.events for code in _DUPLICATE_CODES)
