"""Creating a new month's tables never ends the transaction of a reader."""

import asyncio
from datetime import UTC, datetime

import pytest

from fix_processes import until
from roost import store
from roost.house import House

MONTH = datetime(2031, 5, 1, tzinfo=UTC)


async def _is_waiting_for_a_lock(house: House) -> bool:
    async with house.database.house() as transaction:
        found = await transaction.raw.execute(
            "SELECT 1 FROM pg_locks JOIN pg_database d ON d.oid = database"
            " WHERE NOT granted AND locktype = 'relation' AND d.datname = current_database()"
        )
        return await found.fetchone() is not None


@pytest.mark.timing
async def test_a_new_month_gives_way_to_those_who_read(house: House) -> None:
    async with house.database.house() as transaction:
        await transaction.raw.execute("SELECT 1 FROM post_snapshots LIMIT 1")
        opening = asyncio.create_task(store.snapshots.open_month(house.database, MONTH))
        await until(lambda: _is_waiting_for_a_lock(house), within=60)
        # Both parents are locked in the opposite order: one of the two transactions has to fail.
        await transaction.raw.execute("SELECT 1 FROM account_snapshots LIMIT 1")
    await opening
    async with house.database.house() as transaction:
        found = await transaction.raw.execute(
            "SELECT to_regclass('roost.account_snapshots_2031_05') IS NOT NULL"
            " AND to_regclass('roost.post_snapshots_2031_05') IS NOT NULL"
        )
        assert await found.fetchone() == (True,)
