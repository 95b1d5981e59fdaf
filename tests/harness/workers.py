"""Real worker processes that can be killed, stopped and resumed.

A worker runs `roost worker`. Its process is forked from a process that has already imported Roost,
which saves half a second for each start. A worker with a skewed clock is started as a new process
instead, because libfaketime must be loaded before Python. Each worker has a failpoint trap: at the
failpoint that the trap names, the worker sends a signal to itself.
"""

import asyncio
import ctypes
import functools
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import psutil

_PRELOADED = ["roost.worker", "roost.cli.serve", "roost.services.publish", "roost.runtime"]
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(_PRELOADED)
#: The folders in which distributions install libfaketime. The variant for threads is used.
_FAKETIME_FOLDERS = (
    *("/usr/lib/*/faketime", "/usr/lib/faketime", "/usr/lib64/faketime"),
    *("/usr/local/lib/faketime", "/opt/homebrew/lib/faketime"),
)


@functools.cache
def find_faketime() -> Path | None:
    """Find libfaketime, which skews the wall clock of a process; None if it is not installed."""
    for folder_pattern in _FAKETIME_FOLDERS:
        for library in sorted(Path("/").glob(f"{folder_pattern[1:]}/libfaketimeMT.so.1")):
            return library
    return None


class FailpointTrap:
    """Makes one worker send a signal to itself at a failpoint.

    A file has the names of the failpoint and the signal. The first worker that reaches the
    failpoint deletes the file and sends the signal to itself.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def arm(self, failpoint: str, signal_to_send: signal.Signals) -> None:
        """Make the next worker that reaches this failpoint send the signal to itself."""
        new_file = self.path.with_suffix(".new")
        new_file.write_text(f"{failpoint} {signal_to_send.name}")
        new_file.rename(self.path)

    def disarm(self) -> None:
        """Remove the trap."""
        self.path.unlink(missing_ok=True)

    def trigger(self, failpoint: str) -> None:
        """Send the trap's signal to this process if the trap names this failpoint.

        Workers call this method at every failpoint.
        """
        try:
            armed_failpoint, signal_to_send = self.path.read_text().split()
            if armed_failpoint != failpoint:
                return
            self.path.unlink()
        except FileNotFoundError:
            return
        os.kill(os.getpid(), signal.Signals[signal_to_send])

    async def has_fired(self) -> bool:
        """Return whether a worker has reached the failpoint of the trap."""
        return not self.path.exists()


def _run_forked(environment: dict[str, str], log: str, trap: str) -> None:
    """Run a worker in this forked process, after replacing the environment variables."""
    os.environ.clear()
    os.environ.update(environment)
    _run(log, trap)


def _run(log: str, trap: str) -> None:
    """Run `roost worker` in this process until the worker ends."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(file, 1)
    os.dup2(file, 2)
    from roost import failpoints
    from roost.cli import main

    failpoints.on_failpoint(FailpointTrap(Path(trap)).trigger)
    main(["worker", "--json"])


class _Process(Protocol):
    """The interface that forked and spawned processes share."""

    @property
    def pid(self) -> int | None: ...

    @property
    def exitcode(self) -> int | None:
        """The exit code: None while the process runs, negative if a signal ended it."""
        ...


class _Spawned:
    """A process that was started by running a program, not by a fork."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    @property
    def pid(self) -> int | None:
        return self._process.pid

    @property
    def exitcode(self) -> int | None:
        return self._process.poll()


class Worker:
    """A `roost worker` process that a test can kill, stop and resume."""

    def __init__(self, name: str, process: _Process, log: Path, skew_s: float = 0) -> None:
        self.name = name
        self.skew_s = skew_s
        """The seconds by which the worker's wall clock is ahead."""
        self.log = log
        self._process = process
        self._log_offset = log.stat().st_size if log.exists() else 0

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def is_stopped(self) -> bool:
        """Whether SIGSTOP has stopped the process."""
        try:
            return psutil.Process(self.pid).status() == psutil.STATUS_STOPPED
        except psutil.NoSuchProcess:
            return False

    @property
    def has_ended(self) -> bool:
        """Whether the process has ended."""
        return self._process.exitcode is not None

    def send(self, signal_to_send: signal.Signals) -> None:
        """Send a signal to the process; do nothing if the process has ended."""
        if not self.has_ended:
            os.kill(self.pid, signal_to_send)

    async def wait_ready(self) -> None:
        """Wait until the worker has logged that it is ready.

        Raises: RuntimeError if the worker ended before it was ready.
        """
        async with asyncio.timeout(60):
            while not self._has_logged_ready():
                if self.has_ended:
                    raise RuntimeError(f"{self.name} ended while it started; see {self.log}")
                await asyncio.sleep(0.02)

    def _has_logged_ready(self) -> bool:
        with self.log.open("rb") as file:
            file.seek(self._log_offset)
            return b'"ready"' in file.read()

    def log_tail(self) -> str:
        """Return the last lines of the worker's log, for a failure message."""
        return "its log ends with\n    " + "\n    ".join(self.log.read_text().splitlines()[-20:])

    async def wait_ended(self, within: float = 60) -> int:
        """Wait until the process has ended; return its exit code, negative for a signal."""
        async with asyncio.timeout(within):
            while (code := self._process.exitcode) is None:
                await asyncio.sleep(0.01)
        return code


def start_worker(
    name: str,
    environment: Mapping[str, str],
    folder: Path,
    trap: FailpointTrap,
    *,
    skew_s: float = 0,
) -> Worker:
    """Start a worker that writes its log into the folder.

    The worker is killed when this process ends. Its wall clock is `skew_s` seconds ahead, which
    needs libfaketime; its monotonic clock is correct.
    """
    if skew_s:
        return _spawn_skewed(name, environment, folder, trap, skew_s)
    log = _make_log(name, folder)
    arguments = (dict(environment), str(log), str(trap.path))
    process = _forks.Process(target=_run_forked, args=arguments, name=name)
    worker = Worker(name, process, log)
    process.start()
    return worker


def _make_log(name: str, folder: Path) -> Path:
    log = folder / f"{name}.log"
    log.touch()
    return log


def _spawn_skewed(
    name: str, environment: Mapping[str, str], folder: Path, trap: FailpointTrap, skew_s: float
) -> Worker:
    library = find_faketime()
    if library is None:
        raise RuntimeError("libfaketime is not installed: no worker's clock can be skewed")
    clock_variables = {**faketime_environment(library), "FAKETIME": f"{skew_s:+.3f}"}
    return spawn_worker(name, {**environment, **clock_variables}, folder, trap, skew_s=skew_s)


def faketime_environment(library: Path) -> dict[str, str]:
    """Return environment variables with which libfaketime skews only the wall clock."""
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        # Shared memory is disabled, because a killed process would not remove its segment.
        "FAKETIME_DISABLE_SHM": "1",
        "NO_FAKE_STAT": "1",
    }


def spawn_worker(
    name: str,
    environment: Mapping[str, str],
    folder: Path,
    trap: FailpointTrap,
    *,
    command_prefix: Sequence[str] = (),
    skew_s: float = 0,
) -> Worker:
    """Start a worker as a new process that writes its log into the folder.

    The worker is killed when this process ends. `command_prefix` is a command that runs another
    command, such as `ip netns exec NAME`. `skew_s` is only recorded: the skew itself comes from the
    environment.
    """
    log = _make_log(name, folder)
    process = subprocess.Popen(
        [*command_prefix, sys.executable, __file__, str(log), str(trap.path)],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
    )
    return Worker(name, _Spawned(process), log, skew_s)


if __name__ == "__main__":
    _run(*sys.argv[1:])
