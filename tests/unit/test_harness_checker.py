"""The checker of crashes and chaos reports each kind of violation, and no other."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from harness.checker import Evidence, FindingKind, check_posts
from harness.records import EventRow, PartRow, PlannedPost, PostRow, XPost

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
PLANNED = PlannedPost(1, "9", ("one", "two"))
FIRST = XPost("2000000000000000001", "9", "one", (), None, NOON, None)
SECOND = XPost("2000000000000000002", "9", "two", (), FIRST.id, NOON, None)


def _event(
    position: int | None, from_state: str | None, to_state: str, reason: str = "reason"
) -> EventRow:
    return EventRow(NOON, position, from_state, to_state, reason)


EVENTS = (
    _event(None, None, "scheduled"),
    _event(None, "scheduled", "publishing"),
    _event(1, "pending", "sending"),
    _event(1, "sending", "sent"),
    _event(2, "pending", "sending"),
    _event(2, "sending", "sent"),
    _event(None, "publishing", "published"),
)
PUBLISHED = PostRow(
    1,
    "published",
    None,
    NOON,
    (PartRow(1, "sent", FIRST.id), PartRow(2, "sent", SECOND.id)),
    EVENTS,
)
UNDECIDED = PostRow(
    1,
    "needs_decision",
    "X does not show it",
    NOON,
    (PartRow(1, "unknown", None), PartRow(2, "pending", None)),
    (*EVENTS[:3], _event(1, "sending", "unknown"), _event(1, "publishing", "needs_decision")),
)
FAILED = PostRow(
    1,
    "failed",
    "duplicate_post: X has it",
    NOON,
    (PartRow(1, "failed", None), PartRow(2, "pending", None)),
    (*EVENTS[:3], _event(1, "sending", "failed"), _event(None, "publishing", "failed")),
)


def kinds_found(row: PostRow, *x_posts: XPost) -> set[FindingKind]:
    return {each.kind for each in check_posts(Evidence([PLANNED], {1: row}, x_posts))}


def test_check_posts_finds_nothing__published_thread() -> None:
    assert kinds_found(PUBLISHED, FIRST, SECOND) == set()


@pytest.mark.parametrize(
    "changes",
    [{"reply_to": "7"}, {"quote_of": "7"}, {"poll": ("Yes", "No")}],
    ids=["reply", "quote", "poll"],
)
def test_check_posts_reports_other_reply_quote_or_poll_than_planned(
    changes: dict[str, Any],
) -> None:
    other = replace(FIRST, **changes)
    assert kinds_found(PUBLISHED, other, SECOND) != set()
    planned = replace(PLANNED, **changes)
    assert check_posts(Evidence([planned], {1: PUBLISHED}, [other, SECOND])) == []
    assert check_posts(Evidence([planned], {1: PUBLISHED}, [FIRST, SECOND])) != []


def test_check_posts_finds_nothing__post_that_needs_decision() -> None:
    assert kinds_found(UNDECIDED) == set()
    assert kinds_found(UNDECIDED, FIRST) == set()


def test_check_posts_reports_duplicate__second_copy() -> None:
    again = replace(FIRST, id="2000000000000000003")
    assert kinds_found(PUBLISHED, FIRST, SECOND, again) == {FindingKind.DUPLICATE}
    assert kinds_found(UNDECIDED, FIRST, again) == {FindingKind.DUPLICATE}


def test_check_posts_reports_no_duplicate__first_copy_deleted_manually() -> None:
    gone = replace(FIRST, id="2000000000000000000", deleted_at=NOON, deleted_manually=True)
    assert kinds_found(PUBLISHED, gone, FIRST, SECOND) == set()
    late = replace(gone, deleted_at=NOON + timedelta(minutes=5))
    assert kinds_found(PUBLISHED, late, FIRST, SECOND) == {FindingKind.DUPLICATE}


def test_check_posts_reports_no_duplicate__identical_posts() -> None:
    identical = replace(PLANNED, post_id=2, texts=("one",))
    first = replace(PLANNED, texts=("one",))
    again = replace(FIRST, id="2000000000000000003")
    parts, history = (PartRow(1, "sent", FIRST.id),), (*EVENTS[:4], EVENTS[6])
    rows = {
        1: replace(PUBLISHED, parts=parts, events=history),
        2: replace(PUBLISHED, id=2, parts=(PartRow(1, "sent", again.id),), events=history),
    }
    assert check_posts(Evidence([first, identical], rows, [FIRST, again])) == []
    same_id = {**rows, 2: replace(rows[2], parts=parts)}
    findings = check_posts(Evidence([first, identical], same_id, [FIRST, again]))
    assert {each.kind for each in findings} == {FindingKind.UNEXPLAINED}


@pytest.mark.parametrize("state", ["scheduled", "publishing"])
def test_check_posts_reports_lost__no_final_state(state: str) -> None:
    row = replace(PUBLISHED, state=state, events=EVENTS[:-1])
    assert kinds_found(row, FIRST, SECOND) == {FindingKind.LOST}


def test_check_posts_reports_lost__claimed_but_not_on_x() -> None:
    assert FindingKind.LOST in kinds_found(PUBLISHED, FIRST)


def test_check_posts_reports_lost__deleted_by_another_app() -> None:
    gone = replace(SECOND, deleted_at=NOON)
    assert kinds_found(PUBLISHED, FIRST, gone) == {FindingKind.LOST}


def test_check_posts_reports_lost__no_reason() -> None:
    assert FindingKind.LOST in kinds_found(replace(UNDECIDED, reason=None))


def test_check_posts_reports_out_of_order__wrong_reply() -> None:
    without_reply = replace(SECOND, reply_to=None)
    assert kinds_found(PUBLISHED, FIRST, without_reply) == {FindingKind.OUT_OF_ORDER}
    late = replace(FIRST, reply_to=SECOND.id)
    assert kinds_found(PUBLISHED, late, SECOND) == {FindingKind.OUT_OF_ORDER}


def test_check_posts_reports_unexplained__decision_without_unknown_part() -> None:
    parts = (PartRow(1, "pending", None), PartRow(2, "pending", None))
    assert kinds_found(replace(UNDECIDED, parts=parts)) == {FindingKind.UNEXPLAINED}
    assert kinds_found(replace(UNDECIDED, reason="it may be 2000000000000000009")) == {
        FindingKind.UNEXPLAINED
    }


def test_check_posts_reports_unexplained__refusal_without_cause() -> None:
    assert kinds_found(FAILED) == {FindingKind.UNEXPLAINED}
    manual = replace(FIRST, posted_manually=True)
    assert kinds_found(FAILED, manual) == set()
    assert kinds_found(FAILED, FIRST) == {FindingKind.UNEXPLAINED}


def test_check_posts_reports_unexplained__gap_in_history() -> None:
    with_gap = replace(PUBLISHED, events=(*EVENTS[:2], *EVENTS[3:]))
    assert kinds_found(with_gap, FIRST, SECOND) == {FindingKind.UNEXPLAINED}
    without_end = replace(PUBLISHED, events=EVENTS[:-1])
    assert kinds_found(without_end, FIRST, SECOND) == {FindingKind.UNEXPLAINED}


@pytest.mark.parametrize(("late_h", "expected"), [(2, set()), (0.5, {FindingKind.UNEXPLAINED})])
def test_check_posts_reports_unexplained__missed_too_early(
    late_h: float, expected: set[FindingKind]
) -> None:
    history = (*EVENTS[:2], replace(_event(None, "publishing", "missed"), at=NOON))
    parts = (PartRow(1, "pending", None), PartRow(2, "pending", None))
    row = PostRow(1, "missed", "too late", NOON - timedelta(hours=late_h), parts, history)
    assert kinds_found(row) == expected
    partly_sent = replace(row, parts=(PartRow(1, "sent", FIRST.id), parts[1]))
    assert FindingKind.UNEXPLAINED in kinds_found(partly_sent, FIRST)


def test_check_posts_reports_unexplained__other_media() -> None:
    planned = replace(PLANNED, media=(("sha",), ()))
    evidence = Evidence([planned], {1: PUBLISHED}, [replace(FIRST, media=("other",)), SECOND])
    assert [each.kind for each in check_posts(evidence)] == [FindingKind.UNEXPLAINED]


def test_check_posts_lets_future_post_wait_untouched() -> None:
    parts = (PartRow(1, "pending", None), PartRow(2, "pending", None))
    row = PostRow(1, "scheduled", None, NOON + timedelta(days=60), parts, EVENTS[:1])
    evidence = Evidence([PLANNED], {1: row}, [], now=NOON)
    assert check_posts(evidence) == []
    late = replace(evidence, rows={1: replace(row, due_at=NOON)})
    assert {each.kind for each in check_posts(late)} == {FindingKind.LOST}
    sent = replace(row, parts=(PartRow(1, "sent", FIRST.id), parts[1]))
    findings = check_posts(replace(evidence, rows={1: sent}))
    assert FindingKind.LOST in {each.kind for each in findings}


def test_check_posts_checks_only_duplicates__post_undone_by_restore() -> None:
    undone = replace(PLANNED, texts=("three",), undone_by_restore=True)
    copy = replace(FIRST, id="2000000000000000003", text="three")
    again = replace(copy, id="2000000000000000004")
    rows = {1: PUBLISHED}
    assert check_posts(Evidence([PLANNED, undone], rows, [FIRST, SECOND])) == []
    assert check_posts(Evidence([PLANNED, undone], rows, [FIRST, SECOND, copy])) == []
    twice = check_posts(Evidence([PLANNED, undone], rows, [FIRST, SECOND, copy, again]))
    assert [each.kind for each in twice] == [FindingKind.DUPLICATE]


def test_check_posts_requires_adoption_or_one_copy__sent_before_restore() -> None:
    events = (
        *EVENTS[:3],
        _event(1, "sending", "unknown"),
        _event(1, "unknown", "sent", "found on X's timeline"),
        *EVENTS[4:],
    )
    adopted = replace(PUBLISHED, events=events)
    assert kinds_found(adopted, FIRST, SECOND) == set()
    resent = replace(FIRST, id="2000000000000000003")
    assert kinds_found(adopted, FIRST, resent, SECOND) == {FindingKind.DUPLICATE}
    assert kinds_found(FAILED, FIRST) == {FindingKind.UNEXPLAINED}
    publishing = replace(PUBLISHED, state="publishing", events=EVENTS[:2])
    assert kinds_found(publishing, FIRST, SECOND) != set()


def test_check_posts_accepts_skewed_clocks_within_tolerance() -> None:
    earlier = replace(EVENTS[-1], at=NOON - timedelta(seconds=20))
    row = replace(PUBLISHED, events=(*EVENTS[:-1], earlier))
    evidence = Evidence([PLANNED], {1: row}, [FIRST, SECOND])
    assert {each.kind for each in check_posts(evidence)} == {FindingKind.UNEXPLAINED}
    assert check_posts(replace(evidence, clock_tolerance=timedelta(seconds=30))) == []


def test_check_posts_lets_thread_restart_after_restore__first_part_deleted_manually() -> None:
    hour = timedelta(hours=1)
    before = NOON - hour
    gone = replace(
        FIRST, id="1", created_at=before, deleted_at=before + hour / 4, deleted_manually=True
    )
    orphan = replace(SECOND, id="2", created_at=before, reply_to="1")
    evidence = Evidence([PLANNED], {1: PUBLISHED}, [gone, orphan, FIRST, SECOND])
    assert {each.kind for each in check_posts(evidence)} == {FindingKind.DUPLICATE}
    assert check_posts(replace(evidence, restored_at=before + hour / 2)) == []
    alive = replace(
        evidence,
        x_posts=[replace(gone, deleted_at=None, deleted_manually=False), *evidence.x_posts],
    )
    assert check_posts(replace(alive, restored_at=before + hour / 2)) != []
