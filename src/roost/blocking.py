"""Runs a blocking call in a daemon thread of its own, for a bounded time.

The loop's default executor has few threads, which name resolution shares: a read that never returns
takes one of them for good, and the end of the loop waits for it. Here a call that makes no progress
is abandoned, and its thread keeps neither other calls nor the end of the process waiting.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

#: With so many abandoned threads whatever they read from is dead: no further one is started.
_MOST_ABANDONED: Final = 16
_abandoned: set[threading.Thread] = set()


class Progress:
    """What a blocking call says of itself while it runs."""

    def __init__(self) -> None:
        self._steps = 0
        self._is_abandoned = False

    def step(self) -> None:
        """The call has got further. Raises: TimeoutError where nobody waits for it any more."""
        if self._is_abandoned:
            raise TimeoutError
        self._steps += 1


async def run_blocking(
    call: Callable[[Progress], T], *, stall_s: float = 30.0, within_s: float = 600.0
) -> T:
    """What the call returns or raises, with wall-clock bounds.

    Raises: TimeoutError where it takes no step for `stall_s`, does not end `within_s`, or too many
    calls before it have been abandoned.
    """
    _abandoned.difference_update([each for each in _abandoned if not each.is_alive()])
    if len(_abandoned) >= _MOST_ABANDONED:
        raise TimeoutError("too many calls are stuck")
    loop, progress = asyncio.get_running_loop(), Progress()
    ended: asyncio.Future[T] = loop.create_future()

    def work() -> None:
        result: T | None = None
        failure: BaseException | None = None
        try:
            result = call(progress)
        except BaseException as error:
            failure = error

        def settle() -> None:
            if ended.cancelled():
                return
            if failure is not None:
                ended.set_exception(failure)
            else:
                ended.set_result(result)  # type: ignore[arg-type]

        with contextlib.suppress(RuntimeError):  # The loop was closed meanwhile.
            loop.call_soon_threadsafe(settle)

    thread = threading.Thread(target=work, name="blocking", daemon=True)
    thread.start()
    try:
        async with asyncio.timeout(within_s):
            await _while_it_moves(ended, progress, stall_s)
        return ended.result()
    finally:
        if not ended.done():
            ended.cancel()
            progress._is_abandoned = True
            _abandoned.add(thread)


async def _while_it_moves(ended: "asyncio.Future[T]", progress: Progress, stall_s: float) -> None:
    """Return once it has ended. Raises: TimeoutError after `stall_s` without a step."""
    steps = progress._steps
    while not (await asyncio.wait([ended], timeout=stall_s))[0]:
        if progress._steps == steps:
            raise TimeoutError
        steps = progress._steps
