"""The errors of a database that is away: one list, for everything that retries.

Away means: it cannot be reached, it starts or stops, it is read-only, it has no space or no free
connection, it has ended a session or a statement because of a limit, or a restore replaced tables
and functions during a statement.
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
    # XX000: an object that a statement used was dropped meanwhile ("cache lookup failed",
    # "could not open relation with OID"). Damaged data has other codes, not in this list.
    psycopg.errors.InternalError_,
    ConnectorException,  # the job engine's error for all of these
)

#: Messages of a server or a pooler that accepts no connection now, and will later. A server may
#: have its messages in another language; `PGconn.ping` recognizes most of those cases.
_LATER: Final = (
    "the database system is", "too many", "connection slots", "no more connections allowed",
    "cannot connect to server", "server login has been failing", "server conn crashed",
    "server_login_retry", "query_wait_timeout", "is not currently accepting connections",
    "terminating connection",
)  # fmt: skip
#: Wall seconds in which a server must answer a ping.
_PING_TIMEOUT_S: Final = 5
#: Tries to connect while the server answers pings but the connection fails without its message:
#: the server may have restarted between the two.
_TRIES: Final = 3
_PAUSE_S: Final = 0.1


class ConnectionRefused(psycopg.OperationalError):
    """The server accepts connections, but not this one; waiting does not help."""


async def connect(
    conninfo: str, *, autocommit: bool = True, **options: Any
) -> psycopg.AsyncConnection[Any]:
    """Connect so that the error says whether waiting helps.

    Raises: psycopg.OperationalError (away: try again), ConnectionRefused (a wrong password, no
    such database, no such user, a setting that does not fit).
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
    """The first line of an error's message, without details."""
    return str(error).splitlines()[0].strip() if str(error) else type(error).__name__


async def _will_pass(error: psycopg.OperationalError, conninfo: str) -> bool:
    """Whether a failed connection may succeed later without any change by a person."""
    if any(message in str(error) for message in _LATER):
        return True
    address = psycopg.conninfo.make_conninfo(conninfo, connect_timeout=_PING_TIMEOUT_S)
    status = await asyncio.to_thread(PGconn.ping, address.encode())
    return status in (Ping.REJECT, Ping.NO_RESPONSE)
