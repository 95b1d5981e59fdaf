"""Due posts are queued: tenants take turns, and no job is early, lost or duplicated."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, LiteralString

import psycopg
import pytest

from fix_emulator import Emulator
from fix_processes import until
from fix_publishing import Publisher
from fix_runtime import connect_account, make_tenant
from roost import jobs, store
from roost.models import PostId, PostState
from roost.runtime import Runtime
from roost.services import dispatch, pause
from roost.services.dispatch import Dispatched
from roost.store.database import Transaction
from roost.store.statements import STATEMENTS


async def queued(runtime: Runtime) -> list[int]:
    """Return the ids of posts with a waiting job, in the order of the queue."""
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
async def neighbour(publisher: Publisher, emulator: Emulator) -> Publisher:
    """A publisher of another tenant, with another account."""
    tenant = await make_tenant(publisher.runtime, "neighbour")
    account = await connect_account(publisher.runtime, tenant, emulator, "tidewatcher")
    neighbour = replace(publisher, tenant=tenant, account=account)
    await neighbour.set_next_collection(publisher.runtime.clock.now() + timedelta(days=365))
    return neighbour


async def take_jobs(runtime: Runtime) -> list[int]:
    """Remove every publish job from the queue, as workers do; return the post ids in order."""
    rows = await _ask(
        runtime,
        "WITH taken AS (DELETE FROM procrastinate_jobs WHERE task_name = 'publish' RETURNING *)"
        " SELECT (args ->> 'post_id')::int FROM taken ORDER BY id",
    )
    return [row[0] for row in rows]


async def test_tenants_take_turns(publisher: Publisher, neighbour: Publisher) -> None:
    many = [await publisher.schedule(f"Post {number}") for number in range(6)]
    few = [await neighbour.schedule(f"Mine {number}", after_s=1) for number in range(2)]
    await publisher.emulator.jump(seconds=2)
    await dispatch.dispatch_due(publisher.runtime, posts_in_queue=4)
    assert await take_jobs(publisher.runtime) == [many[0], few[0], many[1], few[1]]
    await dispatch.dispatch_due(publisher.runtime, posts_in_queue=4)
    assert await take_jobs(publisher.runtime) == many[2:]


async def test_dispatch_continues_with_the_next_tenant(
    publisher: Publisher, neighbour: Publisher
) -> None:
    mine = [await publisher.schedule(f"Post {number}") for number in range(3)]
    theirs = [await neighbour.schedule(f"Mine {number}") for number in range(3)]
    order = []
    for _ in range(4):
        await dispatch.dispatch_due(publisher.runtime, posts_in_queue=1)
        order += await take_jobs(publisher.runtime)
    # No job for mine[1] and theirs[1]: the jobs of mine[0] and theirs[0] also publish these posts.
    assert order == [mine[0], theirs[0], mine[2], theirs[2]]


async def test_a_job_gets_the_next_due_post_of_its_account(publisher: Publisher) -> None:
    first, second, third = [await publisher.schedule(f"Post {number}") for number in range(3)]
    paused = await publisher.schedule("Paused")
    await pause.pause_post(publisher.runtime, publisher.scope, paused)
    assert (await dispatch.dispatch_due(publisher.runtime, posts_in_queue=1)).queued == 2
    assert await queued(publisher.runtime) == [first]
    states = [(await publisher.get_post(post)).state.value for post in (first, second, third)]
    assert states == ["publishing", "publishing", "scheduled"]
    assert await dispatch.dispatch_stranded(publisher.runtime) == 0
    await publisher.run_due_jobs()
    assert await publisher.published_texts() == ["Post 0", "Post 1", "Post 2"]


async def test_the_next_post_gets_a_job_if_the_first_is_locked(publisher: Publisher) -> None:
    first, second = [await publisher.schedule(f"Post {number}") for number in range(2)]
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        await store.posts.lock_state(transaction, first)
        await dispatch.dispatch_due(publisher.runtime, posts_in_queue=1)
        assert await queued(publisher.runtime) == [second]


async def test_stranded_next_post_gets_a_job(publisher: Publisher) -> None:
    for number in range(2):
        await publisher.schedule(f"Post {number}")
    await dispatch.dispatch_due(publisher.runtime, posts_in_queue=1)
    await take_jobs(publisher.runtime)
    assert await dispatch.dispatch_stranded(publisher.runtime) == 2


async def test_tenant_with_many_accounts_gets_no_more_turns(
    publisher: Publisher, neighbour: Publisher, emulator: Emulator
) -> None:
    accounts = [
        publisher.account,
        await connect_account(publisher.runtime, publisher.tenant, emulator, "acmeplumbing"),
        await connect_account(publisher.runtime, publisher.tenant, emulator, "harbourlights"),
    ]
    for number in range(2):
        for account in accounts:
            await publisher.schedule(f"Post {number}", account=account)
    theirs = {await neighbour.schedule(f"Mine {number}") for number in range(3)}
    await dispatch.dispatch_due(publisher.runtime, posts_in_queue=6)
    taken = await take_jobs(publisher.runtime)
    assert len(taken) == 6
    assert theirs < set(taken)


async def test_unused_capacity_goes_to_other_tenants(
    publisher: Publisher, neighbour: Publisher
) -> None:
    many = [await publisher.schedule(f"Post {number}") for number in range(6)]
    one = await neighbour.schedule("Mine")
    assert (await dispatch.dispatch_due(publisher.runtime, posts_in_queue=6)).queued == 6
    assert sorted(await queued(publisher.runtime)) == sorted([*many[:5], one])


async def test_tenant_with_many_due_posts_takes_no_turn_of_others(
    publisher: Publisher, neighbour: Publisher
) -> None:
    many = [await publisher.schedule(f"Post {number}") for number in range(120)]
    few = [await neighbour.schedule(f"Mine {number}", after_s=1) for number in range(3)]
    await publisher.emulator.jump(seconds=2)
    await dispatch.dispatch_due(publisher.runtime, posts_in_queue=6)
    assert sorted(await take_jobs(publisher.runtime)) == sorted([*many[:3], *few])


async def test_nearly_full_queue_gets_no_jobs(publisher: Publisher) -> None:
    posts = [await publisher.schedule(f"Post {number}") for number in range(9)]
    await dispatch.dispatch_due(publisher.runtime, posts_in_queue=7)
    now = publisher.runtime.clock.now()
    assert await dispatch.dispatch_due(publisher.runtime, posts_in_queue=8) == Dispatched(0, now)
    assert (await dispatch.dispatch_due(publisher.runtime, posts_in_queue=14)).queued == 2
    assert sorted(await take_jobs(publisher.runtime)) == posts


async def test_dispatch_due_fills_the_queue_and_reports_more(publisher: Publisher) -> None:
    posts = [await publisher.schedule(f"Post {number}") for number in range(5)]
    now = publisher.runtime.clock.now()
    assert await dispatch.dispatch_due(publisher.runtime, posts_in_queue=3) == Dispatched(3, now)
    assert await dispatch.dispatch_due(publisher.runtime, posts_in_queue=3) == Dispatched(0, now)
    assert await take_jobs(publisher.runtime) == posts[:3]
    assert (await publisher.get_post(posts[3])).state is PostState.SCHEDULED
    assert (await dispatch.dispatch_due(publisher.runtime, posts_in_queue=3)).queued == 2


async def test_dispatch_due_returns_the_next_due_time(publisher: Publisher, noon: datetime) -> None:
    year = noon + timedelta(days=365)
    # Next due are the account's metrics, in a year.
    assert (await dispatch.dispatch_due(publisher.runtime)).next_at == year
    await publisher.schedule("Later", after_s=7200)
    await publisher.schedule("Sooner", after_s=3600)
    hour = publisher.runtime.clock.now() + timedelta(hours=1)
    assert await dispatch.dispatch_due(publisher.runtime) == Dispatched(0, hour)


async def test_post_with_a_locked_row_is_queued_later(publisher: Publisher) -> None:
    locked, free = await publisher.schedule("Locked"), await publisher.schedule("Free")
    now = publisher.runtime.clock.now()
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        await store.posts.lock_state(transaction, locked)
        assert await dispatch.dispatch_due(publisher.runtime) == Dispatched(1, now)
        assert await queued(publisher.runtime) == [free]
    await dispatch.dispatch_due(publisher.runtime)
    assert await queued(publisher.runtime) == [free, locked]


@pytest.mark.timing
async def test_dispatcher_that_does_not_read_its_result_blocks_no_other(
    publisher: Publisher,
) -> None:
    first = await publisher.schedule("First")
    values = {
        "at": publisher.runtime.clock.now(),
        "max_posts": 40,
        "max_others": 10,
        "leased_until": publisher.runtime.clock.now(),
        "environment": publisher.runtime.settings.environment,
        "is_wall_time": False,
    }
    stopped = await publisher.runtime.database.connect()
    statement = psycopg.AsyncClientCursor(stopped).mogrify(STATEMENTS["dispatch_due"], values)
    stopped.pgconn.send_query(statement.encode())

    async def is_done() -> bool:
        return await queued(publisher.runtime) == [first]

    await until(is_done)
    second = await publisher.schedule("Second")
    await dispatch.dispatch_due(publisher.runtime)
    assert await queued(publisher.runtime) == [first, second]
    await stopped.close()


@pytest.mark.parametrize(
    "locking",
    [
        "UPDATE integrations SET status = 'needs_reconnect'",
        "UPDATE integrations SET paused = true",
        "UPDATE tenants SET paused = true",
        "UPDATE posts SET paused = true",
    ],
)
async def test_paused_posts_take_no_turns(
    locking: LiteralString, publisher: Publisher, neighbour: Publisher
) -> None:
    for number in range(4):
        await publisher.schedule(f"Post {number}")
    theirs = [await neighbour.schedule(f"Mine {number}") for number in range(4)]
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        await transaction.raw.execute(locking)
    assert (await dispatch.dispatch_due(publisher.runtime, posts_in_queue=4)).queued == 4
    assert await take_jobs(publisher.runtime) == theirs


async def test_global_pause_queues_nothing(publisher: Publisher) -> None:
    await publisher.schedule("Due")
    under_way = await publisher.schedule("Under way")
    await _prepare_at(publisher, under_way, publisher.runtime.clock.now())
    await _ask(publisher.runtime, "UPDATE global_pause SET paused = true RETURNING paused")
    assert (await dispatch.dispatch_due(publisher.runtime)).queued == 0
    await _ask(publisher.runtime, "UPDATE global_pause SET paused = false RETURNING paused")
    assert (await dispatch.dispatch_due(publisher.runtime)).queued == 3


async def test_files_are_uploaded_by_one_job(publisher: Publisher) -> None:
    post_id = await publisher.schedule("With a file", after_s=3600)
    await _prepare_at(publisher, post_id, publisher.runtime.clock.now() + timedelta(minutes=50))
    soon = publisher.runtime.clock.now() + timedelta(minutes=50)
    assert await dispatch.dispatch_due(publisher.runtime) == Dispatched(0, soon)
    await publisher.emulator.jump(seconds=50 * 60)
    assert (await dispatch.dispatch_due(publisher.runtime)).queued == 1
    assert (await dispatch.dispatch_due(publisher.runtime)).queued == 0
    jobs_made = await _ask(
        publisher.runtime,
        "SELECT queue_name, task_name, queueing_lock, args FROM procrastinate_jobs",
    )
    arguments = {
        "tenant_id": publisher.tenant.id, "integration_id": publisher.account.id,
        "post_id": post_id,
    }  # fmt: skip
    assert jobs_made == [("prepare.emulator", jobs.PREPARE, f"prepare:{post_id}", arguments)]
    assert (await publisher.get_post(post_id)).state is PostState.SCHEDULED


async def test_uploads_delay_no_due_post(publisher: Publisher) -> None:
    for number in range(30):
        post_id = await publisher.schedule(f"Post {number}", after_s=3600)
        await _prepare_at(publisher, post_id, publisher.runtime.clock.now())
    due = await publisher.schedule("Due")
    done = await dispatch.dispatch_due(publisher.runtime)
    assert done.next_at == publisher.runtime.clock.now()
    assert 1 < done.queued < 30
    rows = await _ask(
        publisher.runtime,
        "SELECT (args ->> 'post_id')::int FROM procrastinate_jobs WHERE task_name = 'publish'",
    )
    assert rows == [(due,)]


async def _prepare_at(publisher: Publisher, post_id: PostId, at: datetime) -> None:
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        await transaction.raw.execute(
            "UPDATE posts SET prepare_at = %s WHERE id = %s", [at, post_id]
        )


async def test_post_of_the_far_future_is_not_queued(publisher: Publisher) -> None:
    far = await publisher.schedule("Next year", after_s=365 * 86_400)
    await publisher.emulator.jump(days=364)
    assert (await dispatch.dispatch_due(publisher.runtime)).queued == 0
    assert await queued(publisher.runtime) == []
    await publisher.emulator.jump(days=1)
    # The post and the account's metrics are queued.
    assert (await dispatch.dispatch_due(publisher.runtime)).queued == 2
    assert await queued(publisher.runtime) == [far]


async def test_post_is_queued_at_its_due_time_and_not_before(publisher: Publisher) -> None:
    await publisher.schedule("At noon and a minute", after_s=60)
    await publisher.emulator.jump(seconds=59.999)
    assert (await dispatch.dispatch_due(publisher.runtime)).queued == 0
    await publisher.emulator.jump(seconds=0.001)
    assert (await dispatch.dispatch_due(publisher.runtime)).queued == 1


@pytest.mark.timing
async def test_two_dispatchers_queue_each_post_once(publisher: Publisher) -> None:
    posts = [await publisher.schedule(f"Post {number}") for number in range(30)]
    done = await asyncio.gather(*(dispatch.dispatch_due(publisher.runtime) for _ in range(4)))
    assert sum(each.queued for each in done) == 30
    assert sorted(await queued(publisher.runtime)) == posts


async def test_queued_post_is_publishing_in_the_same_transaction(publisher: Publisher) -> None:
    post_id = await publisher.schedule("Due")
    await dispatch.dispatch_due(publisher.runtime)
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHING
    assert await queued(publisher.runtime) == [post_id]
    assert "the post became due" in (await publisher.list_history(post_id))[-1]


async def test_posts_of_another_x_are_not_queued(publisher: Publisher) -> None:
    post_id = await publisher.schedule("Only a play")
    live = publisher.runtime.settings.model_copy(update={"x_base_url": "https://api.x.com"})
    assert (await dispatch.dispatch_due(replace(publisher.runtime, settings=live))).queued == 0
    assert (await publisher.get_post(post_id)).state is PostState.SCHEDULED
    await publisher.run_due_jobs()
    assert await publisher.published_texts() == ["Only a play"]


async def test_posts_of_an_account_that_needs_a_reconnect_are_not_queued(
    publisher: Publisher,
) -> None:
    post_id = await publisher.schedule("Due")
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        await store.integrations.mark_needs_reconnect(transaction, publisher.account)
    assert (await dispatch.dispatch_due(publisher.runtime)).queued == 0
    assert (await publisher.get_post(post_id)).state is PostState.SCHEDULED


async def defer(publisher: Publisher, transaction: Transaction, post_id: PostId) -> bool:
    """Queue a publish job for a post of the account."""
    account = publisher.account
    return await jobs.defer_publish(
        transaction, publisher.tenant.id, account.id, post_id, environment=account.environment
    )


async def test_stranded_post_gets_one_job(publisher: Publisher) -> None:
    post_id = await publisher.schedule("Due")
    await dispatch.dispatch_due(publisher.runtime)
    assert await dispatch.dispatch_stranded(publisher.runtime) == 0
    await _ask(publisher.runtime, "DELETE FROM procrastinate_jobs RETURNING id")
    assert await dispatch.dispatch_stranded(publisher.runtime) == 1
    assert await dispatch.dispatch_stranded(publisher.runtime) == 0
    assert await queued(publisher.runtime) == [post_id]


async def test_post_of_a_locked_account_is_not_stranded(publisher: Publisher) -> None:
    await publisher.schedule("One")
    two = await publisher.schedule("Two")
    await dispatch.dispatch_due(publisher.runtime)
    await _ask(
        publisher.runtime,
        "DELETE FROM procrastinate_jobs WHERE queueing_lock = %s RETURNING id",
        f"post:{two}",
    )
    await _ask(publisher.runtime, "UPDATE procrastinate_jobs SET status = 'doing' RETURNING id")
    assert await dispatch.dispatch_stranded(publisher.runtime) == 0
    await _ask(publisher.runtime, "DELETE FROM procrastinate_jobs RETURNING id")
    assert await dispatch.dispatch_stranded(publisher.runtime) == 2


async def test_deferred_post_is_not_stranded(publisher: Publisher) -> None:
    await publisher.emulator.fail("create_post", "before", "429")
    await publisher.schedule("Due")
    await publisher.run_due_jobs()
    assert await queued(publisher.runtime) == []
    assert await dispatch.dispatch_stranded(publisher.runtime) == 0


async def test_defer_publish_queues_once_and_keeps_the_transaction(publisher: Publisher) -> None:
    post_id = await publisher.schedule("Due", after_s=60)
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        assert await defer(publisher, transaction, post_id)
        assert not await defer(publisher, transaction, post_id)
        later = publisher.runtime.clock.now() + timedelta(hours=1)
        await store.posts.reschedule(transaction, post_id, later, upload_lead=timedelta(), at=later)
    assert await queued(publisher.runtime) == [post_id]
    assert (await publisher.get_post(post_id)).due_at == later


async def test_defer_publish_is_rolled_back_with_its_transaction(publisher: Publisher) -> None:
    post_id = await publisher.schedule("Due", after_s=60)
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        await defer(publisher, transaction, post_id)
        await transaction.raw.rollback()
    assert await queued(publisher.runtime) == []


async def test_job_arguments_are_numbers(publisher: Publisher) -> None:
    await publisher.schedule("A very private text")
    await dispatch.dispatch_due(publisher.runtime)
    rows = await _ask(publisher.runtime, "SELECT args FROM procrastinate_jobs")
    assert rows
    assert all(type(value) is int for (args,) in rows for value in args.values())


async def test_due_account_is_leased_and_queued_again(
    publisher: Publisher,
) -> None:
    await publisher.set_next_collection(publisher.runtime.clock.now())
    assert (await dispatch.dispatch_due(publisher.runtime)).queued == 1
    assert (await dispatch.dispatch_due(publisher.runtime)).queued == 0
    await publisher.emulator.jump(hours=1)
    assert (await dispatch.dispatch_due(publisher.runtime)).queued == 1
