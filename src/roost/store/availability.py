"""The errors that mean that the database is away, so that a later try may succeed.

The database counts as away if it cannot be reached, is starting or stopping, is read-only, has no
disk space or no free connection, has ended a session or a statement because of a limit, or if a
restore replaced tables and functions during a statement.
"""

import asyncio
from typing import Any, Final

import psycopg
from procrastinate.exceptions import ConnectorException
from psycopg.pq import PGconn, Ping

DATABASE_AWAY: Final = (
    # Classes 08 (connection), 40 and 55 (conflicts), 53 (no space, no connection), 57 (shut down,
    # starting, cancelled by a limit), 58 (files), and every timeout of psycopg's pool.
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,  # 25006, a standby too
    psycopg.errors.IdleInTransactionSessionTimeout,  # 25P03
    psycopg.errors.TransactionTimeout,  # 25P04
    # XX000: an object that a statement used was dropped during the statement ("cache lookup
    # failed", "could not open relation with OID"). Damaged data has codes that are not listed.
    psycopg.errors.InternalError_,
    ConnectorException,  # the job engine's error for all of these
)

#: Messages of a server or a pooler that accepts no connection now, but will do so later. A
#: server may send its messages in another language; then `PGconn.ping` recognizes most cases.
_LATER: Final = (
    "the database system is", "too many", "connection slots", "no more connections allowed",
    "cannot connect to server", "server login has been failing", "server conn crashed",
    "server_login_retry", "query_wait_timeout", "is not currently accepting connections",
    "terminating connection",
)  # fmt: skip
#: Wall seconds in which a server must answer a ping.
_PING_TIMEOUT_S: Final = 5
#: Tries to connect if the server answers a ping but the connection fails without a message of the
#: server: the server may have restarted between the connection and the ping.
_TRIES: Final = 3
_PAUSE_S: Final = 0.1


class ConnectionRefused(psycopg.OperationalError):
    """The server accepts connections, but not with these settings; waiting does not help."""


async def connect(
    conninfo: str, *, autocommit: bool = True, **options: Any
) -> psycopg.AsyncConnection[Any]:
    """Connect. The type of the error says whether waiting helps.

    Raises: psycopg.OperationalError (the database is away: try again), ConnectionRefused (a wrong
    password, database, user or setting).
    """
    for left in reversed(range(_TRIES)):
        try:
            return await psycopg.AsyncConnection.connect(conninfo, autocommit=autocommit, **options)
        except psycopg.OperationalError as error:
            if await _will_pass(error, conninfo):
                raise
            # The server's own messages have two spaces after their severity, in every language.
            if ":  " in str(error) or not left:
                raise ConnectionRefused(first_line(error)) from error
        await asyncio.sleep(_PAUSE_S)
    raise AssertionError("unreachable")


def first_line(error: Exception) -> str:
    """Return the first line of an error's message, without the details below it."""
    return str(error).splitlines()[0].strip() if str(error) else type(error).__name__


async def _will_pass(error: psycopg.OperationalError, conninfo: str) -> bool:
    """Whether a failed connection may succeed later without any change by a person."""
    if any(message in str(error) for message in _LATER):
        return True
    address = psycopg.conninfo.make_conninfo(conninfo, connect_timeout=_PING_TIMEOUT_S)
    status = await asyncio.to_thread(PGconn.ping, address.encode())
    return status in (Ping.REJECT, Ping.NO_RESPONSE)
