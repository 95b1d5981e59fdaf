"""Ends this process when its event loop does not turn any more: a thread beside it looks.

The surprise: it counts its own looks, not a clock. A process that was stopped (SIGSTOP, a suspended
machine) was not stuck; it goes on, and looks at its rows before it does anything.
"""

import asyncio
import contextlib
import faulthandler
import logging
import os
import threading
from collections.abc import Iterator
from typing import Final

log = logging.getLogger(__name__)

#: "Something is broken", in the command line's words.
EXIT_CODE: Final = 5


@contextlib.contextmanager
def watching(*, looks: int = 30, every_s: float = 1.0) -> Iterator[None]:
    """Watch the running loop for the length of the block.

    A loop that has not turned between so many looks (wall seconds apart) is stuck: the process says
    where, without any value, and is gone at once, so that others get its locks and its jobs.
    """
    loop = asyncio.get_running_loop()
    ended, turned = threading.Event(), threading.Event()

    def watch() -> None:
        missed = 0
        while not ended.wait(every_s):
            missed = 0 if turned.is_set() else missed + 1
            if missed >= looks:
                log.critical("the event loop is stuck; this process ends, others take over")
                faulthandler.dump_traceback()
                os._exit(EXIT_CODE)
            if not missed:
                turned.clear()
                with contextlib.suppress(RuntimeError):  # The loop was closed this very moment.
                    loop.call_soon_threadsafe(turned.set)

    turned.set()
    threading.Thread(target=watch, name="watchdog", daemon=True).start()
    try:
        yield
    finally:
        ended.set()
