"""Connections and transactions: one tenant's rows at a time, or the few cross-tenant functions.

Row-level security keeps tenants apart only while no session can put it aside, so every session logs
in as `<database>_app`; another login, or one that could do more, is refused.
"""

import abc
import contextlib
from collections.abc import AsyncIterator
from typing import Any, LiteralString, cast

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from roost.errors import DatabaseUnavailable, SchemaOutdated, UnsafeDatabaseRole
from roost.models import TenantId
from roost.store.away import DATABASE_AWAY, ConnectionRefused, first_line, raise_own_errors
from roost.store.privileges import Login, find_login
from roost.store.schema import HEAD
from roost.store.session import (
    PLANNED_BY_KEY,
    open_checked_session,
    open_session,
    set_up,
    with_keepalives,
)
from roost.store.statements import STATEMENTS

__all__ = ["DATABASE_AWAY", "Database", "Statements", "Transaction", "open_database"]

#: Wall seconds to wait for a connection of the pool.
_POOL_PATIENCE_S = 10.0

_FIND_TABLES: LiteralString = """
    SELECT EXISTS (SELECT FROM pg_class WHERE relname = 'alembic_version'
                   AND relnamespace = to_regnamespace('roost'))
"""


async def _rows(cursor: psycopg.AsyncCursor[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a statement has returned, if it returns anything."""
    return await cursor.fetchall() if cursor.pgresult and cursor.pgresult.nfields else []


async def set_up_planned_by_key(connection: psycopg.AsyncConnection[Any]) -> None:
    """Set up a new connection of a pool that runs few statements, each planned once."""
    await set_up(connection, more=PLANNED_BY_KEY)


@contextlib.asynccontextmanager
async def _closed_if_read_only(raw: psycopg.AsyncConnection[Any]) -> AsyncIterator[None]:
    """Close a session that takes no writes: it may stay so when the server takes them again."""
    try:
        yield
    except psycopg.errors.ReadOnlySqlTransaction:
        await raw.close()
        raise


class Runs(abc.ABC):
    """What runs the named statements of `statements.sql`: a transaction, or each by itself."""

    @abc.abstractmethod
    async def run(self, name: str, **values: Any) -> list[dict[str, Any]]:
        """Run a statement of `statements.sql`; its rows, or none where it returns nothing."""

    async def run_one(self, name: str, **values: Any) -> dict[str, Any] | None:
        """The first row of a named statement, or None."""
        rows = await self.run(name, **values)
        return rows[0] if rows else None


class Statements(Runs):
    """One transaction that runs named statements."""

    def __init__(self, raw: psycopg.AsyncConnection[Any]) -> None:
        self.raw = raw

    async def run(self, name: str, **values: Any) -> list[dict[str, Any]]:
        """Run a statement of `statements.sql`; its rows, or none where it returns nothing."""
        cursor = self.raw.cursor(row_factory=dict_row)
        await cursor.execute(STATEMENTS[name], values)
        return await _rows(cursor)


class Alone(Runs):
    """Runs each named statement by itself, in one trip: it is committed before it answers.

    It sees no tenant's rows, but for those of the tenant that the statement itself names. A process
    that is stopped meanwhile holds no row.
    """

    def __init__(self, pool: AsyncConnectionPool[psycopg.AsyncConnection[Any]]) -> None:
        self._pool = pool

    async def run(self, name: str, **values: Any) -> list[dict[str, Any]]:
        """Run a statement of `statements.sql`; its rows, or none where it returns nothing."""
        async with self._pool.connection() as raw, _closed_if_read_only(raw):
            return await Statements(raw).run(name, **values)


class Transaction(Statements):
    """The same with a second door: SQLAlchemy's (`sql`), on the same connection."""

    def __init__(self, sql: AsyncConnection, raw: psycopg.AsyncConnection[Any]) -> None:
        super().__init__(raw)
        self.sql = sql


@contextlib.asynccontextmanager
async def _begin(engine: AsyncEngine) -> AsyncIterator[Transaction]:
    async with engine.begin() as sql:
        proxied = await sql.get_raw_connection()
        raw = cast("psycopg.AsyncConnection[Any]", proxied.driver_connection)
        try:
            yield Transaction(sql, raw)
        except psycopg.errors.ReadOnlySqlTransaction:
            await sql.invalidate()
            raise


class Database:
    """The application's connections to one PostgreSQL database."""

    def __init__(
        self,
        conninfo: str,
        engine: AsyncEngine,
        apart: AsyncEngine,
        pool: AsyncConnectionPool[psycopg.AsyncConnection[Any]],
    ) -> None:
        self.conninfo = conninfo
        """For what needs a connection of its own (locks, LISTEN, the job engine)."""
        self.alone = Alone(pool)
        """Named statements that are whole by themselves, for the paths that every post takes."""
        self._engine = engine
        self._apart = apart
        self._pool = pool

    @contextlib.asynccontextmanager
    async def tenant(self, tenant_id: TenantId) -> AsyncIterator[Transaction]:
        """A transaction that sees one tenant's rows; committed at the end, rolled back on error."""
        async with self.unscoped() as transaction:
            await transaction.run("set_tenant", tenant=str(tenant_id))
            yield transaction

    @contextlib.asynccontextmanager
    async def tenant_apart(self, tenant_id: TenantId) -> AsyncIterator[Transaction]:
        """The same on a connection outside the pool: for what waits for somebody else."""
        async with _begin(self._apart) as transaction:
            await transaction.run("set_tenant", tenant=str(tenant_id))
            yield transaction

    @contextlib.asynccontextmanager
    async def unscoped(self) -> AsyncIterator[Transaction]:
        """A transaction that sees no tenant's rows: for the cross-tenant functions alone."""
        async with _begin(self._engine) as transaction:
            yield transaction

    @contextlib.asynccontextmanager
    async def statements(self, tenant_id: TenantId | None) -> AsyncIterator[Statements]:
        """A transaction of named statements alone, without SQLAlchemy's share.

        Without a tenant it sees no tenant's rows.
        """
        async with self._pool.connection() as raw, _closed_if_read_only(raw), raw.transaction():
            statements = Statements(raw)
            if tenant_id is not None:
                await statements.run("set_tenant", tenant=str(tenant_id))
            yield statements

    async def connect(self) -> psycopg.AsyncConnection[Any]:
        """A connection outside the pool, without transactions; its holder closes it.

        Raises: psycopg.OperationalError, PoolerUnsupported.
        """
        return await open_checked_session(self.conninfo, more=PLANNED_BY_KEY)


def unavailable(reason: str, *, will_pass: bool) -> DatabaseUnavailable:
    """The failure of a database that cannot be used now, or with these settings."""
    error = DatabaseUnavailable(
        f"The database cannot be used: {reason}",
        next="See that PostgreSQL runs at DATABASE_URL, then `roost doctor`."
        if will_pass
        else "See that DATABASE_URL has the right server, database, login and password. `roost"
        " init` with ROOST_ADMIN_DATABASE_URL makes the login where it is missing.",
    )
    error.will_pass = will_pass
    return error


async def _refuse_unsafe(conninfo: str) -> None:
    try:
        await _check(conninfo)
    except (ConnectionRefused, psycopg.errors.InsufficientPrivilege) as error:
        raise unavailable(first_line(error), will_pass=False) from None
    except DATABASE_AWAY as error:
        raise unavailable(first_line(error), will_pass=True) from None


async def _check(conninfo: str) -> None:
    async with await open_checked_session(conninfo) as connection:
        _require_safe(await find_login(connection))
        found = None
        if await _ask(connection, _FIND_TABLES):
            found = await _ask(connection, "SELECT version_num FROM roost.alembic_version")
        if found != HEAD:
            raise SchemaOutdated(
                f"The database's tables are of version {found or 'none'}, this Roost needs {HEAD}."
            )


async def _ask(connection: psycopg.AsyncConnection[Any], query: LiteralString) -> Any:
    row = await (await connection.execute(query)).fetchone()
    return row[0] if row else None


def _require_safe(login: Login) -> None:
    if not login.is_unsafe:
        return
    undoing = [each.told for each in login.excesses if each.undoes_row_security]
    if login.name != login.expected:
        told = f"Roost logs in to the database {login.database} as {login.expected} alone, and not"
        raise UnsafeDatabaseRole(
            f"{told} as {login.name}{''.join(f', which {each}' for each in undoing[:1])}.",
            did="Roost did not start.",
            next=f"Let DATABASE_URL log in as {login.expected}. Where that role is missing, `roost"
            " init` makes it: give it an administrator's address as ROOST_ADMIN_DATABASE_URL.",
        )
    raise UnsafeDatabaseRole(
        f"The database login {login.name} could see every tenant's rows: it "
        + "; it ".join(undoing)
        + ".",
        did="Roost did not start.",
        next="Have an administrator of the database take that away from it.",
    )


@contextlib.asynccontextmanager
async def open_database(url: str, *, pool_size: int = 10) -> AsyncIterator[Database]:
    """Connections of the application's login, checked to be harmless and to find this version's
    tables.

    Raises: DatabaseUnavailable, PoolerUnsupported, SchemaOutdated, SettingInvalid,
    UnsafeDatabaseRole.
    """
    conninfo = with_keepalives(url)
    await _refuse_unsafe(conninfo)

    async def connect() -> psycopg.AsyncConnection[Any]:
        return await open_session(conninfo)

    # An error that is quoted in a log must not quote a post.
    engine = create_async_engine(
        "postgresql+psycopg://",
        async_creator=connect,
        pool_size=pool_size,
        pool_pre_ping=True,
        hide_parameters=True,
    )
    apart = create_async_engine(
        "postgresql+psycopg://", async_creator=connect, poolclass=NullPool, hide_parameters=True
    )
    for each in (engine, apart):
        raise_own_errors(each)
    pool: AsyncConnectionPool[psycopg.AsyncConnection[Any]] = AsyncConnectionPool(
        conninfo, kwargs={"autocommit": True}, min_size=0, max_size=pool_size, open=False,
        timeout=_POOL_PATIENCE_S, configure=set_up_planned_by_key,
    )  # fmt: skip
    try:
        async with pool:
            yield Database(conninfo, engine, apart, pool)
    finally:
        await engine.dispose()
        await apart.dispose()
