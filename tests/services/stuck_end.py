"""A process that ends while one of its threads is stuck in a read.

With the argument `asked`, the process ends like a worker that is asked to stop. With `done`, the
process ends like a command whose work is done.
"""

import asyncio
import os
import sys

from roost.watchdog import limit_exit_time, watch_event_loop

NEVER, _OPEN = os.pipe()


async def leave_a_thread_reading() -> None:
    asyncio.get_running_loop().run_in_executor(None, os.read, NEVER, 1)


async def be_asked_to_end() -> None:
    with watch_event_loop(max_missed=50, max_shutdown_checks=25, interval_s=0.02) as ending:
        ending()
        await leave_a_thread_reading()


if sys.argv[1] == "asked":
    asyncio.run(be_asked_to_end())
else:
    with limit_exit_time(checks=25, interval_s=0.02) as work_is_over:
        work_is_over()
        asyncio.run(leave_a_thread_reading())
