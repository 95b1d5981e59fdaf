"""A test setup: a database, an emulator, connected accounts and workers.

The class `Scenario` has nothing to do with the scenarios of the emulator, which are courses of
metrics.
"""

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

from fix_emulator import Emulator
from fix_postgres import app_url
from fix_processes import environment_of
from fix_runtime import connect_account, make_tenant, scope_of
from harness.post_rows import parse_x_posts, read_rows
from harness.records import FINAL_STATES, PlannedPost, PostRow, XPost
from harness.server import READ_WRITE
from harness.workers import FailpointTrap, Worker, start_worker
from roost.models import NO_OPTIONS, Integration, PartOptions, Scope, Tenant, TenantId
from roost.publishing.part_input import MediaInput
from roost.runtime import Runtime, open_runtime
from roost.services.schedule import PartInput, schedule_post
from roost.settings import Settings
from roost.store.availability import DATABASE_AWAY
from roost.store.locks import user_key
from roost.store.vault import make_key_line

#: Selects the number of connections that need a reconnect, and, if no post is in progress, the time
#: of the next due step. Posts that a person has paused are left out.
_IDLE_STATE = """
    SELECT (SELECT count(*) FROM roost.integrations WHERE status <> 'connected'),
           (SELECT least(min(due_at) FILTER (WHERE state = 'scheduled'),
                         min(resume_at) FILTER (WHERE state = 'publishing'), min(prepare_at))
            FROM roost.posts WHERE state IN ('scheduled', 'publishing') AND NOT paused
            HAVING NOT bool_or(state = 'publishing' AND resume_at IS NULL)
               AND NOT EXISTS (SELECT FROM roost.procrastinate_jobs
                               WHERE status IN ('todo', 'doing')))
"""
#: The first key of the advisory lock of an account ("Ro"). The worker that has the lock may send.
SENDER_LOCK = 0x526F
#: An SQL condition for the sessions of a worker. Its parameters are the worker's name and process
#: id. Most sessions have the worker's name. Only the session with the worker's locks has another
#: name, which ends with the process id.
IS_WORKER_SESSION = (
    "(application_name = %s OR application_name ~ format('^roost .*:%%s$', %s::int))"
)
#: The wall seconds in which a worker must end after SIGTERM, when the test setup ends.
_STOP_TIMEOUT_S = 10
#: A function that starts a worker, given its name and environment, the folder for its log and its
#: failpoint trap.
Starter = Callable[[str, Mapping[str, str], Path, FailpointTrap], Worker]
_numbers = itertools.count(1)
T = TypeVar("T")


@dataclass
class Scenario:
    """A running test setup, with methods that act as people, operators and machines do.

    Workers run as processes. The test's own process uses `runtime`.
    """

    runtime: Runtime
    tenant: Tenant
    emulator: Emulator
    admin_url: str
    """The URL of the database with the superuser's login."""
    folder: Path
    environment: Mapping[str, str]
    """The environment variables of worker processes."""
    trap: FailpointTrap
    workers: list[Worker] = field(default_factory=list)
    undisturbed_workers: list[Worker] = field(default_factory=list)
    """Workers that are never killed or stopped."""
    all_workers: list[Worker] = field(default_factory=list)
    """All workers that were ever started."""
    clock_skews: Iterator[float] = field(default_factory=lambda: itertools.repeat(0.0))
    """The wall seconds by which the clocks of the next workers are ahead, one entry per worker."""
    accounts: dict[int, Integration] = field(default_factory=dict)
    tenants: dict[TenantId, Tenant] = field(default_factory=dict)
    """The tenants by their ids."""
    admin_connection: psycopg.AsyncConnection[Any] | None = None
    """A session of the superuser. None before its first use."""
    _query_lock: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    @property
    def scope(self) -> Scope:
        """The scope in which tests call services for the first tenant."""
        return scope_of(self.tenant)

    async def connect(self, username: str, tenant: Tenant | None = None) -> Integration:
        """Connect an account as its owner would, and postpone the collection of its metrics."""
        tenant = tenant or self.tenant
        account = await connect_account(self.runtime, tenant, self.emulator, username)
        await self.execute(
            "UPDATE roost.integrations SET collect_due_at = collect_due_at + interval '1 year'"
            " WHERE id = %s",
            account.id,
        )
        self.accounts[account.id] = account
        return account

    async def reconnect_accounts(self) -> int:
        """Reconnect all accounts that lost their connection, as owners do; return their number."""
        rows = await self.fetch("SELECT id FROM roost.integrations WHERE status <> 'connected'")
        for (number,) in rows:
            account = self.accounts[number]
            await self.connect(account.username, self.tenants[account.tenant_id])
        return len(rows)

    async def add_tenant(self, name: str) -> Tenant:
        """Add a tenant."""
        tenant = await make_tenant(self.runtime, name)
        self.tenants[tenant.id] = tenant
        return tenant

    async def plan_post(
        self,
        account: Integration,
        *texts: str,
        after: timedelta = timedelta(0),
        media: Path | None = None,
        options: PartOptions = NO_OPTIONS,
    ) -> PlannedPost:
        """Schedule a post with a part for each text; the first part has `media` and `options`."""
        first_media = (MediaInput(media, "A square"),) if media else ()
        parts = [
            PartInput(text, first_media, options) if index == 0 else PartInput(text)
            for index, text in enumerate(texts)
        ]
        due_at = self.runtime.clock.now() + after
        scope = scope_of(self.tenants[account.tenant_id])
        post = await schedule_post(self.runtime, scope, account, parts, due_at=due_at)
        first_hashes = (hashlib.sha256(media.read_bytes()).hexdigest(),) if media else ()
        hashes = (first_hashes, *[()] * (len(texts) - 1)) if media else ()
        poll = tuple(options.poll.options) if options.poll else None
        return PlannedPost(
            post.id, account.x_user_id, texts, hashes,
            reply_to=options.reply_to, quote_of=options.quote_of, poll=poll,
        )  # fmt: skip

    async def post_manually(self, account: Integration, text: str) -> None:
        """Create a post on X itself, as the owner of the account can."""
        await self.emulator.control("actions", action="post", username=account.username, text=text)

    async def delete_manually(self, tweet_id: str) -> None:
        """Delete a post on X itself, as its author can."""
        await self.emulator.control("actions", action="delete", post=tweet_id)

    async def count_pending_faults(self) -> int:
        """Count the injected faults that have not been applied to a request yet."""
        return sum(fault["times"] != 0 for fault in (await self._faults())["faults"])

    async def list_applied_faults(self) -> list[dict[str, Any]]:
        """List the faults that were applied to requests."""
        applied: list[dict[str, Any]] = (await self._faults())["log"]
        return applied

    async def _faults(self) -> dict[str, Any]:
        async with self.emulator.http.get(f"{self.emulator.url}/_emulator/faults") as response:
            faults: dict[str, Any] = await response.json()
            return faults

    async def start_worker(
        self, start: Starter | None = None, variables: Mapping[str, str] | None = None
    ) -> Worker:
        """Start a worker process with additional variables; do not wait until it is ready."""
        worker = await self._start(next(self.clock_skews), start, variables)
        self.workers.append(worker)
        return worker

    async def start_undisturbed_worker(self, skew_s: float) -> Worker:
        """Start a worker that is not in `workers`, with a clock that is `skew_s` seconds ahead."""
        worker = await self._start(skew_s)
        self.undisturbed_workers.append(worker)
        return worker

    async def _start(
        self,
        skew_s: float,
        start: Starter | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Worker:
        name = f"worker-{next(_numbers)}"
        # The application name identifies the worker's sessions in PostgreSQL.
        url = app_url(self.admin_url)
        url = f"{url}{'&' if '?' in url else '?'}application_name={name}"
        environment = {**self.environment, "DATABASE_URL": url, **(variables or {})}
        start = start or partial(start_worker, skew_s=skew_s)
        worker = start(name, environment, self.folder, self.trap)
        self.all_workers.append(worker)
        return worker

    async def ensure_workers(self, count: int) -> None:
        """Start workers until `count` are running, and wait until all are ready."""
        self.workers = [worker for worker in self.workers if not worker.has_ended]
        while len(self.workers) < count:
            await self.start_worker()
        for worker in self.workers:
            await worker.wait_ready()

    async def end_sessions(self, worker: Worker) -> int:
        """Terminate all database sessions of a worker; return the number of sessions."""
        rows = await self.fetch(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {IS_WORKER_SESSION}",
            worker.name,
            worker.pid,
        )
        return len(rows)

    async def count_sessions(self, worker: Worker) -> int:
        """Count a worker's database sessions."""
        rows = await self.fetch(
            f"SELECT FROM pg_stat_activity WHERE {IS_WORKER_SESSION}", worker.name, worker.pid
        )
        return len(rows)

    async def holds_account_lock(self, worker: Worker, account: Integration) -> bool:
        """Return whether a session of the worker holds the account's lock."""
        rows = await self.fetch(
            "SELECT FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory'"
            f" AND granted AND {IS_WORKER_SESSION} AND classid = %s AND objid = %s",
            worker.name,
            worker.pid,
            SENDER_LOCK,
            user_key(account.x_user_id),
        )
        return bool(rows)

    async def list_sender_pids(self) -> set[int]:
        """List the process ids of the workers that have recorded the beginning of an attempt."""
        rows = await self.fetch(
            "SELECT DISTINCT substring(actor from ':([0-9]+)$')::int FROM roost.events"
            " WHERE to_state = 'sending' AND starts_with(actor, 'worker ')"
        )
        return {number for (number,) in rows}

    async def read_posts(self) -> dict[int, PostRow]:
        """Read all posts from the database, by post id."""
        return await read_rows(self.admin_url)

    async def read_x_posts(self) -> list[XPost]:
        """Read all posts that X has or had."""
        return parse_x_posts(await self.read_ground_truth("posts"))

    async def read_ground_truth(self, *sections: str) -> dict[str, Any]:
        """Read the given sections of the emulator's ground truth."""
        url, params = f"{self.emulator.url}/_emulator/ground-truth", {"only": ",".join(sections)}
        async with self.emulator.http.get(url, params=params) as response:
            ground_truth: dict[str, Any] = await response.json()
            return ground_truth

    async def wait_settled(self, posts: Collection[int], within: float = 90) -> bool:
        """Wait until all posts are final; return False after `within` wall seconds."""
        return await self.run_until(lambda: self.are_final(posts), within)

    async def run_until(self, condition: Callable[[], Awaitable[bool]], within: float) -> bool:
        """Wait until the condition holds; return False after `within` wall seconds.

        Meanwhile, reconnect accounts that lost their connection, and move the clock forward over
        periods in which nothing is due.
        """
        try:
            async with asyncio.timeout(within):
                while not await condition():
                    await asyncio.sleep(0.1)
                    ((lost_connections, next_due_at),) = await self.fetch(_IDLE_STATE)
                    if lost_connections:
                        await self.reconnect_accounts()
                    elif next_due_at is not None:
                        await self._skip_to(next_due_at)
        except TimeoutError:
            return False
        return True

    async def are_final(self, posts: Collection[int]) -> bool:
        """Return whether all these posts are in a final state."""
        rows = await self.fetch(
            "SELECT FROM roost.posts WHERE id = ANY(%s) AND state <> ALL(%s)",
            list(posts),
            sorted(FINAL_STATES),
        )
        return not rows

    async def _skip_to(self, instant: datetime) -> None:
        ahead = instant - self.runtime.clock.now()
        if timedelta(seconds=20) < ahead < timedelta(days=40):
            await self.emulator.jump(seconds=ahead.total_seconds())

    async def fetch(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query by the superuser; retry while the database is unavailable."""
        cursor = await self._execute(query, *values)
        return await cursor.fetchall()

    async def execute(self, statement: str, *values: Any) -> None:
        """Run a statement by the superuser; retry while the database is unavailable."""
        await self._execute(statement, *values)

    async def _execute(self, query: str, *values: Any) -> psycopg.AsyncCursor[Any]:
        async with asyncio.timeout(60), self._query_lock:
            while True:
                try:
                    if self.admin_connection is None or self.admin_connection.closed:
                        self.admin_connection = await psycopg.AsyncConnection.connect(
                            self.admin_url, autocommit=True, options=READ_WRITE
                        )
                    return await self.admin_connection.execute(query.encode(), values)
                except psycopg.OperationalError:
                    await asyncio.sleep(0.1)


async def retry_while_away(work: Callable[[], Awaitable[T]], within: float = 60) -> T:
    """Call `work`, and retry while the database is unavailable or has ended all sessions.

    Raises: TimeoutError if the database is unavailable for longer than `within` wall seconds.
    """
    async with asyncio.timeout(within):
        while True:
            try:
                return await work()
            except DATABASE_AWAY:
                await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def open_scenario(
    admin_url: str,
    emulator_url: str,
    folder: Path,
    *,
    wall: Mapping[str, str],
) -> AsyncIterator[Scenario]:
    """Open a test setup on an empty, migrated database and on an emulator, which is reset.

    `wall` has Roost's timeouts and other settings in wall seconds, as environment variables.
    """
    folder.mkdir(parents=True, exist_ok=True)
    async with contextlib.AsyncExitStack() as stack:
        # Each request gets a new connection, because an idle event loop does not notice that the
        # server has closed an old connection.
        connector = aiohttp.TCPConnector(force_close=True)
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        emulator = Emulator(emulator_url, http)
        await emulator.reset()
        settings = Settings(
            _env_file=None,
            home=folder / "home",
            database_url=app_url(admin_url),
            vault_keys=make_key_line(),
            x_base_url=emulator.url,
            clock_url=emulator.clock_url,
            x_tier="enterprise",
            twitter_client_id=emulator.app.client_id,
            twitter_client_secret=emulator.app.client_secret,
            twitter_callback_url=emulator.app.callback,
            **{name.lower(): value for name, value in wall.items()},  # type: ignore[arg-type]
        )
        runtime = await stack.enter_async_context(open_runtime(settings))
        tenant = await make_tenant(runtime, "default")
        scenario = Scenario(
            runtime,
            tenant,
            emulator,
            admin_url,
            folder,
            environment_of(settings, wall),
            FailpointTrap(folder / "trap"),
            tenants={tenant.id: tenant},
        )
        try:
            yield scenario
        finally:
            await stop_workers([*scenario.workers, *scenario.undisturbed_workers])
            if scenario.admin_connection is not None:
                await scenario.admin_connection.close()


async def stop_workers(workers: Sequence[Worker]) -> None:
    """Stop all workers that still run.

    Workers get SIGTERM first, so that they can write their coverage data. Workers that are stopped
    or end too slowly get SIGKILL.
    """
    for worker in workers:
        worker.send(signal.SIGKILL if worker.is_stopped else signal.SIGTERM)
    try:
        async with asyncio.timeout(_STOP_TIMEOUT_S):
            await asyncio.gather(*(worker.wait_ended() for worker in workers))
    except TimeoutError:
        for worker in workers:
            worker.send(signal.SIGKILL)
        await asyncio.gather(*(worker.wait_ended() for worker in workers))
