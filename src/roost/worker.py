"""The Social Publisher's process: task bodies, the dispatcher's loop, housekeeping, a clean end."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from datetime import timedelta

import psycopg
from procrastinate import App
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Status
from procrastinate.worker import Worker
from psycopg_pool import PoolTimeout
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from roost import jobs
from roost.house import House
from roost.models import IntegrationId, PostId, TenantId
from roost.services import alert, collect, dispatch, publish
from roost.store.locks import SenderLocks, open_sender_locks

log = logging.getLogger(__name__)

#: Jobs at a time in one process: they wait for X most of their time.
_CONCURRENCY = 20
#: The dispatcher looks again after this, even if nothing woke it.
_LOOK_AGAIN_S = 30.0
#: A worker asked to end lets its jobs finish for this long.
_DRAIN_S = 20.0
#: How a database that cannot be reached shows, in each library's words.
_DATABASE_AWAY = (
    psycopg.OperationalError, DBAPIError, PoolExhausted, PoolTimeout, ConnectorException,
)  # fmt: skip


def _add_tasks(app: App, house: House, locks: SenderLocks) -> None:
    @app.task(name=jobs.PUBLISH)
    async def publish_post(tenant_id: int, post_id: int) -> None:
        await publish.publish_post(house, locks, TenantId(tenant_id), PostId(post_id))

    @app.task(name=jobs.COLLECT)
    async def collect_account(tenant_id: int, integration_id: int) -> None:
        tenant, integration = TenantId(tenant_id), IntegrationId(integration_id)
        await collect.collect_account(house, tenant, integration)
        await alert.detect(house, tenant, integration)


async def _dispatch(house: House, woken: asyncio.Event) -> None:
    """Queue what has come due, then wait for the next due time or a NOTIFY."""
    woken.clear()
    while await dispatch.dispatch_due(house):
        pass
    async with house.database.house() as transaction:
        row = await transaction.run_one("next_due", environment=house.settings.environment)
    waits: list[asyncio.Task[object]] = [asyncio.create_task(woken.wait())]
    if row and row["at"]:
        waits.append(asyncio.create_task(house.clock.sleep_until(row["at"])))
    try:
        await asyncio.wait(waits, timeout=_LOOK_AGAIN_S, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    # What is due but locked by another dispatcher is due still: do not spin on it.
    await asyncio.sleep(0.02)


async def _listen(house: House, woken: asyncio.Event) -> None:
    """Wake the dispatcher at each NOTIFY, and once at the start of listening."""
    async with await house.database.connect() as connection:
        await connection.execute("LISTEN roost_due")
        woken.set()
        async for _ in connection.notifies():
            woken.set()


async def _keep_house(house: House, app: App) -> None:
    """On wall time: jobs of dead workers go to living ones, stranded posts get a job again."""
    settings = house.settings
    stalled = await app.job_manager.get_stalled_jobs(
        seconds_since_heartbeat=settings.roost_stalled_after_s
    )
    for job in stalled:
        log.warning("job %s was left by a dead worker; it starts again", job.id)
        try:
            await app.job_manager.retry_job(job)
        except UniqueViolation:
            # Another job for the same thing waits already; this one has nothing to add.
            assert job.id is not None
            await app.job_manager.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)
    await dispatch.dispatch_stranded(house)
    await asyncio.sleep(settings.roost_heartbeat_s)


async def _again_and_again(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do something for ever; a database that is away is tried again each second."""
    while True:
        try:
            await work()
        except _DATABASE_AWAY as error:
            log.warning("%s cannot reach the database (%s)", name, type(error).__name__)
            await asyncio.sleep(1)


async def run(house: House, *, handle_signals: bool = True) -> None:
    """Work until SIGTERM or SIGINT, then let running jobs finish; or until cancelled.

    A database that is away, however long, is tried again; so is one that restarted.
    """
    asked = asyncio.Event()
    if handle_signals:
        # First of all: what is cancelled while it opens may swallow the cancellation.
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, asked.set)
    async with open_sender_locks(house.database) as locks:
        while not asked.is_set():
            try:
                await _work(house, locks, asked)
            except _DATABASE_AWAY as error:
                log.warning("the engine cannot reach the database (%s)", type(error).__name__)
            if not asked.is_set():
                await asyncio.sleep(1)


async def _work(house: House, locks: SenderLocks, asked: asyncio.Event) -> None:
    """Run the engine and what is beside it until it is asked to end, or loses the database."""
    settings = house.settings
    app = jobs.make_app(house.database.conninfo)
    async with app.open_async():
        _add_tasks(app, house, locks)
        engine = Worker(
            app,
            queues=[jobs.PUBLISH, jobs.COLLECT],
            concurrency=_CONCURRENCY,
            install_signal_handlers=False,
            fetch_job_polling_interval=1.0,
            shutdown_graceful_timeout=_DRAIN_S,
            delete_jobs="successful",
            update_heartbeat_interval=settings.roost_heartbeat_s,
            stalled_worker_timeout=settings.roost_stalled_after_s,
        )

        woken = asyncio.Event()
        running = asyncio.create_task(engine.run())  # type: ignore[no-untyped-call]  # likewise
        beside = [
            asyncio.create_task(_again_and_again(name, work))
            for name, work in (
                ("dispatcher", lambda: _dispatch(house, woken)),
                ("listener", lambda: _listen(house, woken)),
                ("housekeeping", lambda: _keep_house(house, app)),
                ("heartbeat", lambda: _beat(house, app, engine)),
            )
        ]
        ending = asyncio.create_task(_end_when(asked, engine))
        try:
            done, _ = await asyncio.wait({running, *beside}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (*beside, ending, running):
                task.cancel()
            await asyncio.gather(*beside, ending, running, return_exceptions=True)


async def _end_when(asked: asyncio.Event, engine: Worker) -> None:
    """Let the engine drain once somebody has asked for the end."""
    await asked.wait()
    engine.stop()  # type: ignore[no-untyped-call]  # the engine's is not annotated


async def _beat(house: House, app: App, engine: Worker) -> None:
    """A sign of life; the engine's own stops when it begins to drain, and ours does not."""
    await asyncio.sleep(house.settings.roost_heartbeat_s)
    if engine.worker_id is not None:
        await app.job_manager.update_heartbeat(engine.worker_id)


async def is_any_alive(house: House) -> bool:
    """Whether a worker gave a sign of life lately."""
    async with house.database.house() as transaction:
        row = await transaction.run_one(
            "live_workers", within=timedelta(seconds=house.settings.roost_stalled_after_s)
        )
    return bool(row and row["n"])
