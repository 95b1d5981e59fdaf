"""Connects to a database, and defines the errors that mean that the database is away.

The database counts as away if it cannot be reached, is starting or stopping, is read-only, or has
no disk space or no free connection. It also counts as away if it has ended a session or a statement
because of a limit, or if a restore replaced tables and functions during a statement.
"""

import asyncio
from typing import Any, Final

import psycopg
from procrastinate.exceptions import ConnectorException
from psycopg.pq import PGconn, Ping

DATABASE_AWAY: Final = (
    # The SQLSTATE classes 08 (connection), 40 and 55 (conflicts), 53 (no space, no connection), 57
    # (shut down, starting, cancelled by a limit) and 58 (files), and timeouts of psycopg's pool.
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,  # 25006: the server is read-only, such as a standby
    psycopg.errors.IdleInTransactionSessionTimeout,  # 25P03
    psycopg.errors.TransactionTimeout,  # 25P04
    # XX000: an object was dropped while a statement used it ("cache lookup failed", "could not open
    # relation with OID"). Errors about damaged data have other codes.
    psycopg.errors.InternalError_,
    ConnectorException,  # procrastinate, the job engine, raises it for all of these
)

#: Parts of messages of a server or a pooler that accepts no connections now, but will do so later.
#: If a server sends its messages in another language, `PGconn.ping` recognizes most cases.
_LATER: Final = (
    "the database system is", "too many", "connection slots", "no more connections allowed",
    "cannot connect to server", "server login has been failing", "server conn crashed",
    "server_login_retry", "query_wait_timeout", "is not currently accepting connections",
    "terminating connection",
)  # fmt: skip
#: Wall seconds in which a server must respond to a ping.
_PING_TIMEOUT_S: Final = 5
#: Maximum number of tries to connect, if the connection fails without a message of the server but
#: the server then responds to a ping. The server may have restarted between the two.
_TRIES: Final = 3
_PAUSE_S: Final = 0.1


class ConnectionRefused(psycopg.OperationalError):
    """The server accepts connections, but not with these settings; waiting does not help."""


async def connect(
    conninfo: str, *, autocommit: bool = True, **options: Any
) -> psycopg.AsyncConnection[Any]:
    """Connect to a database. The type of the error shows whether it helps to wait.

    Raises: psycopg.OperationalError if the database is away; ConnectionRefused for a wrong
    password, database, user or setting.
    """
    for left in reversed(range(_TRIES)):
        try:
            return await psycopg.AsyncConnection.connect(conninfo, autocommit=autocommit, **options)
        except psycopg.OperationalError as error:
            if await _will_pass(error, conninfo):
                raise
            # A message of the server has two spaces after its severity, in every language. Such a
            # message, which is not in `_LATER`, means a lasting problem.
            if ":  " in str(error) or not left:
                raise ConnectionRefused(first_line(error)) from error
        await asyncio.sleep(_PAUSE_S)
    raise AssertionError("unreachable")


def first_line(error: Exception) -> str:
    """Return the first line of an error's message, without the details below it.

    For a failed connection, this is PostgreSQL's own message, without what psycopg adds before it.
    """
    if not str(error):
        return type(error).__name__
    line = str(error).splitlines()[0]
    return line.removeprefix("connection failed: ").removeprefix("connection is bad: ").strip()


async def _will_pass(error: psycopg.OperationalError, conninfo: str) -> bool:
    """Whether a connection that failed may succeed later without any change by a person."""
    if any(message in str(error) for message in _LATER):
        return True
    address = psycopg.conninfo.make_conninfo(conninfo, connect_timeout=_PING_TIMEOUT_S)
    status = await asyncio.to_thread(PGconn.ping, address.encode())
    return status in (Ping.REJECT, Ping.NO_RESPONSE)
