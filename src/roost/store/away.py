"""What it looks like when the database is away: one list, for everything that tries again.

Away means: it cannot be reached, it starts or stops, it takes no writes, it has no room or no free
connection, it has ended a session or a statement by a limit of its own, or a restore replaced
tables and functions during a statement.
"""

import asyncio
from typing import Any, Final

import psycopg
from procrastinate.exceptions import ConnectorException
from psycopg.pq import PGconn, Ping
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import TimeoutError as EnginePoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

#: SQLAlchemy's wrappers are not among them: `raise_own_errors` keeps them from being raised.
DATABASE_AWAY: Final = (
    # Classes 08 (connection), 40 and 55 (in each other's way), 53 (no room, no connection), 57
    # (shut down, starting, cancelled by a limit), 58 (files), and every time-out of psycopg's pool.
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,  # 25006, a standby too
    psycopg.errors.IdleInTransactionSessionTimeout,  # 25P03
    psycopg.errors.TransactionTimeout,  # 25P04
    # XX000: what a statement used was dropped meanwhile ("cache lookup failed", "could not open
    # relation with OID"). Data that are damaged have codes of their own and are not in this list.
    psycopg.errors.InternalError_,
    EnginePoolTimeout,
    ConnectorException,  # the job engine's word for all of these
)

#: Messages of a server or a pooler that takes no connection now, and will later. A server may word
#: its own in another language; by then `PGconn.ping` has shown most of them.
_LATER: Final = (
    "the database system is", "too many", "connection slots", "no more connections allowed",
    "cannot connect to server", "server login has been failing", "server conn crashed",
    "server_login_retry", "query_wait_timeout", "is not currently accepting connections",
    "terminating connection",
)  # fmt: skip
#: Wall seconds that a server has to answer a ping.
_PING_TIMEOUT_S: Final = 5
#: A failure that looks like the client's own (no answer, a cut) is tried again so often while the
#: server says that it accepts connections: it may have restarted between the two.
_TRIES: Final = 3
_PAUSE_S: Final = 0.1


class ConnectionRefused(psycopg.OperationalError):
    """The server accepts connections, but not this one; at a start, waiting does not help."""


def raise_own_errors(engine: AsyncEngine) -> None:
    """Let an engine raise psycopg's errors of `DATABASE_AWAY` as they are, without a wrapper.

    SQLAlchemy wraps by the base class alone (`InternalError` for a read-only server), so no
    `except` clause could name what the wrapper holds.
    """

    def unwrap(context: ExceptionContext) -> BaseException | None:
        error = context.original_exception
        if context.is_pre_ping or not isinstance(error, DATABASE_AWAY):
            return None  # The pool opens another connection where its ping fails.
        return type(error)(*error.args)

    event.listen(engine.sync_engine, "handle_error", unwrap, retval=True)


async def connect(
    conninfo: str, *, autocommit: bool = True, **options: Any
) -> psycopg.AsyncConnection[Any]:
    """Connect for the first time, so that a failure says whether waiting helps.

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
    """What an error says, without its details."""
    return str(error).splitlines()[0].strip() if str(error) else type(error).__name__


async def _will_pass(error: psycopg.OperationalError, conninfo: str) -> bool:
    """Whether a connection that failed may succeed later, with nothing changed by a person."""
    if any(words in str(error) for words in _LATER):
        return True
    pinged = psycopg.conninfo.make_conninfo(conninfo, connect_timeout=_PING_TIMEOUT_S)
    found = await asyncio.to_thread(PGconn.ping, pinged.encode())
    return found in (Ping.REJECT, Ping.NO_RESPONSE)
