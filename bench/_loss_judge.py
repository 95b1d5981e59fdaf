"""What a loss of data did to the posts: counts from the emulator's ground truth and the rows. Pure.

Knows nothing of how Roost notices a loss: only what was planned, what X has or had, the rows after
all has come to rest, and which alerts were opened.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from _judge import FINAL, Case, OnX, Planned, PostRow


class Fault(StrEnum):
    """The ways in which a loss can do harm."""

    DUPLICATE = "duplicates"
    """A planned part is on X more than once; counted for each copy too many."""
    FAILED_THOUGH_ON_X = "failed_though_on_x"
    """X has a part, and its row says that it failed or was missed."""
    LOST = "lost"
    """A planned part is not on X, and its row does not wait, ask or give a reason."""
    UNNOTICED = "unnoticed"
    """X has a part that no row knows of, and nobody was alerted."""
    SENT_BEFORE_DECISION = "sent_before_decision"
    """A copy of the database sent before a person said that it is the real one."""
    CANCELLED_PUBLISHED = "cancelled_published"
    """A post is on X though it was cancelled after the backup, and again after the loss."""


@dataclass(frozen=True, slots=True)
class Harm:
    """One finding; post 0: the whole schedule."""

    fault: Fault
    post_id: int
    what: str


@dataclass(frozen=True)
class Loss:
    """One schedule at its end."""

    planned: Sequence[Planned]
    rows: Mapping[int, PostRow]
    on_x: Sequence[OnX]
    alerts: Sequence[str]
    """The kinds of the alerts about the database that were opened after the loss."""
    must_alert: bool = False
    """Whether only an alert counts as noticed: all may look right by chance."""
    sent_early: int = 0
    """Attempts of a copy before a person decided."""
    edited: Mapping[int, Sequence[str]] = field(default_factory=dict)
    """By post: other texts that its first part had."""
    cancelled: Collection[int] = ()
    """Posts that a person cancelled after the backup."""
    held_back: Collection[int] = ()
    """Posts that a person paused after the loss, since X has them with another text."""

    def copies(self, planned: Planned, position: int) -> list[OnX]:
        """What X has or had of a part (from 1), whatever its text was then."""
        texts = {planned.texts[position - 1]}
        if position == 1:
            texts |= set(self.edited.get(planned.post_id, ()))
        return [
            post for post in self.on_x if post.user_id == planned.user_id and post.text in texts
        ]

    @property
    def claimed(self) -> set[str]:
        """The ids on X that rows call their own."""
        parts = (part for row in self.rows.values() for part in row.parts)
        return {part.sent_as for part in parts if part.sent_as is not None}

    def as_case(self) -> Case:
        """The same for the judge of all benches."""
        return Case(self.planned, self.rows, self.on_x)


def judge_loss(loss: Loss) -> list[Harm]:
    """All harm; none: the loss did none."""
    found = [harm for planned in loss.planned for harm in _judge_post(loss, planned)]
    if loss.must_alert and not loss.alerts:
        found.append(Harm(Fault.UNNOTICED, 0, "no alert was opened"))
    if loss.sent_early:
        what = f"{loss.sent_early} attempts before a person decided"
        found.append(Harm(Fault.SENT_BEFORE_DECISION, 0, what))
    return found


def _judge_post(loss: Loss, planned: Planned) -> Iterator[Harm]:
    number = planned.post_id
    row = loss.rows.get(number)
    if row is None:
        yield Harm(Fault.LOST, number, "its row is gone")
    elif row.state not in FINAL and number not in loss.held_back:
        yield Harm(Fault.LOST, number, f"it is {row.state} and comes to no end")
    if number in loss.cancelled and (copies := loss.copies(planned, 1)):
        yield Harm(Fault.CANCELLED_PUBLISHED, number, f"X has it as {copies[0].id}")
    for position in range(1, len(planned.texts) + 1):
        copies = loss.copies(planned, position)
        ids = ", ".join(each.id for each in copies)
        for _ in copies[1:]:
            yield Harm(Fault.DUPLICATE, number, f"part {position} is on X as {ids}")
        if row is None:
            continue
        yield from _judge_part(loss, planned, row, position, copies)


def _judge_part(
    loss: Loss, planned: Planned, row: PostRow, position: int, copies: Sequence[OnX]
) -> Iterator[Harm]:
    number = planned.post_id
    part = next((each for each in row.parts if each.position == position), None)
    if part is None:
        yield Harm(Fault.LOST, number, f"part {position} has no row")
        return
    ids = {each.id for each in copies}
    unclaimed = ids - loss.claimed
    if part.sent_as is not None and part.sent_as not in ids:
        yield Harm(Fault.LOST, number, f"part {position} has the id {part.sent_as}; X has {ids}")
    if part.sent_as is None and unclaimed:
        if part.state == "failed" or row.state in ("failed", "missed"):
            what = f"part {position} is {part.state}, the post {row.state}; X has {unclaimed}"
            yield Harm(Fault.FAILED_THOUGH_ON_X, number, what)
    elif part.sent_as is None and not _has_reason(loss, row):
        what = f"part {position} is {part.state}, the post {row.state}: {row.reason}"
        yield Harm(Fault.LOST, number, what)
    if unclaimed and not loss.alerts and row.state != "needs_decision":
        yield Harm(Fault.UNNOTICED, number, f"no row knows {unclaimed}, and there was no alert")


def _has_reason(loss: Loss, row: PostRow) -> bool:
    """Whether a part that is not on X may be absent; X had no reason to refuse any."""
    if row.state in ("needs_decision", "missed", "cancelled"):
        return row.id in loss.cancelled or bool((row.reason or "").strip())
    return row.state not in FINAL  # that it comes to no end is found for the whole post


def count_adopted(loss: Loss) -> int:
    """Parts that were found on X after the loss and are claimed by their row."""
    known = {each.id for each in loss.on_x}
    return sum(
        part.sent_as in known
        and any(
            event.position == part.position and (event.before, event.after) == ("unknown", "sent")
            for event in row.events
        )
        for row in loss.rows.values()
        for part in row.parts
    )
