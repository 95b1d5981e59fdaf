"""Per-account advisory locks, so that only one task of one worker sends for each X user.

One dedicated connection of a worker holds all locks of the worker. The key of a lock is derived
from X's user id, so two tenants that have connected the same account share one lock. PostgreSQL
grants a lock again to a session that already holds it; a dict of the locks therefore excludes other
tasks of the same process. If a process is killed, its locks are free at once; a lock is never taken
from a live process. Work under a lock is finished even if its caller is cancelled, so that no
response of X is lost.
"""

import asyncio
import contextlib
import logging
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from roost.models import Environment, Integration, IntegrationId, PartId, PostId, TenantId, XUserId
from roost.store.database import Database, Queries
from roost.store.lock_session import LockKind, LockSession, connect_when_back

log = logging.getLogger(__name__)


def user_key(x_user_id: XUserId) -> int:
    """Return the second key of the lock of an X user: a 32-bit hash of the user's id.

    If two users have the same hash, posts are sent for only one of them at a time.
    """
    return zlib.crc32(x_user_id.encode()) % 2**31


@dataclass(frozen=True, slots=True)
class Fence:
    """The last event that this process has seen.

    An attempt begins only if the database still has this event.
    """

    event_id: int
    event_tag: int
    """A random number of the event, because a restored database may give the same id to another
    event."""
    timeline: str
    """The database's timeline at that event; a failover and a recovery change the timeline."""


@dataclass(frozen=True, slots=True)
class StaleHolder:
    """A worker that holds account locks but no longer sends heartbeats."""

    worker: str
    accounts: tuple[IntegrationId, ...]


async def find_stale_holders(
    transaction: Queries, accounts: Collection[Integration], *, within: timedelta
) -> list[StaleHolder]:
    """Return workers that hold account locks but have sent no heartbeat for `within`.

    Each result names a worker and those of `accounts` whose locks the worker holds.
    """
    rows = await transaction.run(
        "list_stale_holders", lock_kind=int(LockKind.SENDER), within=within
    )
    held: dict[str, set[int]] = {}
    for row in rows:
        held.setdefault(row["worker"], set()).add(row["key"])
    return [
        StaleHolder(worker, tuple(each.id for each in accounts if user_key(each.x_user_id) in keys))
        for worker, keys in held.items()
    ]


class AccountLocks:
    """The locks of this process, for sending an account's posts and uploading a post's files."""

    def __init__(
        self,
        database: Database,
        connection: psycopg.AsyncConnection[Any],
        on_reopen: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.is_ending = False
        """Whether the process is stopping: it completes work in progress and begins nothing new."""
        self.closed_because: str | None = None
        """Why this process must not begin an attempt at present; None if it may."""
        self.closed, self.opened = asyncio.Event(), asyncio.Event()
        self.opened.set()
        self.fence: Fence | None = None
        self.sending: set[tuple[TenantId, PostId]] = set()
        """The posts for which this process has a request to X in progress."""
        self.searched: set[tuple[datetime, PartId]] = set()
        """The parts that this process has searched for on X after a restore, each with `until` of
        the recheck."""
        self._on_reopen = on_reopen
        self._users: dict[IntegrationId, XUserId] = {}
        self._database = database
        self._session = LockSession(database, connection, self._check_reopened)
        self._held: dict[tuple[LockKind, int], tuple[int, int] | None] = {}
        """For each lock, the session that holds it; None while the lock is being acquired."""
        self._shielded: set[asyncio.Task[None]] = set()

    async def shield(self, work: Coroutine[Any, Any, None]) -> None:
        """Run work under a lock to its end, even if the caller is cancelled."""
        task = asyncio.ensure_future(work)
        self._shielded.add(task)
        task.add_done_callback(self._on_done)
        await asyncio.shield(task)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._shielded.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # The error is logged for a caller that was cancelled; any other caller gets the error.
            log.warning("work under a lock failed with %s", type(error).__name__)

    @property
    def may_begin(self) -> bool:
        """Whether this process may begin another step."""
        return not self.is_ending and self.closed_because is None

    def close_gate(self, reason: str) -> None:
        """Begin no attempt until `open_gate` is called; work in progress is completed."""
        self.closed_because = reason
        self.opened.clear()
        self.closed.set()

    def open_gate(self) -> None:
        """Allow attempts again."""
        self.closed_because = None
        self.closed.clear()
        self.opened.set()

    async def find_user(
        self, tenant_id: TenantId, integration_id: IntegrationId, environment: Environment
    ) -> XUserId | None:
        """Return the X user id of an account; each id is read from the database only once.

        Return None if the tenant has no such account in this environment.
        """
        if (known := self._users.get(integration_id)) is not None:
            return known
        row = await self._database.autocommit.run_one(
            "get_x_user_id", tenant=tenant_id, integration=integration_id, environment=environment
        )
        if row is None or row["x_user_id"] is None:
            return None
        self._users[integration_id] = XUserId(row["x_user_id"])
        return self._users[integration_id]

    async def acquire(self, x_user_id: XUserId) -> bool:
        """Acquire the lock of an X user. Return False if another task or process holds the lock.

        Raises: psycopg.OperationalError if the connection of the locks is lost. In that case,
        nothing may be sent.
        """
        return await self._acquire(LockKind.SENDER, user_key(x_user_id))

    async def release(
        self, x_user_id: XUserId, integration_id: IntegrationId, excluding: Collection[PostId]
    ) -> bool:
        """Release the lock of an X user. Return whether the account has posts that are ready.

        The caller must publish these posts, because a task that found the lock held has left the
        posts to the caller.
        """
        key = user_key(x_user_id)
        try:
            result = await self._session.run_request(
                "release", LockKind.SENDER, key, integration_id, excluding
            )
        except psycopg.OperationalError:
            # The end of the session has freed its locks. `dispatch_stranded` will queue the posts.
            return False
        else:
            return result.has_ready_posts
        finally:
            self._held.pop((LockKind.SENDER, key), None)

    async def is_held(self, x_user_id: XUserId) -> bool:
        """Whether the session that acquired the lock is still open, and so still holds the lock."""
        key = user_key(x_user_id)
        session = self._held.get((LockKind.SENDER, key))
        if session is None:
            return False
        return await self._session.is_open(session)

    @contextlib.asynccontextmanager
    async def uploading(self, post_id: PostId) -> AsyncIterator[bool]:
        """Lock the upload of a post's files; yield False if another task holds the lock."""
        key = post_id % 2**31
        if not await self._acquire(LockKind.UPLOADER, key):
            yield False
            return
        try:
            yield True
        finally:
            with contextlib.suppress(psycopg.OperationalError):
                await self._session.run_request("release", LockKind.UPLOADER, key)
            self._held.pop((LockKind.UPLOADER, key), None)

    async def heartbeat(self, worker: str) -> None:
        """Write the worker's name and the time into the session's `application_name`.

        A process that is stopped but not killed keeps its locks; `find_stale_holders` finds such a
        worker by this name.
        """
        await self._session.heartbeat(worker)

    async def drain(self, timeout_s: float = 30.0) -> None:
        """Begin no more work, and wait at most `timeout_s` for work in progress."""
        self.is_ending = True
        if self._shielded:
            await asyncio.wait(self._shielded, timeout=timeout_s)

    async def close(self, timeout_s: float) -> None:
        """Call `drain` unless it was called before; cancel unfinished work and free every lock."""
        if not self.is_ending:
            await self.drain(timeout_s)
        for task in self._shielded:
            task.cancel()
        await asyncio.gather(*self._shielded, return_exceptions=True)
        await self._session.close()

    async def _check_reopened(self) -> str | None:
        """Run `on_reopen`, then return why no attempt may begin; None if attempts may begin.

        The new connection may reach another server, so `on_reopen` checks the database again.
        """
        if self._on_reopen is not None:
            await self._on_reopen()
        return self.closed_because

    async def _acquire(self, kind: LockKind, key: int) -> bool:
        if (kind, key) in self._held:
            return False
        self._held[kind, key] = None
        acquired = False
        try:
            result = await self._session.run_request("acquire", kind, key)
            acquired = result.done
            self._held[kind, key] = result.session
        finally:
            if not acquired:
                del self._held[kind, key]
        return acquired


@contextlib.asynccontextmanager
async def open_account_locks(
    database: Database,
    *,
    timeout_s: float = 30.0,
    on_reopen: Callable[[], Awaitable[None]] | None = None,
) -> AsyncIterator[AccountLocks]:
    """Open the locks of one worker process, on a connection of their own.

    At the end of the block, work in progress has `timeout_s` to finish. If a lost connection is
    replaced, `on_reopen` runs before a lock is acquired on the new connection.
    """
    locks = AccountLocks(database, await connect_when_back(database), on_reopen)
    try:
        yield locks
    finally:
        await locks.close(timeout_s)
