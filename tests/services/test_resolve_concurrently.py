"""Two users resolve a post at the same time; the deletion of a thread fails midway."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from fix_publishing import Publisher
from roost import store, x
from roost.models import Post, PostId, PostState
from roost.publishing import decisions
from roost.publishing.decisions import Choice
from roost.services import resolve
from roost.services.resolve import DecisionNotOpen

pytestmark = pytest.mark.timing


async def publish_partly(publisher: Publisher, *out: str) -> PostId:
    """Publish a thread: the parts `out` are published, and X refuses the next part."""
    await publisher.schedule("Said before")
    post_id = await publisher.schedule(*out, "Said before", "The end", after_s=1)
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.PARTLY_PUBLISHED
    return post_id


async def alerts(publisher: Publisher) -> list[str]:
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        return [alert.kind for alert in await store.alerts.list_open(transaction)]


async def is_on_x(publisher: Publisher, text: str) -> bool:
    posts = (await publisher.emulator.ground_truth())["posts"]
    return any(post["text"] == text and post["deleted_at"] is None for post in posts)


@pytest.mark.parametrize("deletes_first", [True, False])
async def test_concurrent_delete_and_continue_never_both_succeed(
    publisher: Publisher, deletes_first: bool
) -> None:
    await publisher.schedule("Said before")
    posts = [
        await publisher.schedule(f"{n}", "Said before", f"{n} end", after_s=1) for n in range(8)
    ]
    await publisher.run_to_completion()
    choices: list[Coroutine[Any, Any, Post]] = []
    for number, post_id in enumerate(posts):
        two = [
            resolve.delete_sent(publisher.runtime, publisher.scope, post_id),
            resolve.continue_thread(publisher.runtime, publisher.scope, post_id, f"{number} other"),
        ]
        choices += two if deletes_first else reversed(two)
    ends = await asyncio.gather(*choices, return_exceptions=True)
    assert sum(isinstance(end, DecisionNotOpen) for end in ends) == len(posts)
    await publisher.run_to_completion()
    for number, post_id in enumerate(posts):
        deleted = (await publisher.get_post(post_id)).state is PostState.CANCELLED
        there = [await is_on_x(publisher, text) for text in (f"{number}", f"{number} other")]
        assert there == [not deleted] * 2


@pytest.mark.timing
async def test_continue_while_x_deletes_is_refused(publisher: Publisher) -> None:
    post_id = await publish_partly(publisher, "One")
    await publisher.emulator.fail("delete_post", "before", "delay", seconds=1)
    deleting = asyncio.create_task(resolve.delete_sent(publisher.runtime, publisher.scope, post_id))
    await publisher.wait_for_request("delete_post")
    with pytest.raises(DecisionNotOpen):
        await resolve.continue_thread(publisher.runtime, publisher.scope, post_id, "Other")
    await deleting
    await publisher.run_to_completion()
    assert not await is_on_x(publisher, "One")
    assert not await is_on_x(publisher, "Other")


@pytest.mark.parametrize("when", ["before", "after"])
async def test_interrupted_delete_is_completed_by_another(publisher: Publisher, when: str) -> None:
    post_id = await publish_partly(publisher, "One", "Two")
    script = ["ok", *["drop"] * 3]
    await publisher.emulator.control("faults", operation="delete_post", when=when, script=script)
    with pytest.raises(x.errors.XError) as failed:
        await resolve.delete_sent(publisher.runtime, publisher.scope, post_id)
    assert failed.value.did == "The post is cancelled; its part 1 is still on X."
    post = await publisher.get_post(post_id)
    assert post.state is PostState.CANCELLED
    assert decisions.list_choices(post) == (Choice.DELETE, Choice.ACKNOWLEDGE)
    assert [part.position for part in decisions.list_deletable(post)] == [1]
    assert await alerts(publisher) == ["failed", "decision"] or await alerts(publisher) == [
        "decision"
    ]
    with pytest.raises(DecisionNotOpen):
        await resolve.continue_thread(publisher.runtime, publisher.scope, post_id, "Other")
    await publisher.emulator.clear_faults()
    post = await resolve.delete_sent(publisher.runtime, publisher.scope, post_id)
    assert decisions.list_choices(post) == ()
    assert not await is_on_x(publisher, "One")
    assert not await is_on_x(publisher, "Two")
    assert "decision" not in await alerts(publisher)
    await publisher.run_to_completion()
    assert not await is_on_x(publisher, "The end")


async def test_concurrent_deletes_delete_each_part_once(publisher: Publisher) -> None:
    post_id = await publish_partly(publisher, "One", "Two")
    ends = await asyncio.gather(
        *(resolve.delete_sent(publisher.runtime, publisher.scope, post_id) for _ in range(2)),
        return_exceptions=True,
    )
    assert [end for end in ends if isinstance(end, BaseException)] == []
    assert (await publisher.get_post(post_id)).state is PostState.CANCELLED
    lines = [
        line for line in await publisher.list_history(post_id) if "sent: deleted from X" in line
    ]
    assert len(lines) == 2
