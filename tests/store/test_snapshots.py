"""Partitions are created while other transactions read snapshots, and end none of them."""

import asyncio
from datetime import UTC, datetime

import pytest

from roost import store
from roost.runtime import Runtime

MONTH = datetime(2031, 5, 1, tzinfo=UTC)


async def _await_waiting_for_a_lock(runtime: Runtime) -> None:
    async with asyncio.timeout(60):
        while True:
            async with runtime.database.unscoped() as transaction:
                found = await transaction.raw.execute(
                    "SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'relation'"
                )
                if await found.fetchone():
                    return


@pytest.mark.timing
async def test_the_creation_of_partitions_gives_way_to_readers(runtime: Runtime) -> None:
    async with runtime.database.unscoped() as transaction:
        await transaction.raw.execute("SELECT 1 FROM post_snapshots LIMIT 1")
        opening = asyncio.create_task(store.snapshots.ensure_partitions(runtime.database, MONTH))
        await _await_waiting_for_a_lock(runtime)
        # In the reverse order of the creation: one of the two must give way.
        await transaction.raw.execute("SELECT 1 FROM account_snapshots LIMIT 1")
    await opening
    async with runtime.database.unscoped() as transaction:
        found = await transaction.raw.execute(
            "SELECT to_regclass('roost.account_snapshots_2031_05') IS NOT NULL"
            " AND to_regclass('roost.post_snapshots_2031_05') IS NOT NULL"
        )
        assert await found.fetchone() == (True,)
