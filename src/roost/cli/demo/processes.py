"""Runs Roost's own commands as child processes, and ends them even after a failure."""

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final

from roost.errors import Broken

#: Wall seconds within which a process must become ready, and within which it must end after
#: SIGTERM. A process that has not ended by then is killed.
_READY_TIMEOUT_S: Final = 40.0
_END_TIMEOUT_S: Final = 25.0
_PR_SET_PDEATHSIG: Final = 1


class ChildFailed(Broken):
    """A demo process ended or did not become ready; the message quotes the process's output."""


def _end_with_parent() -> None:
    """Make Linux end this child process when its parent ends, even if the parent is killed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@contextlib.asynccontextmanager
async def running(
    *arguments: str, environment: Mapping[str, str], log: Path
) -> AsyncIterator[dict[str, Any]]:
    """Run `roost ARGUMENTS --json` during the block; yield the first line of output, parsed.

    The process has its own session, so that Ctrl-C at the terminal reaches only the parent.
    Raises: ChildFailed.
    """
    with log.open("wb") as file:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "roost",
            *arguments,
            "--json",
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=file,
            start_new_session=True,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
        )
    try:
        yield await _wait_until_ready(child, arguments[0], log)
    finally:
        await asyncio.shield(_end(child))


async def _wait_until_ready(
    child: asyncio.subprocess.Process, name: str, log: Path
) -> dict[str, Any]:
    assert child.stdout is not None
    with contextlib.suppress(TimeoutError, ValueError):
        line = await asyncio.wait_for(child.stdout.readline(), _READY_TIMEOUT_S)
        if line:
            result: dict[str, Any] = json.loads(line)
            if "error" not in result:
                return result
            raise ChildFailed(f"`roost {name}` did not start: {result['error']['message']}")
    last = log.read_text("utf-8", "replace").strip().splitlines()[-3:]
    raise ChildFailed(f"`roost {name}` did not become ready. Its last output: {' / '.join(last)}")


async def _end(child: asyncio.subprocess.Process) -> None:
    if child.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        child.terminate()
    try:
        await asyncio.wait_for(child.wait(), _END_TIMEOUT_S)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        await child.wait()
