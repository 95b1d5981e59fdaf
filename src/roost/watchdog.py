"""Ends this process when its event loop is blocked, or its end takes too long: a watchdog thread.

The thread outlives the loop: what a loop waits for at its own end (a thread that is stuck in a
read) keeps no process alive.

The surprise: it counts its own looks, not a clock. A process that was stopped (SIGSTOP, a suspended
machine) was not stuck; it goes on, and looks at its rows before it does anything.
"""

import asyncio
import contextlib
import faulthandler
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

log = logging.getLogger(__name__)

#: "Something is broken", in the command line's words.
EXIT_CODE: Final = 5


@contextlib.contextmanager
def watching(
    *, looks: int = 30, last_looks: int = 60, every_s: float = 1.0
) -> Iterator[Callable[[], None]]:
    """Watch the running loop for the length of the block, which gets a call to say: it is ending.

    A loop that has not turned between so many looks (wall seconds apart) is stuck, and an end that
    takes longer than the last looks never comes: the process says where it is, without any value,
    and is gone at once, so that others get its locks and its jobs. The last looks go on after the
    block: until the process is gone.
    """
    loop = asyncio.get_running_loop()
    ended, turned, ending = threading.Event(), threading.Event(), threading.Event()

    def watch() -> None:
        missed = last = 0
        while not ended.wait(every_s):
            missed = 0 if turned.is_set() else missed + 1
            last += ending.is_set()
            if missed >= looks:
                _end("the event loop is stuck")
            if last >= last_looks:
                _end("the end that was asked for does not come")
            if not missed:
                turned.clear()
                with contextlib.suppress(RuntimeError):  # The loop was closed this very moment.
                    loop.call_soon_threadsafe(turned.set)
        while ending.is_set():
            time.sleep(every_s)
            last += 1
            if last >= last_looks:
                _end("the end that was asked for does not come")

    turned.set()
    threading.Thread(target=watch, name="watchdog", daemon=True).start()
    try:
        yield ending.set
    finally:
        ended.set()


@contextlib.contextmanager
def bounded_end(*, looks: int = 60, every_s: float = 1.0) -> Iterator[Callable[[], None]]:
    """Ends the process where the block is not left in time after its work is over.

    The block gets a call to say that: from then on it has so many looks.
    """
    left = threading.Event()

    def watch() -> None:
        for _ in range(looks):
            if left.wait(every_s):
                return
        _end("the work is over, and the process does not end")

    try:
        yield threading.Thread(target=watch, name="end watchdog", daemon=True).start
    finally:
        left.set()


def _end(why: str) -> None:
    log.critical("%s; this process ends at once, others get its locks and jobs", why)
    faulthandler.dump_traceback()
    os._exit(EXIT_CODE)
