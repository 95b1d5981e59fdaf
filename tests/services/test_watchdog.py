"""The watchdog ends a process that is blocked or does not stop, but no suspended process."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from roost.watchdog import EXIT_CODE

pytestmark = pytest.mark.timing

_SCRIPT = Path(__file__).with_name("stuck_process.py")


@contextlib.asynccontextmanager
async def watched() -> AsyncIterator[asyncio.subprocess.Process]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(_SCRIPT), stdin=pipe, stdout=pipe, stderr=pipe
    )
    try:
        assert await say(process, "turn") == "turning"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def say(process: asyncio.subprocess.Process, line: str) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{line}\n".encode())
    async with asyncio.timeout(60):
        return (await process.stdout.readline()).decode().strip()


async def test_watchdog_exits_and_says_where__event_loop_blocked() -> None:
    async with watched() as process:
        assert await say(process, "get stuck") == ""
        assert process.stderr is not None
        output = (await process.stderr.read()).decode()
        assert await process.wait() == EXIT_CODE
    assert "the event loop is blocked" in output
    assert "in answer" in output


async def test_watchdog_exits__shutdown_hangs() -> None:
    async with watched() as process:
        assert await say(process, "end") == "turning"
        assert process.stderr is not None
        output = (await process.stderr.read()).decode()
        assert await process.wait() == EXIT_CODE
    assert "the shutdown hangs" in output


async def test_watchdog_does_not_exit__process_suspended() -> None:
    async with watched() as process:
        process.send_signal(signal.SIGSTOP)
        # If the event loop were blocked for this long, the watchdog would exit the process.
        await asyncio.sleep(2)
        process.send_signal(signal.SIGCONT)
        assert await say(process, "turn") == "turning"
        assert process.stdin is not None
        process.stdin.close()
        assert await process.wait() == 0


@pytest.mark.parametrize("how", ["asked", "done"])
async def test_watchdog_exits__thread_stuck_after_the_work(how: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(_SCRIPT.with_name("stuck_end.py")),
        how,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(60):
            _, output = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == EXIT_CODE, output
    assert b"this process exits now" in output
