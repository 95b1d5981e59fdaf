"""Sessions with PostgreSQL: their settings, and the check that a pooler keeps them.

Settings are set by a statement after connecting, not by `options`: a pooler refuses or drops
`options`, and a statement also overrides what an administrator has set for the role or the
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

#: A commit is on disk before it is answered. No limit of the server ends a transaction that waits
#: for X: X's response, or a new refresh token, would be lost with it.
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
#: The server notices within half a minute that the client's machine is gone, and frees its locks.
_KEEPALIVES: Final[Mapping[str, str]] = {
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
#: Statements are prepared and planned once, since some are long, and planned as for large tables:
#: each row is found by its key, never by a scan of all rows of a tenant or of a queue.
_PLANNING: Final[Mapping[str, str]] = {
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
}

#: A parameter that this version of PostgreSQL does not know is left out. `remote_apply` is stricter
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

#: Wall seconds in which a pooler must give a second connection, or answer on one.
_POOLER_TIMEOUT_S: Final = 5.0
#: How often two connections behind a pooler are compared. The first comparison nearly always shows
#: a shared session; a pooler that takes its connections in turn needs more.
_COMPARISONS: Final = 4


def with_keepalives(url: str) -> str:
    """The connection string, so that the client notices in time that the server is gone."""
    return make_conninfo(
        url, keepalives_idle=15, keepalives_interval=5, keepalives_count=3, tcp_user_timeout=30_000
    )


def _parameters(more: Mapping[str, str]) -> dict[str, list[str]]:
    """The required settings and some more, as `_SET` takes them."""
    settings = {**REQUIRED, **more}
    return {"names": list(settings), "values": list(settings.values())}


async def set_up(connection: psycopg.AsyncConnection[Any]) -> None:
    """Give a new session its settings.

    The connection is in autocommit mode: the end of a transaction would take the settings back.
    """
    await connection.execute(_SET, _parameters({**_KEEPALIVES, **_PLANNING}))


def set_up_sync(connection: psycopg.Connection[Any], *, role: str) -> None:
    """Give a session of migrations its settings, and the role that owns the tables.

    Raises: psycopg.errors.InvalidParameterValue (no such role), InsufficientPrivilege.
    """
    connection.execute(_SET, _parameters({"role": role, **_KEEPALIVES}))
    connection.commit()


async def open_session(conninfo: str) -> psycopg.AsyncConnection[Any]:
    """A connection with its settings, in autocommit mode. Raises: psycopg.OperationalError."""
    connection = await psycopg.AsyncConnection.connect(conninfo, autocommit=True)
    try:
        await set_up(connection)
    except BaseException:
        await connection.close()
        raise
    return connection


async def open_checked_session(conninfo: str) -> psycopg.AsyncConnection[Any]:
    """A connection with its settings, in autocommit mode, that is one session of the server.

    Raises: PoolerUnsupported, psycopg.OperationalError (away), away.ConnectionRefused.
    """
    try:
        connection = await connect(conninfo)
    except ConnectionRefused as error:
        if "unsupported startup parameter" in str(error):
            raise PoolerUnsupported(
                f"The pooler in front of PostgreSQL refuses a connection option: {error}",
                next="Remove `options` from DATABASE_URL and PGOPTIONS, or connect directly.",
            ) from None
        raise
    try:
        # Before anything is set: a pooler that shares sessions would share the settings too.
        pid = await _read_pid(connection)
        if pid != connection.info.backend_pid:
            # A pooler gives its clients its own process numbers.
            await _refuse_shared(connection, conninfo, pid)
        await set_up(connection)
        await _refuse_lost(connection)
    except BaseException:
        await connection.close()
        raise
    return connection


async def _read_pid(connection: psycopg.AsyncConnection[Any]) -> int:
    row = await (await connection.execute(_FIND_PID)).fetchone()
    assert row is not None
    pid: int = row[0]
    return pid


async def _refuse_lost(connection: psycopg.AsyncConnection[Any]) -> None:
    """Raises: PoolerUnsupported where the settings of one statement are gone in the next."""
    lost = await (await connection.execute(_FIND_LOST, _parameters({}))).fetchall()
    if lost:
        names = ", ".join(name for (name,) in lost)
        raise _unsupported(f"what a session sets is lost with the next statement ({names})")


async def _refuse_shared(connection: psycopg.AsyncConnection[Any], conninfo: str, pid: int) -> None:
    """Raises: PoolerUnsupported where a client does not keep its server process.

    While a second connection has a process in a transaction, the first one's process is compared.
    """
    try:
        async with asyncio.timeout(_POOLER_TIMEOUT_S):
            async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as other:
                for _ in range(_COMPARISONS):
                    async with _transaction(other):
                        other_pid = await _read_pid(other)
                        if other_pid == pid or await _read_pid(connection) != pid:
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


def _unsupported(observation: str) -> PoolerUnsupported:
    return PoolerUnsupported(
        f"The pooler in front of PostgreSQL does not keep sessions: {observation}."
    )
