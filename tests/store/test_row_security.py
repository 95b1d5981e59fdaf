"""Tenants never see each other: the database itself keeps them apart."""

from datetime import timedelta

import psycopg
import pytest

from fix_emulator import Emulator
from fix_house import connect_account, make_tenant
from fix_postgres import PostgresServer
from roost import store
from roost.errors import SchemaOutdated, UnsafeDatabaseRole
from roost.house import House
from roost.models import Tenant
from roost.store.database import open_database
from roost.store.posts import NewPart
from roost.store.schema import create_database
from roost.store.session import open_session

_TENANT_TABLES = """
    SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
    WHERE c.relnamespace = 'roost'::regnamespace AND c.relkind IN ('r', 'p')
      AND NOT c.relispartition
"""


async def test_every_table_of_tenants_forces_row_security(house: House) -> None:
    async with house.database.house() as transaction:
        rows = await (await transaction.raw.execute(_TENANT_TABLES)).fetchall()
    assert len(rows) >= 13
    assert [name for name, enabled, forced in rows if not (enabled and forced)] == []


async def test_a_tenant_cannot_read_or_change_its_neighbours_posts(
    house: House, tenant: Tenant, emulator: Emulator
) -> None:
    account = await connect_account(house, tenant, emulator, "acmeplumbing")
    now = house.clock.now()
    async with house.database.tenant(tenant.id) as transaction:
        mine = await store.posts.add(
            transaction, tenant.id, account.id, [NewPart("Mine")], due_at=now, now=now, why="test",
            who="the test", prepare_ahead=timedelta(),
        )  # fmt: skip
    neighbour = await make_tenant(house, "neighbour")
    async with house.database.tenant(neighbour.id) as transaction:
        assert await store.posts.list_all(transaction) == []
        assert await store.accounts.list_all(transaction) == []
        changed = await transaction.raw.execute("UPDATE parts SET text = 'Theirs'")
        assert changed.rowcount == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await transaction.raw.execute(
                "INSERT INTO posts (tenant_id, integration_id, state) VALUES (%s, %s, 'draft')",
                [tenant.id, account.id],
            )
        await transaction.raw.rollback()
    assert mine is not None


async def test_without_a_tenant_no_rows_are_seen(
    house: House, tenant: Tenant, emulator: Emulator
) -> None:
    await connect_account(house, tenant, emulator, "acmeplumbing")
    async with house.database.house() as transaction:
        rows = await (await transaction.raw.execute("SELECT count(*) FROM integrations")).fetchone()
    assert rows == (0,)


async def test_a_statement_alone_sees_its_tenant_and_leaves_nothing_on_the_connection(
    house: House, tenant: Tenant, emulator: Emulator
) -> None:
    account = await connect_account(house, tenant, emulator, "acmeplumbing")
    neighbour = await make_tenant(house, "neighbour")
    async with house.database.tenant(tenant.id) as transaction:
        await transaction.raw.execute(
            "INSERT INTO posts (tenant_id, integration_id, state, due_at)"
            " VALUES (%s, %s, 'publishing', now())",
            [tenant.id, account.id],
        )
    alone = house.database.alone
    for tenant_id, is_seen in ((tenant.id, True), (neighbour.id, False)):
        taken = await store.journal.find_next(alone, tenant_id, account.id, [])
        assert (taken is not None) is is_seen
        assert await alone.run("find_tenant_key") == []


async def test_an_account_of_another_tenant_cannot_be_referred_to(
    house: House, tenant: Tenant, emulator: Emulator
) -> None:
    account = await connect_account(house, tenant, emulator, "acmeplumbing")
    neighbour = await make_tenant(house, "neighbour")
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        async with house.database.tenant(neighbour.id) as transaction:
            await transaction.raw.execute(
                "INSERT INTO posts (tenant_id, integration_id, state) VALUES (%s, %s, 'draft')",
                [neighbour.id, account.id],
            )


async def test_roost_refuses_a_role_that_bypasses_row_security(
    database_url: str, postgres_server: PostgresServer
) -> None:
    with psycopg.connect(database_url, autocommit=True) as admin:
        admin.execute("ALTER ROLE roost_app BYPASSRLS")
        try:
            with pytest.raises(UnsafeDatabaseRole):
                async with open_database(database_url):
                    pass
        finally:
            admin.execute("ALTER ROLE roost_app NOBYPASSRLS")


async def test_an_empty_database_is_told_to_be_migrated(postgres_server: PostgresServer) -> None:
    await create_database(postgres_server.url("postgres"), "empty_one")
    with psycopg.connect(postgres_server.url("empty_one"), autocommit=True) as admin:
        admin.execute("SELECT 1 FROM pg_roles WHERE rolname = 'roost_app'")
    with pytest.raises(SchemaOutdated):
        async with open_database(postgres_server.url("empty_one")):
            pass


async def test_the_superuser_of_the_url_becomes_the_applications_role(database_url: str) -> None:
    async with await open_session(database_url, role="roost_app") as connection:
        row = await (await connection.execute("SELECT current_user")).fetchone()
    assert row == ("roost_app",)
