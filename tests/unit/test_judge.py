"""The judge of crashes and chaos finds each kind of broken promise, and no other."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from _judge import Case, EventRow, OnX, PartRow, Planned, PostRow, Wrong, judge

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
PLANNED = Planned(1, "9", ("one", "two"))
FIRST = OnX("2000000000000000001", "9", "one", (), None, NOON, None)
SECOND = OnX("2000000000000000002", "9", "two", (), FIRST.id, NOON, None)


def event(position: int | None, before: str | None, after: str, why: str = "why") -> EventRow:
    return EventRow(NOON, position, before, after, why)


STORY = (
    event(None, None, "scheduled"),
    event(None, "scheduled", "publishing"),
    event(1, "pending", "sending"),
    event(1, "sending", "sent"),
    event(2, "pending", "sending"),
    event(2, "sending", "sent"),
    event(None, "publishing", "published"),
)
PUBLISHED = PostRow(
    1, "published", None, NOON, (PartRow(1, "sent", FIRST.id), PartRow(2, "sent", SECOND.id)), STORY
)
DOUBT = PostRow(
    1,
    "needs_decision",
    "X does not show it",
    NOON,
    (PartRow(1, "unknown", None), PartRow(2, "pending", None)),
    (*STORY[:3], event(1, "sending", "unknown"), event(1, "publishing", "needs_decision")),
)
FAILED = PostRow(
    1,
    "failed",
    "duplicate_post: X has it",
    NOON,
    (PartRow(1, "failed", None), PartRow(2, "pending", None)),
    (*STORY[:3], event(1, "sending", "failed"), event(None, "publishing", "failed")),
)


def found(row: PostRow, *on_x: OnX) -> set[Wrong]:
    return {each.wrong for each in judge(Case([PLANNED], {1: row}, on_x))}


def test_a_published_thread_is_right() -> None:
    assert found(PUBLISHED, FIRST, SECOND) == set()


@pytest.mark.parametrize(
    "wrong",
    [{"reply_to": "7"}, {"quote_of": "7"}, {"poll": ("Yes", "No")}],
    ids=["reply", "quote", "poll"],
)
def test_a_part_that_answers_quotes_or_asks_otherwise_than_planned_is_wrong(
    wrong: dict[str, Any],
) -> None:
    other = replace(FIRST, **wrong)
    assert found(PUBLISHED, other, SECOND) != set()
    planned = replace(PLANNED, **wrong)
    assert judge(Case([planned], {1: PUBLISHED}, [other, SECOND])) == []
    assert judge(Case([planned], {1: PUBLISHED}, [FIRST, SECOND])) != []


def test_a_doubt_with_its_story_is_right() -> None:
    assert found(DOUBT) == set()
    assert found(DOUBT, FIRST) == set()


def test_a_second_copy_is_a_duplicate() -> None:
    again = replace(FIRST, id="2000000000000000003")
    assert found(PUBLISHED, FIRST, SECOND, again) == {Wrong.DUPLICATE}
    assert found(DOUBT, FIRST, again) == {Wrong.DUPLICATE}


def test_a_copy_in_place_of_one_that_a_hand_deleted_is_none() -> None:
    gone = replace(FIRST, id="2000000000000000000", deleted_at=NOON, deleted_by_hand=True)
    assert found(PUBLISHED, gone, FIRST, SECOND) == set()
    late = replace(gone, deleted_at=NOON + timedelta(minutes=5))
    assert found(PUBLISHED, late, FIRST, SECOND) == {Wrong.DUPLICATE}


def test_two_copies_of_twins_are_no_duplicates() -> None:
    twin = replace(PLANNED, post_id=2, texts=("one",))
    first = replace(PLANNED, texts=("one",))
    again = replace(FIRST, id="2000000000000000003")
    parts, story = (PartRow(1, "sent", FIRST.id),), (*STORY[:4], STORY[6])
    rows = {
        1: replace(PUBLISHED, parts=parts, events=story),
        2: replace(PUBLISHED, id=2, parts=(PartRow(1, "sent", again.id),), events=story),
    }
    assert judge(Case([first, twin], rows, [FIRST, again])) == []
    same = {**rows, 2: replace(rows[2], parts=parts)}
    assert {each.wrong for each in judge(Case([first, twin], same, [FIRST, again]))} == {
        Wrong.UNEXPLAINED
    }


@pytest.mark.parametrize("state", ["scheduled", "publishing"])
def test_what_comes_to_no_end_is_lost(state: str) -> None:
    row = replace(PUBLISHED, state=state, events=STORY[:-1])
    assert found(row, FIRST, SECOND) == {Wrong.LOST}


def test_what_is_said_to_be_on_x_and_is_not_is_lost() -> None:
    assert Wrong.LOST in found(PUBLISHED, FIRST)


def test_what_somebody_else_deleted_is_lost() -> None:
    gone = replace(SECOND, deleted_at=NOON)
    assert found(PUBLISHED, FIRST, gone) == {Wrong.LOST}


def test_an_end_without_a_reason_is_lost() -> None:
    assert Wrong.LOST in found(replace(DOUBT, reason=None))


def test_a_part_that_answers_another_is_out_of_order() -> None:
    astray = replace(SECOND, reply_to=None)
    assert found(PUBLISHED, FIRST, astray) == {Wrong.OUT_OF_ORDER}
    late = replace(FIRST, reply_to=SECOND.id)
    assert found(PUBLISHED, late, SECOND) == {Wrong.OUT_OF_ORDER}


def test_a_doubt_that_nothing_tells_of_is_unexplained() -> None:
    silent = replace(DOUBT, parts=(PartRow(1, "pending", None), PartRow(2, "pending", None)))
    assert found(silent) == {Wrong.UNEXPLAINED}
    assert found(replace(DOUBT, reason="it may be 2000000000000000009")) == {Wrong.UNEXPLAINED}


def test_a_refusal_without_cause_is_unexplained() -> None:
    assert found(FAILED) == {Wrong.UNEXPLAINED}
    by_hand = replace(FIRST, by_hand=True)
    assert found(FAILED, by_hand) == set()
    assert found(FAILED, FIRST) == {Wrong.UNEXPLAINED}


def test_a_story_with_a_leap_is_unexplained() -> None:
    leap = replace(PUBLISHED, events=(*STORY[:2], *STORY[3:]))
    assert found(leap, FIRST, SECOND) == {Wrong.UNEXPLAINED}
    unsaid = replace(PUBLISHED, events=STORY[:-1])
    assert found(unsaid, FIRST, SECOND) == {Wrong.UNEXPLAINED}


@pytest.mark.parametrize(("late_h", "broken"), [(2, set()), (0.5, {Wrong.UNEXPLAINED})])
def test_only_what_is_long_over_is_missed(late_h: float, broken: set[Wrong]) -> None:
    story = (*STORY[:2], replace(event(None, "publishing", "missed"), at=NOON))
    parts = (PartRow(1, "pending", None), PartRow(2, "pending", None))
    row = PostRow(1, "missed", "too late", NOON - timedelta(hours=late_h), parts, story)
    assert found(row) == broken
    begun = replace(row, parts=(PartRow(1, "sent", FIRST.id), parts[1]))
    assert Wrong.UNEXPLAINED in found(begun, FIRST)


def test_other_bytes_are_unexplained() -> None:
    planned = replace(PLANNED, media=(("sha",), ()))
    case = Case([planned], {1: PUBLISHED}, [replace(FIRST, media=("other",)), SECOND])
    assert [each.wrong for each in judge(case)] == [Wrong.UNEXPLAINED]


def test_a_post_of_the_future_may_wait_untouched() -> None:
    parts = (PartRow(1, "pending", None), PartRow(2, "pending", None))
    row = PostRow(1, "scheduled", None, NOON + timedelta(days=60), parts, STORY[:1])
    case = Case([PLANNED], {1: row}, [], now=NOON)
    assert judge(case) == []
    late = replace(case, rows={1: replace(row, due_at=NOON)})
    assert {each.wrong for each in judge(late)} == {Wrong.LOST}
    sent = replace(row, parts=(PartRow(1, "sent", FIRST.id), parts[1]))
    assert Wrong.LOST in {each.wrong for each in judge(replace(case, rows={1: sent}))}


def test_what_was_planned_after_the_copy_is_judged_for_duplicates_alone() -> None:
    forgotten = replace(PLANNED, texts=("three",), forgotten=True)
    copy = replace(FIRST, id="2000000000000000003", text="three")
    again = replace(copy, id="2000000000000000004")
    rows = {1: PUBLISHED}
    assert judge(Case([PLANNED, forgotten], rows, [FIRST, SECOND])) == []
    assert judge(Case([PLANNED, forgotten], rows, [FIRST, SECOND, copy])) == []
    twice = judge(Case([PLANNED, forgotten], rows, [FIRST, SECOND, copy, again]))
    assert [each.wrong for each in twice] == [Wrong.DUPLICATE]


def test_what_a_restore_forgot_has_to_be_adopted_asked_or_sent_once() -> None:
    doubted = (
        *STORY[:3],
        event(1, "sending", "unknown"),
        event(1, "unknown", "sent", "found on X's timeline"),
        *STORY[4:],
    )
    adopted = replace(PUBLISHED, events=doubted)
    assert found(adopted, FIRST, SECOND) == set()
    resent = replace(FIRST, id="2000000000000000003")
    assert found(adopted, FIRST, resent, SECOND) == {Wrong.DUPLICATE}
    assert found(FAILED, FIRST) == {Wrong.UNEXPLAINED}
    assert found(replace(PUBLISHED, state="publishing", events=STORY[:2]), FIRST, SECOND) != set()


def test_skewed_clocks_may_write_one_history() -> None:
    back = replace(STORY[-1], at=NOON - timedelta(seconds=20))
    row = replace(PUBLISHED, events=(*STORY[:-1], back))
    case = Case([PLANNED], {1: row}, [FIRST, SECOND])
    assert {each.wrong for each in judge(case)} == {Wrong.UNEXPLAINED}
    assert judge(replace(case, clocks_differ=timedelta(seconds=30))) == []


def test_a_thread_whose_beginning_was_deleted_by_hand_may_begin_anew_after_a_restore() -> None:
    hour = timedelta(hours=1)
    before = NOON - hour
    gone = replace(
        FIRST, id="1", created_at=before, deleted_at=before + hour / 4, deleted_by_hand=True
    )
    orphan = replace(SECOND, id="2", created_at=before, reply_to="1")
    case = Case([PLANNED], {1: PUBLISHED}, [gone, orphan, FIRST, SECOND])
    assert {each.wrong for each in judge(case)} == {Wrong.DUPLICATE}
    assert judge(replace(case, restored_at=before + hour / 2)) == []
    alive = replace(case, on_x=[replace(gone, deleted_at=None, deleted_by_hand=False), *case.on_x])
    assert judge(replace(alive, restored_at=before + hour / 2)) != []
