"""The checker of `./dev bench data_loss` reports each kind of harm, and no other."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from harness.data_loss.checker import Harm, HarmKind, LossOutcome, count_adopted, find_harm
from harness.records import EventRow, PartRow, PlannedPost, PostRow, XPost

_NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
_PLANNED = PlannedPost(1, "77", ("One", "Two"))


def _x_post(number: int, text: str) -> XPost:
    return XPost(str(number), "77", text, (), None, _NOON, None)


def _row(state: str, *parts: tuple[str, str | None], reason: str | None = None) -> PostRow:
    rows = tuple(PartRow(position, *part) for position, part in enumerate(parts, start=1))
    return PostRow(1, state, reason, _NOON, rows, ())


_PUBLISHED = LossOutcome(
    [_PLANNED],
    {1: _row("published", ("sent", "10"), ("sent", "11"))},
    [_x_post(10, "One"), _x_post(11, "Two")],
    alerts=[],
)


def _harm_kinds(outcome: LossOutcome) -> list[HarmKind]:
    return [harm.kind for harm in find_harm(outcome)]


def test_find_harm_is_empty__post_on_x_once() -> None:
    assert find_harm(_PUBLISHED) == []


def test_find_harm_reports_each_duplicate__unnoticed_without_alert() -> None:
    twice = replace(
        _PUBLISHED, x_posts=[*_PUBLISHED.x_posts, _x_post(12, "Two"), _x_post(13, "Two")]
    )
    assert _harm_kinds(twice) == [HarmKind.DUPLICATE, HarmKind.DUPLICATE, HarmKind.UNNOTICED]
    assert _harm_kinds(replace(twice, alerts=["restored"])) == [
        HarmKind.DUPLICATE,
        HarmKind.DUPLICATE,
    ]


def test_find_harm_reports_duplicate__text_before_edit() -> None:
    edited = replace(
        _PUBLISHED, x_posts=[*_PUBLISHED.x_posts, _x_post(12, "Old")], edited={1: ["Old"]}
    )
    assert HarmKind.DUPLICATE in _harm_kinds(edited)


@pytest.mark.parametrize("state", ["failed", "missed"])
def test_find_harm_reports_failed_though_on_x(state: str) -> None:
    row = _row(state, ("failed", None), ("pending", None), reason="duplicate_post: no")
    outcome = replace(_PUBLISHED, rows={1: row}, x_posts=[_x_post(10, "One")], alerts=["restored"])
    assert HarmKind.FAILED_THOUGH_ON_X in _harm_kinds(outcome)


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
def test_find_harm_reports_lost_unless_row_waits_or_needs_decision_or_has_reason(
    row: PostRow | None, lost: int
) -> None:
    outcome = replace(_PUBLISHED, rows={} if row is None else {1: row}, x_posts=[])
    assert _harm_kinds(outcome) == [HarmKind.LOST] * lost


def test_find_harm_counts_needs_decision_as_noticed() -> None:
    row = _row("needs_decision", ("unknown", None), ("pending", None), reason="ask")
    assert find_harm(replace(_PUBLISHED, rows={1: row}, x_posts=[_x_post(10, "One")])) == []


def test_find_harm_reports_missing_alert_and_attempts_before_decision() -> None:
    outcome = replace(_PUBLISHED, must_alert=True, sent_before_decision=2)
    assert find_harm(outcome) == [
        Harm(HarmKind.UNNOTICED, 0, "no alert was opened"),
        Harm(HarmKind.SENT_BEFORE_DECISION, 0, "2 attempts before a person decided"),
    ]


def test_find_harm_reports_cancelled_post_on_x() -> None:
    assert _harm_kinds(replace(_PUBLISHED, cancelled={1})) == [HarmKind.CANCELLED_PUBLISHED]


def test_find_harm_ignores_paused_post() -> None:
    row = _row("publishing", ("unknown", None), ("pending", None))
    outcome = replace(_PUBLISHED, rows={1: row}, x_posts=[_x_post(10, "New")], edited={1: ["New"]})
    outcome = replace(outcome, alerts=["restored"])
    assert _harm_kinds(outcome) == [HarmKind.LOST]
    assert _harm_kinds(replace(outcome, paused={1})) == []


def test_count_adopted_counts_parts_sent_from_unknown() -> None:
    row = _PUBLISHED.rows[1]
    adopted = EventRow(_NOON, 2, "unknown", "sent", "X has it")
    assert count_adopted(_PUBLISHED) == 0
    assert count_adopted(replace(_PUBLISHED, rows={1: replace(row, events=(adopted,))})) == 1
