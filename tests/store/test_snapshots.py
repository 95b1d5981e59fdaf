"""The creation of a month's partitions never makes the transaction of a reader fail."""

import asyncio
from datetime import UTC, datetime

import pytest

from fix_processes import until
from roost import store
from roost.runtime import Runtime

MONTH = datetime(2031, 5, 1, tzinfo=UTC)


async def _is_waiting_for_a_lock(runtime: Runtime) -> bool:
    async with runtime.database.unscoped() as transaction:
        found = await transaction.raw.execute(
            "SELECT 1 FROM pg_locks JOIN pg_database d ON d.oid = database"
            " WHERE NOT granted AND locktype = 'relation' AND d.datname = current_database()"
        )
        return await found.fetchone() is not None


@pytest.mark.timing
async def test_the_creation_of_partitions_gives_way_to_readers(runtime: Runtime) -> None:
    async with runtime.database.unscoped() as transaction:
        await transaction.raw.execute("SELECT 1 FROM post_snapshots LIMIT 1")
        opening = asyncio.create_task(store.snapshots.ensure_partitions(runtime.database, MONTH))
        await until(lambda: _is_waiting_for_a_lock(runtime), within=60)
        # The reader locks the two parent tables in the opposite order. This is a deadlock, so one
        # of the two transactions has to fail.
        await transaction.raw.execute("SELECT 1 FROM account_snapshots LIMIT 1")
    await opening
    async with runtime.database.unscoped() as transaction:
        found = await transaction.raw.execute(
            "SELECT to_regclass('roost.account_snapshots_2031_05') IS NOT NULL"
            " AND to_regclass('roost.post_snapshots_2031_05') IS NOT NULL"
        )
        assert await found.fetchone() == (True,)
