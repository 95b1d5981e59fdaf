"""The worker process: runs jobs, dispatches, does housekeeping and sends heartbeats."""

import asyncio
import logging
import signal
from collections.abc import Callable, Collection, Sequence
from typing import Final

from procrastinate import App
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.worker import Worker

from roost import jobs, store, watermark, x
from roost.errors import RoostError
from roost.models import Actor, IntegrationId, PostId, ScheduleId, Scope, TenantId
from roost.runtime import Runtime
from roost.services import collect, detect, dispatch, media_copies, publish, report
from roost.services.clock_check import ClockCheck
from roost.services.restore_check import DatabaseCheck
from roost.settings import Settings
from roost.store.availability import DATABASE_AWAY
from roost.store.locks import AccountLocks, open_account_locks
from roost.supervision import cancel_all, raise_if_cancelled, supervise
from roost.watchdog import watch_event_loop

log = logging.getLogger(__name__)

#: Concurrent jobs per queue in one process. There are many, because a job waits for X most of the
#: time. Slow tasks have their own queues, so that they do not delay due posts.
CONCURRENCY: Final = {jobs.PUBLISH: 20, jobs.PREPARE: 5, jobs.COLLECT: 5, jobs.REPORT: 1}
#: Maximum wall seconds between two dispatch passes.
_DISPATCH_INTERVAL_S = 30.0
#: If a dispatch pass has not queued all due posts, the next pass follows when this number of jobs
#: has been started, or after this number of wall seconds.
_CAPACITY_AFTER_JOBS, _CAPACITY_AFTER_S = 16, 0.25
#: Minimum wall seconds between two dispatch passes, so that posts that come due together are queued
#: in one pass.
_BATCH_DELAY_S = 0.02
#: Wall seconds between two removals of copies of media files that no post needs.
_REMOVE_COPIES_S = 3600.0


def _add_tasks(app: App, runtime: Runtime, actor: Actor, locks: AccountLocks) -> None:
    @app.task(name=jobs.PUBLISH)
    async def publish_post(tenant_id: int, integration_id: int, post_id: int) -> None:
        scope, integration = Scope(TenantId(tenant_id), actor), IntegrationId(integration_id)
        await publish.publish_post(runtime, scope, locks, integration, PostId(post_id))

    @app.task(name=jobs.PREPARE)
    async def prepare_post(tenant_id: int, integration_id: int, post_id: int) -> None:
        scope, integration = Scope(TenantId(tenant_id), actor), IntegrationId(integration_id)
        await publish.prepare_post(runtime, scope, locks, integration, PostId(post_id))

    @app.task(name=jobs.COLLECT)
    async def collect_account(tenant_id: int, integration_id: int) -> None:
        scope, integration = Scope(TenantId(tenant_id), actor), IntegrationId(integration_id)
        await collect.collect_account(runtime, scope, integration)
        await detect.detect_anomalies(runtime, scope, integration)

    @app.task(name=jobs.REPORT)
    async def make_report(tenant_id: int, schedule_id: int) -> None:
        scope = Scope(TenantId(tenant_id), actor)
        await report.make_scheduled_report(runtime, scope, ScheduleId(schedule_id))


async def _dispatch(runtime: Runtime, woken: asyncio.Event, running_jobs: jobs.RunningJobs) -> None:
    """Queue due jobs, then wait for the next due time, a NOTIFY, or capacity in the queue."""
    woken.clear()
    next_at = (await dispatch.dispatch_due(runtime)).next_at
    waits: list[asyncio.Task[object]] = [asyncio.create_task(woken.wait())]
    timeout = _DISPATCH_INTERVAL_S
    if next_at is not None and next_at <= runtime.clock.now():
        waits = [asyncio.create_task(running_jobs.wait_for_starts(_CAPACITY_AFTER_JOBS))]
        timeout = _CAPACITY_AFTER_S
    elif next_at is not None:
        waits.append(asyncio.create_task(runtime.clock.sleep_until(next_at)))
    try:
        await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    await asyncio.sleep(_BATCH_DELAY_S)


async def _listen(runtime: Runtime, woken: asyncio.Event) -> None:
    """Wake the dispatcher at each NOTIFY of the channel `roost_due`, and once at the start.

    The wake-up at the start is for a NOTIFY that was sent before this connection listened.
    """
    async with await runtime.database.connect() as connection:
        await connection.execute("LISTEN roost_due")
        woken.set()
        async for _ in connection.notifies():
            woken.set()


async def _run_housekeeping(
    runtime: Runtime, app: App, engines: Sequence[Worker], running_jobs: jobs.RunningJobs
) -> None:
    """Queue the jobs of dead workers again, and queue posts that have no job.

    Then remove jobs whose end could not be recorded, and wait a heartbeat interval.
    """
    settings = runtime.settings
    stalled = await app.job_manager.get_stalled_jobs(
        seconds_since_heartbeat=settings.worker_timeout.total_seconds()
    )
    for job in stalled:
        log.warning("job %s was left by a dead worker; the job is queued again", job.id)
        try:
            await app.job_manager.retry_job(job)
        except UniqueViolation:
            # A job for the same post or account is already in the queue, so this one is removed.
            await _end_job(app, job)
    ours = {engine.worker_id for engine in engines} - {None}
    doing = await app.job_manager.list_jobs_async(status=Status.DOING.value)
    now, after_s = asyncio.get_running_loop().time(), settings.worker_timeout.total_seconds()
    for job in running_jobs.list_unrecorded_ends(
        [job for job in doing if job.worker_id in ours], now=now, after_s=after_s
    ):
        log.warning("the end of job %s was not recorded; Roost records this end now", job.id)
        await _end_job(app, job)
    await dispatch.dispatch_stranded(runtime)
    await asyncio.sleep(settings.heartbeat_interval.total_seconds())


async def _remove_copies(runtime: Runtime) -> None:
    """Remove copies of media files that no post needs, then wait; a failure is only logged."""
    try:
        removed = await media_copies.remove_unneeded(runtime)
    except DATABASE_AWAY:
        raise
    except (RoostError, OSError) as error:
        log.warning("copies of files that no post needs were not removed: %s", error)
    else:
        if removed:
            log.info("%s copies of files that no post needs were removed", removed)
    await asyncio.sleep(_REMOVE_COPIES_S)


async def _end_job(app: App, job: Job) -> None:
    assert job.id is not None
    await app.job_manager.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)


def load_modules() -> None:
    """Import the modules of `store` and `x` now, so that no post waits for a first import."""
    for package in (store, x):
        for name in package.__all__:
            getattr(package, name)


#: The posts for which a request to X is in progress, each as its tenant's id and its own id.
Sending = Collection[tuple[TenantId, PostId]]


def _ignore(_: Sending) -> None:
    """Do nothing; the default of `on_stopping`."""


async def run(
    runtime: Runtime,
    actor: Actor,
    *,
    stop: asyncio.Event | None = None,
    on_stopping: Callable[[Sending], None] = _ignore,
) -> None:
    """Work until `stop` is set (default: until SIGTERM or SIGINT), then finish running jobs.

    `on_stopping` is called with the posts that have a request in progress at that moment.
    Cancelling this function counts as a crash: the next worker searches X for each due post before
    sending the post. While the database is unavailable, the worker keeps trying. The watchdog ends
    the process if the event loop is blocked, or if the process still runs a minute after a signal.
    """
    stopping = stop or asyncio.Event()
    with watch_event_loop() as start_exit_timer:

        def on_signal() -> None:
            stopping.set()
            start_exit_timer()

        if stop is None:
            # Without these handlers, a signal cancels the task. They are installed before the locks
            # are opened, because the cancellation of a database query can be lost.
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, on_signal)
        await _publish_until(runtime, actor, stopping, on_stopping)


async def _publish_until(
    runtime: Runtime,
    actor: Actor,
    stopping: asyncio.Event,
    on_stopping: Callable[[Sending], None],
) -> None:
    """Publish until `stopping` is set, but only while the database and the clock are in order."""
    checks: list[DatabaseCheck] = []

    async def compare() -> None:
        for check in checks:
            await check.check()

    async with open_account_locks(runtime.database, on_reopen=compare) as locks:
        database, clock = DatabaseCheck(runtime, locks, actor), ClockCheck(runtime)
        locks.close_gate("the database has not been compared with the watermark yet")
        await _first_checks(database, clock, locks, stopping)
        checks.append(database)
        with watermark.running(runtime.settings.home):
            tasks = [
                asyncio.create_task(supervise(name, work, ended))
                for name, work, ended in (
                    (
                        "the engine",
                        lambda: _work_if_open(runtime, actor, locks, stopping),
                        stopping,
                    ),
                    ("the checks", lambda: _check(database, clock, locks), asyncio.Event()),
                )
            ]
            reporting = asyncio.create_task(_report_stopping(stopping, locks, on_stopping))
            try:
                # The task of the checks never returns; it can only raise.
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                engine_task, check_task = tasks
                # The engine task is cancelled only once, so that it can finish its running jobs.
                engine_task.cancel()
                await cancel_all([check_task, reporting])
                await asyncio.gather(engine_task, return_exceptions=True)
            await locks.drain()
            await database.end()


async def _report_stopping(
    stopping: asyncio.Event, locks: AccountLocks, on_stopping: Callable[[Sending], None]
) -> None:
    await stopping.wait()
    on_stopping(frozenset(locks.sending))


async def _first_checks(
    database: DatabaseCheck, clock: ClockCheck, locks: AccountLocks, stopping: asyncio.Event
) -> None:
    """Check the database and the clock once, before the worker starts to publish.

    While the database is unavailable, the checks are tried again, until `stopping` is set.
    """
    done = asyncio.Event()

    async def check() -> None:
        await database.start()
        await clock.check()
        _set_gate(database, clock, locks)
        done.set()

    waits = [
        asyncio.create_task(supervise("the start", check, done)),
        asyncio.create_task(stopping.wait()),
    ]
    try:
        finished, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in finished:
            task.result()
    finally:
        await cancel_all(waits)


async def _check(database: DatabaseCheck, clock: ClockCheck, locks: AccountLocks) -> None:
    """Send the heartbeat of the locks' connection, check database and clock, then wait."""
    await locks.heartbeat(str(database.actor))
    await database.check()
    await clock.check()
    _set_gate(database, clock, locks)
    await asyncio.sleep(database.runtime.settings.heartbeat_interval.total_seconds())


def _set_gate(database: DatabaseCheck, clock: ClockCheck, locks: AccountLocks) -> None:
    problem = database.problem or clock.problem
    if problem is None:
        if locks.closed_because is not None:
            log.info("sending is allowed")
        locks.open_gate()
    elif problem != locks.closed_because:
        log.error("nothing is sent: %s", problem)
        locks.close_gate(problem)


async def _work_if_open(
    runtime: Runtime, actor: Actor, locks: AccountLocks, stopping: asyncio.Event
) -> None:
    """Run the job engine while `locks` allows attempts, or wait until `locks` allows them.

    The function also returns when `stopping` is set. Otherwise, `supervise` calls it again.
    """
    if locks.closed_because is None:
        await _work(runtime, actor, locks, stopping)
        return
    await _any_of(stopping, locks.opened)


async def _any_of(*events: asyncio.Event) -> None:
    """Wait until one of the events is set."""
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def _work(
    runtime: Runtime, actor: Actor, locks: AccountLocks, stopping: asyncio.Event
) -> None:
    """Run jobs and background tasks until `stopping` is set or a task fails.

    The function also returns when `locks` stops allowing attempts.
    """
    woken, never = asyncio.Event(), asyncio.Event()
    async with jobs.open_engine(runtime.database.conninfo) as app:
        raise_if_cancelled()
        _add_tasks(app, runtime, actor, locks)
        running_jobs = jobs.RunningJobs()
        engines = [
            jobs.make_worker(app, task, concurrency, runtime.settings, running_jobs)
            for task, concurrency in CONCURRENCY.items()
        ]
        running = [
            asyncio.create_task(engine.run())  # type: ignore[no-untyped-call]  # as is `stop`
            for engine in engines
        ]
        loops = [
            asyncio.create_task(supervise(name, work, never))
            for name, work in (
                ("dispatcher", lambda: _dispatch(runtime, woken, running_jobs)),
                ("listener", lambda: _listen(runtime, woken)),
                ("housekeeping", lambda: _run_housekeeping(runtime, app, engines, running_jobs)),
                ("removal of copies", lambda: _remove_copies(runtime)),
                ("heartbeat", lambda: heartbeat(runtime.settings, app, engines)),
                ("lock heartbeat", lambda: _heartbeat_locks(runtime.settings, actor, locks)),
            )
        ]
        ending = asyncio.create_task(_drain_on([stopping, locks.closed], engines))
        try:
            await _first_failure_or_all(running, loops)
        finally:
            for engine, task in zip(engines, running, strict=True):
                # An engine that is just registering may lose the cancellation, so `stop` ends it.
                engine.stop()  # type: ignore[no-untyped-call]
                task.cancel()
            await cancel_all([*loops, ending])
            await asyncio.gather(*running, return_exceptions=True)


async def _first_failure_or_all(
    running: list[asyncio.Task[None]], loops: list[asyncio.Task[None]]
) -> None:
    """Wait until every engine in `running` has ended.

    Raises: the first exception of an engine, or of a background task in `loops`.
    """
    waited = {*running, *loops}
    while any(task in waited for task in running):
        done, waited = await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


async def _drain_on(events: Sequence[asyncio.Event], engines: Sequence[Worker]) -> None:
    """When one of the events is set, stop the engines, which then finish their running jobs."""
    await _any_of(*events)
    for engine in engines:
        engine.stop()  # type: ignore[no-untyped-call]  # not annotated


async def heartbeat(settings: Settings, app: App, engines: Sequence[Worker]) -> None:
    """Record a heartbeat for each engine, even while the engine finishes its last jobs."""
    await asyncio.sleep(settings.heartbeat_interval.total_seconds())
    for engine in engines:
        if engine.worker_id is not None:
            await app.job_manager.update_heartbeat(engine.worker_id)


async def _heartbeat_locks(settings: Settings, actor: Actor, locks: AccountLocks) -> None:
    """Send the heartbeat of the locks' connection, even while a check in `_check` hangs."""
    await asyncio.sleep(settings.heartbeat_interval.total_seconds())
    await locks.heartbeat(str(actor))


async def is_any_alive(runtime: Runtime) -> bool:
    """Whether a worker has recorded a heartbeat within the worker timeout."""
    async with runtime.database.unscoped() as transaction:
        row = await transaction.run_one(
            "count_live_workers", within=runtime.settings.worker_timeout
        )
    return bool(row and row["n"])
