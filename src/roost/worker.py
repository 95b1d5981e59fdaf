"""The Social Publisher's process: task bodies, the dispatcher's loop, housekeeping, a clean end."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import timedelta
from typing import Any, Final

from procrastinate import App
from procrastinate.exceptions import UniqueViolation
from procrastinate.job_context import JobContext
from procrastinate.jobs import Job, Status
from procrastinate.worker import Worker

from roost import jobs, watermark
from roost.errors import RoostError
from roost.house import House
from roost.models import IntegrationId, PostId, TenantId
from roost.services import alert, collect, dispatch, media_copies, publish
from roost.services.clock_check import ClockCheck
from roost.services.restore_check import DatabaseCheck
from roost.settings import Settings
from roost.store.away import DATABASE_AWAY
from roost.store.locks import SenderLocks, open_sender_locks
from roost.supervision import cancel_all, raise_if_cancelled, supervise
from roost.watchdog import watching

log = logging.getLogger(__name__)

#: Jobs of a queue at a time in one process: they wait for X most of their time. What may take
#: long has a queue of its own, so that it never takes the place of what is due.
CONCURRENCY: Final = {jobs.PUBLISH: 20, jobs.PREPARE: 5, jobs.COLLECT: 5}
#: The dispatcher looks again after this, even if nothing woke it.
_LOOK_AGAIN_S = 30.0
#: Where something due is left: when so many jobs have begun here, or after this.
_ROOM_AFTER_JOBS, _ROOM_AFTER_S = 8, 0.25
#: Between two looks at least: what comes due meanwhile is one claim.
_GATHER_S = 0.02
#: Between two removals of copies of files that no post needs.
_REMOVE_COPIES_S = 3600.0


def _add_tasks(app: App, house: House, locks: SenderLocks) -> None:
    @app.task(name=jobs.PUBLISH)
    async def publish_post(tenant_id: int, integration_id: int, post_id: int) -> None:
        tenant, integration = TenantId(tenant_id), IntegrationId(integration_id)
        await publish.publish_post(house, locks, tenant, integration, PostId(post_id))

    @app.task(name=jobs.PREPARE)
    async def prepare_post(tenant_id: int, integration_id: int, post_id: int) -> None:
        tenant, integration = TenantId(tenant_id), IntegrationId(integration_id)
        await publish.prepare_post(house, locks, tenant, integration, PostId(post_id))

    @app.task(name=jobs.COLLECT)
    async def collect_account(tenant_id: int, integration_id: int) -> None:
        tenant, integration = TenantId(tenant_id), IntegrationId(integration_id)
        await collect.collect_account(house, tenant, integration)
        await alert.detect(house, tenant, integration)


class Bodies:
    """The jobs whose bodies run in this process, as the engine's middleware sees them."""

    def __init__(self) -> None:
        self._awaited = 0
        self._enough = asyncio.Event()
        self._running: set[int] = set()
        self._idle_since: dict[int, float] = {}

    async def __call__(
        self, body: Callable[[], Awaitable[Any]], context: JobContext, worker: Worker
    ) -> Any:
        """Run a job's body."""
        assert context.job.id is not None
        self._running.add(context.job.id)
        self._awaited -= 1
        if self._awaited <= 0:
            self._enough.set()
        try:
            return await body()
        finally:
            self._running.discard(context.job.id)

    async def begin(self, count: int) -> None:
        """Return once so many more jobs have begun."""
        self._awaited = count
        self._enough.clear()
        await self._enough.wait()

    def ended_unseen(self, doing: list[Job], *, now: float, after_s: float) -> list[Job]:
        """Which of the jobs under way here have had no body for so long (wall seconds).

        The engine could not write their end: the database was away at that moment.
        """
        idle = {job.id: job for job in doing if job.id not in self._running and job.id is not None}
        self._idle_since = {number: self._idle_since.get(number, now) for number in idle}
        return [job for number, job in idle.items() if now - self._idle_since[number] > after_s]


async def _dispatch(house: House, woken: asyncio.Event, bodies: Bodies) -> None:
    """Queue what has come due, then wait for the next due time, a NOTIFY, or room."""
    woken.clear()
    next_at = (await dispatch.dispatch_due(house)).next_at
    waits: list[asyncio.Task[object]] = [asyncio.create_task(woken.wait())]
    timeout = _LOOK_AGAIN_S
    if next_at is not None and next_at <= house.clock.now():
        waits = [asyncio.create_task(bodies.begin(_ROOM_AFTER_JOBS))]
        timeout = _ROOM_AFTER_S
    elif next_at is not None:
        waits.append(asyncio.create_task(house.clock.sleep_until(next_at)))
    try:
        await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    await asyncio.sleep(_GATHER_S)


async def _listen(house: House, woken: asyncio.Event) -> None:
    """Wake the dispatcher at each NOTIFY, and once at the start of listening."""
    async with await house.database.connect() as connection:
        await connection.execute("LISTEN roost_due")
        woken.set()
        async for _ in connection.notifies():
            woken.set()


async def _keep_house(house: House, app: App, engines: Sequence[Worker], bodies: Bodies) -> None:
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
            await _end_job(app, job)
    ours = {engine.worker_id for engine in engines} - {None}
    doing = await app.job_manager.list_jobs_async(status=Status.DOING.value)
    now, after_s = asyncio.get_running_loop().time(), settings.roost_stalled_after_s
    for job in bodies.ended_unseen(
        [job for job in doing if job.worker_id in ours], now=now, after_s=after_s
    ):
        log.warning("the end of job %s was not written; it is now", job.id)
        await _end_job(app, job)
    await dispatch.dispatch_stranded(house)
    await asyncio.sleep(settings.roost_heartbeat_s)


async def _remove_copies(house: House) -> None:
    """On wall time: remove copies of files that no post needs; a failure hinders no post."""
    try:
        removed = await media_copies.remove_unneeded(house)
    except DATABASE_AWAY:
        raise
    except (RoostError, OSError) as error:
        log.warning("copies of files that no post needs stay for now: %s", error)
    else:
        if removed:
            log.info("%s copies of files that no post needs were removed", removed)
    await asyncio.sleep(_REMOVE_COPIES_S)


async def _end_job(app: App, job: Job) -> None:
    assert job.id is not None
    await app.job_manager.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)


#: Posts of which a request to X is under way.
Sending = Collection[tuple[TenantId, PostId]]


def _ignore(_: Sending) -> None:
    """For callers that do not ask what is under way at the end."""


async def run(
    house: House,
    *,
    stop: asyncio.Event | None = None,
    on_ending: Callable[[Sending], None] = _ignore,
) -> None:
    """Work until `stop` is set, or without it until SIGTERM or SIGINT; then finish running jobs.

    Cancelling it counts as a crash: the next worker looks for the posts that are due on X.
    `on_ending` gets the posts of which a request is under way when it is asked to end.

    A database that is away, however long, is tried again; so is one that restarted. A process
    whose event loop is stuck ends at once, and one that a signal asked to end after a minute.
    """
    asked = stop or asyncio.Event()
    with watching() as ending:

        def ask() -> None:
            asked.set()
            ending()

        if stop is None:
            # First of all: what is cancelled while it opens may swallow the cancellation.
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, ask)
        await _publish_until(asked, house, on_ending)


async def _publish_until(
    asked: asyncio.Event, house: House, on_ending: Callable[[Sending], None]
) -> None:
    """Work while everything that sending depends on holds, until `asked`."""
    checks: list[DatabaseCheck] = []

    async def compare() -> None:
        for check in checks:
            await check.check()

    async with open_sender_locks(house.database, on_reopen=compare) as locks:
        database, clock = DatabaseCheck(house, locks), ClockCheck(house)
        locks.close_gate("the database has not been compared yet")
        await _first_checks(database, clock, locks, asked)
        checks.append(database)
        with watermark.running(house.settings.roost_home):
            tasks = [
                asyncio.create_task(supervise(name, work, ended))
                for name, work, ended in (
                    ("the engine", lambda: _work_if_open(house, locks, asked), asked),
                    ("the checks", lambda: _check(database, clock, locks), asyncio.Event()),
                )
            ]
            reporting = asyncio.create_task(_report_ending(asked, locks, on_ending))
            try:
                # The checks end by a failure alone.
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                engine_task, check_task = tasks
                engine_task.cancel()  # Only once: it drains before it ends.
                await cancel_all([check_task, reporting])
                await asyncio.gather(engine_task, return_exceptions=True)
            await locks.drain()
            await database.end()


async def _report_ending(
    asked: asyncio.Event, locks: SenderLocks, on_ending: Callable[[Sending], None]
) -> None:
    await asked.wait()
    on_ending(frozenset(locks.sending))


async def _first_checks(
    database: DatabaseCheck, clock: ClockCheck, locks: SenderLocks, asked: asyncio.Event
) -> None:
    """Compare for the first time, again while the database is away, unless `asked` to end."""
    done = asyncio.Event()

    async def check() -> None:
        await database.start()
        await clock.check()
        _set_gate(database, clock, locks)
        done.set()

    waits = [
        asyncio.create_task(supervise("the start", check, done)),
        asyncio.create_task(asked.wait()),
    ]
    try:
        finished, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in finished:
            task.result()
    finally:
        await cancel_all(waits)


async def _check(database: DatabaseCheck, clock: ClockCheck, locks: SenderLocks) -> None:
    """Compare again at each heartbeat, or when a part of the work has met a problem."""
    await locks.heartbeat(database.house.who)
    await database.check()
    await clock.check()
    _set_gate(database, clock, locks)
    await asyncio.sleep(database.house.settings.roost_heartbeat_s)


def _set_gate(database: DatabaseCheck, clock: ClockCheck, locks: SenderLocks) -> None:
    problem = database.problem or clock.problem
    if problem is None:
        if locks.closed_because is not None:
            log.info("attempts may begin")
        locks.open_gate()
    elif problem != locks.closed_because:
        log.error("nothing is sent: %s", problem)
        locks.close_gate(problem)


async def _work_if_open(house: House, locks: SenderLocks, asked: asyncio.Event) -> None:
    """Run the engine until it is asked to end or the gate closes; wait while it is closed."""
    if locks.closed_because is None:
        await _work(house, locks, asked)
        return
    await _any_of(asked, locks.opened)


async def _any_of(*events: asyncio.Event) -> None:
    """Return once one of the events is set."""
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def _work(house: House, locks: SenderLocks, asked: asyncio.Event) -> None:
    """Run the engine and what is beside it until it is asked to end, or loses the database."""
    woken, forever = asyncio.Event(), asyncio.Event()
    async with jobs.open_engine(house.database.conninfo) as app:
        raise_if_cancelled()
        _add_tasks(app, house, locks)
        bodies = Bodies()
        engines = [
            jobs.make_worker(app, task, concurrency, house.settings, bodies)
            for task, concurrency in CONCURRENCY.items()
        ]
        running = [
            asyncio.create_task(engine.run())  # type: ignore[no-untyped-call]  # as is `stop`
            for engine in engines
        ]
        beside = [
            asyncio.create_task(supervise(name, work, forever))
            for name, work in (
                ("dispatcher", lambda: _dispatch(house, woken, bodies)),
                ("listener", lambda: _listen(house, woken)),
                ("housekeeping", lambda: _keep_house(house, app, engines, bodies)),
                ("removal of copies", lambda: _remove_copies(house)),
                ("heartbeat", lambda: beat(house.settings, app, engines)),
            )
        ]
        ending = asyncio.create_task(_drain_on([asked, locks.closed], engines))
        try:
            await _first_failure_or_all(running, beside)
        finally:
            for engine, task in zip(engines, running, strict=True):
                # An engine that misses the cancellation while it registers ends by this.
                engine.stop()  # type: ignore[no-untyped-call]
                task.cancel()
            await cancel_all([*beside, ending])
            await asyncio.gather(*running, return_exceptions=True)


async def _first_failure_or_all(
    running: list[asyncio.Task[None]], beside: list[asyncio.Task[None]]
) -> None:
    """Return when every engine has ended. Raises: what ended one of all these tasks before."""
    waited = {*running, *beside}
    while any(task in waited for task in running):
        done, waited = await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


async def _drain_on(events: Sequence[asyncio.Event], engines: Sequence[Worker]) -> None:
    """Let the engines drain once one of the events is set."""
    await _any_of(*events)
    for engine in engines:
        engine.stop()  # type: ignore[no-untyped-call]  # the engine's is not annotated


async def beat(settings: Settings, app: App, engines: Sequence[Worker]) -> None:
    """A sign of life; the engine's own stops when it begins to drain, and ours does not."""
    await asyncio.sleep(settings.roost_heartbeat_s)
    for engine in engines:
        if engine.worker_id is not None:
            await app.job_manager.update_heartbeat(engine.worker_id)


async def is_any_alive(house: House) -> bool:
    """Whether a worker gave a sign of life lately."""
    async with house.database.house() as transaction:
        row = await transaction.run_one(
            "live_workers", within=timedelta(seconds=house.settings.roost_stalled_after_s)
        )
    return bool(row and row["n"])
