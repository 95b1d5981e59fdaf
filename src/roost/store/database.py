"""Transactions on a connection pool; each transaction sees the rows of one tenant or none.

Row-level security separates tenants only if no session can bypass it. Every session therefore logs
in as `<database>_app`. Roost does not start with another login, or if this login can bypass
row-level security.
"""

import abc
import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, LiteralString, TypeVar

import msgspec
import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from roost import changes
from roost.errors import DatabaseUnavailable, NotSetUp, SchemaOutdated, UnsafeDatabaseRole
from roost.models import TenantId
from roost.next_actions import ActionCode, NextAction
from roost.store.availability import DATABASE_AWAY, ConnectionRefused, first_line
from roost.store.migrations import HEAD
from roost.store.privileges import Login, find_login
from roost.store.session import open_checked_session, open_session, set_up, with_keepalives
from roost.store.statements import STATEMENTS

__all__ = ["DATABASE_AWAY", "Autocommit", "Database", "Queries", "Transaction", "open_database"]

Model = TypeVar("Model")
_Connection = psycopg.AsyncConnection[Any]

#: Maximum wall seconds to wait for a connection of the pool. The pool tries to connect for this
#: time and then stops, until the next request for a connection.
_POOL_TIMEOUT_S = 10.0
#: Wall seconds after which a transaction that waits for a connection checks the server, so that
#: the user soon gets an error with the reason.
_CHECK_SERVER_AFTER_S = 1.0
#: Maximum wall seconds for the check of the server. If the server does not respond in this time,
#: the transaction continues to wait for a connection of the pool.
_CHECK_SERVER_TIMEOUT_S = 3.0

_FIND_TABLES: LiteralString = """
    SELECT EXISTS (SELECT FROM pg_class WHERE relname = 'alembic_version'
                   AND relnamespace = to_regnamespace('roost'))
"""


#: The transaction's id, which PostgreSQL assigns at the first write; NULL: nothing was written.
_FIND_WRITE: LiteralString = "SELECT pg_current_xact_id_if_assigned()"
#: Of the statements that run outside a transaction, those that only read.
_READS = frozenset({"get_x_user_id", "has_event", "read_wall_clock", "read_watermark"})


async def _record_change(raw: _Connection) -> None:
    """If the open transaction has written anything, record that Roost has made a change.

    The check costs a round trip, but only until the command or web request has made its first
    change.
    """
    is_open = raw.info.transaction_status is TransactionStatus.INTRANS
    if changes.is_unchanged() and is_open and await _read_value(raw, _FIND_WRITE) is not None:
        changes.record()


@contextlib.asynccontextmanager
async def _closed_if_read_only(raw: _Connection) -> AsyncIterator[None]:
    """Close the connection after an error that says that its session is read-only.

    Such a session may stay read-only even after the server accepts writes again.
    """
    try:
        yield
    except psycopg.errors.ReadOnlySqlTransaction:
        await raw.close()
        raise


class Queries(abc.ABC):
    """Runs the SQL statements that `sql/*.sql` define, by their names."""

    @abc.abstractmethod
    async def run(self, name: str, /, **values: Any) -> list[dict[str, Any]]:
        """Run a named statement and return its rows; a statement without a result returns []."""

    async def run_one(self, name: str, /, **values: Any) -> dict[str, Any] | None:
        """Run a named statement and return its first row, or None."""
        rows = await self.run(name, **values)
        return rows[0] if rows else None

    async def fetch_all(self, model: type[Model], name: str, /, **values: Any) -> list[Model]:
        """Run a named statement; decode each row to `model`, a type with a field per column."""
        return msgspec.convert(await self.run(name, **values), list[model])  # type: ignore[valid-type]

    async def fetch_one(self, model: type[Model], name: str, /, **values: Any) -> Model | None:
        """Run a named statement and decode its first row; return None if there is no row."""
        row = await self.run_one(name, **values)
        return None if row is None else msgspec.convert(row, model)


class Transaction(Queries):
    """One open transaction, which is committed at the end of its block.

    An error in the block rolls the transaction back.
    """

    def __init__(self, raw: _Connection) -> None:
        self.raw = raw
        """The psycopg connection, for the job engine and for SQL that is not in `sql/*.sql`."""

    async def run(self, name: str, /, **values: Any) -> list[dict[str, Any]]:
        """Run a named statement and return its rows; a statement without a result returns []."""
        cursor = self.raw.cursor(row_factory=dict_row)
        await cursor.execute(STATEMENTS[name], values)
        return await cursor.fetchall() if cursor.pgresult and cursor.pgresult.nfields else []


class Autocommit(Queries):
    """Runs each statement as its own transaction, which is committed before `run` returns.

    A statement sees no tenant's rows, unless the statement itself sets a tenant. If the process is
    stopped during a statement, no row stays locked. If the connection is lost during a statement,
    the caller gets the error: the statement is not retried, because it may have been executed.
    """

    def __init__(self, pool: AsyncConnectionPool[_Connection]) -> None:
        self._pool = pool

    async def run(self, name: str, /, **values: Any) -> list[dict[str, Any]]:
        """Run a named statement and return its rows; a statement without a result returns []."""
        if name not in _READS:
            changes.record()
        # `AsyncConnectionPool.connection` would also commit, but no transaction is open here.
        raw = await self._pool.getconn()
        try:
            async with _closed_if_read_only(raw):
                return await Transaction(raw).run(name, **values)
        finally:
            await self._pool.putconn(raw)


class Database:
    """The application's connections to one PostgreSQL database."""

    def __init__(self, conninfo: str, pool: AsyncConnectionPool[_Connection]) -> None:
        self.conninfo = conninfo
        """The connection string. Locks, LISTEN and the job engine open their own connections."""
        self.autocommit = Autocommit(pool)
        """Runs single statements, each in one round trip, for frequent steps of publishing."""
        self._pool = pool
        self._checking_server = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def for_tenant(
        self, tenant_id: TenantId, *, dedicated: bool = False
    ) -> AsyncIterator[Transaction]:
        """Open a transaction that sees one tenant's rows.

        `dedicated` opens a connection outside the pool, so that a transaction that waits for a lock
        or for X does not occupy a connection of the pool.
        """
        opened = self._dedicated() if dedicated else self.unscoped()
        async with opened as transaction:
            await transaction.run("set_tenant", tenant=str(tenant_id))
            yield transaction

    @contextlib.asynccontextmanager
    async def unscoped(self) -> AsyncIterator[Transaction]:
        """Open a transaction that sees no tenant's rows, for tables that all tenants share."""
        raw = await self._begin()
        try:
            # At the end of `async with`, a pooled connection commits or rolls back, and stays open.
            async with raw, _closed_if_read_only(raw):
                yield Transaction(raw)
                await _record_change(raw)
        finally:
            await self._pool.putconn(raw)

    @contextlib.asynccontextmanager
    async def _dedicated(self) -> AsyncIterator[Transaction]:
        async with await open_session(self.conninfo) as raw:
            await raw.execute("BEGIN")
            yield Transaction(raw)
            await _record_change(raw)

    async def connect(self) -> _Connection:
        """Open a connection outside the pool, in autocommit mode; the caller closes it.

        Raises: psycopg.OperationalError, PoolerUnsupported.
        """
        return await open_checked_session(self.conninfo)

    async def _begin(self) -> _Connection:
        """Return a connection of the pool with a new transaction.

        BEGIN also checks the connection. If a restart of the server has closed the connection,
        BEGIN fails before anything was done, and another connection is used.
        """
        raw = await self._get_connection()
        try:
            await raw.execute("BEGIN")
        except psycopg.OperationalError:
            await self._pool.putconn(raw)
            # Whatever closed this connection has probably closed the pool's other connections too.
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
        """Return a connection of the pool.

        Raises: psycopg.OperationalError. If the server refuses connections, the error is raised
        after about a second, not after the pool's timeout, and contains the server's reason.
        """
        try:
            return await self._pool.getconn(_CHECK_SERVER_AFTER_S)
        except PoolTimeout:
            await self._check_server()
        return await self._pool.getconn(_POOL_TIMEOUT_S - _CHECK_SERVER_AFTER_S)

    async def _check_server(self) -> None:
        """Raise psycopg.OperationalError if the server accepts no connection.

        Only one check runs at a time. Otherwise, if the pool is busy, each task that waits for a
        connection would open another connection.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CHECK_SERVER_TIMEOUT_S), self._checking_server:
                await (await open_session(self.conninfo)).close()


def unavailable(reason: str, *, will_pass: bool) -> DatabaseUnavailable:
    """Return the error for an unusable database; `will_pass` says whether waiting may help.

    `reason` is PostgreSQL's message.
    """
    problem = "does not accept connections now" if will_pass else "refuses the connection"
    error = DatabaseUnavailable(
        f"The database {problem}. PostgreSQL reports: {reason}",
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
        if version is None:
            raise NotSetUp("Roost is not set up in this database yet: it has no tables of Roost.")
        if version != HEAD:
            raise SchemaOutdated(
                f"The database's tables have version {version}, but this version of Roost needs"
                f" {HEAD}."
            )


async def _read_value(connection: _Connection, query: LiteralString) -> Any:
    row = await (await connection.execute(query)).fetchone()
    return row[0] if row else None


def _require_safe(login: Login) -> None:
    """Raise UnsafeDatabaseRole if the login is wrong or could bypass row-level security."""
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
        next=f"Ask a database administrator to revoke these privileges from {login.name}.",
    )


@contextlib.asynccontextmanager
async def open_database(url: str, *, pool_size: int = 20) -> AsyncIterator[Database]:
    """Check the login's rights and the version of the tables, and open a pool of connections.

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
