"""Asks the user at the terminal to confirm a command."""

import asyncio
import sys

from roost.cli.output import print_note


async def confirm(statement: str, *, yes: bool) -> bool:
    """Print a statement on standard error and return whether the user confirms it.

    If `yes` is set, the user has confirmed already and is not asked. Without a terminal, no
    user can be asked, and the result is False.
    """
    print_note(statement)
    if yes:
        return True
    if not sys.stdin.isatty():
        print_note("There is no terminal at which to ask you; add --yes to confirm.")
        return False
    print_note("Continue? [y/N]")
    loop, is_answered = asyncio.get_running_loop(), asyncio.Event()
    # The event loop waits for the answer, because a thread that reads a line would outlive Ctrl-C.
    loop.add_reader(sys.stdin, is_answered.set)
    try:
        await is_answered.wait()
    finally:
        loop.remove_reader(sys.stdin)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
