"""Transactions on one pool of connections, each limited to one tenant's rows or to none.

Row-level security separates tenants only while no session can bypass it. Every session therefore
logs in as `<database>_app`; any other login, or one with more rights, is refused.
"""

import abc
import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, LiteralString, TypeVar

import msgspec
import psycopg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from roost.errors import DatabaseUnavailable, SchemaOutdated, UnsafeDatabaseRole
from roost.models import TenantId
from roost.next_actions import ActionCode, NextAction
from roost.store.away import DATABASE_AWAY, ConnectionRefused, first_line
from roost.store.migrations import HEAD
from roost.store.privileges import Login, find_login
from roost.store.session import open_checked_session, open_session, set_up, with_keepalives
from roost.store.statements import STATEMENTS

__all__ = ["DATABASE_AWAY", "Autocommit", "Database", "Queries", "Transaction", "open_database"]

Model = TypeVar("Model")
_Connection = psycopg.AsyncConnection[Any]

#: Wall seconds to wait for a connection of the pool. After an attempt of that length the pool
#: stops trying to connect; the next request begins a new attempt.
_POOL_TIMEOUT_S = 10.0
#: Wall seconds after which a transaction that waits for a connection checks the server, so that
#: people get the reason soon.
_CHECK_SERVER_AFTER_S = 1.0
#: Wall seconds for that check; without an answer, the transaction waits for the pool alone.
_CHECK_SERVER_TIMEOUT_S = 3.0

_FIND_TABLES: LiteralString = """
    SELECT EXISTS (SELECT FROM pg_class WHERE relname = 'alembic_version'
                   AND relnamespace = to_regnamespace('roost'))
"""


@contextlib.asynccontextmanager
async def _closed_if_read_only(raw: _Connection) -> AsyncIterator[None]:
    """Close a session that is read-only: it may stay so after the server accepts writes again."""
    try:
        yield
    except psycopg.errors.ReadOnlySqlTransaction:
        await raw.close()
        raise


class Queries(abc.ABC):
    """Runs the named statements of `sql/*.sql`."""

    @abc.abstractmethod
    async def run(self, name: str, /, **values: Any) -> list[dict[str, Any]]:
        """Run a named statement and return its rows; none where it returns nothing."""

    async def run_one(self, name: str, /, **values: Any) -> dict[str, Any] | None:
        """Run a named statement and return its first row, or None."""
        rows = await self.run(name, **values)
        return rows[0] if rows else None

    async def fetch_all(self, model: type[Model], name: str, /, **values: Any) -> list[Model]:
        """Run a named statement and decode its rows: a field of the model per column."""
        return msgspec.convert(await self.run(name, **values), list[model])  # type: ignore[valid-type]

    async def fetch_one(self, model: type[Model], name: str, /, **values: Any) -> Model | None:
        """Run a named statement and decode its first row, or return None."""
        row = await self.run_one(name, **values)
        return None if row is None else msgspec.convert(row, model)


class Transaction(Queries):
    """One transaction; its end commits it, an error rolls it back."""

    def __init__(self, raw: _Connection) -> None:
        self.raw = raw
        """The connection, for the job engine and for SQL without a name."""

    async def run(self, name: str, /, **values: Any) -> list[dict[str, Any]]:
        """Run a named statement and return its rows; none where it returns nothing."""
        cursor = self.raw.cursor(row_factory=dict_row)
        await cursor.execute(STATEMENTS[name], values)
        return await cursor.fetchall() if cursor.pgresult and cursor.pgresult.nfields else []


class Autocommit(Queries):
    """Runs each statement by itself in one round trip; it is committed before it answers.

    It sees no tenant's rows, except those of the tenant that a statement itself sets. A process
    that is stopped meanwhile holds no row. A connection that a restart of the server has closed is
    not replaced: the caller gets the error, since the statement may have been executed.
    """

    def __init__(self, pool: AsyncConnectionPool[_Connection]) -> None:
        self._pool = pool

    async def run(self, name: str, /, **values: Any) -> list[dict[str, Any]]:
        """Run a named statement and return its rows; none where it returns nothing."""
        async with self._pool.connection() as raw, _closed_if_read_only(raw):
            return await Transaction(raw).run(name, **values)


class Database:
    """The application's connections to one PostgreSQL database."""

    def __init__(self, conninfo: str, pool: AsyncConnectionPool[_Connection]) -> None:
        self.conninfo = conninfo
        """For what needs its own connection: locks, LISTEN, the job engine."""
        self.autocommit = Autocommit(pool)
        """Single statements, for the paths that every post takes."""
        self._pool = pool
        self._checking_server = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def for_tenant(
        self, tenant_id: TenantId, *, dedicated: bool = False
    ) -> AsyncIterator[Transaction]:
        """A transaction that sees one tenant's rows.

        `dedicated` opens a connection outside the pool, for a transaction that waits for a lock or
        for X.
        """
        opened = self._dedicated() if dedicated else self.unscoped()
        async with opened as transaction:
            await transaction.run("set_tenant", tenant=str(tenant_id))
            yield transaction

    @contextlib.asynccontextmanager
    async def unscoped(self) -> AsyncIterator[Transaction]:
        """A transaction that sees no tenant's rows: for cross-tenant functions and tables."""
        raw = await self._begin()
        try:
            # A connection of a pool commits or rolls back here, and stays open.
            async with raw, _closed_if_read_only(raw):
                yield Transaction(raw)
        finally:
            await self._pool.putconn(raw)

    @contextlib.asynccontextmanager
    async def _dedicated(self) -> AsyncIterator[Transaction]:
        async with await open_session(self.conninfo) as raw:
            await raw.execute("BEGIN")
            yield Transaction(raw)

    async def connect(self) -> _Connection:
        """A connection outside the pool, in autocommit mode; the caller closes it.

        Raises: psycopg.OperationalError, PoolerUnsupported.
        """
        return await open_checked_session(self.conninfo)

    async def _begin(self) -> _Connection:
        """A connection of the pool in a new transaction.

        BEGIN doubles as the check of the connection: one that a restart of the server has closed
        fails there, before anything was done, and is replaced.
        """
        raw = await self._get_connection()
        try:
            await raw.execute("BEGIN")
        except psycopg.OperationalError:
            await self._pool.putconn(raw)
            # The pool's other connections have most likely ended with this one.
            await self._pool.check()
        except BaseException:
            await self._pool.putconn(raw)
            raise
        else:
            return raw
        raw = await self._get_connection()
        try:
            await raw.execute("BEGIN")
        except BaseException:
            await self._pool.putconn(raw)
            raise
        return raw

    async def _get_connection(self) -> _Connection:
        """A connection of the pool.

        Raises: psycopg.OperationalError, soon and with the reason where the server is away.
        """
        try:
            return await self._pool.getconn(_CHECK_SERVER_AFTER_S)
        except PoolTimeout:
            await self._check_server()
        return await self._pool.getconn(_POOL_TIMEOUT_S - _CHECK_SERVER_AFTER_S)

    async def _check_server(self) -> None:
        """Raises: psycopg.OperationalError where the server accepts no connection.

        One check at a time: a busy pool must not open a connection for each that waits.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CHECK_SERVER_TIMEOUT_S), self._checking_server:
                await (await open_session(self.conninfo)).close()


def unavailable(reason: str, *, will_pass: bool) -> DatabaseUnavailable:
    """The error for a database that cannot be used now (`will_pass`) or with these settings."""
    error = DatabaseUnavailable(
        f"The database cannot be used: {reason}",
        next_action=NextAction(
            ActionCode.START_DATABASE if will_pass else ActionCode.CHECK_DATABASE_URL
        ),
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
        version = None
        if await _read_value(connection, _FIND_TABLES):
            version = await _read_value(connection, "SELECT version_num FROM roost.alembic_version")
        if version != HEAD:
            raise SchemaOutdated(
                f"The database's tables have version {version or 'none'}; this Roost needs {HEAD}."
            )


async def _read_value(connection: _Connection, query: LiteralString) -> Any:
    row = await (await connection.execute(query)).fetchone()
    return row[0] if row else None


def _require_safe(login: Login) -> None:
    """Raises: UnsafeDatabaseRole where the login is wrong or could bypass row-level security."""
    if not login.is_unsafe:
        return
    undoing = [each.description for each in login.excesses if each.undoes_row_security]
    if login.name != login.expected:
        also = "".join(f", which {each}" for each in undoing[:1])
        raise UnsafeDatabaseRole(
            f"Roost logs in to the database {login.database} only as {login.expected}, not as"
            f" {login.name}{also}.",
            did="Roost did not start.",
            next_action=NextAction(ActionCode.LOG_IN_AS_ROLE, {"role": login.expected}),
        )
    raise UnsafeDatabaseRole(
        f"The database login {login.name} could see every tenant's rows: it "
        + "; it ".join(undoing)
        + ".",
        did="Roost did not start.",
        next="Have an administrator of the database take that away from it.",
    )


@contextlib.asynccontextmanager
async def open_database(url: str, *, pool_size: int = 20) -> AsyncIterator[Database]:
    """Connections of the application's login, after checks of its rights and of the tables.

    Raises: DatabaseUnavailable, PoolerUnsupported, SchemaOutdated, SettingInvalid,
    UnsafeDatabaseRole.
    """
    conninfo = with_keepalives(url)
    await _refuse_unsafe(conninfo)
    pool: AsyncConnectionPool[_Connection] = AsyncConnectionPool(
        conninfo, kwargs={"autocommit": True}, min_size=0, max_size=pool_size, open=False,
        timeout=_POOL_TIMEOUT_S, reconnect_timeout=_POOL_TIMEOUT_S, configure=set_up,
    )  # fmt: skip
    async with pool:
        yield Database(conninfo, pool)
