"""Editing and cancelling posts that wait, and what they say that they wait for."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from fix_publishing import Desk, somebody_waits
from roost import store
from roost.errors import PostNotEditable
from roost.models import PartState, PostId, PostState, XMediaId
from roost.publishing.history import describe_reason
from roost.publishing.state import Upload, find_wait
from roost.services import dispatch, monitor
from roost.services.schedule import PartInput, cancel_post, edit_post
from roost.store.vault import Vault, load_keyring, make_key_line

BEGIN = """
    SELECT * FROM roost.begin_attempt(
        tenant => %s, part => %s, from_state => 'pending', attempt_count => 0, started_at => %s,
        deadline => '10 s', media_ids => '{}', media_keys => '{}', at => %s,
        code => 'part.attempted', detail => '{"attempt": 1}', actor => 'worker 1',
        fence_event => NULL, fence_tag => NULL,
        fence_timeline => NULL,
        is_wall_time => false)
"""
Change = Callable[[Desk, PostId], Coroutine[Any, Any, None]]


async def cancel(desk: Desk, post_id: PostId) -> None:
    await cancel_post(desk.runtime, desk.scope, post_id)


async def change_text(desk: Desk, post_id: PostId) -> None:
    parts = [PartInput("Another text")]
    await edit_post(desk.runtime, desk.scope, post_id, parts=parts, due_at=None)


async def change_time(desk: Desk, post_id: PostId) -> None:
    due_at = desk.runtime.clock.now() + timedelta(hours=1)
    await edit_post(desk.runtime, desk.scope, post_id, parts=None, due_at=due_at)


CHANGES = [cancel, change_text, change_time]
each_change = pytest.mark.parametrize("change", CHANGES, ids=lambda one: one.__name__)


async def limited(desk: Desk, *texts: str) -> PostId:
    """A post that waits for a rate limit of its account."""
    await desk.emulator.fail("create_post", "before", "429")
    post_id = await desk.plan(*texts)
    await desk.work()
    post = await desk.see(post_id)
    assert (post.state, post.parts[0].state) == (PostState.PUBLISHING, PartState.PENDING)
    return post_id


@asynccontextmanager
async def session(admin_url: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """A superuser's transaction, rolled back at the end unless it was committed."""
    async with await psycopg.AsyncConnection.connect(admin_url) as connection:
        await connection.execute("SET search_path = roost")
        yield connection


async def test_cancel_post_that_waits_for_a_rate_limit(desk: Desk) -> None:
    post_id = await limited(desk, "Never", "Nor this")
    await cancel(desk, post_id)
    await desk.emulator.jump(hours=1)
    await desk.work_through()
    assert (await desk.see(post_id)).state is PostState.CANCELLED
    assert await desk.on_x() == []
    assert "post: publishing → cancelled: cancelled manually" in await desk.story(post_id)


async def test_edit_post_that_waits_for_a_rate_limit(desk: Desk) -> None:
    post_id = await limited(desk, "Old")
    await change_text(desk, post_id)
    assert await desk.on_x() == []
    await desk.work_through()
    assert await desk.on_x() == ["Another text"]
    assert (await desk.see(post_id)).state is PostState.PUBLISHED


async def test_edit_post_that_waits_keeps_its_new_due_time(desk: Desk) -> None:
    post_id = await limited(desk, "Old")
    await change_time(desk, post_id)
    post = await desk.see(post_id)
    assert (post.state, post.wait) == (PostState.SCHEDULED, None)
    await desk.emulator.jump(seconds=1800)
    await desk.work()
    assert await desk.on_x() == []
    await desk.work_through()
    assert await desk.on_x() == ["Old"]


async def test_edit_post_that_waited_for_credits_is_not_missed(desk: Desk) -> None:
    app = desk.emulator.app.client_id
    await desk.emulator.control(f"apps/{app}", credits=0)
    post_id = await desk.plan("Old")
    for _ in range(20):
        await desk.work()
        await desk.emulator.jump(seconds=301)
    await change_text(desk, post_id)
    await desk.emulator.control(f"apps/{app}", credits=None)
    await desk.work_through()
    assert await desk.on_x() == ["Another text"]


@each_change
@pytest.mark.parametrize(
    ("script", "why"),
    [(["ok", "429"], "is partly on X"), (["drop"], "was handed to X, and may be there")],
    ids=["begun", "unknown"],
)
async def test_edit_post_refuses_what_x_may_have(
    desk: Desk, script: list[str], why: str, change: Change
) -> None:
    await desk.emulator.control("faults", operation="create_post", when="before", script=script)
    post_id = await desk.plan("One", "Two")
    await desk.work()
    history = await desk.story(post_id)
    with pytest.raises(PostNotEditable, match=why):
        await change(desk, post_id)
    assert await desk.story(post_id) == history
    await desk.work_through()
    assert await desk.on_x() == ["One", "Two"]


@pytest.mark.timing
@each_change
async def test_edit_post_waits_for_an_uncommitted_attempt(
    desk: Desk, admin_url: str, change: Change
) -> None:
    post_id = await desk.plan("Being sent")
    await dispatch.dispatch_due(desk.runtime)
    (part,) = (await desk.see(post_id)).parts
    now = desk.runtime.clock.now()
    async with session(admin_url) as attempt:
        rows = await attempt.execute(BEGIN, [desk.tenant.id, part.id, now, now])
        assert len(await rows.fetchall()) == 1
        changing = asyncio.create_task(change(desk, post_id))
        await somebody_waits(desk.runtime)
        await attempt.commit()
        with pytest.raises(PostNotEditable, match="is being sent at this moment"):
            await changing
    (kept,) = (await desk.see(post_id)).parts
    assert (kept.id, kept.state, kept.text) == (part.id, PartState.SENDING, "Being sent")


@pytest.mark.timing
@pytest.mark.parametrize("is_edited", [False, True], ids=["cancelled", "edited"])
async def test_attempt_waits_for_an_uncommitted_edit(
    desk: Desk, admin_url: str, is_edited: bool
) -> None:
    post_id = await desk.plan("Old")
    await dispatch.dispatch_due(desk.runtime)
    now = desk.runtime.clock.now()
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        assert await store.posts.lock_state(transaction, post_id) is PostState.PUBLISHING
        assert await store.posts.is_untouched(transaction, post_id)
        working = asyncio.create_task(desk.work())
        await somebody_waits(desk.runtime)
        if is_edited:
            await store.posts.reschedule(
                transaction, post_id, now + timedelta(hours=1), upload_lead=timedelta(), at=now
            )
        else:
            await store.posts.move(
                transaction, post_id, PostState.PUBLISHING, PostState.CANCELLED, at=now
            )
    await working
    assert await desk.requests("create_post") == []
    async with session(admin_url) as admin:
        assert await (await admin.execute("SELECT FROM attempts")).fetchall() == []


async def test_finish_post_skips_a_post_edited_meanwhile(
    desk: Desk,
) -> None:
    post_id = await desk.plan("Old")
    await dispatch.dispatch_due(desk.runtime)
    old = (await desk.see(post_id)).due_at
    await change_time(desk, post_id)
    await desk.emulator.jump(hours=1)
    await dispatch.dispatch_due(desk.runtime)
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        assert not await store.posts.move(
            transaction, post_id, PostState.PUBLISHING, PostState.MISSED,
            at=desk.runtime.clock.now(), due_at=old,
        )  # fmt: skip
    await desk.work()
    assert await desk.on_x() == ["Old"]


async def test_find_wait_of_a_rate_limited_post(desk: Desk) -> None:
    post_id = await limited(desk, "Later")
    post, account = await desk.see(post_id), await desk.integration()
    now = desk.runtime.clock.now()
    wait = find_wait(post, account, now)
    assert wait is not None
    assert wait.until == account.backoff_until
    assert wait.reason == account.backoff_reason
    assert find_wait(post, account, account.backoff_until or now) is None


async def test_find_wait_of_a_post_whose_account_needs_a_reconnect(desk: Desk) -> None:
    post_id = await desk.plan("Later", after_s=7200)
    await desk.kill_grant()
    await desk.emulator.jump(hours=2)
    await desk.work()
    wait = find_wait(await desk.see(post_id), await desk.integration(), desk.runtime.clock.now())
    assert wait is not None
    assert (describe_reason(wait.reason), wait.until) == (
        "@larkbooks has to be connected again",
        None,
    )


async def test_check_lateness_excuses_a_wait_for_x(desk: Desk) -> None:
    app = desk.emulator.app.client_id
    await desk.emulator.control(f"apps/{app}", credits=0)
    post_id = await desk.plan("Later")
    await desk.work()
    wait = (await desk.see(post_id)).wait
    assert wait is not None
    assert wait.until is not None
    assert wait.until - desk.runtime.clock.now() > monitor.LATE
    await desk.move_to(wait.until - timedelta(seconds=1))
    assert await monitor.check_lateness(desk.runtime) is None
    await desk.move_to(wait.until + monitor.LATE + timedelta(seconds=1))
    assert await monitor.check_lateness(desk.runtime) == wait.until
    await desk.work()
    assert await monitor.check_lateness(desk.runtime) is None


async def test_check_lateness_counts_a_wait_for_a_fault_of_ours(desk: Desk) -> None:
    """With another vault key no post is published, which is not X's fault."""
    other = Vault(load_keyring(desk.runtime.settings.roost_home, make_key_line()))
    blind = replace(desk, runtime=replace(desk.runtime, vault=other))
    due_at = desk.runtime.clock.now()
    await desk.plan("Sealed")
    await blind.work()
    assert (await desk.integration()).backoff_until is not None
    await desk.emulator.jump(seconds=121)
    await blind.work()
    assert await monitor.check_lateness(desk.runtime) == due_at


async def test_upload_for_a_post_edited_meanwhile_is_discarded(desk: Desk, teal: Any) -> None:
    post_id = await desk.plan("Old", media=teal, after_s=900)
    (asset,) = (await desk.see(post_id)).parts[0].media
    await change_text(desk, post_id)
    upload = Upload(asset.id, XMediaId("1"), "3_1", desk.runtime.clock.now())
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        await store.uploads.save_upload(transaction, desk.tenant.id, upload)
        await store.uploads.save_upload_progress(transaction, desk.tenant.id, asset.id, b"{}")
        assert await store.uploads.list_uploads(transaction, post_id) == {}
