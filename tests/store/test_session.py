"""Every session has Roost's settings, even if the role or the database has other settings."""

import asyncio
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg_pool import AsyncConnectionPool

from roost import jobs
from roost.models import Tenant
from roost.runtime import Runtime
from roost.store.availability import DATABASE_AWAY
from roost.store.database import Database, open_database

_SETTINGS = (
    "synchronous_commit",
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "transaction_timeout",
)
_EXPECTED = ("on", "0", "0", "0", "0", "0")
_QUERY = sql.SQL("SELECT {}").format(
    sql.SQL(", ").join(
        sql.SQL("current_setting({})").format(sql.Literal(name)) for name in _SETTINGS
    )
)


@pytest.fixture
def unsafe_role(admin_url: str, database_url: str) -> str:
    """Set unsafe defaults for the application's login, and return the database's URL.

    With these settings, the database could lose a stored response of X.
    """
    with psycopg.connect(admin_url, autocommit=True) as admin:
        name = admin.info.dbname
        for setting, value in (("synchronous_commit", "off"), *((s, "60s") for s in _SETTINGS[1:])):
            admin.execute(f"ALTER ROLE {name}_app IN DATABASE {name} SET {setting} = '{value}'")
    return database_url


AWAY = "08000 08006 08P01 25006 25P03 25P04 53100 53200 53300 57014 57P01 57P02 57P03 57P05 58030"


@pytest.mark.parametrize("state", AWAY.split())
def test_each_of_these_states_means_that_the_database_is_away(state: str) -> None:
    assert issubclass(psycopg.errors.lookup(state), DATABASE_AWAY)


async def settings_of(connection: psycopg.AsyncConnection[Any]) -> tuple[str, ...]:
    row = await (await connection.execute(_QUERY)).fetchone()
    assert row is not None
    return tuple(row)


async def test_the_settings_of_a_role_are_overridden(unsafe_role: str, tenant: Tenant) -> None:
    async with await psycopg.AsyncConnection.connect(unsafe_role) as plain:
        assert (await settings_of(plain))[0] == "off"
    async with open_database(unsafe_role) as database:
        async with database.unscoped() as transaction:
            assert await settings_of(transaction.raw) == _EXPECTED
        async with database.for_tenant(tenant.id, dedicated=True) as transaction:
            assert await settings_of(transaction.raw) == _EXPECTED
        async with database.for_tenant(tenant.id) as transaction:
            assert await settings_of(transaction.raw) == _EXPECTED
        async with await database.connect() as connection:
            assert await settings_of(connection) == _EXPECTED
        async with jobs.open_engine(database.conninfo) as app:
            shown = await app.connector.execute_query_one_async(
                "SELECT current_setting('synchronous_commit') AS commits, current_user::text AS me"
            )
    assert shown == {
        "commits": "on",
        "me": psycopg.conninfo.conninfo_to_dict(unsafe_role)["user"],
    }


async def test_a_server_that_waits_for_its_standbys_continues_to(
    admin_url: str, database_url: str
) -> None:
    with psycopg.connect(admin_url, autocommit=True) as admin:
        name = admin.info.dbname
        admin.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = remote_apply')
    async with open_database(database_url) as database, await database.connect() as connection:
        assert (await settings_of(connection))[0] == "remote_apply"


async def test_a_read_only_session_raises_its_error_and_is_closed(runtime: Runtime) -> None:
    async with runtime.database.unscoped() as transaction:
        await transaction.raw.execute("SET default_transaction_read_only = on")
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        async with runtime.database.unscoped() as transaction:
            await transaction.raw.execute("DELETE FROM ledger")
    async with runtime.database.unscoped() as transaction:
        await transaction.raw.execute("DELETE FROM ledger")


async def test_a_transaction_replaces_connections_that_the_server_has_closed(
    runtime: Runtime, admin_url: str, tenant: Tenant
) -> None:
    database = runtime.database

    async def read() -> int:
        async with database.for_tenant(tenant.id) as transaction:
            return transaction.raw.info.backend_pid

    async with database.unscoped(), database.unscoped(), database.unscoped():
        pass  # After this block, the pool has three idle connections.
    before = await read()
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert await read() != before
    assert await database.autocommit.run("get_global_pause")


@pytest.mark.timing
async def test_a_transaction_without_a_server_says_why_and_soon() -> None:
    conninfo = "host=/nowhere dbname=none"
    pool: AsyncConnectionPool[psycopg.AsyncConnection[Any]] = AsyncConnectionPool(
        conninfo, min_size=0, max_size=1, open=False
    )
    async with pool, asyncio.timeout(5):
        with pytest.raises(psycopg.OperationalError, match="nowhere"):
            async with Database(conninfo, pool).unscoped():
                pass
