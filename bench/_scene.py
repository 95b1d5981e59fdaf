"""One world of its own: a database, an emulator, accounts, and worker processes on both."""

import asyncio
import contextlib
import hashlib
import itertools
import signal
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import psycopg
from _ground import WRITING
from _judge import FINAL, OnX, Planned, PostRow
from _rows import read_rows, read_truth
from _workers import Trap, Worker, start_worker

from fix_emulator import Emulator
from fix_postgres import app_url
from fix_processes import environment_of
from fix_runtime import connect_account, make_tenant
from roost.models import NO_OPTIONS, Integration, PartOptions, Tenant, TenantId
from roost.publishing.part_input import MediaInput
from roost.runtime import Runtime, open_runtime
from roost.services.schedule import PartInput, schedule_post
from roost.settings import Settings
from roost.store.away import DATABASE_AWAY
from roost.store.locks import user_key
from roost.store.vault import make_key_line

#: How many grants are lost; and where nothing is on its way, when the next thing is due. A post
#: that a person has paused does not count.
_STANDSTILL = """
    SELECT (SELECT count(*) FROM roost.integrations WHERE status <> 'connected'),
           (SELECT least(min(due_at) FILTER (WHERE state = 'scheduled'),
                         min(resume_at) FILTER (WHERE state = 'publishing'), min(prepare_at))
            FROM roost.posts WHERE state IN ('scheduled', 'publishing') AND NOT paused
            HAVING NOT bool_or(state = 'publishing' AND resume_at IS NULL)
               AND NOT EXISTS (SELECT FROM roost.procrastinate_jobs
                               WHERE status IN ('todo', 'doing')))
"""
#: The first key of the advisory lock that makes a worker an account's sender ("Ro").
SENDER = 0x526F
#: Whether a session is a worker's, by its name and process number: the session of its locks has a
#: name of its own, which ends with that number.
OF_WORKER = "(application_name = %s OR application_name ~ format('^roost .*:%%s$', %s::int))"
#: Wall seconds that a worker has for an orderly end when its world ends.
_END_S = 10
#: Starts a worker of a name with an environment; its log goes into the folder.
Starter = Callable[[str, Mapping[str, str], Path, Trap], Worker]
_numbers = itertools.count(1)
T = TypeVar("T")


@dataclass
class Scene:
    """A running world; what is done to it is done from outside, as a person or a machine would."""

    runtime: Runtime
    tenant: Tenant
    emulator: Emulator
    admin_url: str
    """A superuser's way to the database."""
    folder: Path
    environment: Mapping[str, str]
    """What a worker process is started with."""
    trap: Trap
    workers: list[Worker] = field(default_factory=list)
    beside: list[Worker] = field(default_factory=list)
    """Workers that are left alone."""
    started: list[Worker] = field(default_factory=list)
    """Every worker there ever was."""
    skews: Iterator[float] = field(default_factory=lambda: itertools.repeat(0.0))
    """How far the wall clocks of the next workers are ahead, in wall seconds."""
    accounts: dict[int, Integration] = field(default_factory=dict)
    tenants: dict[TenantId, Tenant] = field(default_factory=dict)
    """By id."""
    admin: psycopg.AsyncConnection[Any] | None = None
    """The superuser's session."""
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def connect(self, username: str, tenant: Tenant | None = None) -> Integration:
        """Connect an account, as its owner does; its figures are not due soon."""
        tenant = tenant or self.tenant
        account = await connect_account(self.runtime, tenant, self.emulator, username)
        await self.run(
            "UPDATE roost.integrations SET collect_due_at = collect_due_at + interval '1 year'"
            " WHERE id = %s",
            account.id,
        )
        self.accounts[account.id] = account
        return account

    async def reconnect_lost(self) -> int:
        """Do what an owner does whose grant died: connect again; how many did."""
        rows = await self.ask("SELECT id FROM roost.integrations WHERE status <> 'connected'")
        for (number,) in rows:
            account = self.accounts[number]
            await self.connect(account.username, self.tenants[account.tenant_id])
        return len(rows)

    async def make_tenant(self, name: str) -> Tenant:
        """One more tenant."""
        tenant = await make_tenant(self.runtime, name)
        self.tenants[tenant.id] = tenant
        return tenant

    async def plan(
        self,
        account: Integration,
        *texts: str,
        after: timedelta = timedelta(0),
        media: Path | None = None,
        options: PartOptions = NO_OPTIONS,
    ) -> Planned:
        """Schedule a post of these parts; the file and the options are the first's."""
        carried = (MediaInput(media, "A square"),) if media else ()
        parts = [
            PartInput(text, carried, options) if at == 0 else PartInput(text)
            for at, text in enumerate(texts)
        ]
        due_at = self.runtime.clock.now() + after
        tenant = self.tenants[account.tenant_id]
        post = await schedule_post(
            self.runtime, tenant, account, parts, due_at=due_at, why="by the bench"
        )
        first = (hashlib.sha256(media.read_bytes()).hexdigest(),) if media else ()
        shas = (first, *[()] * (len(texts) - 1)) if media else ()
        asked = tuple(options.poll.options) if options.poll else None
        return Planned(
            post.id, account.x_user_id, texts, shas,
            reply_to=options.reply_to, quote_of=options.quote_of, poll=asked,
        )  # fmt: skip

    async def post_by_hand(self, account: Integration, text: str) -> None:
        """Post without Roost, as the account's owner may."""
        await self.emulator.control("actions", action="post", username=account.username, text=text)

    async def delete_by_hand(self, tweet_id: str) -> None:
        """Delete a post on X, as its author may."""
        await self.emulator.control("actions", action="delete", post=tweet_id)

    async def faults_left(self) -> int:
        """How many faults have not struck yet."""
        return sum(fault["times"] != 0 for fault in (await self._faults())["faults"])

    async def journal(self) -> list[dict[str, Any]]:
        """Every fault that struck."""
        struck: list[dict[str, Any]] = (await self._faults())["log"]
        return struck

    async def _faults(self) -> dict[str, Any]:
        async with self.emulator.http.get(f"{self.emulator.url}/_emulator/faults") as answer:
            told: dict[str, Any] = await answer.json()
            return told

    async def start_worker(
        self, start: Starter | None = None, more: Mapping[str, str] | None = None
    ) -> Worker:
        """One more worker process, with more of an environment; it is not ready yet."""
        worker = await self._start(next(self.skews), start, more)
        self.workers.append(worker)
        return worker

    async def start_beside(self, skew_s: float) -> Worker:
        """A worker that is not one of `workers`, with its wall clock ahead by so many seconds."""
        worker = await self._start(skew_s)
        self.beside.append(worker)
        return worker

    async def _start(
        self, skew_s: float, start: Starter | None = None, more: Mapping[str, str] | None = None
    ) -> Worker:
        name = f"worker-{next(_numbers)}"
        # Its sessions are known by this.
        url = app_url(self.admin_url)
        own = {"DATABASE_URL": f"{url}{'&' if '?' in url else '?'}application_name={name}"}
        environment = {**self.environment, **own, **(more or {})}
        start = start or partial(start_worker, skew_s=skew_s)
        worker = start(name, environment, self.folder, self.trap)
        self.started.append(worker)
        return worker

    async def fill_up(self, count: int) -> None:
        """Have so many ready workers, as a supervisor does."""
        self.workers = [worker for worker in self.workers if not worker.has_ended]
        while len(self.workers) < count:
            await self.start_worker()
        for worker in self.workers:
            await worker.ready()

    async def end_sessions(self, worker: Worker) -> int:
        """End every session of a worker in the database, as an administrator can; how many."""
        rows = await self.ask(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {OF_WORKER}",
            worker.name,
            worker.pid,
        )
        return len(rows)

    async def sessions_of(self, worker: Worker) -> int:
        """How many sessions a worker has in the database."""
        rows = await self.ask(
            f"SELECT FROM pg_stat_activity WHERE {OF_WORKER}", worker.name, worker.pid
        )
        return len(rows)

    async def holds(self, worker: Worker, account: Integration) -> bool:
        """Whether a session of the worker is the account's sender."""
        rows = await self.ask(
            "SELECT FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory'"
            f" AND granted AND {OF_WORKER} AND classid = %s AND objid = %s",
            worker.name,
            worker.pid,
            SENDER,
            user_key(account.x_user_id),
        )
        return bool(rows)

    async def senders(self) -> set[int]:
        """The process numbers of the workers that began an attempt which the rows know."""
        rows = await self.ask(
            "SELECT DISTINCT substring(actor from ':([0-9]+)$')::int FROM roost.events"
            " WHERE to_state = 'sending' AND starts_with(actor, 'worker ')"
        )
        return {number for (number,) in rows}

    async def rows(self) -> dict[int, PostRow]:
        """Every post as it stands."""
        return await read_rows(self.admin_url)

    async def on_x(self) -> list[OnX]:
        """Every post that X has or had."""
        return read_truth(await self.truth("posts"))

    async def truth(self, *only: str) -> dict[str, Any]:
        """These parts of what really happened."""
        url, params = f"{self.emulator.url}/_emulator/ground-truth", {"only": ",".join(only)}
        async with self.emulator.http.get(url, params=params) as answer:
            told: dict[str, Any] = await answer.json()
            return told

    async def settled(self, posts: Collection[int], within: float = 90) -> bool:
        """Go on until none of the posts moves any more; False: it takes too long."""
        return await self.go_on_until(lambda: self.are_final(posts), within)

    async def go_on_until(self, look: Callable[[], Awaitable[bool]], within: float) -> bool:
        """Connect again what was lost, and skip time wherever everything rests, until it is so.

        False where that takes longer than so many wall seconds.
        """
        try:
            async with asyncio.timeout(within):
                while not await look():
                    await asyncio.sleep(0.1)
                    ((lost, rest_until),) = await self.ask(_STANDSTILL)
                    if lost:
                        await self.reconnect_lost()
                    elif rest_until is not None:
                        await self._skip_to(rest_until)
        except TimeoutError:
            return False
        return True

    async def are_final(self, posts: Collection[int]) -> bool:
        """Whether none of the posts moves any more."""
        rows = await self.ask(
            "SELECT FROM roost.posts WHERE id = ANY(%s) AND state <> ALL(%s)",
            list(posts),
            sorted(FINAL),
        )
        return not rows

    async def _skip_to(self, instant: datetime) -> None:
        ahead = instant - self.runtime.clock.now()
        if timedelta(seconds=20) < ahead < timedelta(days=40):
            await self.emulator.jump(seconds=ahead.total_seconds())

    async def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of a query, as the superuser; a database that is away is asked again."""
        cursor = await self._execute(query, *values)
        return await cursor.fetchall()

    async def run(self, statement: str, *values: Any) -> None:
        """Run a statement as the superuser."""
        await self._execute(statement, *values)

    async def _execute(self, query: str, *values: Any) -> psycopg.AsyncCursor[Any]:
        async with asyncio.timeout(60), self.asking:
            while True:
                try:
                    if self.admin is None or self.admin.closed:
                        self.admin = await psycopg.AsyncConnection.connect(
                            self.admin_url, autocommit=True, options=WRITING
                        )
                    return await self.admin.execute(query.encode(), values)
                except psycopg.OperationalError:
                    await asyncio.sleep(0.1)


async def when_back(work: Callable[[], Awaitable[T]], within: float = 60) -> T:
    """Do something in the database, again while it is away: all its sessions may have ended.

    Raises: TimeoutError where it is away for longer than `within` wall seconds.
    """
    async with asyncio.timeout(within):
        while True:
            try:
                return await work()
            except DATABASE_AWAY:
                await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def open_scene(
    admin_url: str,
    emulator_url: str,
    folder: Path,
    *,
    wall: Mapping[str, str],
    accounts: Sequence[Mapping[str, Any]] = (),
) -> AsyncIterator[Scene]:
    """A world on a migrated, empty database and an emulator that is reset for it.

    `wall` are the settings of wall time, by their names in the environment.
    """
    folder.mkdir(parents=True, exist_ok=True)
    async with contextlib.AsyncExitStack() as stack:
        # A connection of its own for each request: a loop that rests does not see one close.
        connector = aiohttp.TCPConnector(force_close=True)
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        emulator = Emulator(emulator_url, http)
        await emulator.reset()
        settings = Settings(
            _env_file=None,
            roost_home=folder / "home",
            database_url=app_url(admin_url),
            roost_vault_keys=make_key_line(),
            roost_x_base_url=emulator.url,
            roost_clock_url=emulator.clock_url,
            roost_x_tier="enterprise",
            twitter_client_id=emulator.app.client_id,
            twitter_client_secret=emulator.app.client_secret,
            twitter_callback_url=emulator.app.callback,
            **{name.lower(): value for name, value in wall.items()},  # type: ignore[arg-type]
        )
        runtime = await stack.enter_async_context(open_runtime(settings))
        tenant = await make_tenant(runtime, "default")
        scene = Scene(
            runtime,
            tenant,
            emulator,
            admin_url,
            folder,
            environment_of(settings, wall),
            Trap(folder / "trap"),
            tenants={tenant.id: tenant},
        )
        try:
            yield scene
        finally:
            await end_all([*scene.workers, *scene.beside])
            if scene.admin is not None:
                await scene.admin.close()


async def end_all(workers: Sequence[Worker]) -> None:
    """End what still runs; nothing of a world outlives it.

    SIGTERM first, so that a worker can write its coverage; SIGKILL for one that is stopped or slow.
    """
    for worker in workers:
        worker.send(signal.SIGKILL if worker.is_stopped else signal.SIGTERM)
    try:
        async with asyncio.timeout(_END_S):
            await asyncio.gather(*(worker.ended() for worker in workers))
    except TimeoutError:
        for worker in workers:
            worker.send(signal.SIGKILL)
        await asyncio.gather(*(worker.ended() for worker in workers))
