"""PostgreSQL sessions: their settings, and the check that a pooler keeps the settings.

The settings are set by a statement after connecting. The connection parameter `options` is not
used, because poolers refuse or drop it. The statement also overrides settings of the role or the
database.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, LiteralString

import msgspec
import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.types.json import set_json_loads

from roost.errors import PoolerUnsupported
from roost.store.availability import ConnectionRefused, connect

#: The settings that every session must have. A commit is on disk before the server confirms it. All
#: timeouts of the server are off, because X's response or a new refresh token would be lost if the
#: server ended a transaction that waits for X.
REQUIRED: Final[Mapping[str, str]] = {
    "search_path": "roost,pg_temp",
    "TimeZone": "UTC",
    "default_transaction_isolation": "read committed",
    "synchronous_commit": "on",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",  # exists since PostgreSQL 17
}
#: With these settings, the server notices within 30 seconds that the client's machine is gone, and
#: frees the locks of the session.
_KEEPALIVES: Final[Mapping[str, str]] = {
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
#: With these settings, each statement is planned only once per session, because planning a long
#: statement takes time. The plans suit large tables: they find rows by an index, and not by a scan
#: of all rows.
_PLANNING: Final[Mapping[str, str]] = {
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
}

#: The statement that sets the settings. A setting that this version of PostgreSQL does not know is
#: left out. If `synchronous_commit` is `remote_apply`, it stays, because `remote_apply` is stricter
#: than `on`.
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

#: Wall seconds in which a pooler must open a second connection and respond to all statements of the
#: check.
_POOLER_TIMEOUT_S: Final = 5.0
#: The number of times that two connections through a pooler are compared. The first comparison
#: nearly always shows whether sessions are shared. More comparisons are needed for a pooler that
#: uses its server connections in turn.
_COMPARISONS: Final = 4


def with_keepalives(url: str) -> str:
    """Add keepalive options to a connection string, so that the client notices a dead server."""
    return make_conninfo(
        url, keepalives_idle=15, keepalives_interval=5, keepalives_count=3, tcp_user_timeout=30_000
    )


def _parameters(more: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the required settings and `more` as parameters of `_SET` and `_FIND_LOST`."""
    settings = {**REQUIRED, **more}
    return {"names": list(settings), "values": list(settings.values())}


async def set_up(connection: psycopg.AsyncConnection[Any]) -> None:
    """Set the settings of a new session.

    The connection must be in autocommit mode, because a rollback would undo the settings.
    """
    set_json_loads(msgspec.json.decode, connection)  # much faster than psycopg's default
    await connection.execute(_SET, _parameters({**_KEEPALIVES, **_PLANNING}))


def set_up_sync(connection: psycopg.Connection[Any], *, role: str) -> None:
    """Set the settings of a session for migrations, and the role that owns the tables.

    Raises: psycopg.errors.InvalidParameterValue (no such role), InsufficientPrivilege.
    """
    connection.execute(_SET, _parameters({"role": role, **_KEEPALIVES}))
    connection.commit()


async def open_session(conninfo: str) -> psycopg.AsyncConnection[Any]:
    """Open a connection with Roost's settings, in autocommit mode.

    Raises: psycopg.OperationalError.
    """
    connection = await psycopg.AsyncConnection.connect(conninfo, autocommit=True)
    try:
        await set_up(connection)
    except BaseException:
        await connection.close()
        raise
    return connection


async def open_checked_session(conninfo: str) -> psycopg.AsyncConnection[Any]:
    """Open a connection like `open_session`, and check that no pooler shares its session.

    Raises: PoolerUnsupported; psycopg.OperationalError if the database is away;
    availability.ConnectionRefused.
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
        # The check comes before `set_up`, because a pooler that shares sessions would give the
        # settings to other clients.
        pid = await _read_pid(connection)
        if pid != connection.info.backend_pid:
            # The ids differ, so there is a pooler, which gives its clients process ids of its own.
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
    """Raise PoolerUnsupported if the settings of a session are lost in its next statement."""
    lost = await (await connection.execute(_FIND_LOST, _parameters({}))).fetchall()
    if lost:
        names = ", ".join(name for (name,) in lost)
        raise _unsupported(
            f"the settings of a session ({names}) no longer apply in its next statement, as with a"
            " pooler in transaction mode"
        )


async def _refuse_shared(connection: psycopg.AsyncConnection[Any], conninfo: str, pid: int) -> None:
    """Raise PoolerUnsupported if a connection does not keep its server process.

    While a transaction of a second connection occupies a server process, the first connection must
    still have the process `pid`, and the two processes must differ.
    """
    try:
        async with asyncio.timeout(_POOLER_TIMEOUT_S):
            async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as other:
                for _ in range(_COMPARISONS):
                    async with _transaction(other):
                        other_pid = await _read_pid(other)
                        if other_pid == pid or await _read_pid(connection) != pid:
                            raise _unsupported(
                                "successive statements of one client run in different server"
                                " processes"
                            )
    except TimeoutError:
        raise psycopg.OperationalError(
            f"the pooler did not serve a second connection within {_POOLER_TIMEOUT_S:.0f} s"
        ) from None


@contextlib.asynccontextmanager
async def _transaction(connection: psycopg.AsyncConnection[Any]) -> AsyncIterator[None]:
    try:
        await connection.execute("BEGIN")
    except psycopg.Error as error:
        if "pooling" in str(error):
            raise _unsupported(f"the pooler allows no transactions ({error})") from None
        raise
    yield
    await connection.execute("COMMIT")


def _unsupported(observation: str) -> PoolerUnsupported:
    return PoolerUnsupported(
        f"The pooler in front of PostgreSQL does not keep sessions: {observation}."
    )
