"""What has come due becomes jobs: tenants in turn, nothing early, nothing lost, nothing twice."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from fix_emulator import Emulator
from fix_house import connect_account, make_tenant
from fix_publishing import Desk
from roost import jobs, store
from roost.house import House
from roost.models import IntegrationStatus, PostState
from roost.services import dispatch


async def queued(house: House) -> list[int]:
    """The posts for which a job waits, in the order of the queue."""
    return [
        row[0]
        for row in await _ask(
            house,
            "SELECT (args ->> 'post_id')::int FROM procrastinate_jobs"
            " WHERE task_name = 'publish' AND status = 'todo' ORDER BY id",
        )
    ]


async def _ask(house: House, query: Any, *values: object) -> list[Any]:
    async with house.database.house() as transaction:
        rows = await transaction.raw.execute(query, values)
        return await rows.fetchall()


@pytest.fixture
async def neighbour(desk: Desk, emulator: Emulator) -> Desk:
    """Another tenant with an account of its own, at the same desk."""
    tenant = await make_tenant(desk.house, "neighbour")
    account = await connect_account(desk.house, tenant, emulator, "tidewatcher")
    return replace(desk, tenant=tenant, account=account)


async def test_tenants_take_turns(desk: Desk, neighbour: Desk) -> None:
    many = [await desk.plan(f"Post {number}") for number in range(6)]
    few = [await neighbour.plan(f"Mine {number}", after_s=1) for number in range(2)]
    await desk.emulator.jump(seconds=2)
    await dispatch.dispatch_due(desk.house, posts_in_queue=4)
    assert sorted(await queued(desk.house)) == sorted([*many[:2], *few])
    await dispatch.dispatch_due(desk.house, posts_in_queue=8)
    assert sorted(await queued(desk.house)) == sorted([*many, *few])


async def test_a_post_of_the_far_future_never_enters_the_queue(desk: Desk) -> None:
    far = await desk.plan("Next year", after_s=365 * 86_400)
    await desk.emulator.jump(days=364)
    assert (await dispatch.dispatch_due(desk.house)).queued == 0
    assert await queued(desk.house) == []
    await desk.emulator.jump(days=1)
    assert (
        await dispatch.dispatch_due(desk.house)
    ).queued == 2  # The post, and the account's figures.
    assert await queued(desk.house) == [far]


async def test_a_post_is_due_at_its_instant_and_not_before(desk: Desk) -> None:
    await desk.plan("At noon and a minute", after_s=60)
    await desk.emulator.jump(seconds=59.999)
    assert (await dispatch.dispatch_due(desk.house)).queued == 0
    await desk.emulator.jump(seconds=0.001)
    assert (await dispatch.dispatch_due(desk.house)).queued == 1


async def test_two_dispatchers_queue_each_post_once(desk: Desk) -> None:
    posts = [await desk.plan(f"Post {number}") for number in range(30)]
    done = await asyncio.gather(*(dispatch.dispatch_due(desk.house) for _ in range(4)))
    assert sum(each.queued for each in done) == 30
    assert sorted(await queued(desk.house)) == posts


async def test_what_is_queued_is_publishing_in_the_same_transaction(desk: Desk) -> None:
    post_id = await desk.plan("Due")
    await dispatch.dispatch_due(desk.house)
    assert (await desk.see(post_id)).state is PostState.PUBLISHING
    assert await queued(desk.house) == [post_id]
    assert "its time has come" in (await desk.story(post_id))[-1]


async def test_posts_of_another_x_are_not_queued(desk: Desk) -> None:
    post_id = await desk.plan("Only a play")
    live = desk.house.settings.model_copy(update={"roost_x_base_url": "https://api.x.com"})
    assert (await dispatch.dispatch_due(replace(desk.house, settings=live))).queued == 0
    assert (await desk.see(post_id)).state is PostState.SCHEDULED
    await desk.work()
    assert await desk.on_x() == ["Only a play"]


async def test_posts_of_a_dead_grant_are_not_queued(desk: Desk) -> None:
    post_id = await desk.plan("Due")
    async with desk.house.database.tenant(desk.tenant.id) as transaction:
        await store.accounts.mark(transaction, desk.account.id, IntegrationStatus.NEEDS_RECONNECT)
    assert (await dispatch.dispatch_due(desk.house)).queued == 0
    assert (await desk.see(post_id)).state is PostState.SCHEDULED


async def test_a_stranded_post_gets_a_job_again_and_only_one(desk: Desk) -> None:
    post_id = await desk.plan("Due")
    await dispatch.dispatch_due(desk.house)
    assert await dispatch.dispatch_stranded(desk.house) == 0
    await _ask(desk.house, "DELETE FROM procrastinate_jobs RETURNING id")
    assert await dispatch.dispatch_stranded(desk.house) == 1
    assert await dispatch.dispatch_stranded(desk.house) == 0
    assert await queued(desk.house) == [post_id]


async def test_a_resting_post_is_not_stranded(desk: Desk) -> None:
    await desk.emulator.fail("create_post", "before", "429")
    await desk.plan("Due")
    await desk.work()
    assert await queued(desk.house) == []
    assert await dispatch.dispatch_stranded(desk.house) == 0


async def test_a_job_is_deferred_once_and_spares_its_transaction(desk: Desk) -> None:
    post_id = await desk.plan("Due", after_s=60)
    async with desk.house.database.tenant(desk.tenant.id) as transaction:
        assert await jobs.defer_publish(transaction, desk.tenant.id, desk.account.id, post_id)
        assert not await jobs.defer_publish(transaction, desk.tenant.id, desk.account.id, post_id)
        later = desk.house.clock.now() + timedelta(hours=1)
        await store.posts.reschedule(transaction, post_id, later, prepare_ahead=timedelta())
    assert await queued(desk.house) == [post_id]
    assert (await desk.see(post_id)).due_at == later


async def test_a_job_goes_with_its_transaction(desk: Desk) -> None:
    post_id = await desk.plan("Due", after_s=60)
    async with desk.house.database.tenant(desk.tenant.id) as transaction:
        await jobs.defer_publish(transaction, desk.tenant.id, desk.account.id, post_id)
        await transaction.raw.rollback()
    assert await queued(desk.house) == []


async def test_arguments_of_jobs_are_numbers_only(desk: Desk) -> None:
    await desk.plan("A very private text")
    await dispatch.dispatch_due(desk.house)
    rows = await _ask(desk.house, "SELECT args FROM procrastinate_jobs")
    assert rows
    assert all(type(value) is int for (args,) in rows for value in args.values())


async def test_due_figures_are_leased_and_asked_for_again_where_nobody_took_them(
    desk: Desk,
) -> None:
    await desk.read_figures_at(desk.house.clock.now())
    assert (await dispatch.dispatch_due(desk.house)).queued == 1
    assert (await dispatch.dispatch_due(desk.house)).queued == 0
    await desk.emulator.jump(hours=1)
    assert (await dispatch.dispatch_due(desk.house)).queued == 1
