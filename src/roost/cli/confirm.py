"""Asks the person at the terminal before something costs money."""

import asyncio
import sys

from roost.cli.output import tell


async def agree(cost: str, *, yes: bool) -> bool:
    """Name the cost on standard error; whether the person agrees, or has by `yes`.

    Where there is no terminal, nobody is asked.
    """
    tell(cost)
    if yes:
        return True
    if not sys.stdin.isatty():
        tell("Not asked: say --yes to agree.")
        return False
    tell("Go on? [y/N]")
    loop, answered = asyncio.get_running_loop(), asyncio.Event()
    # No thread: one that waits for a line would outlive Ctrl-C.
    loop.add_reader(sys.stdin, answered.set)
    try:
        await answered.wait()
    finally:
        loop.remove_reader(sys.stdin)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
