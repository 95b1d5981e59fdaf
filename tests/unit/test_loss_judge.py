"""The judge of `./dev bench data_loss`: each way to do harm is found, and nothing else."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from _judge import EventRow, OnX, PartRow, Planned, PostRow
from _loss_judge import Fault, Harm, Loss, count_adopted, judge_loss

_NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
_PLANNED = Planned(1, "77", ("One", "Two"))


def _copy(number: int, text: str) -> OnX:
    return OnX(str(number), "77", text, (), None, _NOON, None)


def _row(state: str, *parts: tuple[str, str | None], reason: str | None = None) -> PostRow:
    rows = tuple(PartRow(at, *part) for at, part in enumerate(parts, start=1))
    return PostRow(1, state, reason, _NOON, rows, ())


_RIGHT = Loss(
    [_PLANNED],
    {1: _row("published", ("sent", "10"), ("sent", "11"))},
    [_copy(10, "One"), _copy(11, "Two")],
    alerts=[],
)


def _faults(loss: Loss) -> list[Fault]:
    return [harm.fault for harm in judge_loss(loss)]


def test_a_post_that_is_on_x_once_and_known_is_no_harm() -> None:
    assert judge_loss(_RIGHT) == []


def test_each_copy_too_many_is_a_duplicate_and_unnoticed_without_an_alarm() -> None:
    twice = replace(_RIGHT, on_x=[*_RIGHT.on_x, _copy(12, "Two"), _copy(13, "Two")])
    assert _faults(twice) == [Fault.DUPLICATE, Fault.DUPLICATE, Fault.UNNOTICED]
    assert _faults(replace(twice, alerts=["restored"])) == [Fault.DUPLICATE, Fault.DUPLICATE]


def test_a_copy_with_the_text_before_an_edit_is_a_duplicate() -> None:
    edited = replace(_RIGHT, on_x=[*_RIGHT.on_x, _copy(12, "Old")], edited={1: ["Old"]})
    assert Fault.DUPLICATE in _faults(edited)


@pytest.mark.parametrize("state", ["failed", "missed"])
def test_a_post_that_x_has_must_not_be_called_failed(state: str) -> None:
    row = _row(state, ("failed", None), ("pending", None), reason="duplicate_post: no")
    loss = replace(_RIGHT, rows={1: row}, on_x=[_copy(10, "One")], alerts=["restored"])
    assert Fault.FAILED_THOUGH_ON_X in _faults(loss)


@pytest.mark.parametrize(
    ("row", "lost"),
    [
        (_row("published", ("sent", "10"), ("sent", "11")), 2),
        (_row("published", ("sent", None), ("sent", None)), 2),
        (_row("failed", ("failed", None), ("pending", None), reason="refused: no"), 2),
        (_row("scheduled", ("pending", None), ("pending", None)), 1),
        (_row("missed", ("pending", None), ("pending", None), reason="two hours late"), 0),
        (_row("missed", ("pending", None), ("pending", None)), 2),
        (_row("needs_decision", ("unknown", None), ("pending", None), reason="ask"), 0),
        (None, 1),
    ],
)
def test_what_is_not_on_x_is_lost_unless_its_row_waits_asks_or_says_why(
    row: PostRow | None, lost: int
) -> None:
    loss = replace(_RIGHT, rows={} if row is None else {1: row}, on_x=[])
    assert _faults(loss) == [Fault.LOST] * lost


def test_a_person_who_is_asked_has_noticed() -> None:
    row = _row("needs_decision", ("unknown", None), ("pending", None), reason="ask")
    assert judge_loss(replace(_RIGHT, rows={1: row}, on_x=[_copy(10, "One")])) == []


def test_what_only_an_alarm_can_show_and_what_a_copy_sent() -> None:
    loss = replace(_RIGHT, must_alert=True, sent_early=2)
    assert judge_loss(loss) == [
        Harm(Fault.UNNOTICED, 0, "no alert was opened"),
        Harm(Fault.SENT_BEFORE_DECISION, 0, "2 attempts before a person decided"),
    ]


def test_a_cancelled_post_on_x_is_a_finding() -> None:
    assert _faults(replace(_RIGHT, cancelled={1})) == [Fault.CANCELLED_PUBLISHED]


def test_a_post_that_a_person_holds_back_is_not_lost() -> None:
    row = _row("publishing", ("unknown", None), ("pending", None))
    loss = replace(_RIGHT, rows={1: row}, on_x=[_copy(10, "New")], edited={1: ["New"]})
    loss = replace(loss, alerts=["restored"])
    assert _faults(loss) == [Fault.LOST]
    assert _faults(replace(loss, held_back={1})) == []


def test_an_adopted_part_has_its_id_from_unknown() -> None:
    row = _RIGHT.rows[1]
    adopted = EventRow(_NOON, 2, "unknown", "sent", "X has it")
    assert count_adopted(_RIGHT) == 0
    assert count_adopted(replace(_RIGHT, rows={1: replace(row, events=(adopted,))})) == 1
