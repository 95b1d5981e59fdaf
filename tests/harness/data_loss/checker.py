"""Checks what a loss of data did to the posts, from the ground truth and the rows.

Pure functions that do not know how Roost notices a loss. They use only what was planned, what X has
or had, the final rows, and which alerts were opened.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from harness.checker import Evidence
from harness.records import FINAL_STATES, PlannedPost, PostRow, XPost


class HarmKind(StrEnum):
    """The kinds of harm that a loss of data can do."""

    DUPLICATE = "duplicates"
    """A planned part is on X more than once; counted for each additional copy."""
    FAILED_THOUGH_ON_X = "failed_though_on_x"
    """X has a part, and its row says that it failed or was missed."""
    LOST = "lost"
    """A planned part is not on X, and its row does not wait, need a decision or give a reason."""
    UNNOTICED = "unnoticed"
    """X has a part that no row has, and no alert was opened."""
    SENT_BEFORE_DECISION = "sent_before_decision"
    """A copy of the database sent before a person confirmed it as the real one."""
    CANCELLED_PUBLISHED = "cancelled_published"
    """A post is on X although it was cancelled after the backup, and again after the loss."""


@dataclass(frozen=True, slots=True)
class Harm:
    """One finding; post 0 stands for the whole schedule."""

    kind: HarmKind
    post_id: int
    description: str


@dataclass(frozen=True)
class LossOutcome:
    """Everything that is known at the end of a schedule."""

    planned: Sequence[PlannedPost]
    rows: Mapping[int, PostRow]
    x_posts: Sequence[XPost]
    alerts: Sequence[str]
    """The kinds of the alerts about the database that were opened after the loss."""
    must_alert: bool = False
    """Whether only an alert counts as noticed, because the rows may look right by chance."""
    sent_before_decision: int = 0
    """Attempts of a copy before a person decided."""
    edited: Mapping[int, Sequence[str]] = field(default_factory=dict)
    """By post: other texts that its first part had."""
    cancelled: Collection[int] = ()
    """Posts that a person cancelled after the backup."""
    paused: Collection[int] = ()
    """Posts that a person paused after the loss, because X has them with another text."""

    def copies(self, planned: PlannedPost, position: int) -> list[XPost]:
        """Return the copies of a part (from 1) that X has or had, with any text that it had."""
        texts = {planned.texts[position - 1]}
        if position == 1:
            texts |= set(self.edited.get(planned.post_id, ()))
        return [
            post for post in self.x_posts if post.user_id == planned.user_id and post.text in texts
        ]

    @property
    def claimed(self) -> set[str]:
        """The ids on X that rows claim."""
        parts = (part for row in self.rows.values() for part in row.parts)
        return {part.sent_as for part in parts if part.sent_as is not None}

    def as_evidence(self) -> Evidence:
        """Return the evidence for the checker that all benchmarks share."""
        return Evidence(self.planned, self.rows, self.x_posts)


def find_harm(outcome: LossOutcome) -> list[Harm]:
    """Find all harm; the list is empty if the loss did none."""
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
        yield Harm(HarmKind.LOST, post_id, "its row is gone")
    elif row.state not in FINAL_STATES and post_id not in outcome.paused:
        yield Harm(HarmKind.LOST, post_id, f"it is {row.state} and reaches no final state")
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
                f"part {position} is {part.state}, the post {row.state}; X has {unclaimed}"
            )
            yield Harm(HarmKind.FAILED_THOUGH_ON_X, post_id, description)
    elif part.sent_as is None and not _has_reason(outcome, row):
        description = f"part {position} is {part.state}, the post {row.state}: {row.reason}"
        yield Harm(HarmKind.LOST, post_id, description)
    if unclaimed and not outcome.alerts and row.state != "needs_decision":
        yield Harm(HarmKind.UNNOTICED, post_id, f"no row has {unclaimed}, and no alert was opened")


def _has_reason(outcome: LossOutcome, row: PostRow) -> bool:
    """Whether a part may be absent from X, which had no reason to refuse any."""
    if row.state in ("needs_decision", "missed", "cancelled"):
        return row.id in outcome.cancelled or bool((row.reason or "").strip())
    # A post that reaches no final state is reported once, for the whole post.
    return row.state not in FINAL_STATES


def count_adopted(outcome: LossOutcome) -> int:
    """Count parts that were found on X after the loss and are claimed by their row."""
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
