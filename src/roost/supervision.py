"""Repeats a worker's tasks while the database comes and goes, and ends them for certain."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final

from roost.store.away import DATABASE_AWAY

log = logging.getLogger(__name__)

#: The first pause after the database was away is a second; the longest is this.
_LONGEST_PAUSE_S: Final = 10.0
#: A task that was cancelled and still runs is cancelled again after this.
_CANCEL_AGAIN_S: Final = 1.0


async def supervise(name: str, work: Callable[[], Awaitable[None]], ended: asyncio.Event) -> None:
    """Repeat `work` until `ended`. While the database is away, pause longer before each try."""
    now, pause = asyncio.get_running_loop().time, 0.0
    while not ended.is_set():
        raise_if_cancelled()
        began = now()
        try:
            await work()
            pause = 0.0
        except DATABASE_AWAY as error:
            log.warning("%s cannot reach the database (%s)", name, type(error).__name__)
            pause = next_pause(pause, now() - began)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), pause)


async def cancel_all(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel tasks until each has ended.

    One cancellation may not be enough: before Python 3.12 `asyncio.wait_for`, by which the pools
    wait for a connection, drops one that comes in the moment in which the wait is over.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_CANCEL_AGAIN_S)
    await asyncio.gather(*tasks, return_exceptions=True)


def raise_if_cancelled() -> None:
    """Raise a cancellation of this task that what it awaited has dropped (see `cancel_all`)."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def next_pause(pause: float, worked_s: float) -> float:
    """Wall seconds until another try, after a pause (0: none yet) and so long a work."""
    return 1.0 if worked_s > _LONGEST_PAUSE_S or not pause else min(2 * pause, _LONGEST_PAUSE_S)
