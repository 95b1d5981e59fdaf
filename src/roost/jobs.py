"""Creates job workers and queues publish jobs, with the library Procrastinate.

`defer_publish` queues a publish job inside the caller's transaction. The dispatcher does not use
this function: it inserts jobs by its own SQL (`dispatch_due` in `store/sql/dispatch.sql`). That SQL
uses the same names of tasks and queues as this module.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.job_context import JobContext
from procrastinate.jobs import Job
from procrastinate.middleware import WorkerMiddleware
from procrastinate.worker import Worker
from psycopg_pool import AsyncConnectionPool

from roost.models import Environment, IntegrationId, PostId, TenantId
from roost.settings import Settings
from roost.store.database import Transaction
from roost.store.session import set_up

PUBLISH: Final = "publish"
PREPARE: Final = "prepare"
COLLECT: Final = "collect"
REPORT: Final = "report"


def queue_name(task: str, environment: Environment) -> str:
    """Return the name of a task's queue; each environment has its own queues."""
    return f"{task}.{environment.value}"


#: Wall seconds in which the running jobs of a stopped worker may finish.
_DRAIN_S: Final = 20.0

#: A Procrastinate app without tasks and without a connection of its own: to queue a job, it needs
#: only the task's name and the caller's connection.
_deferring = App(connector=PsycopgConnector())


@contextlib.asynccontextmanager
async def open_engine(conninfo: str) -> AsyncIterator[App]:
    """Open Procrastinate for a worker, with a connection pool of its own.

    Procrastinate's statements need no transaction, so the connections are in autocommit mode. The
    pool checks a connection before use without sending a query. A job therefore takes two
    statements instead of eight.
    """
    pool = AsyncConnectionPool(
        conninfo, min_size=1, max_size=6, open=False, configure=_autocommit,
        check=_check_open,
    )  # fmt: skip
    app = App(connector=PsycopgConnector())
    try:
        await pool.open(wait=True)
        async with app.open_async(pool):
            yield app
    finally:
        await pool.close()


async def _autocommit(connection: psycopg.AsyncConnection[Any]) -> None:
    await connection.set_autocommit(True)
    await set_up(connection)


async def _check_open(connection: psycopg.AsyncConnection[Any]) -> None:
    """Check that the server has not closed the connection, without sending a query.

    Raises: psycopg.OperationalError.
    """
    # The first call reads the server's last message, and the second reads the end of the stream.
    connection.pgconn.consume_input()
    connection.pgconn.consume_input()


class RunningJobs:
    """Records which jobs run in this process.

    An object of this class is a Procrastinate middleware: a worker calls it to run each job.
    """

    def __init__(self) -> None:
        self._awaited = 0
        self._started = asyncio.Event()
        self._running: set[int] = set()
        self._idle_since: dict[int, float] = {}

    async def __call__(
        self, run_job: Callable[[], Awaitable[Any]], context: JobContext, worker: Worker
    ) -> Any:
        """Run a job, and count it as running until it ends."""
        assert context.job.id is not None
        self._running.add(context.job.id)
        self._awaited -= 1
        if self._awaited <= 0:
            self._started.set()
        try:
            return await run_job()
        finally:
            self._running.discard(context.job.id)

    async def wait_for_starts(self, count: int) -> None:
        """Wait until `count` more jobs have started in this process."""
        self._awaited = count
        self._started.clear()
        await self._started.wait()

    def list_unrecorded_ends(self, doing: list[Job], *, now: float, after_s: float) -> list[Job]:
        """Return the jobs of `doing` that ended in this process more than `after_s` seconds ago.

        `doing` has the jobs that the database lists as running. If the database was unavailable
        when a job ended, the database still lists the job.
        """
        idle = {job.id: job for job in doing if job.id not in self._running and job.id is not None}
        self._idle_since = {number: self._idle_since.get(number, now) for number in idle}
        return [job for number, job in idle.items() if now - self._idle_since[number] > after_s]


def make_worker(
    app: App, task: str, concurrency: int, settings: Settings, middleware: WorkerMiddleware
) -> Worker:
    """Return a Procrastinate worker for one task in the environment of the settings.

    The worker does not handle signals, and sends no heartbeats: Roost does both itself. The worker
    runs each job through `middleware`.
    """
    return Worker(
        app,
        queues=[queue_name(task, settings.environment)],
        concurrency=concurrency,
        install_signal_handlers=False,
        fetch_job_polling_interval=1.0,
        shutdown_graceful_timeout=_DRAIN_S,
        # Roost keeps the history of a post itself, so jobs need not be kept.
        delete_jobs="always",
        # Procrastinate's own heartbeat stops when its worker starts to shut down, so Roost sends
        # heartbeats itself.
        update_heartbeat_interval=timedelta(days=1).total_seconds(),
        stalled_worker_timeout=settings.worker_timeout.total_seconds(),
        worker_middleware=[middleware],
    )


async def defer_publish(
    transaction: Transaction,
    tenant_id: TenantId,
    integration_id: IntegrationId,
    post_id: PostId,
    *,
    environment: Environment,
    wall_delay: timedelta | None = None,
) -> bool:
    """Queue a publish job to run after `wall_delay`; return False if a job is waiting already."""
    delay = None if wall_delay is None else {"seconds": max(0.0, wall_delay.total_seconds())}
    job = _deferring.configure_task(
        PUBLISH,
        connection=transaction.raw,
        queue=queue_name(PUBLISH, environment),
        queueing_lock=f"post:{post_id}",
        schedule_in=delay,
    )
    try:
        # If a job is waiting already, the queueing lock causes an error. The savepoint keeps this
        # error from aborting the transaction.
        async with transaction.raw.transaction():
            await job.defer_async(
                tenant_id=int(tenant_id), integration_id=int(integration_id), post_id=int(post_id)
            )
    except AlreadyEnqueued:
        return False
    return True
