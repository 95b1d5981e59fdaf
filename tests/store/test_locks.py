"""One sender per account, across tasks and sessions; a lost session holds nothing."""

import asyncio
import contextlib
from datetime import timedelta

import psycopg
import pytest

from fix_emulator import Emulator
from fix_runtime import connect_account, make_tenant
from roost.models import IntegrationId, PostId, Tenant, XUserId
from roost.runtime import Runtime
from roost.store.locks import Silent, find_silent, open_sender_locks

pytestmark = pytest.mark.timing

USER, ACCOUNT = XUserId("2244994945"), IntegrationId(7)
OTHER = XUserId("783214")


async def test_two_tasks_of_one_process_do_not_hold_an_account_together(runtime: Runtime) -> None:
    async with open_sender_locks(runtime.database) as locks:
        assert await locks.take(USER)
        assert not await locks.take(USER)
        await locks.give_back(USER, ACCOUNT, [])
        assert await locks.take(USER)


async def test_two_processes_do_not_hold_an_account_together(runtime: Runtime) -> None:
    async with (
        open_sender_locks(runtime.database) as mine,
        open_sender_locks(runtime.database) as theirs,
    ):
        assert await mine.take(USER)
        assert not await theirs.take(USER)
        await mine.give_back(USER, ACCOUNT, [])
        assert await theirs.take(USER)


async def test_a_post_is_uploaded_for_by_one_and_its_account_is_free(runtime: Runtime) -> None:
    async with (
        open_sender_locks(runtime.database) as mine,
        open_sender_locks(runtime.database) as theirs,
        mine.uploading(PostId(7)) as alone,
        theirs.uploading(PostId(7)) as second,
    ):
        assert (alone, second) == (True, False)
        assert await theirs.take(USER)


async def test_a_lost_session_is_noticed_and_the_next_try_opens_another(
    runtime: Runtime, admin_url: str, tenant: Tenant, emulator: Emulator
) -> None:
    account = await connect_account(runtime, tenant, emulator, "acmeplumbing")
    async with open_sender_locks(runtime.database) as locks:
        assert await locks.take(account.x_user_id)
        assert await locks.still_hold(account.x_user_id)
        with psycopg.connect(admin_url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks"
                " WHERE locktype = 'advisory' AND classid = %s",
                [0x526F],
            )
        assert not await locks.still_hold(account.x_user_id)
        await locks.give_back(account.x_user_id, account.id, [])
        assert await locks.take(account.x_user_id)


async def test_who_is_cancelled_while_asking_keeps_no_lock(runtime: Runtime) -> None:
    async with (
        open_sender_locks(runtime.database) as mine,
        open_sender_locks(runtime.database) as theirs,
    ):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0):  # Long enough to ask, and too short for the answer.
                assert await mine.take(USER) is None
        assert await mine.take(OTHER)  # Both questions have been answered by now.
        await mine.give_back(OTHER, IntegrationId(8), [])
        assert await theirs.take(USER)


async def test_many_tasks_ask_at_once_and_each_gets_its_own_answer(runtime: Runtime) -> None:
    accounts = [XUserId(str(number)) for number in range(1, 51)]
    async with (
        open_sender_locks(runtime.database) as mine,
        open_sender_locks(runtime.database) as theirs,
    ):
        for odd in accounts[::2]:
            assert await theirs.take(odd)
        taken = await asyncio.gather(*(mine.take(each) for each in accounts))
        assert taken == [int(user) % 2 == 0 for user in accounts]
        held = await asyncio.gather(*(mine.still_hold(each) for each in accounts))
        assert held == taken


async def test_work_under_a_lock_is_finished_though_its_caller_is_cancelled(
    runtime: Runtime,
) -> None:
    begun, done = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await asyncio.sleep(0)
        done.set()

    async with open_sender_locks(runtime.database) as locks:
        caller = asyncio.create_task(locks.finish(work()))
        await begun.wait()
        caller.cancel()
    assert done.is_set()


async def test_a_process_without_heartbeat_is_found_with_the_accounts_that_it_keeps(
    runtime: Runtime, tenant: Tenant, emulator: Emulator
) -> None:
    names = ("acmeplumbing", "larkbooks")
    accounts = [await connect_account(runtime, tenant, emulator, name) for name in names]
    kept = accounts[0]
    async with open_sender_locks(runtime.database) as locks:
        assert await locks.take(kept.x_user_id)
        await locks.heartbeat("worker elsewhere:4711")
        async with runtime.database.statements(None) as transaction:
            silent = await find_silent(transaction, accounts, within=timedelta(0))
            alive = await find_silent(transaction, accounts, within=timedelta(hours=1))
        assert silent == [Silent("worker elsewhere:4711", (kept.id,))]
        assert alive == []
        await locks.give_back(kept.x_user_id, kept.id, [])
        async with runtime.database.statements(None) as transaction:
            assert await find_silent(transaction, accounts, within=timedelta(0)) == []


async def test_two_tenants_connections_of_one_account_share_its_lock(
    runtime: Runtime, tenant: Tenant, emulator: Emulator
) -> None:
    other = await make_tenant(runtime, "bakery")
    mine = await connect_account(runtime, tenant, emulator, "larkbooks")
    theirs = await connect_account(runtime, other, emulator, "larkbooks")
    async with open_sender_locks(runtime.database) as locks:
        users = [
            await locks.find_user(each.tenant_id, each.id, each.environment)
            for each in (mine, theirs)
        ]
        assert users == [mine.x_user_id, mine.x_user_id]
        assert (
            await locks.find_user(tenant.id, theirs.id, theirs.environment) == mine.x_user_id
        )  # asked before
        assert await locks.take(mine.x_user_id)
        assert not await locks.take(theirs.x_user_id)


async def test_a_new_session_is_compared_before_a_lock_is_taken_on_it(
    runtime: Runtime, admin_url: str
) -> None:
    async def refuse() -> None:
        locks.close_gate("the database is another one")

    async with open_sender_locks(runtime.database, on_reopen=refuse) as locks:
        assert await locks.take(USER)
        with psycopg.connect(admin_url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks"
                " WHERE locktype = 'advisory' AND classid = %s",
                [0x526F],
            )
        assert not await locks.still_hold(USER)
        await locks.give_back(USER, ACCOUNT, [])
        with pytest.raises(psycopg.OperationalError):
            await locks.take(USER)
        assert not locks.may_begin
