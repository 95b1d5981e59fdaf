"""No attempt is committed once a call that pauses publishing has returned."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest

from fix_processes import until
from fix_publishing import Publisher, wait_for_lock_conflict
from fix_runtime import ACTOR
from roost.models import PostId
from roost.services import pause
from roost.services.pause import PauseScope

pytestmark = pytest.mark.timing

#: Acquires the advisory lock of pauses. `lock_pauses` acquires this lock exclusively, and
#: `begin_attempt` acquires it shared. The tests insert `_shared` or nothing at `{}`.
LOCK = "SELECT pg_advisory_xact_lock{}(21072, 0)"
#: The SQL that sets each kind of pause. The tests run it in a transaction of their own.
MARKS = {
    PauseScope.POST: "UPDATE roost.posts SET paused = true",
    PauseScope.ACCOUNT: "UPDATE roost.integrations SET paused = true",
    PauseScope.TENANT: "UPDATE roost.tenants SET paused = true",
    PauseScope.EVERYTHING: "UPDATE roost.global_pause SET paused = true",
}


@asynccontextmanager
async def session(admin_url: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """Open a transaction as superuser; commit it at the end, or roll it back on an error."""
    async with await psycopg.AsyncConnection.connect(admin_url) as connection:
        yield connection


async def pause_by_scope(publisher: Publisher, scope: PauseScope, post_id: PostId) -> None:
    """Pause the post, its account, its tenant or everything."""
    match scope:
        case PauseScope.POST:
            await pause.pause_post(publisher.runtime, publisher.scope, post_id)
        case PauseScope.ACCOUNT:
            await pause.pause_account(publisher.runtime, publisher.scope, publisher.account)
        case PauseScope.TENANT:
            await pause.pause_tenant(publisher.runtime, publisher.scope)
        case PauseScope.EVERYTHING:
            await pause.pause_everything(publisher.runtime, ACTOR)


@pytest.mark.parametrize("scope", list(PauseScope), ids=str)
async def test_pause_waits_for_uncommitted_attempts(
    publisher: Publisher, admin_url: str, scope: PauseScope
) -> None:
    post_id = await publisher.schedule("Held")
    async with session(admin_url) as attempt:
        await attempt.execute(LOCK.format("_shared").encode())
        pausing = asyncio.create_task(pause_by_scope(publisher, scope, post_id))
        await wait_for_lock_conflict(publisher.runtime)
        assert not pausing.done()
        await attempt.rollback()
        await pausing
    await publisher.run_due_jobs()
    assert await publisher.published_texts() == []


@pytest.mark.parametrize("scope", list(PauseScope), ids=str)
async def test_attempt_that_waited_for_a_pause_is_not_committed(
    publisher: Publisher, admin_url: str, scope: PauseScope
) -> None:
    post_id = await publisher.schedule("Held")
    async with session(admin_url) as pausing:
        await pausing.execute(LOCK.format("").encode())
        working = asyncio.create_task(publisher.run_due_jobs())
        await wait_for_lock_conflict(publisher.runtime)
        assert not working.done()
        await pausing.execute(MARKS[scope].encode())
        await pausing.commit()
        await working
    assert await publisher.list_statuses("create_post") == []
    assert (await publisher.get_post(post_id)).parts[0].state == "pending"
    async with session(admin_url) as admin:
        assert await (await admin.execute("SELECT FROM roost.attempts")).fetchall() == []


@pytest.mark.parametrize("scope", list(PauseScope), ids=str)
async def test_no_attempt_is_committed_after_a_pause_among_many(
    publisher: Publisher, admin_url: str, scope: PauseScope
) -> None:
    """The pause has a higher id than the event of every attempt.

    Pauses and events get their ids from one sequence, so the ids show their order.
    """
    posts = [await publisher.schedule(*(f"{n}.{part}" for part in range(10))) for n in range(3)]
    # The sixth to the tenth create are delayed, so that the pause precedes the tenth part even if
    # the test process is slow.
    script = ["ok"] * 5 + ["delay"] * 5
    await publisher.emulator.control(
        "faults", operation="create_post", when="before", script=script, seconds=2
    )
    working = asyncio.create_task(publisher.run_due_jobs())

    async def are_four_answered() -> bool:
        return (
            sum(status is not None for status in await publisher.list_statuses("create_post")) >= 4
        )

    await until(are_four_answered)
    await pause_by_scope(publisher, scope, posts[0])
    await working
    async with session(admin_url) as admin:
        rows = await admin.execute(
            "SELECT (SELECT max(id) FROM roost.events WHERE to_state = 'sending' AND post_id = %s),"
            " coalesce((SELECT max(id) FROM roost.pause_log),"
            " (SELECT max(id) FROM roost.events WHERE code = 'post.paused'))",
            [posts[0]],
        )
        last, paused = (await rows.fetchone()) or (0, 0)
    assert last < paused
    on_x = await publisher.published_texts()
    assert 4 <= sum(text.startswith("0.") for text in on_x) < 10
    assert scope is PauseScope.POST or len(on_x) < 10
