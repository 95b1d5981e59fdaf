"""Per-account advisory locks: one sender for each user of X.

One dedicated connection per worker holds them all. A lock's key is X's user id, so that two
tenants' connections of one account share it. A session's advisory lock is re-entrant, so a dict
beside it excludes two tasks of this process. A killed process frees its locks at once; a lock is
never broken. Work under a lock is finished even where its caller is cancelled, so that no response
of X is lost. Requests that come while the connection is busy go out together in one statement.
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
from roost.store.away import DATABASE_AWAY
from roost.store.database import Database, Queries
from roost.store.statements import STATEMENTS

log = logging.getLogger(__name__)

#: Wall seconds in which the database must answer a request.
_TIMEOUT_S = 5.0
#: Wall seconds that a release waits for other requests to go out with. A task that finds the lock
#: held meanwhile leaves its posts to the task that releases it.
_BATCH_DELAY_S = 0.02
#: Wall seconds between two tries to connect for the first time.
_CONNECT_AGAIN_S = 1.0


class _LockKind(IntEnum):
    """The first of an advisory lock's two keys."""

    SENDER = 0x526F
    """The second key is the user of X whose posts are sent."""
    UPLOADER = 0x5275
    """The second key is the post whose files are uploaded."""


def user_key(x_user_id: XUserId) -> int:
    """The second key of a sender's lock, of 32 bits. Two users with one key wait for each other."""
    return zlib.crc32(x_user_id.encode()) % 2**31


@dataclass(frozen=True, slots=True)
class Fence:
    """The last event that this process has seen; an attempt begins only where it exists."""

    event_id: int
    event_tag: int
    """Random: after a restore, the database may give out an id again."""
    timeline: str


@dataclass(frozen=True, slots=True)
class _Result:
    """The answer of the locks' session to one request."""

    session: tuple[int, int]
    """The number of the connection, and the server process that has answered."""
    done: bool
    """The lock was acquired, or released."""
    has_ready_posts: bool
    """Whether the released account has posts that are ready to be published."""


_Action = Literal["acquire", "release", "check"]


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    action: _Action
    kind: _LockKind
    key: int
    account: IntegrationId | None = None
    """A release of this account also reads whether it has ready posts."""
    excluding: Collection[PostId] = ()
    """Posts that do not count as ready."""
    result: asyncio.Future[_Result] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def to_row(self) -> dict[str, object]:
        """Return the request in the form that the statement reads."""
        return {
            "action": self.action, "kind": int(self.kind), "key": self.key,
            "account": self.account, "excluding": list(self.excluding),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class StaleHolder:
    """A worker that holds locks of accounts and has stopped its heartbeat."""

    worker: str
    accounts: tuple[IntegrationId, ...]


async def find_stale_holders(
    transaction: Queries, accounts: Collection[Integration], *, within: timedelta
) -> list[StaleHolder]:
    """Workers that hold some of these accounts and sent no heartbeat `within` (wall time)."""
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
    """The accounts that this process may send for, and the posts whose files it uploads."""

    def __init__(
        self,
        database: Database,
        connection: psycopg.AsyncConnection[Any],
        on_reopen: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.is_ending = False
        """The process was asked to stop: work in progress is finished, and no other begins."""
        self.closed_because: str | None = None
        """Why this process may begin no attempt at present; None: it may."""
        self.closed, self.opened = asyncio.Event(), asyncio.Event()
        self.opened.set()
        self.fence: Fence | None = None
        self.sending: set[tuple[TenantId, PostId]] = set()
        """Posts with a request of this process in progress."""
        self.searched: set[tuple[datetime, PartId]] = set()
        """Parts that a recheck has searched for on X, with the recheck's `until`."""
        self._on_reopen = on_reopen
        self._users: dict[IntegrationId, XUserId] = {}
        self._database = database
        self._connection = connection
        self._connection_number = 0
        self._held: dict[tuple[_LockKind, int], tuple[int, int] | None] = {}
        """The session that holds each lock; None: the lock is being acquired."""
        self._mutex = asyncio.Lock()
        self._requests: list[_Request] = []
        self._sending_requests: asyncio.Task[None] | None = None
        self._is_urgent = asyncio.Event()
        self._shielded: set[asyncio.Task[None]] = set()

    async def shield(self, work: Coroutine[Any, Any, None]) -> None:
        """Finish work that is done under locks, even where the caller is cancelled meanwhile."""
        task = asyncio.ensure_future(work)
        self._shielded.add(task)
        task.add_done_callback(self._on_done)
        await asyncio.shield(task)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._shielded.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # The caller, if it still waits, gets the same error.
            log.warning("work under a lock failed with %s", type(error).__name__)

    @property
    def may_begin(self) -> bool:
        """Whether this process may begin another step."""
        return not self.is_ending and self.closed_because is None

    def close_gate(self, reason: str) -> None:
        """Begin no attempt until `open_gate`; work in progress is finished."""
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
        """X's user id of an account; the database is asked once per process.

        None: the tenant has no such account in this environment.
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
        """Become the user's only sender; False where another task or process is.

        Raises: psycopg.OperationalError where the locks' connection is lost: nothing may be sent.
        """
        return await self._acquire(_LockKind.SENDER, user_key(x_user_id))

    async def release(
        self, x_user_id: XUserId, integration_id: IntegrationId, excluding: Collection[PostId]
    ) -> bool:
        """Release the user's lock; True where the account has posts that are ready.

        A task that found the lock held has left those posts to the caller.
        """
        key = user_key(x_user_id)
        try:
            result = await self._request(
                "release", _LockKind.SENDER, key, integration_id, excluding
            )
        except psycopg.OperationalError:
            # The session has ended, and its locks with it; the sweep finds what is left.
            return False
        else:
            return result.has_ready_posts
        finally:
            self._held.pop((_LockKind.SENDER, key), None)

    async def is_held(self, x_user_id: XUserId) -> bool:
        """Whether the session that acquired the lock still lives: a lock ends with its session."""
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
        """Be the only one that uploads this post's files; False in the block where another is."""
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
        """Name the session after its worker, with the time.

        A stopped process keeps its locks, and `find_stale_holders` finds it by this name.
        """
        async with self._mutex:
            if not self._connection.closed:
                await self._execute(STATEMENTS["name_session"], {"worker": worker})

    async def drain(self, timeout_s: float = 30.0) -> None:
        """Begin nothing more, and wait at most `timeout_s` for work in progress."""
        self.is_ending = True
        if self._shielded:
            await asyncio.wait(self._shielded, timeout=timeout_s)

    async def close(self, timeout_s: float) -> None:
        """Drain, unless that was done, then cancel what is left and free every lock."""
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
        """Send the requests, and those that come meanwhile."""
        while self._requests:
            if not self._is_urgent.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._is_urgent.wait(), _BATCH_DELAY_S)
            self._is_urgent.clear()
            requests, self._requests = self._requests, []
            try:
                results = await self._send(requests)
            except Exception as error:
                # Any error goes to the callers: none of them may wait forever.
                for request in requests:
                    if not request.result.done():
                        request.result.set_exception(error)
                continue
            for request, result in zip(requests, results, strict=True):
                if not request.result.done():
                    request.result.set_result(result)
                elif request.action == "acquire" and result.done:
                    # The caller was cancelled meanwhile.
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
        """Replace a lost connection. Its locks are lost too, which `is_held` reports.

        The server may be another one by now: `on_reopen` compares the database with the watermark.
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
            # The server may be gone, and the locks with it.
            await self._connection.close()
            raise psycopg.OperationalError("the locks' connection does not answer") from None
        except DATABASE_AWAY as error:
            await self._connection.close()
            raise psycopg.OperationalError("the locks' session has ended") from error


async def _connect_when_back(database: Database) -> psycopg.AsyncConnection[Any]:
    """The first connection; waits for a database that went away since the process started."""
    while True:
        try:
            return await database.connect()
        except DATABASE_AWAY as error:
            log.warning("the locks wait for the database (%s)", type(error).__name__)
        await asyncio.sleep(_CONNECT_AGAIN_S)


@contextlib.asynccontextmanager
async def open_account_locks(
    database: Database,
    *,
    timeout_s: float = 30.0,
    on_reopen: Callable[[], Awaitable[None]] | None = None,
) -> AsyncIterator[AccountLocks]:
    """The locks of one worker process, on their own connection.

    At the end, work in progress has `timeout_s` to finish. `on_reopen` runs whenever a lost
    connection was replaced, before a lock is acquired on it.
    """
    locks = AccountLocks(database, await _connect_when_back(database), on_reopen)
    try:
        yield locks
    finally:
        await locks.close(timeout_s)
