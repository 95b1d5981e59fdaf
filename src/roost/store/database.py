"""Connections and transactions: one tenant's rows at a time, or the few cross-tenant functions.

The surprise: whoever `DATABASE_URL` names, every connection becomes `roost_app` at once, so that
row-level security holds; a role that could bypass it is refused.
"""

import abc
import contextlib
from collections.abc import AsyncIterator
from typing import Any, LiteralString, cast

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout
from sqlalchemy import NullPool
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from roost.errors import DatabaseUnavailable, SchemaOutdated, UnsafeDatabaseRole
from roost.models import TenantId
from roost.store.schema import HEAD
from roost.store.statements import STATEMENTS

#: How a database that cannot be reached shows, in each library's words.
DATABASE_AWAY = (
    psycopg.OperationalError, psycopg.InterfaceError, OperationalError, InterfaceError,
    PoolExhausted, PoolTimeout, PoolClosed,
)  # fmt: skip

#: Wall seconds to wait for a connection of the pool.
_POOL_PATIENCE_S = 10.0

_SAFETY: LiteralString = """
    SELECT current_user AS role, rolsuper OR rolbypassrls AS bypasses,
           EXISTS (SELECT FROM pg_tables WHERE schemaname = 'roost' AND tableowner = current_user)
               AS owns,
           to_regclass('roost.alembic_version') IS NOT NULL AS migrated
    FROM pg_roles WHERE rolname = current_user
"""


def as_role(url: str, role: str) -> str:
    """The connection string with the role, the schema and UTC set from the first moment."""
    given = conninfo_to_dict(url)
    options = f"{given.get('options') or ''} -c role={role} -c search_path=roost,pg_temp"
    # Both ends notice within half a minute that the other machine is gone, locks and all.
    options += " -c TimeZone=UTC -c tcp_keepalives_idle=15 -c tcp_keepalives_interval=5"
    return make_conninfo(
        url,
        options=f"{options} -c tcp_keepalives_count=3".strip(),
        keepalives_idle=15,
        keepalives_interval=5,
        keepalives_count=3,
        tcp_user_timeout=30_000,
    )


def planned_by_key(conninfo: str) -> str:
    """The same connection for a few statements, prepared and planned once: some are long.

    They are planned for large tables, however small these are at that moment: each row by its own
    key, never all rows of a tenant, or all that a queue has ever held.
    """
    return make_conninfo(
        conninfo,
        options=f"{conninfo_to_dict(conninfo).get('options') or ''}"
        " -c plan_cache_mode=force_generic_plan -c jit=off"
        " -c enable_seqscan=off -c enable_bitmapscan=off",
    )


async def _rows(cursor: psycopg.AsyncCursor[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a statement has returned, if it returns anything."""
    return await cursor.fetchall() if cursor.pgresult and cursor.pgresult.nfields else []


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
        async with self._pool.connection() as raw:
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
        yield Transaction(sql, raw)


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
        async with self.house() as transaction:
            await transaction.run("see_tenant", tenant=str(tenant_id))
            yield transaction

    @contextlib.asynccontextmanager
    async def tenant_apart(self, tenant_id: TenantId) -> AsyncIterator[Transaction]:
        """The same on a connection outside the pool: for what waits for somebody else."""
        async with _begin(self._apart) as transaction:
            await transaction.run("see_tenant", tenant=str(tenant_id))
            yield transaction

    @contextlib.asynccontextmanager
    async def house(self) -> AsyncIterator[Transaction]:
        """A transaction that sees no tenant's rows: for the cross-tenant functions alone."""
        async with _begin(self._engine) as transaction:
            yield transaction

    @contextlib.asynccontextmanager
    async def statements(self, tenant_id: TenantId | None) -> AsyncIterator[Statements]:
        """A transaction of named statements alone, without SQLAlchemy's share.

        Without a tenant it sees no tenant's rows.
        """
        async with self._pool.connection() as raw, raw.transaction():
            statements = Statements(raw)
            if tenant_id is not None:
                await statements.run("see_tenant", tenant=str(tenant_id))
            yield statements

    async def connect(self) -> psycopg.AsyncConnection[Any]:
        """A connection outside the pool, without transactions; its holder closes it."""
        return await psycopg.AsyncConnection.connect(planned_by_key(self.conninfo), autocommit=True)


async def _refuse_unsafe(conninfo: str) -> None:
    try:
        connection = await psycopg.AsyncConnection.connect(conninfo, row_factory=dict_row)
    except psycopg.OperationalError as error:
        reason = str(error).splitlines()[0].strip()
        if 'role "roost_app" does not exist' in str(error):
            raise SchemaOutdated("The database has no Roost in it yet.") from None
        raise DatabaseUnavailable(
            f"The database cannot be used: {reason}",
            next="See that PostgreSQL runs at DATABASE_URL, then `roost doctor`.",
        ) from None
    async with connection:
        row = await (await connection.execute(_SAFETY)).fetchone()
        assert row is not None
        if row["bypasses"] or row["owns"]:
            raise UnsafeDatabaseRole(
                f"The database role {row['role']} could see every tenant's rows"
                " (superuser, BYPASSRLS or owner of the tables).",
                did="Roost did not start.",
                next="Run `roost init`; it makes the role roost_app.",
            )
        found = None
        if row["migrated"]:
            version = await connection.execute("SELECT version_num FROM roost.alembic_version")
            found = (await version.fetchone() or {}).get("version_num")
        if found != HEAD:
            raise SchemaOutdated(
                f"The database's tables are of version {found or 'none'}, this Roost needs {HEAD}."
            )


@contextlib.asynccontextmanager
async def open_database(url: str, *, pool_size: int = 10) -> AsyncIterator[Database]:
    """Connections as `roost_app`, checked to be harmless and to find this version's tables.

    Raises: DatabaseUnavailable, SchemaOutdated, UnsafeDatabaseRole.
    """
    conninfo = as_role(url, "roost_app")
    await _refuse_unsafe(conninfo)

    async def connect() -> psycopg.AsyncConnection[Any]:
        return await psycopg.AsyncConnection.connect(conninfo)

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
    pool: AsyncConnectionPool[psycopg.AsyncConnection[Any]] = AsyncConnectionPool(
        planned_by_key(conninfo), kwargs={"autocommit": True}, min_size=0, max_size=pool_size,
        open=False, timeout=_POOL_PATIENCE_S,
    )  # fmt: skip
    try:
        async with pool:
            yield Database(conninfo, engine, apart, pool)
    finally:
        await engine.dispose()
        await apart.dispose()
