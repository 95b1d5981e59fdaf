"""Every session has Roost's settings, whatever the role or the database sets for its sessions."""

from typing import Any

import psycopg
import pytest
from psycopg import sql

from roost import jobs
from roost.models import Tenant
from roost.runtime import Runtime
from roost.store.away import DATABASE_AWAY
from roost.store.database import open_database

_SETTINGS = (
    "synchronous_commit",
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "transaction_timeout",
)
_SHOWN = ("on", "0", "0", "0", "0", "0")
_QUERY = sql.SQL("SELECT {}").format(
    sql.SQL(", ").join(
        sql.SQL("current_setting({})").format(sql.Literal(name)) for name in _SETTINGS
    )
)


@pytest.fixture
def careless_role(admin_url: str, database_url: str) -> str:
    """The database, whose login has settings that would lose an answer of X."""
    with psycopg.connect(admin_url, autocommit=True) as admin:
        name = admin.info.dbname
        for setting, value in (("synchronous_commit", "off"), *((s, "60s") for s in _SETTINGS[1:])):
            admin.execute(f"ALTER ROLE {name}_app IN DATABASE {name} SET {setting} = '{value}'")
    return database_url


AWAY = "08000 08006 08P01 25006 25P03 25P04 53100 53200 53300 57014 57P01 57P02 57P03 57P05 58030"


@pytest.mark.parametrize("state", AWAY.split())
def test_each_of_these_states_means_that_the_database_is_away(state: str) -> None:
    assert issubclass(psycopg.errors.lookup(state), DATABASE_AWAY)


async def shown_by(connection: psycopg.AsyncConnection[Any]) -> tuple[str, ...]:
    row = await (await connection.execute(_QUERY)).fetchone()
    assert row is not None
    return tuple(row)


async def test_the_settings_of_a_role_do_not_count(careless_role: str, tenant: Tenant) -> None:
    async with await psycopg.AsyncConnection.connect(careless_role) as plain:
        assert (await shown_by(plain))[0] == "off"
    async with open_database(careless_role) as database:
        async with database.unscoped() as transaction:
            assert await shown_by(transaction.raw) == _SHOWN
        async with database.tenant_apart(tenant.id) as transaction:
            assert await shown_by(transaction.raw) == _SHOWN
        async with database.statements(tenant.id) as statements:
            assert await shown_by(statements.raw) == _SHOWN
        async with await database.connect() as connection:
            assert await shown_by(connection) == _SHOWN
        async with jobs.open_engine(database.conninfo) as app:
            shown = await app.connector.execute_query_one_async(
                "SELECT current_setting('synchronous_commit') AS commits, current_user::text AS me"
            )
    assert shown == {
        "commits": "on",
        "me": psycopg.conninfo.conninfo_to_dict(careless_role)["user"],
    }


async def test_a_server_that_waits_for_its_standbys_goes_on_doing_so(
    admin_url: str, database_url: str
) -> None:
    with psycopg.connect(admin_url, autocommit=True) as admin:
        name = admin.info.dbname
        admin.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = remote_apply')
    async with open_database(database_url) as database, await database.connect() as connection:
        assert (await shown_by(connection))[0] == "remote_apply"


async def test_an_engine_raises_psycopgs_own_error_and_gives_up_a_read_only_session(
    runtime: Runtime, database_url: str, tenant: Tenant
) -> None:
    async with runtime.database.unscoped() as transaction:
        await transaction.raw.execute("SET default_transaction_read_only = on")
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        async with runtime.database.unscoped() as transaction:
            await transaction.sql.exec_driver_sql("DELETE FROM ledger")
    async with runtime.database.unscoped() as transaction:
        await transaction.sql.exec_driver_sql("DELETE FROM ledger")
