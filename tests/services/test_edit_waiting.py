"""Posts that wait to be sent can be edited and cancelled, and show why they wait."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from fix_publishing import Publisher, wait_for_lock_conflict
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
Change = Callable[[Publisher, PostId], Coroutine[Any, Any, None]]


async def cancel(publisher: Publisher, post_id: PostId) -> None:
    await cancel_post(publisher.runtime, publisher.scope, post_id)


async def change_text(publisher: Publisher, post_id: PostId) -> None:
    parts = [PartInput("Another text")]
    await edit_post(publisher.runtime, publisher.scope, post_id, parts=parts, due_at=None)


async def change_time(publisher: Publisher, post_id: PostId) -> None:
    due_at = publisher.runtime.clock.now() + timedelta(hours=1)
    await edit_post(publisher.runtime, publisher.scope, post_id, parts=None, due_at=due_at)


CHANGES = [cancel, change_text, change_time]
each_change = pytest.mark.parametrize("change", CHANGES, ids=lambda one: one.__name__)


async def schedule_rate_limited(publisher: Publisher, *texts: str) -> PostId:
    """Schedule a post whose first request gets status 429, so that the post waits."""
    await publisher.emulator.fail("create_post", "before", "429")
    post_id = await publisher.schedule(*texts)
    await publisher.run_due_jobs()
    post = await publisher.get_post(post_id)
    assert (post.state, post.parts[0].state) == (PostState.PUBLISHING, PartState.PENDING)
    return post_id


@asynccontextmanager
async def session(admin_url: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """Open a transaction as superuser; commit it at the end, or roll it back on an error."""
    async with await psycopg.AsyncConnection.connect(admin_url) as connection:
        await connection.execute("SET search_path = roost")
        yield connection


async def test_cancel_post_that_waits_for_a_rate_limit(publisher: Publisher) -> None:
    post_id = await schedule_rate_limited(publisher, "Never", "Nor this")
    await cancel(publisher, post_id)
    await publisher.emulator.jump(hours=1)
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.CANCELLED
    assert await publisher.published_texts() == []
    assert "post: publishing → cancelled: cancelled" in await publisher.list_history(post_id)


async def test_edit_post_that_waits_for_a_rate_limit(publisher: Publisher) -> None:
    post_id = await schedule_rate_limited(publisher, "Old")
    await change_text(publisher, post_id)
    assert await publisher.published_texts() == []
    await publisher.run_to_completion()
    assert await publisher.published_texts() == ["Another text"]
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED


async def test_edit_post_that_waits_keeps_its_new_due_time(publisher: Publisher) -> None:
    post_id = await schedule_rate_limited(publisher, "Old")
    await change_time(publisher, post_id)
    post = await publisher.get_post(post_id)
    assert (post.state, post.wait) == (PostState.SCHEDULED, None)
    await publisher.emulator.jump(seconds=1800)
    await publisher.run_due_jobs()
    assert await publisher.published_texts() == []
    await publisher.run_to_completion()
    assert await publisher.published_texts() == ["Old"]


async def test_edit_post_that_waited_for_credits_is_not_missed(publisher: Publisher) -> None:
    app = publisher.emulator.app.client_id
    await publisher.emulator.control(f"apps/{app}", credits=0)
    post_id = await publisher.schedule("Old")
    for _ in range(20):
        await publisher.run_due_jobs()
        await publisher.emulator.jump(seconds=301)
    await change_text(publisher, post_id)
    await publisher.emulator.control(f"apps/{app}", credits=None)
    await publisher.run_to_completion()
    assert await publisher.published_texts() == ["Another text"]


@each_change
@pytest.mark.parametrize(
    ("script", "why"),
    [(["ok", "429"], "is partly on X"), (["drop"], "was sent to X and may be on X")],
    ids=["begun", "unknown"],
)
async def test_edit_post_refuses_what_x_may_have(
    publisher: Publisher, script: list[str], why: str, change: Change
) -> None:
    await publisher.emulator.control(
        "faults", operation="create_post", when="before", script=script
    )
    post_id = await publisher.schedule("One", "Two")
    await publisher.run_due_jobs()
    history = await publisher.list_history(post_id)
    with pytest.raises(PostNotEditable, match=why):
        await change(publisher, post_id)
    assert await publisher.list_history(post_id) == history
    await publisher.run_to_completion()
    assert await publisher.published_texts() == ["One", "Two"]


@pytest.mark.timing
@each_change
async def test_edit_post_waits_for_an_uncommitted_attempt(
    publisher: Publisher, admin_url: str, change: Change
) -> None:
    post_id = await publisher.schedule("Being sent")
    await dispatch.dispatch_due(publisher.runtime)
    (part,) = (await publisher.get_post(post_id)).parts
    now = publisher.runtime.clock.now()
    async with session(admin_url) as attempt:
        rows = await attempt.execute(BEGIN, [publisher.tenant.id, part.id, now, now])
        assert len(await rows.fetchall()) == 1
        changing = asyncio.create_task(change(publisher, post_id))
        await wait_for_lock_conflict(publisher.runtime)
        await attempt.commit()
        with pytest.raises(PostNotEditable, match="is being sent at this moment"):
            await changing
    (kept,) = (await publisher.get_post(post_id)).parts
    assert (kept.id, kept.state, kept.text) == (part.id, PartState.SENDING, "Being sent")


@pytest.mark.timing
@pytest.mark.parametrize("is_edited", [False, True], ids=["cancelled", "edited"])
async def test_attempt_waits_for_an_uncommitted_edit(
    publisher: Publisher, admin_url: str, is_edited: bool
) -> None:
    post_id = await publisher.schedule("Old")
    await dispatch.dispatch_due(publisher.runtime)
    now = publisher.runtime.clock.now()
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        assert await store.posts.lock_state(transaction, post_id) is PostState.PUBLISHING
        assert await store.posts.is_untouched(transaction, post_id)
        working = asyncio.create_task(publisher.run_due_jobs())
        await wait_for_lock_conflict(publisher.runtime)
        if is_edited:
            await store.posts.reschedule(
                transaction, post_id, now + timedelta(hours=1), upload_lead=timedelta(), at=now
            )
        else:
            await store.posts.move(
                transaction, post_id, PostState.PUBLISHING, PostState.CANCELLED, at=now
            )
    await working
    assert await publisher.list_statuses("create_post") == []
    async with session(admin_url) as admin:
        assert await (await admin.execute("SELECT FROM attempts")).fetchall() == []


async def test_finish_post_skips_a_post_edited_meanwhile(
    publisher: Publisher,
) -> None:
    post_id = await publisher.schedule("Old")
    await dispatch.dispatch_due(publisher.runtime)
    old = (await publisher.get_post(post_id)).due_at
    await change_time(publisher, post_id)
    await publisher.emulator.jump(hours=1)
    await dispatch.dispatch_due(publisher.runtime)
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        assert not await store.posts.move(
            transaction, post_id, PostState.PUBLISHING, PostState.MISSED,
            at=publisher.runtime.clock.now(), due_at=old,
        )  # fmt: skip
    await publisher.run_due_jobs()
    assert await publisher.published_texts() == ["Old"]


async def test_find_wait_of_a_rate_limited_post(publisher: Publisher) -> None:
    post_id = await schedule_rate_limited(publisher, "Later")
    post, account = await publisher.get_post(post_id), await publisher.get_integration()
    now = publisher.runtime.clock.now()
    wait = find_wait(post, account, now)
    assert wait is not None
    assert wait.until == account.backoff_until
    assert wait.reason == account.backoff_reason
    assert find_wait(post, account, account.backoff_until or now) is None


async def test_find_wait_of_a_post_whose_account_needs_a_reconnect(publisher: Publisher) -> None:
    post_id = await publisher.schedule("Later", after_s=7200)
    await publisher.revoke_tokens()
    await publisher.emulator.jump(hours=2)
    await publisher.run_due_jobs()
    wait = find_wait(
        await publisher.get_post(post_id),
        await publisher.get_integration(),
        publisher.runtime.clock.now(),
    )
    assert wait is not None
    assert (describe_reason(wait.reason), wait.until) == (
        "@larkbooks has to be connected again",
        None,
    )


async def test_check_lateness_excuses_a_wait_for_x(publisher: Publisher) -> None:
    app = publisher.emulator.app.client_id
    await publisher.emulator.control(f"apps/{app}", credits=0)
    post_id = await publisher.schedule("Later")
    await publisher.run_due_jobs()
    wait = (await publisher.get_post(post_id)).wait
    assert wait is not None
    assert wait.until is not None
    assert wait.until - publisher.runtime.clock.now() > monitor.LATE
    await publisher.move_clock_to(wait.until - timedelta(seconds=1))
    assert await monitor.check_lateness(publisher.runtime) is None
    await publisher.move_clock_to(wait.until + monitor.LATE + timedelta(seconds=1))
    assert await monitor.check_lateness(publisher.runtime) == wait.until
    await publisher.run_due_jobs()
    assert await monitor.check_lateness(publisher.runtime) is None


async def test_check_lateness_counts_a_wait_for_a_fault_of_ours(publisher: Publisher) -> None:
    """A post waits because the vault key is wrong. X is not the cause, so it counts as late."""
    other = Vault(load_keyring(publisher.runtime.settings.home, make_key_line()))
    blind = replace(publisher, runtime=replace(publisher.runtime, vault=other))
    due_at = publisher.runtime.clock.now()
    await publisher.schedule("Sealed")
    await blind.run_due_jobs()
    assert (await publisher.get_integration()).backoff_until is not None
    await publisher.emulator.jump(seconds=121)
    await blind.run_due_jobs()
    assert await monitor.check_lateness(publisher.runtime) == due_at


async def test_upload_for_a_post_edited_meanwhile_is_discarded(
    publisher: Publisher, teal: Any
) -> None:
    post_id = await publisher.schedule("Old", media=teal, after_s=900)
    (asset,) = (await publisher.get_post(post_id)).parts[0].media
    await change_text(publisher, post_id)
    upload = Upload(asset.id, XMediaId("1"), "3_1", publisher.runtime.clock.now())
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        await store.uploads.save_upload(transaction, publisher.tenant.id, upload)
        await store.uploads.save_upload_progress(transaction, publisher.tenant.id, asset.id, b"{}")
        assert await store.uploads.list_uploads(transaction, post_id) == {}
