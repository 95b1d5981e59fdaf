"""Who may send for a user of X: advisory locks, all held on one connection that does nothing else.

The lock is named by X's user id, so that two tenants' connections of one account share it.
A session's advisory lock is re-entrant, so a set beside it keeps two tasks of this process apart.
A process that is killed frees its locks at once; nobody ever breaks a lock. What is done under a
lock is finished even where its caller is cancelled: an answer of X is not dropped half way.
What tasks ask while the connection is busy goes out together, in one statement.
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
from typing import Any, Literal

import psycopg

from roost.models import (
    Environment,
    Integration,
    IntegrationId,
    PartId,
    PostId,
    TenantId,
    XUserId,
)
from roost.store.away import DATABASE_AWAY
from roost.store.database import Database, Statements
from roost.store.statements import STATEMENTS

log = logging.getLogger(__name__)

#: Wall seconds for the database to answer about a lock.
_PATIENCE_S = 5.0
#: A lock that is given back waits so long for other questions to go out with: whoever finds it
#: taken meanwhile leaves its posts to the one who gives it back.
_COMPANY_S = 0.02
#: Wall seconds between two tries to connect for the first time.
_CONNECT_AGAIN_S = 1.0


class _Kind(IntEnum):
    """The first of an advisory lock's two keys."""

    SENDER = 0x526F
    """The account that posts are sent for."""
    UPLOADER = 0x5275
    """The post whose files are brought to X."""


def user_key(x_user_id: XUserId) -> int:
    """The second key of a sender's lock, which is 32 bits wide. Users that share one wait."""
    return zlib.crc32(x_user_id.encode()) % 2**31


@dataclass(frozen=True, slots=True)
class Fence:
    """What this process has seen last in the database; an attempt is begun only where it is."""

    event_id: int
    event_tag: int
    """Random: an id may be given out again after a restore."""
    timeline: str


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the locks' session says to one question."""

    session: tuple[int, int]
    """Which connection, and which process of the server, has answered."""
    done: bool
    """Taken, or given back."""
    is_left: bool
    """Whether the account given back has posts that could be taken up."""


@dataclass(frozen=True, slots=True, eq=False)
class _Question:
    what: Literal["take", "give", "hold"]
    kind: _Kind
    key: int
    account: IntegrationId | None = None
    besides: Collection[PostId] = ()
    answer: asyncio.Future[_Answer] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def row(self) -> dict[str, object]:
        """As the statement reads it; an account that has posts left is of interest when it is
        given back."""
        return {
            "action": {"take": "acquire", "give": "release"}.get(self.what, "hold"),
            "kind": int(self.kind),
            "key": self.key,
            "account": self.account,
            "excluding": list(self.besides),
        }


@dataclass(frozen=True, slots=True)
class Silent:
    """A process that keeps accounts for itself and gives no sign of life."""

    actor: str
    accounts: tuple[IntegrationId, ...]


async def find_silent(
    transaction: Statements, accounts: Collection[Integration], *, within: timedelta
) -> list[Silent]:
    """Who keeps some of these accounts and has given no sign of life for so long (wall time)."""
    rows = await transaction.run("list_stale_holders", lock_kind=int(_Kind.SENDER), within=within)
    kept: dict[str, set[int]] = {}
    for row in rows:
        kept.setdefault(row["worker"], set()).add(row["key"])
    return [
        Silent(actor, tuple(one.id for one in accounts if user_key(one.x_user_id) in keys))
        for actor, keys in kept.items()
    ]


class SenderLocks:
    """The accounts that this process may send for right now, and the posts it uploads for."""

    def __init__(
        self,
        database: Database,
        connection: psycopg.AsyncConnection[Any],
        on_reopen: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.is_ending = False
        """Somebody has asked this process to end: what is under way is finished, and no more."""
        self.closed_because: str | None = None
        """Why this process may begin no attempt at present; None: it may."""
        self.closed, self.opened = asyncio.Event(), asyncio.Event()
        self.opened.set()
        self.fence: Fence | None = None
        self.sending: set[tuple[TenantId, PostId]] = set()
        """Posts of which a request is under way in this process."""
        self.searched: set[tuple[datetime, PartId]] = set()
        """Parts that were looked for on X as a recheck asks, with its `until`."""
        self._on_reopen = on_reopen
        self._users: dict[IntegrationId, XUserId] = {}
        self._database = database
        self._connection = connection
        self._opened = 0
        self._held: dict[tuple[_Kind, int], tuple[int, int] | None] = {}
        """By which session; None: it is being asked for."""
        self._turn = asyncio.Lock()
        self._asked: list[_Question] = []
        self._asking: asyncio.Task[None] | None = None
        self._pressing = asyncio.Event()
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

    @property
    def may_begin(self) -> bool:
        """Whether this process may begin another step."""
        return not self.is_ending and self.closed_because is None

    def close_gate(self, why: str) -> None:
        """Begin no attempt until `open_gate`; what is under way is finished."""
        self.closed_because = why
        self.opened.clear()
        self.closed.set()

    def open_gate(self) -> None:
        """Attempts may begin again."""
        self.closed_because = None
        self.closed.clear()
        self.opened.set()

    async def find_user(
        self, tenant_id: TenantId, integration_id: IntegrationId, environment: Environment
    ) -> XUserId | None:
        """Which user of X an account is; asked of the database once a process.

        None: there is no such account of this tenant and environment.
        """
        if (known := self._users.get(integration_id)) is not None:
            return known
        row = await self._database.alone.run_one(
            "get_x_user_id",
            tenant=tenant_id,
            integration=integration_id,
            environment=environment,
        )
        if row is None or row["x_user_id"] is None:
            return None
        self._users[integration_id] = XUserId(row["x_user_id"])
        return self._users[integration_id]

    async def take(self, x_user_id: XUserId) -> bool:
        """Become the user's only sender; False where another is.

        Raises: psycopg.OperationalError where the locks' connection is lost: nothing may be sent.
        """
        return await self._take(_Kind.SENDER, user_key(x_user_id))

    async def give_back(
        self, x_user_id: XUserId, integration_id: IntegrationId, besides: Collection[PostId]
    ) -> bool:
        """Let others send for the account; whether it has posts left that could be taken up.

        Whoever found the account taken has left those to us.
        """
        key = user_key(x_user_id)
        try:
            return (await self._ask("give", _Kind.SENDER, key, integration_id, besides)).is_left
        except psycopg.OperationalError:
            # The session is gone, and its locks with it; the sweep finds what is left.
            return False
        finally:
            self._held.pop((_Kind.SENDER, key), None)

    async def still_hold(self, x_user_id: XUserId) -> bool:
        """Whether the session that took the lock still lives, asked of it: it ends with it."""
        key = user_key(x_user_id)
        session = self._held.get((_Kind.SENDER, key))
        if session is None:
            return False
        try:
            return (await self._ask("hold", _Kind.SENDER, key)).session == session
        except psycopg.OperationalError:
            return False

    @contextlib.asynccontextmanager
    async def uploading(self, post_id: PostId) -> AsyncIterator[bool]:
        """Be the only one who brings this post's files to X; the block gets False where one is."""
        key = post_id % 2**31
        if not await self._take(_Kind.UPLOADER, key):
            yield False
            return
        try:
            yield True
        finally:
            with contextlib.suppress(psycopg.OperationalError):
                await self._ask("give", _Kind.UPLOADER, key)
            self._held.pop((_Kind.UPLOADER, key), None)

    async def heartbeat(self, actor: str) -> None:
        """Name the session after its process, with the time: a process that is stopped keeps its
        locks, and `find_silent` finds it by this."""
        async with self._turn:
            if not self._connection.closed:
                await self._run(STATEMENTS["name_session"], {"worker": actor})

    async def drain(self, patience_s: float = 30.0) -> None:
        """Begin nothing more, and wait so long for what is under way."""
        self.is_ending = True
        if self._at_work:
            await asyncio.wait(self._at_work, timeout=patience_s)

    async def close(self, patience_s: float) -> None:
        """Wait so long for what is under way, unless it was drained, then give every lock back."""
        if not self.is_ending:
            await self.drain(patience_s)
        for task in self._at_work:
            task.cancel()
        await asyncio.gather(*self._at_work, return_exceptions=True)
        await self._connection.close()

    async def _take(self, kind: _Kind, key: int) -> bool:
        if (kind, key) in self._held:
            return False
        self._held[kind, key] = None
        taken = False
        try:
            answer = await self._ask("take", kind, key)
            taken = answer.done
            self._held[kind, key] = answer.session
        finally:
            if not taken:
                del self._held[kind, key]
        return taken

    async def _ask(
        self,
        what: Literal["take", "give", "hold"],
        kind: _Kind,
        key: int,
        account: IntegrationId | None = None,
        besides: Collection[PostId] = (),
    ) -> _Answer:
        question = _Question(what, kind, key, account, besides)
        self._asked.append(question)
        if what != "give":
            self._pressing.set()
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._answer())
        return await question.answer

    async def _answer(self) -> None:
        """Answer what is asked, and what is asked meanwhile."""
        while self._asked:
            if not self._pressing.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._pressing.wait(), _COMPANY_S)
            self._pressing.clear()
            questions, self._asked = self._asked, []
            try:
                answers = await self._answers(questions)
            except Exception as error:
                # Whatever it is, it is for those who asked: nobody may wait for ever.
                for question in questions:
                    if not question.answer.done():
                        question.answer.set_exception(error)
                continue
            for question, answer in zip(questions, answers, strict=True):
                if not question.answer.done():
                    question.answer.set_result(answer)
                elif question.what == "take" and answer.done:
                    # Whoever wanted it was cancelled meanwhile.
                    self._asked.append(_Question("give", question.kind, question.key))

    async def _answers(self, questions: Sequence[_Question]) -> list[_Answer]:
        async with self._turn:
            if self._connection.closed and any(each.what == "take" for each in questions):
                await self._reopen()
            rows = await self._run(
                STATEMENTS["run_lock_requests"],
                {"requests": json.dumps([each.row() for each in questions])},
            )
            return [_Answer((self._opened, pid), done, is_left) for pid, done, is_left in rows]

    async def _reopen(self) -> None:
        """A new session holds none of the old one's locks: `still_hold` says so to their users.

        The server may be another one by now: the database is compared with what was seen in it.
        """
        try:
            self._connection = await self._database.connect()
            self._opened += 1
            if self._on_reopen is not None:
                await self._on_reopen()
        except DATABASE_AWAY as error:
            await self._connection.close()
            raise psycopg.OperationalError("the database cannot be reached") from error
        if self.closed_because is not None:
            raise psycopg.OperationalError("nothing may be sent at present")

    async def _run(self, question: Any, values: dict[str, Any]) -> list[Any]:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await (await self._connection.execute(question, values)).fetchall()
        except TimeoutError:
            # Nobody answers on this connection any more: what it held is not ours to use.
            await self._connection.close()
            raise psycopg.OperationalError("the locks' connection does not answer") from None
        except DATABASE_AWAY as error:
            await self._connection.close()
            raise psycopg.OperationalError("the locks' session has ended") from error


async def _connect_when_back(database: Database) -> psycopg.AsyncConnection[Any]:
    """The first connection; a database that went away since the process started is waited for."""
    while True:
        try:
            return await database.connect()
        except DATABASE_AWAY as error:
            log.warning("the locks wait for the database (%s)", type(error).__name__)
        await asyncio.sleep(_CONNECT_AGAIN_S)


@contextlib.asynccontextmanager
async def open_sender_locks(
    database: Database,
    *,
    patience_s: float = 30.0,
    on_reopen: Callable[[], Awaitable[None]] | None = None,
) -> AsyncIterator[SenderLocks]:
    """The locks of one worker process, on a connection of their own.

    At the end, what is under way has so long to be finished. `on_reopen` runs whenever a lost
    connection was replaced, before any lock is taken on it.
    """
    locks = SenderLocks(database, await _connect_when_back(database), on_reopen)
    try:
        yield locks
    finally:
        await locks.close(patience_s)
