"""Repeats a worker's tasks while the database is away, and cancels them reliably."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final

from roost.store.availability import DATABASE_AWAY

log = logging.getLogger(__name__)

#: Maximum wall seconds between two tries to reach a database that is away; the first delay is 1 s.
_MAX_RETRY_DELAY_S: Final = 10.0
#: Wall seconds after which a cancelled task that still runs is cancelled again.
_CANCEL_AGAIN_S: Final = 1.0


async def supervise(name: str, work: Callable[[], Awaitable[None]], stopped: asyncio.Event) -> None:
    """Repeat `work` until `stopped` is set, with growing delays while the database is away."""
    now, delay = asyncio.get_running_loop().time, 0.0
    while not stopped.is_set():
        raise_if_cancelled()
        started = now()
        try:
            await work()
            delay = 0.0
        except DATABASE_AWAY as error:
            # A cancelled query may raise one of these errors instead of CancelledError.
            raise_if_cancelled()
            log.warning("%s cannot reach the database (%s)", name, type(error).__name__)
            delay = next_delay(delay, now() - started)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), delay)


async def cancel_all(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel tasks until each has ended.

    One cancellation may not be enough. The connection pools wait by `asyncio.wait_for`, which
    before Python 3.12 drops a cancellation that arrives at the moment at which the wait ends.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_CANCEL_AGAIN_S)
    await asyncio.gather(*tasks, return_exceptions=True)


def raise_if_cancelled() -> None:
    """Raise CancelledError if this task was cancelled but the cancellation was dropped.

    `cancel_all` explains how a cancellation is dropped.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def next_delay(delay: float, worked_s: float) -> float:
    """Return the wall seconds until the next try.

    `delay` is the last delay, or 0 if there was none. `worked_s` is how long the last try took: if
    it took longer than the maximum delay, the delays start again at one second.
    """
    return 1.0 if worked_s > _MAX_RETRY_DELAY_S or not delay else min(2 * delay, _MAX_RETRY_DELAY_S)
