"""One database session that holds advisory locks, and the requests that are sent on it.

Lock requests that come while the connection is busy are sent together in one statement. If the
connection is lost, all its locks are lost too, and the next request to acquire a lock opens a new
connection.
"""

import asyncio
import contextlib
import json
import logging
import select
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal, LiteralString

import psycopg

from roost.boot_clock import boot_seconds
from roost.models import IntegrationId, PostId
from roost.store.availability import DATABASE_AWAY
from roost.store.database import Database
from roost.store.statements import STATEMENTS

log = logging.getLogger(__name__)

#: Wall seconds in which the database must respond to a lock request.
_TIMEOUT_S = 5.0
#: Wall seconds for which the release of a lock is delayed, so that the release and other lock
#: requests are sent in one statement. A task that finds the lock still held leaves its posts to the
#: task that releases the lock.
_BATCH_DELAY_S = 0.02
#: Wall seconds between two tries to open the first connection.
_CONNECT_AGAIN_S = 1.0
#: Seconds for which an answer of the server proves that the session is open, unless the socket was
#: closed since.
_PROOF_S = 1.0
#: The events of a socket that the server has closed. macOS reports POLLHUP and has no POLLRDHUP.
_HANG_UP = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR


class LockKind(IntEnum):
    """The kind of an advisory lock; the value is the first of the lock's two keys."""

    SENDER = 0x526F
    """The lock of an X user for whom posts are sent; the second key is a hash of the user's id."""
    UPLOADER = 0x5275
    """The lock of a post whose files are uploaded; the second key is derived from the post's id."""


@dataclass(frozen=True, slots=True)
class LockResult:
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
    kind: LockKind
    key: int
    account: IntegrationId | None = None
    """The account for which a release also returns whether posts are ready; or None."""
    excluding: Collection[PostId] = ()
    """Posts that do not count as ready to be published."""
    result: asyncio.Future[LockResult] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def to_row(self) -> dict[str, object]:
        """Return the request in the form that the statement `run_lock_requests` reads."""
        return {
            "action": self.action, "kind": int(self.kind), "key": self.key,
            "account": self.account, "excluding": list(self.excluding),
        }  # fmt: skip


class LockSession:
    """A connection that holds this process's locks.

    `on_reopen` runs when a lost connection was replaced, before a lock is acquired on the new one.
    It returns why this process must not acquire a lock at present, or None.
    """

    def __init__(
        self,
        database: Database,
        connection: psycopg.AsyncConnection[Any],
        on_reopen: Callable[[], Awaitable[str | None]],
    ) -> None:
        self._database = database
        self._connection = connection
        self._connection_number = 0
        self._proven_at = 0.0
        """The instant (`boot_seconds`) at which the last answered statement was sent."""
        self._on_reopen = on_reopen
        self._mutex = asyncio.Lock()
        self._requests: list[_Request] = []
        self._sending_requests: asyncio.Task[None] | None = None
        self._is_urgent = asyncio.Event()

    async def run_request(
        self,
        action: _Action,
        kind: LockKind,
        key: int,
        account: IntegrationId | None = None,
        excluding: Collection[PostId] = (),
    ) -> LockResult:
        """Acquire or release a lock, or check that the session is open.

        A release with an `account` also returns whether the account has posts that are ready,
        without the posts of `excluding`.
        Raises: psycopg.OperationalError if the connection is lost, and was not replaced.
        """
        request = _Request(action, kind, key, account, excluding)
        self._requests.append(request)
        if action != "release":
            self._is_urgent.set()
        if self._sending_requests is None or self._sending_requests.done():
            self._sending_requests = asyncio.create_task(self._send_requests())
        return await request.result

    async def is_open(self, session: tuple[int, int]) -> bool:
        """Whether the given session is still open; `session` of an earlier result names it.

        If the server ends a session, it closes the session's socket, and this machine notices that
        at once. The server is therefore asked only if its last answer is older than a second. If
        the server cannot reach this machine, it keeps the session for 30 seconds (`tcp_keepalives`
        in `session.py`).
        """
        if session[0] == self._connection_number and self._is_proven():
            return True
        try:
            return (await self.run_request("check", LockKind.SENDER, 0)).session == session
        except psycopg.OperationalError:
            return False

    def _is_proven(self) -> bool:
        if self._connection.closed or boot_seconds() - self._proven_at > _PROOF_S:
            return False
        poll = select.poll()
        poll.register(self._connection.fileno(), _HANG_UP)
        return not poll.poll(0)

    async def heartbeat(self, worker: str) -> None:
        """Write the worker's name and the time into the session's `application_name`."""
        async with self._mutex:
            if not self._connection.closed:
                await self._execute(STATEMENTS["name_session"], {"worker": worker})

    async def close(self) -> None:
        """Close the connection, which frees all locks."""
        await self._connection.close()

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

    async def _send(self, requests: Sequence[_Request]) -> list[LockResult]:
        async with self._mutex:
            if self._connection.closed and any(each.action == "acquire" for each in requests):
                await self._reopen()
            rows = await self._execute(
                STATEMENTS["run_lock_requests"],
                {"requests": json.dumps([each.to_row() for each in requests])},
            )
            return [
                LockResult((self._connection_number, pid), done, ready) for pid, done, ready in rows
            ]

    async def _reopen(self) -> None:
        """Replace a lost connection. Its locks are lost too, so `is_open` returns False."""
        try:
            self._connection = await self._database.connect()
            self._connection_number += 1
            closed_because = await self._on_reopen()
        except DATABASE_AWAY as error:
            await self._connection.close()
            raise psycopg.OperationalError("the database cannot be reached") from error
        if closed_because is not None:
            raise psycopg.OperationalError("nothing may be sent at present")

    async def _execute(self, statement: LiteralString, values: dict[str, Any]) -> list[Any]:
        asked_at = boot_seconds()
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                rows = await (await self._connection.execute(statement, values)).fetchall()
        except TimeoutError:
            # The server may be gone. After the connection is closed, all its locks count as lost.
            await self._connection.close()
            raise psycopg.OperationalError(
                "the database session that holds the account locks does not respond"
            ) from None
        except DATABASE_AWAY as error:
            await self._connection.close()
            raise psycopg.OperationalError(
                "the database session that holds the account locks has ended"
            ) from error
        self._proven_at = asked_at
        return rows


async def connect_when_back(database: Database) -> psycopg.AsyncConnection[Any]:
    """Open the first connection; if the database is away, wait until it is back."""
    while True:
        try:
            return await database.connect()
        except DATABASE_AWAY as error:
            log.warning("account locks wait for the database (%s)", type(error).__name__)
        await asyncio.sleep(_CONNECT_AGAIN_S)
