"""Who may send for an account: advisory locks, all held on one connection that does nothing else.

A session's advisory lock is re-entrant, so a set beside it keeps two tasks of this process apart.
A process that is killed frees its locks at once; nobody ever breaks a lock.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import psycopg

from roost.models import IntegrationId
from roost.store.database import Database

#: The first of an advisory lock's two keys: ours are the senders'.
_SENDER = 0x526F  # "Ro"
#: Wall seconds for the database to answer about a lock.
_PATIENCE_S = 5.0


class SenderLocks:
    """The accounts that this process may send for right now."""

    def __init__(self, database: Database, connection: psycopg.AsyncConnection[Any]) -> None:
        self._database = database
        self._connection = connection
        self._held: set[IntegrationId] = set()
        self._turn = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def try_hold(self, integration_id: IntegrationId) -> AsyncIterator[bool]:
        """Hold the account while the block runs; the block gets False where another holds it.

        Raises: psycopg.OperationalError where the locks' connection is lost: nothing may be sent.
        """
        if integration_id in self._held:
            yield False
            return
        self._held.add(integration_id)
        try:
            await self._reopen_if_lost()
            if not await self._ask("SELECT pg_try_advisory_lock(%s, %s)", integration_id):
                yield False
                return
            try:
                yield True
            finally:
                with contextlib.suppress(psycopg.OperationalError):
                    await self._ask("SELECT pg_advisory_unlock(%s, %s)", integration_id)
        finally:
            self._held.discard(integration_id)

    async def close(self) -> None:
        """Give every lock back."""
        await self._connection.close()

    async def _reopen_if_lost(self) -> None:
        """A new session holds none of the old one's locks: `still_hold` says so to their users."""
        async with self._turn:
            if self._connection.closed:
                self._connection = await self._database.connect()

    async def still_hold(self, integration_id: IntegrationId) -> bool:
        """Whether the lock's session still lives, asked of the database."""
        if integration_id not in self._held:
            return False
        try:
            return await self._ask(
                "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted"
                " AND pid = pg_backend_pid() AND classid = %s AND objid = %s)",
                integration_id,
            )
        except psycopg.OperationalError:
            return False

    async def _ask(self, question: Any, integration_id: IntegrationId) -> bool:
        # The second key is 32 bits wide: an account's number, wrapped.
        wrapped = integration_id % 2**31
        async with self._turn:
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    rows = await self._connection.execute(question, [_SENDER, wrapped])
                    row = await rows.fetchone()
            except TimeoutError:
                # Nobody answers on this connection any more: what it held is not ours to use.
                await self._connection.close()
                raise psycopg.OperationalError("the locks' connection does not answer") from None
        return bool(row and row[0])


@contextlib.asynccontextmanager
async def open_sender_locks(database: Database) -> AsyncIterator[SenderLocks]:
    """The locks of one worker process, on a connection of their own."""
    locks = SenderLocks(database, await database.connect())
    try:
        yield locks
    finally:
        await locks.close()
