"""One sender per account, across tasks and sessions; a lost session holds nothing."""

import psycopg

from fix_emulator import Emulator
from fix_house import connect_account
from roost.house import House
from roost.models import IntegrationId, Tenant
from roost.store.locks import open_sender_locks

ACCOUNT = IntegrationId(7)


async def test_two_tasks_of_one_process_do_not_hold_an_account_together(house: House) -> None:
    async with (
        open_sender_locks(house.database) as locks,
        locks.try_hold(ACCOUNT) as first,
        locks.try_hold(ACCOUNT) as second,
    ):
        assert (first, second) == (True, False)


async def test_two_processes_do_not_hold_an_account_together(house: House) -> None:
    async with (
        open_sender_locks(house.database) as mine,
        open_sender_locks(house.database) as theirs,
    ):
        async with mine.try_hold(ACCOUNT), theirs.try_hold(ACCOUNT) as held:
            assert not held
        async with theirs.try_hold(ACCOUNT) as held:
            assert held


async def test_a_lost_session_is_noticed_and_the_next_try_opens_another(
    house: House, database_url: str, tenant: Tenant, emulator: Emulator
) -> None:
    account = (await connect_account(house, tenant, emulator, "acmeplumbing")).id
    async with open_sender_locks(house.database) as locks:
        async with locks.try_hold(account) as held:
            assert held
            assert await locks.still_hold(account)
            with psycopg.connect(database_url, autocommit=True) as admin:
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks"
                    " WHERE locktype = 'advisory' AND classid = %s",
                    [0x526F],
                )
            assert not await locks.still_hold(account)
        async with locks.try_hold(account) as held:
            assert held
