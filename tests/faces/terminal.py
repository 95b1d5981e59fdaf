"""Runs a command at a terminal, where it may ask a question."""

import asyncio
import os
import pty
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fix_processes import environment_of
from fix_publishing import Publisher


@asynccontextmanager
async def question_at_a_terminal(
    publisher: Publisher, folder: Path, *arguments: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """Run a command at a terminal until it asks; yield its process and the terminal."""
    terminal, stdin = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "roost", *arguments,
        env=environment_of(publisher.runtime.settings), cwd=folder, stdin=stdin,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    os.close(stdin)
    assert process.stderr is not None
    try:
        async with asyncio.timeout(120):
            while b"[y/N]" not in await process.stderr.readline():
                assert not process.stderr.at_eof()
            yield process, terminal
            await process.communicate()
    finally:
        os.close(terminal)
        if process.returncode is None:
            process.kill()
            await process.communicate()
