"""Concurrent decisions of two users, and a deletion that fails half-way."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from fix_publishing import Desk
from roost import store, x
from roost.models import Post, PostId, PostState
from roost.publishing import decisions
from roost.publishing.decisions import Choice
from roost.services import resolve
from roost.services.resolve import DecisionNotOpen

pytestmark = pytest.mark.timing


async def broken_off(desk: Desk, *out: str) -> PostId:
    """A thread of which these parts are published and the next was refused."""
    await desk.plan("Said before")
    post_id = await desk.plan(*out, "Said before", "The end", after_s=1)
    await desk.work_through()
    assert (await desk.see(post_id)).state is PostState.PARTLY_PUBLISHED
    return post_id


async def alerts(desk: Desk) -> list[str]:
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        return [alert.kind for alert in await store.alerts.list_open(transaction)]


async def is_on_x(desk: Desk, text: str) -> bool:
    posts = (await desk.emulator.ground_truth())["posts"]
    return any(post["text"] == text and post["deleted_at"] is None for post in posts)


@pytest.mark.parametrize("deletes_first", [True, False])
async def test_concurrent_delete_and_continue_never_both_succeed(
    desk: Desk, deletes_first: bool
) -> None:
    await desk.plan("Said before")
    posts = [await desk.plan(f"{n}", "Said before", f"{n} end", after_s=1) for n in range(8)]
    await desk.work_through()
    choices: list[Coroutine[Any, Any, Post]] = []
    for number, post_id in enumerate(posts):
        two = [
            resolve.delete_sent(desk.runtime, desk.scope, post_id),
            resolve.continue_thread(desk.runtime, desk.scope, post_id, f"{number} other"),
        ]
        choices += two if deletes_first else reversed(two)
    ends = await asyncio.gather(*choices, return_exceptions=True)
    assert sum(isinstance(end, DecisionNotOpen) for end in ends) == len(posts)
    await desk.work_through()
    for number, post_id in enumerate(posts):
        deleted = (await desk.see(post_id)).state is PostState.CANCELLED
        there = [await is_on_x(desk, text) for text in (f"{number}", f"{number} other")]
        assert there == [not deleted] * 2


@pytest.mark.timing
async def test_continue_while_x_deletes_is_refused(desk: Desk) -> None:
    post_id = await broken_off(desk, "One")
    await desk.emulator.fail("delete_post", "before", "delay", seconds=1)
    deleting = asyncio.create_task(resolve.delete_sent(desk.runtime, desk.scope, post_id))
    await desk.under_way("delete_post")
    with pytest.raises(DecisionNotOpen):
        await resolve.continue_thread(desk.runtime, desk.scope, post_id, "Other")
    await deleting
    await desk.work_through()
    assert not await is_on_x(desk, "One")
    assert not await is_on_x(desk, "Other")


@pytest.mark.parametrize("when", ["before", "after"])
async def test_interrupted_delete_is_completed_by_another(desk: Desk, when: str) -> None:
    post_id = await broken_off(desk, "One", "Two")
    script = ["ok", *["drop"] * 3]
    await desk.emulator.control("faults", operation="delete_post", when=when, script=script)
    with pytest.raises(x.errors.XError) as failed:
        await resolve.delete_sent(desk.runtime, desk.scope, post_id)
    assert failed.value.did == "The post is cancelled; its part 1 is still on X."
    post = await desk.see(post_id)
    assert post.state is PostState.CANCELLED
    assert decisions.list_choices(post) == (Choice.DELETE, Choice.ACKNOWLEDGE)
    assert [part.position for part in decisions.list_deletable(post)] == [1]
    assert await alerts(desk) == ["failed", "decision"] or await alerts(desk) == ["decision"]
    with pytest.raises(DecisionNotOpen):
        await resolve.continue_thread(desk.runtime, desk.scope, post_id, "Other")
    await desk.emulator.clear_faults()
    post = await resolve.delete_sent(desk.runtime, desk.scope, post_id)
    assert decisions.list_choices(post) == ()
    assert not await is_on_x(desk, "One")
    assert not await is_on_x(desk, "Two")
    assert "decision" not in await alerts(desk)
    await desk.work_through()
    assert not await is_on_x(desk, "The end")


async def test_concurrent_deletes_delete_each_part_once(desk: Desk) -> None:
    post_id = await broken_off(desk, "One", "Two")
    ends = await asyncio.gather(
        *(resolve.delete_sent(desk.runtime, desk.scope, post_id) for _ in range(2)),
        return_exceptions=True,
    )
    assert [end for end in ends if isinstance(end, BaseException)] == []
    assert (await desk.see(post_id)).state is PostState.CANCELLED
    lines = [line for line in await desk.story(post_id) if "deleted from X manually" in line]
    assert len(lines) == 2
