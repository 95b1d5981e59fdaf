"""The sentences that describe a post's history and the state of its parts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from roost.models import AttemptId, Event, Part, PartId, PartState, PostId
from roost.publishing import history
from roost.publishing.state import Attempt, Outcome, PartProgress

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)

CASES = [
    (None, None, "scheduled", "posted from the terminal", "scheduled: posted from the terminal"),
    (None, None, "draft", "by the test", "saved as a draft: by the test"),
    (None, "failed", "scheduled", "edited manually", "scheduled: edited manually"),
    (None, "scheduled", "scheduled", "paused manually", "paused manually"),
    (None, "scheduled", "publishing", "its time has come", "its time has come"),
    (None, "publishing", "publishing", "waits: X's limit.", "waits: X's limit"),
    (1, "pending", "sending", "handed to X (attempt 1)", "part 1: handed to X (attempt 1)"),
    (1, "sending", "sent", "X has it as 17", "part 1: X has it as 17"),
    (1, "unknown", "sent", "found on X's timeline as 17", "part 1: found on X's timeline as 17"),
    (1, "unknown", "failed", "discarded manually", "part 1: discarded manually"),
    (2, "failed", "pending", "edited manually", "part 2: edited manually"),
    (
        1, "sending", "unknown", "X's answer to create_post is not known: no answer in time.",
        "part 1: X's answer to the post is not known: no answer in time",
    ),
    (
        1, "sending", "pending", "X was not reached: connecting took too long.",
        "part 1: not on X: X was not reached: connecting took too long",
    ),
    (
        2, "sending", "failed", "duplicate_post: X refused the post: it is there.",
        "part 2: X refused the post: it is there (duplicate_post)",
    ),
    (
        1, "pending", "failed", "media_changed: a.png is not the file that was checked.",
        "part 1: cannot be published: a.png is not the file that was checked (media_changed)",
    ),
    (None, "publishing", "published", "every part is on X", "published: every part is on X"),
    (None, "publishing", "missed", "it is too late", "missed: it is too late"),
    (
        None, "publishing", "failed", "text_too_long: X refused the post as too long.",
        "no part is on X: X refused the post as too long (text_too_long)",
    ),
    (
        None, "publishing", "partly_published", "a refusal",
        "only some parts are on X: a refusal",
    ),
    (
        1, "publishing", "needs_decision", "several posts on X could be this part: 1, 2",
        "part 1: needs a decision: several posts on X could be this part: 1, 2",
    ),
    (
        None, "needs_decision", "publishing", "resolved manually: it is on X as 17",
        "resolved manually: it is on X as 17",
    ),
    (None, "missed", "cancelled", "discarded manually", "discarded manually"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("position", "before", "after", "why", "expected"),
    CASES,
    ids=[f"{before}-{after}-{position or 'post'}" for position, before, after, *_ in CASES],
)
def test_describe_event(
    position: int | None, before: str | None, after: str, why: str, expected: str
) -> None:
    assert history.describe_event(Event(NOON, PostId(1), position, before, after, why)) == expected


def test_describe_outcome_has_a_text_for_every_outcome() -> None:
    texts = {history.describe_outcome(_attempt(outcome=outcome)) for outcome in (None, *Outcome)}
    assert len(texts) == len(Outcome) + 1


def _attempt(**values: Any) -> Attempt:
    return Attempt(AttemptId(1), 1, NOON, timedelta(0), **values)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, None),
        (
            {"empty_read_at": NOON},
            "X's timeline did not show the post, but was read too early to prove anything",
        ),
        (
            {"empty_read_at": NOON, "empty_reads": 1},
            "X's timeline was read once and did not show the post",
        ),
        (
            {"empty_read_at": NOON, "empty_reads": 2},
            "X's timeline was read 2 times and did not show the post",
        ),
        ({"confirmed_absent": True}, "a user checked X and confirmed that the post is not there"),
    ],
    ids=["unread", "early", "once", "twice", "decided"],
)
def test_describe_reads(values: dict[str, Any], expected: str | None) -> None:
    assert history.describe_reads(_attempt(**values)) == expected


def test_describe_media_lists_media_keys() -> None:
    part = Part(PartId(1), PostId(1), 1, "Teal", PartState.UNKNOWN, None, None)
    assert history.describe_media(PartProgress(part)) is None
    known = PartProgress(part, (_attempt(media_keys=("3_2", "3_1")),))
    assert history.describe_media(known) == "its files are on X as 3_1, 3_2"
