"""Per-account advisory locks, so that only one task of one worker sends for each X user.

One dedicated connection of a worker holds all locks of the worker. The key of a lock is derived
from X's user id, so two tenants that have connected the same account share one lock. PostgreSQL
grants a lock again to a session that already holds it; a dict of the locks therefore excludes other
tasks of the same process. If a process is killed, its locks are free at once; a lock is never taken
from a live process. Work under a lock is finished even if its caller is cancelled, so that no
response of X is lost. Lock requests that are made while the connection is busy are sent together in
one statement.
"""

import asyncio
import contextlib
import json
import logging
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any, Literal, LiteralString

import psycopg

from roost.models import Environment, Integration, IntegrationId, PartId, PostId, TenantId, XUserId
from roost.store.availability import DATABASE_AWAY
from roost.store.database import Database, Queries
from roost.store.statements import STATEMENTS

log = logging.getLogger(__name__)

#: Wall seconds in which the database must respond to a lock request.
_TIMEOUT_S = 5.0
#: Wall seconds for which the release of a lock is delayed, so that it is sent in one statement with
#: other lock requests. A task that finds the lock still held leaves its posts to the task that
#: releases the lock.
_BATCH_DELAY_S = 0.02
#: Wall seconds between two tries to open the first connection.
_CONNECT_AGAIN_S = 1.0


class _LockKind(IntEnum):
    """The first of the two keys of an advisory lock."""

    SENDER = 0x526F
    """The lock of an X user for whom posts are sent; the second key is a hash of the user's id."""
    UPLOADER = 0x5275
    """The lock of a post whose files are uploaded; the second key is derived from the post's id."""


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
class _Result:
    """The result of one lock request."""

    session: tuple[int, int]
    """The session that ran the request: the number of the connection, and the id of the server's
    process."""
    done: bool
    """Whether the lock was acquired or released."""
    has_ready_posts: bool
    """Whether the released account has posts that are ready to be published."""


_Action = Literal["acquire", "release", "check"]


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    action: _Action
    kind: _LockKind
    key: int
    account: IntegrationId | None = None
    """The account for which a release also returns whether posts are ready; or None."""
    excluding: Collection[PostId] = ()
    """Posts that do not count as ready to be published."""
    result: asyncio.Future[_Result] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def to_row(self) -> dict[str, object]:
        """Return the request in the form that the statement `run_lock_requests` reads."""
        return {
            "action": self.action, "kind": int(self.kind), "key": self.key,
            "account": self.account, "excluding": list(self.excluding),
        }  # fmt: skip


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
        "list_stale_holders", lock_kind=int(_LockKind.SENDER), within=within
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
        self._connection = connection
        self._connection_number = 0
        self._held: dict[tuple[_LockKind, int], tuple[int, int] | None] = {}
        """For each lock, the session that holds it; None while the lock is being acquired."""
        self._mutex = asyncio.Lock()
        self._requests: list[_Request] = []
        self._sending_requests: asyncio.Task[None] | None = None
        self._is_urgent = asyncio.Event()
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
        return await self._acquire(_LockKind.SENDER, user_key(x_user_id))

    async def release(
        self, x_user_id: XUserId, integration_id: IntegrationId, excluding: Collection[PostId]
    ) -> bool:
        """Release the lock of an X user. Return whether the account has posts that are ready.

        The caller must publish these posts, because a task that found the lock held has left the
        posts to the caller.
        """
        key = user_key(x_user_id)
        try:
            result = await self._request(
                "release", _LockKind.SENDER, key, integration_id, excluding
            )
        except psycopg.OperationalError:
            # The end of the session has freed its locks. `dispatch_stranded` will queue the posts.
            return False
        else:
            return result.has_ready_posts
        finally:
            self._held.pop((_LockKind.SENDER, key), None)

    async def is_held(self, x_user_id: XUserId) -> bool:
        """Whether the session that acquired the lock is still open, and so still holds the lock."""
        key = user_key(x_user_id)
        session = self._held.get((_LockKind.SENDER, key))
        if session is None:
            return False
        try:
            return (await self._request("check", _LockKind.SENDER, key)).session == session
        except psycopg.OperationalError:
            return False

    @contextlib.asynccontextmanager
    async def uploading(self, post_id: PostId) -> AsyncIterator[bool]:
        """Lock the upload of a post's files; yield False if another task holds the lock."""
        key = post_id % 2**31
        if not await self._acquire(_LockKind.UPLOADER, key):
            yield False
            return
        try:
            yield True
        finally:
            with contextlib.suppress(psycopg.OperationalError):
                await self._request("release", _LockKind.UPLOADER, key)
            self._held.pop((_LockKind.UPLOADER, key), None)

    async def heartbeat(self, worker: str) -> None:
        """Write the worker's name and the time into the session's `application_name`.

        A process that is stopped but not killed keeps its locks; `find_stale_holders` finds such a
        worker by this name.
        """
        async with self._mutex:
            if not self._connection.closed:
                await self._execute(STATEMENTS["name_session"], {"worker": worker})

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
        await self._connection.close()

    async def _acquire(self, kind: _LockKind, key: int) -> bool:
        if (kind, key) in self._held:
            return False
        self._held[kind, key] = None
        acquired = False
        try:
            result = await self._request("acquire", kind, key)
            acquired = result.done
            self._held[kind, key] = result.session
        finally:
            if not acquired:
                del self._held[kind, key]
        return acquired

    async def _request(
        self,
        action: _Action,
        kind: _LockKind,
        key: int,
        account: IntegrationId | None = None,
        excluding: Collection[PostId] = (),
    ) -> _Result:
        request = _Request(action, kind, key, account, excluding)
        self._requests.append(request)
        if action != "release":
            self._is_urgent.set()
        if self._sending_requests is None or self._sending_requests.done():
            self._sending_requests = asyncio.create_task(self._send_requests())
        return await request.result

    async def _send_requests(self) -> None:
        """Send the waiting requests until no request is waiting."""
        while self._requests:
            if not self._is_urgent.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._is_urgent.wait(), _BATCH_DELAY_S)
            self._is_urgent.clear()
            requests, self._requests = self._requests, []
            try:
                results = await self._send(requests)
            except Exception as error:
                # Each caller gets the error, because otherwise the callers would wait forever.
                for request in requests:
                    if not request.result.done():
                        request.result.set_exception(error)
                continue
            for request, result in zip(requests, results, strict=True):
                if not request.result.done():
                    request.result.set_result(result)
                elif request.action == "acquire" and result.done:
                    # The caller was cancelled during the request, so it will not release the lock.
                    self._requests.append(_Request("release", request.kind, request.key))

    async def _send(self, requests: Sequence[_Request]) -> list[_Result]:
        async with self._mutex:
            if self._connection.closed and any(each.action == "acquire" for each in requests):
                await self._reopen()
            rows = await self._execute(
                STATEMENTS["run_lock_requests"],
                {"requests": json.dumps([each.to_row() for each in requests])},
            )
            return [
                _Result((self._connection_number, pid), done, ready) for pid, done, ready in rows
            ]

    async def _reopen(self) -> None:
        """Replace a lost connection. Its locks are lost too, so `is_held` returns False.

        The new connection may lead to another server, so `on_reopen` compares the database with the
        watermark.
        """
        try:
            self._connection = await self._database.connect()
            self._connection_number += 1
            if self._on_reopen is not None:
                await self._on_reopen()
        except DATABASE_AWAY as error:
            await self._connection.close()
            raise psycopg.OperationalError("the database cannot be reached") from error
        if self.closed_because is not None:
            raise psycopg.OperationalError("nothing may be sent at present")

    async def _execute(self, statement: LiteralString, values: dict[str, Any]) -> list[Any]:
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                return await (await self._connection.execute(statement, values)).fetchall()
        except TimeoutError:
            # The server may be gone. After the connection is closed, all its locks count as lost.
            await self._connection.close()
            raise psycopg.OperationalError(
                "the account locks' connection does not respond"
            ) from None
        except DATABASE_AWAY as error:
            await self._connection.close()
            raise psycopg.OperationalError("the account locks' session has ended") from error


async def _connect_when_back(database: Database) -> psycopg.AsyncConnection[Any]:
    """Open the first connection; if the database is away, wait until it is back."""
    while True:
        try:
            return await database.connect()
        except DATABASE_AWAY as error:
            log.warning("account locks wait for the database (%s)", type(error).__name__)
        await asyncio.sleep(_CONNECT_AGAIN_S)


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
    locks = AccountLocks(database, await _connect_when_back(database), on_reopen)
    try:
        yield locks
    finally:
        await locks.close(timeout_s)
