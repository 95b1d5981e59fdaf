"""Sessions with PostgreSQL: the settings that each one gets, and which poolers cannot give one.

The surprise: settings are set by a statement after connecting, not by `options`. A pooler refuses
or drops `options`; a statement also overrides what an administrator has set for the role or the
database.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, LiteralString

import psycopg
from psycopg.conninfo import make_conninfo

from roost.errors import PoolerUnsupported
from roost.store.away import ConnectionRefused, connect

#: A commit is on disk before it is answered, and no limit of the server ends a transaction that
#: waits for X: an answer of X, or a new refresh token, would be lost with it.
REQUIRED: Final[Mapping[str, str]] = {
    "search_path": "roost,pg_temp",
    "TimeZone": "UTC",
    "default_transaction_isolation": "read committed",
    "synchronous_commit": "on",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",  # only from PostgreSQL 17 on
}
#: The server notices within half a minute that the client's machine is gone, locks and all.
_KEEPALIVES: Final[Mapping[str, str]] = {
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
#: Few statements, prepared and planned once: some are long. They are planned for large tables,
#: however small these are at that moment: each row by its own key, never all rows of a tenant, or
#: all that a queue has ever held.
PLANNED_BY_KEY: Final[Mapping[str, str]] = {
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
}

#: A parameter that this version of PostgreSQL does not know is left out; `remote_apply` is stricter
#: than `on` and stays.
_SET: LiteralString = """
    SELECT set_config(name, CASE WHEN name = 'synchronous_commit'
                                  AND current_setting(name) = 'remote_apply'
                                 THEN 'remote_apply' ELSE value END, false)
    FROM unnest(%(names)s::text[], %(values)s::text[]) AS wanted (name, value)
    WHERE current_setting(name, true) IS NOT NULL
"""
_FIND_LOST: LiteralString = """
    SELECT name
    FROM unnest(%(names)s::text[], %(values)s::text[]) AS wanted (name, value)
    WHERE current_setting(name, true) <> value
      AND NOT (name = 'synchronous_commit' AND current_setting(name) = 'remote_apply')
"""
_FIND_PID: LiteralString = "SELECT pg_backend_pid()"

#: Wall seconds in which a pooler has to give a second connection, or to answer on one.
_POOLER_TIMEOUT_S: Final = 5.0
#: How often two connections behind a pooler are compared; the first comparison nearly always shows
#: it, a pooler that takes turns between its connections needs more.
_COMPARISONS: Final = 4


def with_keepalives(url: str) -> str:
    """The connection string, so that the client notices in time that the server is gone."""
    return make_conninfo(
        url, keepalives_idle=15, keepalives_interval=5, keepalives_count=3, tcp_user_timeout=30_000
    )


def _wanted(more: Mapping[str, str]) -> dict[str, list[str]]:
    settings = {**REQUIRED, **more}
    return {"names": list(settings), "values": list(settings.values())}


async def set_up(
    connection: psycopg.AsyncConnection[Any], *, more: Mapping[str, str] | None = None
) -> None:
    """Give a new session its settings.

    The connection is idle before and after it; an open transaction would take the settings back.
    """
    await connection.execute(_SET, _wanted({**_KEEPALIVES, **(more or {})}))
    if not connection.autocommit:
        await connection.commit()


def set_up_sync(connection: psycopg.Connection[Any], *, role: str) -> None:
    """Give a session of migrations its settings, and the role that owns the tables.

    Raises: psycopg.errors.InvalidParameterValue (no such role), InsufficientPrivilege.
    """
    connection.execute(_SET, _wanted({"role": role, **_KEEPALIVES}))
    connection.commit()


async def open_session(conninfo: str) -> psycopg.AsyncConnection[Any]:
    """A connection with its settings, with transactions. Raises: psycopg.OperationalError."""
    connection = await psycopg.AsyncConnection.connect(conninfo)
    try:
        await set_up(connection)
    except BaseException:
        await connection.close()
        raise
    return connection


async def open_checked_session(
    conninfo: str, *, more: Mapping[str, str] | None = None
) -> psycopg.AsyncConnection[Any]:
    """A connection without transactions that has been checked to be one session of one server
    process, with its settings in force.

    Raises: PoolerUnsupported, psycopg.OperationalError (away), away.ConnectionRefused.
    """
    try:
        connection = await connect(conninfo)
    except ConnectionRefused as error:
        if "unsupported startup parameter" in str(error):
            raise PoolerUnsupported(
                f"The pooler before PostgreSQL refuses a connection option: {error}",
                next="Remove `options` from DATABASE_URL and PGOPTIONS, or connect directly.",
            ) from None
        raise
    try:
        # Before anything is set: settings that a pooler hands on would reach other clients.
        pid = await _pid(connection)
        if pid != connection.info.backend_pid:
            # A pooler gives its clients process numbers of its own.
            await _refuse_shared(connection, conninfo, pid)
        await set_up(connection, more=more)
        await _refuse_lost(connection)
    except BaseException:
        await connection.close()
        raise
    return connection


async def _pid(connection: psycopg.AsyncConnection[Any]) -> int:
    row = await (await connection.execute(_FIND_PID)).fetchone()
    assert row is not None
    pid: int = row[0]
    return pid


async def _refuse_lost(connection: psycopg.AsyncConnection[Any]) -> None:
    """Raises: PoolerUnsupported where what one statement set is not there for the next one."""
    lost = await (await connection.execute(_FIND_LOST, _wanted({}))).fetchall()
    if lost:
        names = ", ".join(name for (name,) in lost)
        raise _unsupported(f"what a session sets is lost with the next statement ({names})")


async def _refuse_shared(connection: psycopg.AsyncConnection[Any], conninfo: str, pid: int) -> None:
    """Raises: PoolerUnsupported where a client does not keep the server process that it was given.

    While a second connection holds a process in a transaction, the first is asked where it is.
    """
    try:
        async with asyncio.timeout(_POOLER_TIMEOUT_S):
            async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as other:
                for _ in range(_COMPARISONS):
                    async with _transaction(other):
                        theirs = await _pid(other)
                        if theirs == pid or await _pid(connection) != pid:
                            raise _unsupported(
                                "a client's statements are served by changing server processes"
                            )
    except TimeoutError:
        raise psycopg.OperationalError(
            f"the pooler gave no second connection within {_POOLER_TIMEOUT_S:.0f} s"
        ) from None


@contextlib.asynccontextmanager
async def _transaction(connection: psycopg.AsyncConnection[Any]) -> AsyncIterator[None]:
    try:
        await connection.execute("BEGIN")
    except psycopg.Error as error:
        if "pooling" in str(error):
            raise _unsupported(f"it allows no transactions ({error})") from None
        raise
    yield
    await connection.execute("COMMIT")


def _unsupported(seen: str) -> PoolerUnsupported:
    return PoolerUnsupported(f"The pooler before PostgreSQL does not keep sessions: {seen}.")
