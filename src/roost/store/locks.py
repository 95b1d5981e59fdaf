"""Who may send for an account: advisory locks, all held on one connection that does nothing else.

A session's advisory lock is re-entrant, so a set beside it keeps two tasks of this process apart.
A process that is killed frees its locks at once; nobody ever breaks a lock. What is done under a
lock is finished even where its caller is cancelled: an answer of X is not dropped half way.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Collection, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import Any

import psycopg

from roost.models import IntegrationId, PostId
from roost.store.database import DATABASE_AWAY, Database, Statements
from roost.store.statements import STATEMENTS

log = logging.getLogger(__name__)

#: Wall seconds for the database to answer about a lock.
_PATIENCE_S = 5.0


class _Kind(IntEnum):
    """The first of an advisory lock's two keys."""

    SENDER = 0x526F
    """The account that posts are sent for."""
    UPLOADER = 0x5275
    """The post whose files are brought to X."""


def _key(number: int) -> int:
    """The second key is 32 bits wide: a number, wrapped."""
    return number % 2**31


@dataclass(frozen=True, slots=True)
class Silent:
    """A process that keeps accounts for itself and gives no sign of life."""

    who: str
    accounts: tuple[IntegrationId, ...]


async def find_silent(
    transaction: Statements, accounts: Collection[IntegrationId], *, within: timedelta
) -> list[Silent]:
    """Who keeps some of these accounts and has given no sign of life for so long (wall time)."""
    rows = await transaction.run("silent_senders", sender=int(_Kind.SENDER), within=within)
    kept: dict[str, set[int]] = {}
    for row in rows:
        kept.setdefault(row["who"], set()).add(row["account"])
    return [
        Silent(who, tuple(one for one in accounts if _key(one) in keys))
        for who, keys in kept.items()
    ]


class SenderLocks:
    """The accounts that this process may send for right now, and the posts it uploads for."""

    def __init__(self, database: Database, connection: psycopg.AsyncConnection[Any]) -> None:
        self.is_ending = False
        """Somebody has asked this process to end: what is under way is finished, and no more."""
        self._database = database
        self._connection = connection
        self._held: set[tuple[_Kind, int]] = set()
        self._turn = asyncio.Lock()
        self._at_work: set[asyncio.Task[None]] = set()

    async def finish(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something under locks to its end, whatever becomes of the caller meanwhile."""
        task = asyncio.ensure_future(work)
        self._at_work.add(task)
        task.add_done_callback(self._done)
        await asyncio.shield(task)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._at_work.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Its caller, if it still waits, gets the same.
            log.warning("what was done under a lock ended with %s", type(error).__name__)

    async def take(self, integration_id: IntegrationId) -> bool:
        """Become the account's only sender; False where somebody is.

        Raises: psycopg.OperationalError where the locks' connection is lost: nothing may be sent.
        """
        return await self._take(_Kind.SENDER, integration_id)

    async def give_back(self, integration_id: IntegrationId, besides: Collection[PostId]) -> bool:
        """Let others send for the account; whether it has posts left that could be taken up.

        Whoever found the account taken has left those to us.
        """
        try:
            rows = await self._ask(
                f"SELECT pg_advisory_unlock(%(kind)s, %(key)s), ({STATEMENTS['has_publishing']})",
                _Kind.SENDER,
                integration_id,
                integration=integration_id,
                besides=list(besides),
            )
        except psycopg.OperationalError:
            # The session is gone, and its locks with it; the sweep finds what is left.
            return False
        finally:
            self._held.discard((_Kind.SENDER, integration_id))
        return bool(rows[1])

    async def still_hold(self, integration_id: IntegrationId) -> bool:
        """Whether the lock's session still lives, asked of the database."""
        if (_Kind.SENDER, integration_id) not in self._held:
            return False
        try:
            (granted,) = await self._ask(
                "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted"
                " AND pid = pg_backend_pid() AND classid = %(kind)s AND objid = %(key)s)",
                _Kind.SENDER,
                integration_id,
            )
        except psycopg.OperationalError:
            return False
        return bool(granted)

    @contextlib.asynccontextmanager
    async def uploading(self, post_id: PostId) -> AsyncIterator[bool]:
        """Be the only one who brings this post's files to X; the block gets False where one is."""
        if not await self._take(_Kind.UPLOADER, post_id):
            yield False
            return
        try:
            yield True
        finally:
            self._held.discard((_Kind.UPLOADER, post_id))
            with contextlib.suppress(psycopg.OperationalError):
                await self._ask(
                    "SELECT pg_advisory_unlock(%(kind)s, %(key)s)", _Kind.UPLOADER, post_id
                )

    async def give_sign(self, who: str) -> None:
        """Let the session's name tell whose it is, and that its process lives: a process that is
        stopped keeps its locks, and `find_silent` finds it by this."""
        if not self._connection.closed:
            await self._run(
                "SELECT set_config('application_name', concat_ws(' ', 'roost',"
                " floor(extract(epoch FROM clock_timestamp()))::bigint, %(who)s::text), false)",
                {"who": who},
            )

    async def close(self, patience_s: float) -> None:
        """Wait so long for what is under way, then give every lock back."""
        self.is_ending = True
        if self._at_work:
            await asyncio.wait(self._at_work, timeout=patience_s)
        for task in self._at_work:
            task.cancel()
        await asyncio.gather(*self._at_work, return_exceptions=True)
        await self._connection.close()

    async def _take(self, kind: _Kind, number: int) -> bool:
        if (kind, number) in self._held:
            return False
        self._held.add((kind, number))
        taken = False
        try:
            await self._reopen_if_lost()
            (taken,) = await self._ask(
                "SELECT pg_try_advisory_lock(%(kind)s, %(key)s)", kind, number
            )
        finally:
            if not taken:
                self._held.discard((kind, number))
        return bool(taken)

    async def _reopen_if_lost(self) -> None:
        """A new session holds none of the old one's locks: `still_hold` says so to their users."""
        async with self._turn:
            if self._connection.closed:
                try:
                    self._connection = await self._database.connect()
                except DATABASE_AWAY as error:
                    raise psycopg.OperationalError("the database cannot be reached") from error

    async def _ask(self, question: Any, kind: _Kind, number: int, **values: Any) -> Any:
        return await self._run(question, {"kind": int(kind), "key": _key(number)} | values)

    async def _run(self, question: Any, values: dict[str, Any]) -> Any:
        async with self._turn:
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    rows = await self._connection.execute(question, values)
                    return await rows.fetchone()
            except TimeoutError:
                # Nobody answers on this connection any more: what it held is not ours to use.
                await self._connection.close()
                raise psycopg.OperationalError("the locks' connection does not answer") from None
            except psycopg.OperationalError:
                await self._connection.close()
                raise


@contextlib.asynccontextmanager
async def open_sender_locks(
    database: Database, *, patience_s: float = 30.0
) -> AsyncIterator[SenderLocks]:
    """The locks of one worker process, on a connection of their own.

    At the end, what is under way has so long to be finished.
    """
    locks = SenderLocks(database, await database.connect())
    try:
        yield locks
    finally:
        await locks.close(patience_s)
