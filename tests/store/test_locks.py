"""One sender per account, across tasks and sessions; a lost session holds nothing."""

import asyncio
import contextlib
from datetime import timedelta

import psycopg
import pytest

from fix_emulator import Emulator
from fix_house import connect_account
from roost.house import House
from roost.models import IntegrationId, PostId, Tenant
from roost.store.locks import Silent, find_silent, open_sender_locks

pytestmark = pytest.mark.timing

ACCOUNT = IntegrationId(7)


async def test_two_tasks_of_one_process_do_not_hold_an_account_together(house: House) -> None:
    async with open_sender_locks(house.database) as locks:
        assert await locks.take(ACCOUNT)
        assert not await locks.take(ACCOUNT)
        await locks.give_back(ACCOUNT, [])
        assert await locks.take(ACCOUNT)


async def test_two_processes_do_not_hold_an_account_together(house: House) -> None:
    async with (
        open_sender_locks(house.database) as mine,
        open_sender_locks(house.database) as theirs,
    ):
        assert await mine.take(ACCOUNT)
        assert not await theirs.take(ACCOUNT)
        await mine.give_back(ACCOUNT, [])
        assert await theirs.take(ACCOUNT)


async def test_a_post_is_uploaded_for_by_one_and_its_account_is_free(house: House) -> None:
    async with (
        open_sender_locks(house.database) as mine,
        open_sender_locks(house.database) as theirs,
        mine.uploading(PostId(7)) as alone,
        theirs.uploading(PostId(7)) as second,
    ):
        assert (alone, second) == (True, False)
        assert await theirs.take(ACCOUNT)


async def test_a_lost_session_is_noticed_and_the_next_try_opens_another(
    house: House, database_url: str, tenant: Tenant, emulator: Emulator
) -> None:
    account = (await connect_account(house, tenant, emulator, "acmeplumbing")).id
    async with open_sender_locks(house.database) as locks:
        assert await locks.take(account)
        assert await locks.still_hold(account)
        with psycopg.connect(database_url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks"
                " WHERE locktype = 'advisory' AND classid = %s",
                [0x526F],
            )
        assert not await locks.still_hold(account)
        await locks.give_back(account, [])
        assert await locks.take(account)


async def test_who_is_cancelled_while_asking_keeps_no_lock(house: House) -> None:
    async with (
        open_sender_locks(house.database) as mine,
        open_sender_locks(house.database) as theirs,
    ):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0):  # Long enough to ask, and too short for the answer.
                assert await mine.take(ACCOUNT) is None
        assert await mine.take(IntegrationId(8))  # Both questions have been answered by now.
        await mine.give_back(IntegrationId(8), [])
        assert await theirs.take(ACCOUNT)


async def test_many_tasks_ask_at_once_and_each_gets_its_own_answer(house: House) -> None:
    accounts = [IntegrationId(number) for number in range(1, 51)]
    async with (
        open_sender_locks(house.database) as mine,
        open_sender_locks(house.database) as theirs,
    ):
        for odd in accounts[::2]:
            assert await theirs.take(odd)
        taken = await asyncio.gather(*(mine.take(each) for each in accounts))
        assert taken == [number % 2 == 0 for number in accounts]
        held = await asyncio.gather(*(mine.still_hold(each) for each in accounts))
        assert held == taken


async def test_work_under_a_lock_is_finished_though_its_caller_is_cancelled(house: House) -> None:
    begun, done = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await asyncio.sleep(0)
        done.set()

    async with open_sender_locks(house.database) as locks:
        caller = asyncio.create_task(locks.finish(work()))
        await begun.wait()
        caller.cancel()
    assert done.is_set()


async def test_who_gives_no_sign_of_life_is_found_with_the_accounts_that_it_keeps(
    house: House,
) -> None:
    others = [IntegrationId(8), IntegrationId(9)]
    async with open_sender_locks(house.database) as locks:
        assert await locks.take(ACCOUNT)
        await locks.give_sign("worker elsewhere:4711")
        async with house.database.statements(None) as transaction:
            silent = await find_silent(transaction, [ACCOUNT, *others], within=timedelta(0))
            alive = await find_silent(transaction, [ACCOUNT, *others], within=timedelta(hours=1))
        assert silent == [Silent("worker elsewhere:4711", (ACCOUNT,))]
        assert alive == []
        await locks.give_back(ACCOUNT, [])
        async with house.database.statements(None) as transaction:
            assert await find_silent(transaction, [ACCOUNT], within=timedelta(0)) == []
