"""Checks whether posts are published on time, and how many workers are alive."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from roost.models import Reason
from roost.runtime import Runtime
from roost.services import monitor, pause
from roost.store.availability import DATABASE_AWAY
from roost.store.database import Transaction

log = logging.getLogger(__name__)

#: Wall seconds after which `/healthz` reports that the database does not respond.
_DATABASE_TIMEOUT_S: Final = 5.0
#: Wall seconds between two checks for late posts.
_LATENESS_INTERVAL_S: Final = 30.0


class ServiceStatus(StrEnum):
    """Whether posts are published on time."""

    OK = "ok"
    NO_WORKER = "no_worker"
    """No worker is alive, and no post is late yet."""
    LATE = "late"
    """A post is late."""
    STOPPED = "stopped"
    """An operator or a safety check has paused everything."""
    BROKEN = "broken"
    """The database does not respond."""


@dataclass(frozen=True, slots=True)
class ServiceHealth:
    """Whether posts are published on time, and how many workers are alive."""

    status: ServiceStatus
    live_workers: int | None
    """The number of live workers; None if the database does not respond."""
    oldest_due_at: datetime | None = None
    """The due time of the oldest post that is due and not published; None if no post is due."""
    is_stopped: bool = False
    """Whether everything is paused."""
    stop_reason: Reason | None = None
    """Why everything is paused; None if there is no global pause."""


async def get_service_health(runtime: Runtime) -> ServiceHealth:
    """Read the health of the service.

    Raises: the errors in `store.availability.DATABASE_AWAY`.
    """
    now = runtime.clock.now()
    within = runtime.settings.worker_timeout
    async with runtime.database.unscoped() as transaction:
        live_workers = await _count_live_workers(transaction, within)
        oldest_due_at = await monitor.get_oldest_due_at(runtime, transaction, now)
        pauses = await pause.get_pause_status(transaction)
    status = ServiceStatus.OK if live_workers else ServiceStatus.NO_WORKER
    if monitor.is_late(oldest_due_at, now):
        status = ServiceStatus.LATE
    if pauses.everything:
        status = ServiceStatus.STOPPED
    return ServiceHealth(status, live_workers, oldest_due_at, pauses.everything, pauses.reason)


async def probe_service(runtime: Runtime) -> ServiceHealth:
    """Read the health of the service; it is `BROKEN` if the database does not respond in 5 s."""
    try:
        async with asyncio.timeout(_DATABASE_TIMEOUT_S):
            return await get_service_health(runtime)
    except (*DATABASE_AWAY, TimeoutError):
        return ServiceHealth(ServiceStatus.BROKEN, live_workers=None)


async def is_worker_alive(runtime: Runtime) -> bool:
    """Whether any worker of this database has sent a heartbeat within the worker timeout."""
    within = runtime.settings.worker_timeout
    async with runtime.database.unscoped() as transaction:
        return await _count_live_workers(transaction, within) > 0


async def _count_live_workers(transaction: Transaction, within: timedelta) -> int:
    """Return how many worker processes have sent a heartbeat in the last `within`."""
    row = await transaction.run_one("count_live_workers", within=within)
    assert row is not None, "an aggregate returns one row"
    return int(row["n"])


async def watch_lateness(runtime: Runtime) -> None:
    """Keep an alert open while a post is late; run until cancelled.

    The web server runs this function, because posts can also be late if all workers have stopped.
    """
    while True:
        try:
            await monitor.check_lateness(runtime)
        except DATABASE_AWAY as error:
            log.warning("late posts cannot be checked: no database (%s)", type(error).__name__)
        await asyncio.sleep(_LATENESS_INTERVAL_S)
