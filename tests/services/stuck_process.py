"""A process with a watchdog, which responds to each input line and gets stuck on request."""

import asyncio
import sys
import time

from roost.watchdog import watch_event_loop


async def answer() -> None:
    with watch_event_loop(max_missed=50, max_shutdown_checks=25, interval_s=0.02) as ending:
        while line := await asyncio.to_thread(sys.stdin.readline):
            if line == "get stuck\n":
                time.sleep(3600)  # noqa: ASYNC251  this is what being stuck is
            if line == "end\n":
                ending()
            sys.stdout.write("turning\n")
            sys.stdout.flush()


asyncio.run(answer())
