"""Starts processes of Roost, whose environment has the settings of a test."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path

from roost.settings import ENVIRONMENT_NAMES, Settings

#: Short heartbeats and timeouts in wall time; domain time comes from the emulator's clock.
QUICK = {
    "ROOST_HEARTBEAT_S": "0.3",
    "ROOST_WORKER_TIMEOUT_S": "1.2",
    "ROOST_CREATE_TIMEOUT_S": "2",
}
#: Like QUICK, but with a timeout that no create exceeds even on a busy machine. After a timeout, a
#: post would wait in domain time, which is frozen in most tests.
STEADY = QUICK | {"ROOST_CREATE_TIMEOUT_S": "60"}


def environment_of(settings: Settings, wall: Mapping[str, str] = STEADY) -> dict[str, str]:
    """Return an environment with these settings; `wall` sets heartbeats and timeouts."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("TWITTER_", "ROOST_"))}
    values = {name: getattr(settings, name) for name in settings.model_fields_set}
    from_settings = {
        ENVIRONMENT_NAMES[name]: str(
            value.total_seconds() if isinstance(value, timedelta) else value
        )
        for name, value in values.items()
        if value is not None
    }
    return plain | from_settings | dict(wall)


async def until(condition: Callable[[], Awaitable[object]], within: float = 30) -> None:
    """Poll until `condition`, which another process fulfils, returns a true value.

    Raises: TimeoutError.
    """
    async with asyncio.timeout(within):
        while not await condition():
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def python_process(
    *arguments: str, settings: Settings, log: Path, wall: Mapping[str, str] = STEADY
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `python ARGUMENTS` with these settings; terminate it at the end of the block.

    `wall` sets heartbeats and timeouts, with their names in the environment as keys.
    """
    with log.open("ab") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            env=environment_of(settings, wall),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
