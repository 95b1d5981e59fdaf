"""The job engine: queue names, and jobs deferred by task name inside the caller's transaction.

The dispatcher queues by itself (`store/sql/dispatch.sql`, `dispatch_due`), in these words.
"""

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Final

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued
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


def queue_name(task: str, environment: Environment) -> str:
    """The queue of a task: workers of one X are not given the jobs of another's accounts."""
    return f"{task}.{environment.value}"


#: A worker asked to end lets its jobs finish for this long, in wall seconds.
_DRAIN_S: Final = 20.0

#: Knows no task and opens no connection: deferring needs a name and the caller's connection.
_deferring = App(connector=PsycopgConnector())


@contextlib.asynccontextmanager
async def open_engine(conninfo: str) -> AsyncIterator[App]:
    """The engine for a worker, with connections of its own.

    Its statements are whole by themselves, so they go without BEGIN and COMMIT, and a connection is
    not asked for a sign of life before each: that makes two statements a job instead of eight.
    """
    pool = AsyncConnectionPool(
        conninfo, min_size=1, max_size=6, open=False, configure=_commit_each,
        check=_see_its_end,
    )  # fmt: skip
    app = App(connector=PsycopgConnector())
    try:
        await pool.open(wait=True)
        async with app.open_async(pool):
            yield app
    finally:
        await pool.close()


async def _commit_each(connection: psycopg.AsyncConnection[Any]) -> None:
    await connection.set_autocommit(True)
    await set_up(connection)


async def _see_its_end(connection: psycopg.AsyncConnection[Any]) -> None:
    """Raises: psycopg.OperationalError where the server has closed it; the server is not asked."""
    for _ in ("its last word", "its end"):
        connection.pgconn.consume_input()


def make_worker(
    app: App, task: str, concurrency: int, settings: Settings, around: WorkerMiddleware
) -> Worker:
    """A worker of the engine for one task and the X of the settings.

    Signals and heartbeats are ours. `around` runs each job's body.
    """
    return Worker(
        app,
        queues=[queue_name(task, settings.environment)],
        concurrency=concurrency,
        install_signal_handlers=False,
        fetch_job_polling_interval=1.0,
        shutdown_graceful_timeout=_DRAIN_S,
        # A post tells its story in its own rows; nothing has to be kept of a job.
        delete_jobs="always",
        # The engine's own sign of life stops when it begins to drain, ours does not.
        update_heartbeat_interval=timedelta(days=1).total_seconds(),
        stalled_worker_timeout=settings.roost_worker_timeout_s,
        worker_middleware=[around],
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
    """Queue the sending of a post, after a wall delay; False where a job waits for it already."""
    delay = None if wall_delay is None else {"seconds": max(0.0, wall_delay.total_seconds())}
    job = _deferring.configure_task(
        PUBLISH,
        connection=transaction.raw,
        queue=queue_name(PUBLISH, environment),
        queueing_lock=f"post:{post_id}",
        schedule_in=delay,
    )
    try:
        # A violated lock would end the caller's transaction: a savepoint ends instead.
        async with transaction.raw.transaction():
            await job.defer_async(
                tenant_id=int(tenant_id), integration_id=int(integration_id), post_id=int(post_id)
            )
    except AlreadyEnqueued:
        return False
    return True
