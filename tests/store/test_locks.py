"""Account locks: one sender per account, across tasks, sessions and lost sessions."""

import asyncio
import contextlib
from datetime import timedelta

import psycopg
import pytest

from fix_emulator import Emulator
from fix_processes import until
from fix_runtime import connect_account, make_tenant
from roost.models import IntegrationId, PostId, Tenant, XUserId
from roost.runtime import Runtime
from roost.store import lock_session
from roost.store.locks import AccountLocks, StaleHolder, find_stale_holders, open_account_locks

pytestmark = pytest.mark.timing

USER, ACCOUNT = XUserId("2244994945"), IntegrationId(7)
OTHER = XUserId("783214")


async def until_lost(locks: AccountLocks, user: XUserId) -> None:
    """Wait until the server has ended the session and so freed the user's lock."""

    async def is_lost() -> bool:
        return not await locks.is_held(user)

    await until(is_lost)


async def test_two_tasks_of_one_process_cannot_hold_one_account(runtime: Runtime) -> None:
    async with open_account_locks(runtime.database) as locks:
        assert await locks.acquire(USER)
        assert not await locks.acquire(USER)
        await locks.release(USER, ACCOUNT, [])
        assert await locks.acquire(USER)


async def test_two_processes_cannot_hold_one_account(runtime: Runtime) -> None:
    async with (
        open_account_locks(runtime.database) as mine,
        open_account_locks(runtime.database) as theirs,
    ):
        assert await mine.acquire(USER)
        assert not await theirs.acquire(USER)
        await mine.release(USER, ACCOUNT, [])
        assert await theirs.acquire(USER)


async def test_one_task_uploads_for_a_post_and_its_account_stays_free(runtime: Runtime) -> None:
    async with (
        open_account_locks(runtime.database) as mine,
        open_account_locks(runtime.database) as theirs,
        mine.uploading(PostId(7)) as first,
        theirs.uploading(PostId(7)) as second,
    ):
        assert (first, second) == (True, False)
        assert await theirs.acquire(USER)


async def test_a_lost_session_is_noticed_and_replaced_by_the_next_request(
    runtime: Runtime, admin_url: str, tenant: Tenant, emulator: Emulator
) -> None:
    account = await connect_account(runtime, tenant, emulator, "acmeplumbing")
    async with open_account_locks(runtime.database) as locks:
        assert await locks.acquire(account.x_user_id)
        assert await locks.is_held(account.x_user_id)
        with psycopg.connect(admin_url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks"
                " WHERE locktype = 'advisory' AND classid = %s",
                [0x526F],
            )
        await until_lost(locks, account.x_user_id)
        await locks.release(account.x_user_id, account.id, [])
        assert await locks.acquire(account.x_user_id)


async def test_the_closed_socket_alone_shows_that_the_session_is_lost(
    runtime: Runtime, admin_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The server's last response proves for an hour that the session is open, so the server is not
    # asked again during the test.
    monkeypatch.setattr(lock_session, "_PROOF_S", 3600.0)
    async with open_account_locks(runtime.database) as locks:
        assert await locks.acquire(USER)
        with psycopg.connect(admin_url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks"
                " WHERE locktype = 'advisory' AND classid = %s",
                [0x526F],
            )
        await until_lost(locks, USER)


async def test_a_cancelled_request_keeps_no_lock(runtime: Runtime) -> None:
    async with (
        open_account_locks(runtime.database) as mine,
        open_account_locks(runtime.database) as theirs,
    ):
        with contextlib.suppress(TimeoutError):
            # The timeout lets the request be sent, but ends before the result arrives.
            async with asyncio.timeout(0):
                assert await mine.acquire(USER) is None
        # Requests are answered in order: the cancelled request has been answered before this one.
        assert await mine.acquire(OTHER)
        await mine.release(OTHER, IntegrationId(8), [])
        assert await theirs.acquire(USER)


async def test_each_of_many_concurrent_requests_gets_its_own_result(runtime: Runtime) -> None:
    accounts = [XUserId(str(number)) for number in range(1, 51)]
    async with (
        open_account_locks(runtime.database) as mine,
        open_account_locks(runtime.database) as theirs,
    ):
        for odd in accounts[::2]:
            assert await theirs.acquire(odd)
        acquired = await asyncio.gather(*(mine.acquire(each) for each in accounts))
        assert acquired == [int(user) % 2 == 0 for user in accounts]
        held = await asyncio.gather(*(mine.is_held(each) for each in accounts))
        assert held == acquired


async def test_work_under_a_lock_is_finished_after_its_caller_is_cancelled(
    runtime: Runtime,
) -> None:
    begun, done = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await asyncio.sleep(0)
        done.set()

    async with open_account_locks(runtime.database) as locks:
        caller = asyncio.create_task(locks.shield(work()))
        await begun.wait()
        caller.cancel()
    assert done.is_set()


async def test_a_process_without_heartbeat_is_found_with_the_accounts_that_it_holds(
    runtime: Runtime, tenant: Tenant, emulator: Emulator
) -> None:
    names = ("acmeplumbing", "larkbooks")
    accounts = [await connect_account(runtime, tenant, emulator, name) for name in names]
    held = accounts[0]
    async with open_account_locks(runtime.database) as locks:
        assert await locks.acquire(held.x_user_id)
        await locks.heartbeat("worker elsewhere:4711")
        async with runtime.database.unscoped() as transaction:
            stale = await find_stale_holders(transaction, accounts, within=timedelta(0))
            alive = await find_stale_holders(transaction, accounts, within=timedelta(hours=1))
        assert stale == [StaleHolder("worker elsewhere:4711", (held.id,))]
        assert alive == []
        await locks.release(held.x_user_id, held.id, [])
        async with runtime.database.unscoped() as transaction:
            assert await find_stale_holders(transaction, accounts, within=timedelta(0)) == []


async def test_two_tenants_connections_of_one_account_share_its_lock(
    runtime: Runtime, tenant: Tenant, emulator: Emulator
) -> None:
    other = await make_tenant(runtime, "bakery")
    mine = await connect_account(runtime, tenant, emulator, "larkbooks")
    theirs = await connect_account(runtime, other, emulator, "larkbooks")
    async with open_account_locks(runtime.database) as locks:
        users = [
            await locks.find_user(each.tenant_id, each.id, each.environment)
            for each in (mine, theirs)
        ]
        assert users == [mine.x_user_id, mine.x_user_id]
        # The id is cached, so the tenant is not checked again.
        assert await locks.find_user(tenant.id, theirs.id, theirs.environment) == mine.x_user_id
        assert await locks.acquire(mine.x_user_id)
        assert not await locks.acquire(theirs.x_user_id)


async def test_a_new_session_is_compared_before_a_lock_is_acquired_on_it(
    runtime: Runtime, admin_url: str
) -> None:
    async def refuse() -> None:
        locks.close_gate("the database is another one")

    async with open_account_locks(runtime.database, on_reopen=refuse) as locks:
        assert await locks.acquire(USER)
        with psycopg.connect(admin_url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks"
                " WHERE locktype = 'advisory' AND classid = %s",
                [0x526F],
            )
        await until_lost(locks, USER)
        await locks.release(USER, ACCOUNT, [])
        with pytest.raises(psycopg.OperationalError):
            await locks.acquire(USER)
        assert not locks.may_begin
