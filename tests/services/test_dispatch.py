"""Due posts become jobs: tenants take turns, and no job is early, lost or duplicated."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, LiteralString

import psycopg
import pytest

from fix_emulator import Emulator
from fix_processes import until
from fix_publishing import Desk
from fix_runtime import connect_account, make_tenant
from roost import jobs, store
from roost.models import PostId, PostState
from roost.runtime import Runtime
from roost.services import dispatch
from roost.services.dispatch import Dispatched
from roost.store.database import Transaction
from roost.store.statements import STATEMENTS


async def queued(runtime: Runtime) -> list[int]:
    """The posts with a waiting job, in the order of the queue."""
    return [
        row[0]
        for row in await _ask(
            runtime,
            "SELECT (args ->> 'post_id')::int FROM procrastinate_jobs"
            " WHERE task_name = 'publish' AND status = 'todo' ORDER BY id",
        )
    ]


async def _ask(runtime: Runtime, query: Any, *values: object) -> list[Any]:
    async with runtime.database.unscoped() as transaction:
        rows = await transaction.raw.execute(query, values)
        return await rows.fetchall()


@pytest.fixture
async def neighbour(desk: Desk, emulator: Emulator) -> Desk:
    """A publisher of another tenant with its own account."""
    tenant = await make_tenant(desk.runtime, "neighbour")
    account = await connect_account(desk.runtime, tenant, emulator, "tidewatcher")
    neighbour = replace(desk, tenant=tenant, account=account)
    await neighbour.read_figures_at(desk.runtime.clock.now() + timedelta(days=365))
    return neighbour


async def take_jobs(runtime: Runtime) -> list[int]:
    """Take every post's job out of the queue, as workers do; return the posts in order."""
    rows = await _ask(
        runtime,
        "WITH taken AS (DELETE FROM procrastinate_jobs WHERE task_name = 'publish' RETURNING *)"
        " SELECT (args ->> 'post_id')::int FROM taken ORDER BY id",
    )
    return [row[0] for row in rows]


async def test_tenants_take_turns(desk: Desk, neighbour: Desk) -> None:
    many = [await desk.plan(f"Post {number}") for number in range(6)]
    few = [await neighbour.plan(f"Mine {number}", after_s=1) for number in range(2)]
    await desk.emulator.jump(seconds=2)
    await dispatch.dispatch_due(desk.runtime, posts_in_queue=4)
    assert await take_jobs(desk.runtime) == [many[0], few[0], many[1], few[1]]
    await dispatch.dispatch_due(desk.runtime, posts_in_queue=4)
    assert await take_jobs(desk.runtime) == many[2:]


async def test_dispatch_continues_with_the_next_tenant(desk: Desk, neighbour: Desk) -> None:
    mine = [await desk.plan(f"Post {number}") for number in range(3)]
    theirs = [await neighbour.plan(f"Mine {number}") for number in range(3)]
    order = []
    for _ in range(6):
        await dispatch.dispatch_due(desk.runtime, posts_in_queue=1)
        order += await take_jobs(desk.runtime)
    assert order == [mine[0], theirs[0], mine[1], theirs[1], mine[2], theirs[2]]


async def test_tenant_with_many_accounts_gets_no_more_turns(
    desk: Desk, neighbour: Desk, emulator: Emulator
) -> None:
    accounts = [
        desk.account,
        await connect_account(desk.runtime, desk.tenant, emulator, "acmeplumbing"),
        await connect_account(desk.runtime, desk.tenant, emulator, "harbourlights"),
    ]
    for number in range(2):
        for account in accounts:
            await desk.plan(f"Post {number}", account=account)
    theirs = {await neighbour.plan(f"Mine {number}") for number in range(3)}
    await dispatch.dispatch_due(desk.runtime, posts_in_queue=6)
    taken = await take_jobs(desk.runtime)
    assert len(taken) == 6
    assert theirs < set(taken)


async def test_unused_capacity_goes_to_other_tenants(desk: Desk, neighbour: Desk) -> None:
    many = [await desk.plan(f"Post {number}") for number in range(6)]
    one = await neighbour.plan("Mine")
    assert (await dispatch.dispatch_due(desk.runtime, posts_in_queue=6)).queued == 6
    assert sorted(await queued(desk.runtime)) == sorted([*many[:5], one])


async def test_tenant_with_many_due_posts_takes_no_turn_of_others(
    desk: Desk, neighbour: Desk
) -> None:
    many = [await desk.plan(f"Post {number}") for number in range(120)]
    few = [await neighbour.plan(f"Mine {number}", after_s=1) for number in range(3)]
    await desk.emulator.jump(seconds=2)
    await dispatch.dispatch_due(desk.runtime, posts_in_queue=6)
    assert sorted(await take_jobs(desk.runtime)) == sorted([*many[:3], *few])


async def test_nearly_full_queue_gets_no_jobs(desk: Desk) -> None:
    posts = [await desk.plan(f"Post {number}") for number in range(9)]
    await dispatch.dispatch_due(desk.runtime, posts_in_queue=7)
    now = desk.runtime.clock.now()
    assert await dispatch.dispatch_due(desk.runtime, posts_in_queue=8) == Dispatched(0, now)
    assert (await dispatch.dispatch_due(desk.runtime, posts_in_queue=10)).queued == 2
    assert sorted(await take_jobs(desk.runtime)) == posts


async def test_dispatch_due_fills_the_queue_and_reports_more(desk: Desk) -> None:
    posts = [await desk.plan(f"Post {number}") for number in range(5)]
    now = desk.runtime.clock.now()
    assert await dispatch.dispatch_due(desk.runtime, posts_in_queue=3) == Dispatched(3, now)
    assert await dispatch.dispatch_due(desk.runtime, posts_in_queue=3) == Dispatched(0, now)
    assert await take_jobs(desk.runtime) == posts[:3]
    assert (await desk.see(posts[3])).state is PostState.SCHEDULED
    assert (await dispatch.dispatch_due(desk.runtime, posts_in_queue=3)).queued == 2


async def test_dispatch_due_returns_the_next_due_time(desk: Desk, noon: datetime) -> None:
    year = noon + timedelta(days=365)
    assert (await dispatch.dispatch_due(desk.runtime)).next_at == year  # The account's figures.
    await desk.plan("Later", after_s=7200)
    await desk.plan("Sooner", after_s=3600)
    hour = desk.runtime.clock.now() + timedelta(hours=1)
    assert await dispatch.dispatch_due(desk.runtime) == Dispatched(0, hour)


async def test_post_with_a_locked_row_is_queued_later(desk: Desk) -> None:
    held, free = await desk.plan("Held"), await desk.plan("Free")
    now = desk.runtime.clock.now()
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        await store.posts.lock_state(transaction, held)
        assert await dispatch.dispatch_due(desk.runtime) == Dispatched(1, now)
        assert await queued(desk.runtime) == [free]
    await dispatch.dispatch_due(desk.runtime)
    assert await queued(desk.runtime) == [free, held]


@pytest.mark.timing
async def test_dispatcher_that_does_not_read_its_result_blocks_no_other(desk: Desk) -> None:
    first = await desk.plan("First")
    values = {
        "at": desk.runtime.clock.now(),
        "max_posts": 40,
        "max_others": 10,
        "leased_until": desk.runtime.clock.now(),
        "environment": desk.runtime.settings.environment,
        "is_wall_time": False,
    }
    stopped = await desk.runtime.database.connect()
    statement = psycopg.AsyncClientCursor(stopped).mogrify(STATEMENTS["dispatch_due"], values)
    stopped.pgconn.send_query(statement.encode())

    async def is_done() -> bool:
        return await queued(desk.runtime) == [first]

    await until(is_done)
    second = await desk.plan("Second")
    await dispatch.dispatch_due(desk.runtime)
    assert await queued(desk.runtime) == [first, second]
    await stopped.close()


@pytest.mark.parametrize(
    "held",
    [
        "UPDATE integrations SET status = 'needs_reconnect'",
        "UPDATE integrations SET paused = true",
        "UPDATE tenants SET paused = true",
        "UPDATE posts SET paused = true",
    ],
)
async def test_paused_posts_take_no_turns(held: LiteralString, desk: Desk, neighbour: Desk) -> None:
    for number in range(4):
        await desk.plan(f"Post {number}")
    theirs = [await neighbour.plan(f"Mine {number}") for number in range(4)]
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        await transaction.raw.execute(held)
    assert (await dispatch.dispatch_due(desk.runtime, posts_in_queue=4)).queued == 4
    assert await take_jobs(desk.runtime) == theirs


async def test_global_pause_queues_nothing(desk: Desk) -> None:
    await desk.plan("Due")
    under_way = await desk.plan("Under way")
    await _prepare_at(desk, under_way, desk.runtime.clock.now())
    await _ask(desk.runtime, "UPDATE global_pause SET paused = true RETURNING paused")
    assert (await dispatch.dispatch_due(desk.runtime)).queued == 0
    await _ask(desk.runtime, "UPDATE global_pause SET paused = false RETURNING paused")
    assert (await dispatch.dispatch_due(desk.runtime)).queued == 3


async def test_files_are_uploaded_by_one_job(desk: Desk) -> None:
    post_id = await desk.plan("With a file", after_s=3600)
    await _prepare_at(desk, post_id, desk.runtime.clock.now() + timedelta(minutes=50))
    soon = desk.runtime.clock.now() + timedelta(minutes=50)
    assert await dispatch.dispatch_due(desk.runtime) == Dispatched(0, soon)
    await desk.emulator.jump(seconds=50 * 60)
    assert (await dispatch.dispatch_due(desk.runtime)).queued == 1
    assert (await dispatch.dispatch_due(desk.runtime)).queued == 0
    jobs_made = await _ask(
        desk.runtime, "SELECT queue_name, task_name, queueing_lock, args FROM procrastinate_jobs"
    )
    arguments = {
        "tenant_id": desk.tenant.id, "integration_id": desk.account.id, "post_id": post_id,
    }  # fmt: skip
    assert jobs_made == [("prepare.emulator", jobs.PREPARE, f"prepare:{post_id}", arguments)]
    assert (await desk.see(post_id)).state is PostState.SCHEDULED


async def test_uploads_delay_no_due_post(desk: Desk) -> None:
    for number in range(30):
        post_id = await desk.plan(f"Post {number}", after_s=3600)
        await _prepare_at(desk, post_id, desk.runtime.clock.now())
    due = await desk.plan("Due")
    done = await dispatch.dispatch_due(desk.runtime)
    assert done.next_at == desk.runtime.clock.now()
    assert 1 < done.queued < 30
    rows = await _ask(
        desk.runtime,
        "SELECT (args ->> 'post_id')::int FROM procrastinate_jobs WHERE task_name = 'publish'",
    )
    assert rows == [(due,)]


async def _prepare_at(desk: Desk, post_id: PostId, at: datetime) -> None:
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        await transaction.raw.execute(
            "UPDATE posts SET prepare_at = %s WHERE id = %s", [at, post_id]
        )


async def test_post_of_the_far_future_is_not_queued(desk: Desk) -> None:
    far = await desk.plan("Next year", after_s=365 * 86_400)
    await desk.emulator.jump(days=364)
    assert (await dispatch.dispatch_due(desk.runtime)).queued == 0
    assert await queued(desk.runtime) == []
    await desk.emulator.jump(days=1)
    assert (
        await dispatch.dispatch_due(desk.runtime)
    ).queued == 2  # The post, and the account's figures.
    assert await queued(desk.runtime) == [far]


async def test_post_is_queued_at_its_due_time_and_not_before(desk: Desk) -> None:
    await desk.plan("At noon and a minute", after_s=60)
    await desk.emulator.jump(seconds=59.999)
    assert (await dispatch.dispatch_due(desk.runtime)).queued == 0
    await desk.emulator.jump(seconds=0.001)
    assert (await dispatch.dispatch_due(desk.runtime)).queued == 1


@pytest.mark.timing
async def test_two_dispatchers_queue_each_post_once(desk: Desk) -> None:
    posts = [await desk.plan(f"Post {number}") for number in range(30)]
    done = await asyncio.gather(*(dispatch.dispatch_due(desk.runtime) for _ in range(4)))
    assert sum(each.queued for each in done) == 30
    assert sorted(await queued(desk.runtime)) == posts


async def test_queued_post_is_publishing_in_the_same_transaction(desk: Desk) -> None:
    post_id = await desk.plan("Due")
    await dispatch.dispatch_due(desk.runtime)
    assert (await desk.see(post_id)).state is PostState.PUBLISHING
    assert await queued(desk.runtime) == [post_id]
    assert "its time has come" in (await desk.story(post_id))[-1]


async def test_posts_of_another_x_are_not_queued(desk: Desk) -> None:
    post_id = await desk.plan("Only a play")
    live = desk.runtime.settings.model_copy(update={"x_base_url": "https://api.x.com"})
    assert (await dispatch.dispatch_due(replace(desk.runtime, settings=live))).queued == 0
    assert (await desk.see(post_id)).state is PostState.SCHEDULED
    await desk.work()
    assert await desk.on_x() == ["Only a play"]


async def test_posts_of_an_account_that_needs_a_reconnect_are_not_queued(desk: Desk) -> None:
    post_id = await desk.plan("Due")
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        await store.integrations.mark_needs_reconnect(transaction, desk.account)
    assert (await dispatch.dispatch_due(desk.runtime)).queued == 0
    assert (await desk.see(post_id)).state is PostState.SCHEDULED


async def defer(desk: Desk, transaction: Transaction, post_id: PostId) -> bool:
    """Queue a publish job for a post of the account."""
    account = desk.account
    return await jobs.defer_publish(
        transaction, desk.tenant.id, account.id, post_id, environment=account.environment
    )


async def test_stranded_post_gets_one_job(desk: Desk) -> None:
    post_id = await desk.plan("Due")
    await dispatch.dispatch_due(desk.runtime)
    assert await dispatch.dispatch_stranded(desk.runtime) == 0
    await _ask(desk.runtime, "DELETE FROM procrastinate_jobs RETURNING id")
    assert await dispatch.dispatch_stranded(desk.runtime) == 1
    assert await dispatch.dispatch_stranded(desk.runtime) == 0
    assert await queued(desk.runtime) == [post_id]


async def test_post_of_a_locked_account_is_not_stranded(desk: Desk) -> None:
    await desk.plan("One")
    two = await desk.plan("Two")
    await dispatch.dispatch_due(desk.runtime)
    await _ask(
        desk.runtime,
        "DELETE FROM procrastinate_jobs WHERE queueing_lock = %s RETURNING id",
        f"post:{two}",
    )
    await _ask(desk.runtime, "UPDATE procrastinate_jobs SET status = 'doing' RETURNING id")
    assert await dispatch.dispatch_stranded(desk.runtime) == 0
    await _ask(desk.runtime, "DELETE FROM procrastinate_jobs RETURNING id")
    assert await dispatch.dispatch_stranded(desk.runtime) == 2


async def test_deferred_post_is_not_stranded(desk: Desk) -> None:
    await desk.emulator.fail("create_post", "before", "429")
    await desk.plan("Due")
    await desk.work()
    assert await queued(desk.runtime) == []
    assert await dispatch.dispatch_stranded(desk.runtime) == 0


async def test_defer_publish_queues_once_and_keeps_the_transaction(desk: Desk) -> None:
    post_id = await desk.plan("Due", after_s=60)
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        assert await defer(desk, transaction, post_id)
        assert not await defer(desk, transaction, post_id)
        later = desk.runtime.clock.now() + timedelta(hours=1)
        await store.posts.reschedule(transaction, post_id, later, upload_lead=timedelta(), at=later)
    assert await queued(desk.runtime) == [post_id]
    assert (await desk.see(post_id)).due_at == later


async def test_defer_publish_is_rolled_back_with_its_transaction(desk: Desk) -> None:
    post_id = await desk.plan("Due", after_s=60)
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        await defer(desk, transaction, post_id)
        await transaction.raw.rollback()
    assert await queued(desk.runtime) == []


async def test_job_arguments_are_numbers(desk: Desk) -> None:
    await desk.plan("A very private text")
    await dispatch.dispatch_due(desk.runtime)
    rows = await _ask(desk.runtime, "SELECT args FROM procrastinate_jobs")
    assert rows
    assert all(type(value) is int for (args,) in rows for value in args.values())


async def test_due_account_is_leased_and_queued_again(
    desk: Desk,
) -> None:
    await desk.read_figures_at(desk.runtime.clock.now())
    assert (await dispatch.dispatch_due(desk.runtime)).queued == 1
    assert (await dispatch.dispatch_due(desk.runtime)).queued == 0
    await desk.emulator.jump(hours=1)
    assert (await dispatch.dispatch_due(desk.runtime)).queued == 1
