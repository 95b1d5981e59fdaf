"""A lost part is resent after 120 s, directly after a timeline read without the part.

A back-off of the app extends the time during which the part may be resent.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest

from fix_publishing import Publisher, code_of, reason_of
from fix_runtime import ACTOR
from roost import store
from roost.models import PART_MOVES, POST_MOVES, PartState, PostId, PostState
from roost.services import restore_check, resume

TEXT = "Low tide at six"


async def list_requests_to_x(publisher: Publisher) -> list[tuple[str, datetime]]:
    """Return the creates and timeline reads that X received, in order, with emulated times."""
    requests: list[dict[str, Any]] = (await publisher.emulator.ground_truth())["requests"]
    return [
        (one["operation"], datetime.fromisoformat(one["at"]))
        for one in requests
        if one["operation"] in {"create_post", "read_timeline"}
    ]


async def test_part_is_resent_after_120_s_and_an_empty_read(publisher: Publisher) -> None:
    await publisher.emulator.fail("create_post", "before", "drop")
    post_id = await publisher.schedule(TEXT)
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED
    asked = await list_requests_to_x(publisher)
    at = [instant - asked[0][1] for _, instant in asked]
    assert [kind for kind, _ in asked] == ["create_post", *["read_timeline"] * 4, "create_post"]
    assert at[-1] >= timedelta(seconds=120)
    assert at[-1] - at[-2] < timedelta(seconds=1)
    assert at[2] >= timedelta(seconds=15)
    assert at[3] - at[2] >= timedelta(seconds=15)


async def test_late_worker_reads_before_it_resends(publisher: Publisher) -> None:
    """No worker runs for 300 s after the second empty read, so the timeline is read once more."""
    await publisher.emulator.fail("create_post", "before", "drop")
    post_id = await publisher.schedule(TEXT)
    await publisher.run_due_jobs()
    for seconds in (16, 16, 300):
        await publisher.emulator.jump(seconds=seconds)
        await publisher.run_due_jobs()
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED
    *_, read, created = await list_requests_to_x(publisher)
    assert (read[0], created[0]) == ("read_timeline", "create_post")
    assert created[1] - read[1] < timedelta(seconds=1)


async def test_reads_before_a_rate_limited_resend_still_count(publisher: Publisher) -> None:
    script = ["drop", "429"]
    await publisher.emulator.control(
        "faults", operation="create_post", when="before", script=script
    )
    post_id = await publisher.schedule(TEXT)
    await publisher.run_to_completion()
    post = await publisher.get_post(post_id)
    assert (post.state, post.parts[0].state) == (PostState.PUBLISHED, PartState.SENT)
    asked = await list_requests_to_x(publisher)
    assert [kind for kind, _ in asked][-3:] == ["create_post", "read_timeline", "create_post"]
    assert len(asked) == 8
    assert asked[-1][1] - asked[-2][1] < timedelta(seconds=1)


@pytest.mark.parametrize("rests", [3, 12])
async def test_backoff_of_the_app_extends_the_resend_window(
    publisher: Publisher, rests: int
) -> None:
    """A lack of credits stops the app for 15 or 60 minutes; then the part is still resent."""
    await publisher.emulator.fail("create_post", "before", "drop")
    await publisher.emulator.fail("read_timeline", "before", "402", times=rests)
    began = publisher.runtime.clock.now()
    post_id = await publisher.schedule(TEXT)
    await publisher.run_to_completion()
    assert publisher.runtime.clock.now() - began > rests * timedelta(minutes=5)
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED
    assert await publisher.published_texts() == [TEXT]


async def test_backoff_of_the_app_by_another_post_extends_the_resend_window(
    publisher: Publisher,
) -> None:
    """X refuses another post with 402. The post whose request was lost then waits too."""
    await publisher.emulator.fail("create_post", "before", "drop")
    post_id = await publisher.schedule(TEXT)
    await publisher.run_due_jobs()
    await publisher.emulator.fail("create_post", "before", "402", times=3)
    await publisher.schedule("Another")
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED
    assert sorted(await publisher.published_texts()) == ["Another", TEXT]


async def test_part_needs_a_decision__resend_window_over(publisher: Publisher) -> None:
    await publisher.emulator.fail("create_post", "before", "drop")
    post_id = await publisher.schedule(TEXT)
    await publisher.run_due_jobs()
    await publisher.emulator.jump(seconds=660)
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.NEEDS_DECISION


# Tests of parts whose parent X does not show.


async def publish_reply_to_hidden_parent(
    publisher: Publisher, *, parent_gone: bool
) -> tuple[PostState, str]:
    """Publish a thread whose parent may be deleted; return its final state and reason code."""
    await publisher.emulator.control(
        "faults", operation="create_post", when="before", script=["ok", "429"]
    )
    post_id = await publisher.schedule("One", "Two")
    await publisher.run_due_jobs()
    if parent_gone:
        (parent,) = (await publisher.emulator.ground_truth())["posts"]
        await publisher.emulator.act("delete", post=parent["id"])
    await publisher.run_to_completion()
    post = await publisher.get_post(post_id)
    return post.state, code_of(post)


async def test_thread_stops_and_names_its_parent__parent_gone(publisher: Publisher) -> None:
    state, code = await publish_reply_to_hidden_parent(publisher, parent_gone=True)
    assert state is PostState.PARTLY_PUBLISHED
    assert code == "parent_gone"
    # X accepts the first part. It responds to the second with 429, and then with three refusals.
    assert await publisher.list_statuses("create_post") == [201, 429, 403, 403, 403]
    assert await publisher.list_statuses("read_posts") == [200]
    assert await publisher.list_statuses("read_timeline") == []


async def test_reply_is_sent__parent_lags(publisher: Publisher) -> None:
    await publisher.emulator.switch(min_parent_age_seconds=22)
    post_id = await publisher.schedule("One", "Two")
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED
    assert len(await publisher.list_statuses("read_posts")) <= 3
    assert await publisher.published_texts() == ["One", "Two"]


async def test_reply_needs_a_decision__parent_gone_after_a_lost_attempt(
    publisher: Publisher,
) -> None:
    script = ["ok", "drop"]
    await publisher.emulator.control(
        "faults", operation="create_post", when="before", script=script
    )
    post_id = await publisher.schedule("One", "Two")
    await publisher.run_due_jobs()
    (parent,) = (await publisher.emulator.ground_truth())["posts"]
    await publisher.emulator.act("delete", post=parent["id"])
    await publisher.run_to_completion()
    post = await publisher.get_post(post_id)
    assert (post.state, post.parts[1].state) == (PostState.NEEDS_DECISION, PartState.UNKNOWN)
    assert "parent_gone" in reason_of(post)
    assert len(await publisher.list_statuses("create_post")) <= 5
    assert len(await publisher.list_statuses("read_timeline")) <= 7


# Tests of a post's history after a restore.


async def test_history_of_a_restore_has_valid_state_changes(publisher: Publisher) -> None:
    await publisher.emulator.switch(refuse_duplicates=False)
    to = publisher.runtime.clock.now()
    posts = [
        await publisher.schedule("Sent", "And on", after_s=60),
        await publisher.schedule("Half sent", "The rest", after_s=60),
        await publisher.schedule("Not sent", after_s=60),
        await publisher.schedule("Moved", after_s=86_400),
        await publisher.schedule("Later", after_s=86_400),
    ]
    await publisher.emulator.jump(seconds=90)
    first = await publisher.post_manually("Sent")
    await publisher.reply_manually("And on", first)
    for text in ("Half sent", "Moved"):
        await publisher.post_manually(text)
    await restore_check.pause_after_restore(publisher.runtime, ACTOR, to)
    resumed = await resume.resume_everything(publisher.runtime, ACTOR)
    assert [(one.post_id, one.position) for one in resumed.adopted] == [
        (posts[0], 1), (posts[0], 2), (posts[1], 1),
    ]  # fmt: skip
    assert (resumed.needs_decision, resumed.may_have_changed) == ([posts[3]], [posts[4]])
    await publisher.run_to_completion()
    assert sorted(await publisher.published_texts()) == [
        "And on", "Half sent", "Later", "Moved", "Not sent", "Sent", "The rest",
    ]  # fmt: skip
    for post_id in posts:
        await require_known_moves(publisher, post_id)


async def require_known_moves(publisher: Publisher, post_id: PostId) -> None:
    """Check that each event is a legal change from the state in which the last event ended."""
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        events = await store.posts.list_events(transaction, post_id)
    state: dict[int | None, str] = {}
    for event in events:
        if event.from_state is None or event.from_state == event.to_state:
            if event.to_state is not None:
                state.setdefault(event.position, event.to_state)
            continue
        assert event.to_state is not None
        expected = state.get(event.position, "pending")
        assert event.from_state == expected, (event, events)
        if event.position is None:
            assert PostState(event.to_state) in POST_MOVES[PostState(event.from_state)]
        else:
            assert PartState(event.to_state) in PART_MOVES[PartState(event.from_state)]
        state[event.position] = event.to_state
