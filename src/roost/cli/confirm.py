"""Asks the user at the terminal to confirm a command."""

import asyncio
import sys

from roost.cli.output import print_note


async def confirm(statement: str, *, yes: bool) -> bool:
    """Print a statement on standard error and return whether the user confirms it.

    `yes` confirms it in advance. Without a terminal there is no question, and no confirmation.
    """
    print_note(statement)
    if yes:
        return True
    if not sys.stdin.isatty():
        print_note("There is no terminal to ask at; --yes confirms it.")
        return False
    print_note("Continue? [y/N]")
    loop, is_answered = asyncio.get_running_loop(), asyncio.Event()
    # Not a thread: one that waits for a line would outlive Ctrl-C.
    loop.add_reader(sys.stdin, is_answered.set)
    try:
        await is_answered.wait()
    finally:
        loop.remove_reader(sys.stdin)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
