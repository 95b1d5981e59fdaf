"""Real processes of Roost's own commands, with the environment that a test's settings stand for."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path

from roost.settings import ENVIRONMENT_NAMES, Settings

#: Wall seconds, short for tests: signs of life, deadlines. Domain time runs at the emulator's rate.
QUICK = {
    "ROOST_HEARTBEAT_S": "0.3",
    "ROOST_WORKER_TIMEOUT_S": "1.2",
    "ROOST_CREATE_TIMEOUT_S": "2",
}
#: As quick, with a deadline that no create misses on a busy machine: after a missed one a post
#: waits in domain time, which stands still in most tests.
STEADY = QUICK | {"ROOST_CREATE_TIMEOUT_S": "60"}


def environment_of(settings: Settings, wall: Mapping[str, str] = STEADY) -> dict[str, str]:
    """The environment from which a child reads these settings; `wall` are those of wall time."""
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


async def until(look: Callable[[], Awaitable[object]], within: float = 30) -> None:
    """Return once what `look` returns is true, by the work of another process or a server.

    Raises: TimeoutError.
    """
    async with asyncio.timeout(within):
        while not await look():
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def python_process(
    *arguments: str, settings: Settings, log: Path, wall: Mapping[str, str] = STEADY
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `python ARGUMENTS` with these settings; ended with the block if it still runs.

    `wall` are the settings of wall time, by their names in the environment.
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
