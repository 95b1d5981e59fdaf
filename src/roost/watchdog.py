"""Watchdog thread: exits the process if the event loop is blocked or shutdown hangs.

An event loop that closes waits for its threads, even for a thread that is stuck in a read. The
watchdog thread outlives the loop, so that a stuck thread cannot keep the process alive.

The watchdog counts its own checks instead of reading a clock. By a clock, a process that was
stopped (by SIGSTOP, or because the machine was suspended) would count as blocked. Such a process
need not exit: when it is resumed, it reads the posts' state again and continues.
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

#: The exit code of the command line for errors of kind `broken`.
EXIT_CODE: Final = 5


@contextlib.contextmanager
def watch_event_loop(
    *, max_missed: int = 30, max_shutdown_checks: int = 60, interval_s: float = 1.0
) -> Iterator[Callable[[], None]]:
    """Watch the running event loop during the block; yield a function to call at shutdown.

    The thread checks the loop every `interval_s` wall seconds. The loop counts as blocked if it ran
    nothing during `max_missed` checks. The shutdown counts as hanging if it takes
    `max_shutdown_checks` checks; these checks continue after the block until the process exits. In
    both cases the process prints the stack of each thread, without values, and exits at once, so
    that other workers get its locks and jobs.
    """
    loop = asyncio.get_running_loop()
    left, responded, ending = threading.Event(), threading.Event(), threading.Event()

    def watch() -> None:
        missed = shutdown_checks = 0
        while not left.wait(interval_s):
            missed = 0 if responded.is_set() else missed + 1
            shutdown_checks += ending.is_set()
            if missed >= max_missed:
                _exit("the event loop is blocked")
            if shutdown_checks >= max_shutdown_checks:
                _exit("the shutdown hangs")
            if not missed:
                responded.clear()
                with contextlib.suppress(RuntimeError):  # The loop may just have been closed.
                    loop.call_soon_threadsafe(responded.set)
        while ending.is_set():
            time.sleep(interval_s)
            shutdown_checks += 1
            if shutdown_checks >= max_shutdown_checks:
                _exit("the shutdown hangs")

    responded.set()
    threading.Thread(target=watch, name="watchdog", daemon=True).start()
    try:
        yield ending.set
    finally:
        left.set()


@contextlib.contextmanager
def limit_exit_time(*, checks: int = 60, interval_s: float = 1.0) -> Iterator[Callable[[], None]]:
    """Exit the process if the block takes too long to end after its work is done.

    Yields a function to call when the work is done. The block must then end within `checks` times
    `interval_s` wall seconds, or the process exits.
    """
    left = threading.Event()

    def watch() -> None:
        for _ in range(checks):
            if left.wait(interval_s):
                return
        _exit("the work is done, but the process does not exit")

    try:
        yield threading.Thread(target=watch, name="end watchdog", daemon=True).start
    finally:
        left.set()


def _exit(reason: str) -> None:
    log.critical("%s; this process exits now, and other workers get its locks and jobs", reason)
    faulthandler.dump_traceback()
    os._exit(EXIT_CODE)
