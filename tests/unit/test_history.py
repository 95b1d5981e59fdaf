"""The sentences that describe a post's history and the state of its parts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from roost.cli import next_actions as cli_words
from roost.models import (
    Actor,
    ActorKind,
    Alert,
    AlertKind,
    AttemptId,
    Event,
    EventCode,
    IntegrationStatus,
    Part,
    PartId,
    PartState,
    PostId,
    Reason,
    ReasonCode,
    SubjectType,
)
from roost.publishing import alerts, history
from roost.publishing.state import Attempt, Outcome, PartProgress
from roost.web import next_actions as web_words

WORKER = Actor(ActorKind.WORKER, "host:17")
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def because(code: str, message: str = "", **facts: Any) -> dict[str, Any]:
    """Return the `detail` of an event whose cause is the reason `code`."""
    return {"reason": {"code": code, "detail": facts | ({"message": message} if message else {})}}


#: Each case: part, event code, old state, new state, detail, and the expected description.
CASES = [
    (None, "post.scheduled", None, "scheduled", {}, "scheduled"),
    (
        None, "post.scheduled", None, "scheduled", {"file": "plan.csv", "line": 3},
        "scheduled: imported from plan.csv, line 3",
    ),
    (None, "post.drafted", None, "draft", {}, "saved as a draft"),
    (None, "post.edited", "failed", "scheduled", {}, "scheduled: edited"),
    (None, "post.paused", "scheduled", "scheduled", {}, "paused"),
    (None, "post.due", "scheduled", "publishing", {}, "the post became due"),
    (
        None, "post.deferred", "publishing", "publishing", because("rate_limited", "X's limit."),
        "waits: X's limit (rate_limited)",
    ),
    (1, "part.attempted", "pending", "sending", {"attempt": 1}, "part 1: handed to X (attempt 1)"),
    (
        1, "part.attempted", "unknown", "sending", {"attempt": 2} | because("absent_on_timeline"),
        "part 1: handed to X again, since X's timeline does not show the post (attempt 2)",
    ),
    (1, "part.sent", "sending", "sent", {"tweet_id": "17"}, "part 1: X has the post as 17"),
    (
        1, "part.adopted", "unknown", "sent", {"tweet_id": "17"},
        "part 1: found on X's timeline as 17",
    ),
    (1, "part.discarded", "unknown", "failed", {}, "part 1: discarded"),
    (2, "part.edited", "failed", "pending", {}, "part 2: edited"),
    (
        2, "part.edited", "failed", "pending",
        {"changes": [{"what": "text", "before": "One", "after": "Two"}]},
        'part 2: edited: text "One" → "Two"',
    ),
    (
        1, "part.unknown", "sending", "unknown",
        because("outcome_unknown", "X's response to the post is not known: no response in time."),
        "part 1: X's response to the post is not known: no response in time (outcome_unknown)",
    ),
    (
        1, "part.not_created", "sending", "pending",
        because("not_sent", "X was not reached: connecting took too long."),
        "part 1: not on X: X was not reached: connecting took too long (not_sent)",
    ),
    (
        2, "part.refused", "sending", "failed",
        because("duplicate_post", "X refused the post: it is there."),
        "part 2: X refused the post: it is there (duplicate_post)",
    ),
    (
        1, "part.refused", "pending", "failed",
        because("media_changed", "a.png is not the file that was checked."),
        "part 1: cannot be published: a.png is not the file that was checked (media_changed)",
    ),
    (None, "post.published", "publishing", "published", {}, "published: every part is on X"),
    (
        None, "post.missed", "publishing", "missed", because("late", tolerance_seconds=3600),
        "missed: it was late by more than 1 h",
    ),
    (
        None, "post.missed", "publishing", "missed",
        because("late", tolerance_seconds=3600, wait={"code": "uploading", "detail": {}}),
        "missed: it was late by more than 1 h; before, it waited: its files are being uploaded",
    ),
    (
        None, "post.failed", "publishing", "failed",
        because("text_too_long", "X refused the post as too long."),
        "no part is on X: X refused the post as too long (text_too_long)",
    ),
    (
        None, "post.partly_published", "publishing", "partly_published", because("discarded"),
        "only some parts are on X: it was discarded",
    ),
    (
        1, "post.needs_decision", "publishing", "needs_decision",
        because("several_matches", tweet_ids=["1", "2"]),
        "part 1: needs a decision: several posts on X could be this part: 1, 2",
    ),
    (
        None, "post.resolved", "needs_decision", "publishing",
        {"choice": "found", "tweet_id": "17"}, "resolved: it is on X as 17",
    ),
    (None, "post.cancelled", "missed", "cancelled", because("discarded"), "it was discarded"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("position", "code", "from_state", "to_state", "detail", "expected"),
    CASES,
    ids=[
        f"{code}-{position or 'post'}-{number}" for number, (position, code, *_) in enumerate(CASES)
    ],
)
def test_describe_event(
    position: int | None,
    code: str,
    from_state: str | None,
    to_state: str,
    detail: dict[str, Any],
    expected: str,
) -> None:
    event = Event(NOON, PostId(1), position, EventCode(code), from_state, to_state, detail, WORKER)
    assert history.describe_event(event) == expected


#: A value for every fact that the description of an event or a reason may use.
FACTS: dict[str, Any] = {
    "actor": "worker host:17", "attempt": 2, "choice": "resend", "is_own": True, "limit": 2,
    "part": 1, "parts": 3, "tolerance_seconds": 60, "tweet_id": "17", "tweet_ids": ["17"],
    "type": "ValueError", "url": None, "username": "larkbooks",
    "complete_until": "2026-11-27T12:00:00+00:00",
    "reason": {"code": "late", "detail": {"tolerance_seconds": 60}},
}  # fmt: skip


@pytest.mark.parametrize("code", list(EventCode))
def test_every_event_has_words(code: EventCode) -> None:
    event = Event(NOON, PostId(1), None, code, "pending", "pending", FACTS, WORKER)
    words = history.describe_event(event)
    assert words
    assert code.value not in words


@pytest.mark.parametrize("code", list(ReasonCode))
def test_every_reason_has_words(code: ReasonCode) -> None:
    words = history.describe_reason(Reason(code, FACTS))
    assert words != code.value
    assert not words.endswith(".")
    assert Reason.from_json(Reason(code, FACTS).to_json()) == Reason(code, FACTS)


@pytest.mark.parametrize("kind", list(AlertKind))
def test_every_alert_has_words_and_an_action(kind: AlertKind) -> None:
    detail = FACTS | {"due_at": "2026-11-27T12:00:00+00:00", "skew_seconds": -300, "reference": "x"}
    alert = Alert(kind, SubjectType.POST, "17", NOON, detail)
    assert alerts.describe_alert(alert).endswith(".")
    action = alerts.action_for(alert)
    for describe in (cli_words.describe_action, web_words.describe_action):
        assert "{" not in describe(action)


@pytest.mark.parametrize("kind", list(ActorKind))
def test_every_actor_has_a_name(kind: ActorKind) -> None:
    actor = Actor(kind, "host:17")
    assert history.describe_actor(actor)
    assert Actor.parse(str(actor)) == actor


def test_reason_lists_the_posts_on_x_that_it_names() -> None:
    facts = {"duplicate": {"tweet_id": "17"}, "tweet_ids": ["18", "19"]}
    assert Reason("duplicate_post", facts).tweet_ids == ("18", "19", "17")


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


@pytest.mark.parametrize("status", list(IntegrationStatus))
def test_status_of_an_account_reads_as_a_sentence(status: IntegrationStatus) -> None:
    assert "_" not in f"@larkbooks {history.describe_account_status(status)}."
