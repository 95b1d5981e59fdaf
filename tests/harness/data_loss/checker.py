"""Finds the harm that a loss of data did to posts, such as duplicates and lost parts.

These pure functions do not know how Roost notices a loss. Their input is the planned posts, the
posts that X has or had, the final rows, and the alerts that were opened.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from harness.checker import Evidence
from harness.records import FINAL_STATES, PlannedPost, PostRow, XPost


class HarmKind(StrEnum):
    """The kinds of harm that a loss of data can do."""

    DUPLICATE = "duplicates"
    """A planned part is on X more than once. Each additional copy counts."""
    FAILED_THOUGH_ON_X = "failed_though_on_x"
    """X has a part, but the part's row says that the part failed or was missed."""
    LOST = "lost"
    """A planned part is not on X, although its post is final and gives no reason."""
    UNNOTICED = "unnoticed"
    """X has a part whose id no row contains, and no alert was opened."""
    SENT_BEFORE_DECISION = "sent_before_decision"
    """Workers of a copied database sent posts before a person confirmed the copy as real."""
    CANCELLED_PUBLISHED = "cancelled_published"
    """A post is on X although a person cancelled it after the backup and again after the loss."""


@dataclass(frozen=True, slots=True)
class Harm:
    """One harm that was found. `post_id` is 0 if the harm concerns the whole schedule."""

    kind: HarmKind
    post_id: int
    description: str


@dataclass(frozen=True)
class LossOutcome:
    """The rows, X posts and alerts at the end of a data-loss schedule, in which harm is found."""

    planned: Sequence[PlannedPost]
    rows: Mapping[int, PostRow]
    x_posts: Sequence[XPost]
    alerts: Sequence[str]
    """The kinds of the database alerts that were opened after the loss."""
    must_alert: bool = False
    """Whether the loss counts as noticed only if an alert was opened. Correct rows do not suffice,
    because they may be correct by chance."""
    sent_before_decision: int = 0
    """The number of attempts in a copy of the database before a person confirmed the copy."""
    edited: Mapping[int, Sequence[str]] = field(default_factory=dict)
    """The former texts of the first part of each post, by post id."""
    cancelled: Collection[int] = ()
    """The ids of posts that a person cancelled after the backup."""
    paused: Collection[int] = ()
    """The ids of posts that a person paused after the loss, because X has them with other texts."""

    def copies(self, planned: PlannedPost, position: int) -> list[XPost]:
        """Return the X posts with a text that a part (numbered from 1) has or had."""
        texts = {planned.texts[position - 1]}
        if position == 1:
            texts |= set(self.edited.get(planned.post_id, ()))
        return [
            post for post in self.x_posts if post.user_id == planned.user_id and post.text in texts
        ]

    @property
    def claimed(self) -> set[str]:
        """The ids of all X posts that Roost has recorded in the rows of parts."""
        parts = (part for row in self.rows.values() for part in row.parts)
        return {part.sent_as for part in parts if part.sent_as is not None}

    def as_evidence(self) -> Evidence:
        """Return this outcome as evidence for `harness.checker`, which all benchmarks share."""
        return Evidence(self.planned, self.rows, self.x_posts)


def find_harm(outcome: LossOutcome) -> list[Harm]:
    """Find all harm. The list is empty if the loss did no harm."""
    harms = [harm for planned in outcome.planned for harm in _check_post(outcome, planned)]
    if outcome.must_alert and not outcome.alerts:
        harms.append(Harm(HarmKind.UNNOTICED, 0, "no alert was opened"))
    if outcome.sent_before_decision:
        description = f"{outcome.sent_before_decision} attempts before a person decided"
        harms.append(Harm(HarmKind.SENT_BEFORE_DECISION, 0, description))
    return harms


def _check_post(outcome: LossOutcome, planned: PlannedPost) -> Iterator[Harm]:
    post_id = planned.post_id
    row = outcome.rows.get(post_id)
    if row is None:
        yield Harm(HarmKind.LOST, post_id, "the post has no row")
    elif row.state not in FINAL_STATES and post_id not in outcome.paused:
        yield Harm(HarmKind.LOST, post_id, f"the post stays {row.state}, which is not final")
    if post_id in outcome.cancelled and (copies := outcome.copies(planned, 1)):
        yield Harm(HarmKind.CANCELLED_PUBLISHED, post_id, f"X has the post as {copies[0].id}")
    for position in range(1, len(planned.texts) + 1):
        copies = outcome.copies(planned, position)
        ids = ", ".join(each.id for each in copies)
        for _ in copies[1:]:
            yield Harm(HarmKind.DUPLICATE, post_id, f"part {position} is on X as {ids}")
        if row is None:
            continue
        yield from _check_part(outcome, planned, row, position, copies)


def _check_part(
    outcome: LossOutcome, planned: PlannedPost, row: PostRow, position: int, copies: Sequence[XPost]
) -> Iterator[Harm]:
    post_id = planned.post_id
    part = next((each for each in row.parts if each.position == position), None)
    if part is None:
        yield Harm(HarmKind.LOST, post_id, f"part {position} has no row")
        return
    ids = {each.id for each in copies}
    unclaimed = ids - outcome.claimed
    if part.sent_as is not None and part.sent_as not in ids:
        yield Harm(
            HarmKind.LOST, post_id, f"part {position} has the id {part.sent_as}; X has {ids}"
        )
    if part.sent_as is None and unclaimed:
        if part.state == "failed" or row.state in ("failed", "missed"):
            description = (
                f"part {position} is {part.state}, the post is {row.state}; X has {unclaimed}"
            )
            yield Harm(HarmKind.FAILED_THOUGH_ON_X, post_id, description)
    elif part.sent_as is None and not _has_reason(outcome, row):
        description = f"part {position} is {part.state}, the post is {row.state}: {row.reason}"
        yield Harm(HarmKind.LOST, post_id, description)
    if unclaimed and not outcome.alerts and row.state != "needs_decision":
        yield Harm(HarmKind.UNNOTICED, post_id, f"no row claims {unclaimed}; no alert was opened")


def _has_reason(outcome: LossOutcome, row: PostRow) -> bool:
    """Whether the post's state explains that a part is not on X.

    No refusal of X can explain this, because X refuses no part in these schedules.
    """
    if row.state in ("needs_decision", "missed", "cancelled"):
        return row.id in outcome.cancelled or bool((row.reason or "").strip())
    # A post without a final state is already reported as a whole, so its parts are not.
    return row.state not in FINAL_STATES


def count_adopted(outcome: LossOutcome) -> int:
    """Count the parts that Roost found on X after the loss and adopted."""
    x_ids = {each.id for each in outcome.x_posts}
    return sum(
        part.sent_as in x_ids
        and any(
            event.position == part.position
            and (event.from_state, event.to_state) == ("unknown", "sent")
            for event in row.events
        )
        for row in outcome.rows.values()
        for part in row.parts
    )
