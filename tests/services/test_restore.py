"""A restored database is noticed, stops everything, and is reconciled before it goes on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import psycopg

from fix_emulator import Emulator
from fix_house import connect_account, make_tenant
from fix_publishing import Desk
from roost import store
from roost.house import open_house
from roost.models import PostState
from roost.services import pause, restore
from roost.settings import Settings
from roost.store.locks import open_sender_locks


@asynccontextmanager
async def _desk(settings: Settings, emulator: Emulator) -> AsyncIterator[Desk]:
    """The desk of a database that may have been used before."""
    async with open_house(settings) as house, open_sender_locks(house.database) as locks:
        async with house.database.house() as transaction:
            known = await store.tenants.find(transaction, "default")
        if known is None:
            tenant = await make_tenant(house, "default")
            account = await connect_account(house, tenant, emulator, "larkbooks")
        else:
            tenant = await store.tenants.see(house.database, known)
            async with house.database.tenant(known) as transaction:
                (account,) = await store.accounts.list_all(transaction)
        desk = Desk(house, tenant, account, emulator, locks)
        await desk.read_figures_at(house.clock.now() + timedelta(days=365))
        yield desk


async def test_a_restored_database_sends_nothing_that_is_on_x_already(
    noon: datetime, settings: Settings, emulator: Emulator, database_url: str
) -> None:
    async with _desk(settings, emulator) as desk:
        sent = await desk.plan("One", "Two", after_s=60)
        unsent = await desk.plan("Tomorrow", after_s=86_400)
        await restore.keep_mark(desk.house, None)
        assert await restore.find_restored(desk.house) is None
    copy = f"{database_url.rpartition('/')[2].partition('?')[0]}_copy"
    with psycopg.connect(database_url.replace(copy[:-5], "postgres"), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{copy[:-5]}"')
    async with _desk(settings, emulator) as desk:
        await emulator.jump(seconds=60)
        await desk.work()
        assert await desk.on_x() == ["One", "Two"]
        await restore.keep_mark(desk.house, None)

    restored = settings.model_copy(update={"database_url": database_url.replace(copy[:-5], copy)})
    async with _desk(restored, emulator) as desk:
        mark = await restore.find_restored(desk.house)
        assert mark is not None
        await pause.stop_after_restore(desk.house, mark.last_at)
        await emulator.jump(seconds=60)
        await desk.work()
        assert await desk.on_x() == ["One", "Two"]
        assert (await desk.see(sent)).state is PostState.SCHEDULED
        assert await pause.go_on(desk.house) == 2
        await desk.work_through()
        assert await desk.on_x() == ["One", "Two", "Tomorrow"]
        assert (await desk.see(sent)).state is PostState.PUBLISHED
        assert (await desk.see(unsent)).state is PostState.PUBLISHED
    with psycopg.connect(database_url, autocommit=True) as admin:
        admin.execute(f'DROP DATABASE "{copy}" WITH (FORCE)')


async def test_a_mark_is_of_one_database(desk: Desk) -> None:
    mark = await restore.keep_mark(desk.house, None)
    assert not restore.is_restored(mark, replace_mark(mark, last_event=mark.last_event + 1))
    assert restore.is_restored(mark, replace_mark(mark, last_event=mark.last_event - 1))
    assert restore.is_restored(mark, replace_mark(mark, system_id="another"))


def replace_mark(mark: restore.Mark, **changed: object) -> restore.Mark:
    """A mark with something else in it."""
    values = {name: getattr(mark, name) for name in mark.__struct_fields__}
    return restore.Mark(**(values | changed))
