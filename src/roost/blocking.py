"""Run a blocking call in its own daemon thread, with time limits.

The event loop's default executor has few threads, shared with name resolution. A read that never
returns would occupy one thread forever, and would block the shutdown of the loop. This module
abandons a call that makes no progress: the call's daemon thread blocks neither other calls nor the
exit of the process.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

#: The maximum number of abandoned threads. At this number, the disk or file server is assumed to be
#: dead, and no new thread is started.
_MAX_ABANDONED: Final = 16
_abandoned: set[threading.Thread] = set()


class Progress:
    """The progress that a blocking call reports while it runs."""

    def __init__(self) -> None:
        self._steps = 0
        self._is_abandoned = False

    def step(self) -> None:
        """Report progress from the call's thread.

        Raises: TimeoutError if the call has been abandoned.
        """
        if self._is_abandoned:
            raise TimeoutError
        self._steps += 1


async def run_blocking(
    call: Callable[[Progress], T], *, stall_s: float = 30.0, within_s: float = 600.0
) -> T:
    """Run a call in a thread of its own; return its result or raise its exception.

    Raises: TimeoutError if the call reports no progress for `stall_s` wall seconds, if it does not
    finish within `within_s` wall seconds, or if too many earlier calls are still stuck.
    """
    _abandoned.difference_update([each for each in _abandoned if not each.is_alive()])
    if len(_abandoned) >= _MAX_ABANDONED:
        raise TimeoutError("too many earlier calls are stuck")
    loop, progress = asyncio.get_running_loop(), Progress()
    outcome: asyncio.Future[T] = loop.create_future()

    def run_call() -> None:
        result: T | None = None
        failure: BaseException | None = None
        try:
            result = call(progress)
        except BaseException as error:
            failure = error

        def set_outcome() -> None:
            if outcome.cancelled():
                return
            if failure is not None:
                outcome.set_exception(failure)
            else:
                outcome.set_result(result)  # type: ignore[arg-type]

        with contextlib.suppress(RuntimeError):  # A closed loop raises this error.
            loop.call_soon_threadsafe(set_outcome)

    thread = threading.Thread(target=run_call, name="blocking", daemon=True)
    thread.start()
    try:
        async with asyncio.timeout(within_s):
            await _wait_while_progressing(outcome, progress, stall_s)
        return outcome.result()
    finally:
        if not outcome.done():
            outcome.cancel()
            progress._is_abandoned = True
            _abandoned.add(thread)


async def _wait_while_progressing(
    outcome: "asyncio.Future[T]", progress: Progress, stall_s: float
) -> None:
    """Wait for the outcome of a call.

    Raises: TimeoutError if the call reports no progress for `stall_s` wall seconds.
    """
    steps = progress._steps
    while not (await asyncio.wait([outcome], timeout=stall_s))[0]:
        if progress._steps == steps:
            raise TimeoutError
        steps = progress._steps
