"""Real worker processes that can be killed, stopped and woken, forked from one that has imported.

A worker is `roost worker` itself: it differs from one started in a shell only by the half second
that its imports would take, and by a trap: told to, it strikes itself at a named point.
A worker with a skewed clock is a process of its own, since libfaketime has to be loaded first.
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
#: Where distributions install libfaketime's variant for programs with threads.
_FAKETIME_PLACES = (
    *("/usr/lib/*/faketime", "/usr/lib/faketime", "/usr/lib64/faketime"),
    *("/usr/local/lib/faketime", "/opt/homebrew/lib/faketime"),
)


@functools.cache
def find_faketime() -> Path | None:
    """The library that skews a process's wall clock; None: libfaketime is not installed."""
    for place in _FAKETIME_PLACES:
        for found in sorted(Path("/").glob(f"{place[1:]}/libfaketimeMT.so.1")):
            return found
    return None


class Trap:
    """A file that names a point and a signal; the first worker to come there strikes itself."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def arm(self, point: str, how: signal.Signals) -> None:
        """Strike the next worker that comes to this point, and only that one."""
        drafted = self.path.with_suffix(".new")
        drafted.write_text(f"{point} {how.name}")
        drafted.rename(self.path)

    def disarm(self) -> None:
        """Strike nobody."""
        self.path.unlink(missing_ok=True)

    def strike(self, point: str) -> None:
        """In a worker, at each point: strike where the trap says so."""
        try:
            wanted, how = self.path.read_text().split()
            if wanted != point:
                return
            self.path.unlink()
        except FileNotFoundError:
            return
        os.kill(os.getpid(), signal.Signals[how])

    async def has_sprung(self) -> bool:
        """Whether a worker has come to the point."""
        return not self.path.exists()


def _work(environment: dict[str, str], log: str, trap: str) -> None:
    """The life of one forked worker process."""
    os.environ.clear()
    os.environ.update(environment)
    _run(log, trap)


def _run(log: str, trap: str) -> None:
    """Run `roost worker`, with this process's environment, until it ends."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(file, 1)
    os.dup2(file, 2)
    from roost import telemetry
    from roost.cli import main

    telemetry.on_failpoint(Trap(Path(trap)).strike)
    main(["worker", "--json"])


class _Process(Protocol):
    """What a forked and a spawned process have in common."""

    @property
    def pid(self) -> int | None: ...

    @property
    def exitcode(self) -> int | None:
        """None: it runs. Negative: the signal that ended it."""
        ...


class _Spawned:
    """A process that was started with a program of its own."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    @property
    def pid(self) -> int | None:
        return self._process.pid

    @property
    def exitcode(self) -> int | None:
        return self._process.poll()


class Worker:
    """One worker process."""

    def __init__(self, name: str, process: _Process, log: Path, skew_s: float = 0) -> None:
        self.name = name
        self.skew_s = skew_s
        """How far its wall clock is ahead, in wall seconds."""
        self.log = log
        self._process = process
        self._log_began = log.stat().st_size if log.exists() else 0

    @property
    def pid(self) -> int:
        """Its process number."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def is_stopped(self) -> bool:
        """Whether SIGSTOP holds it."""
        try:
            return psutil.Process(self.pid).status() == psutil.STATUS_STOPPED
        except psutil.NoSuchProcess:
            return False

    @property
    def has_ended(self) -> bool:
        """Whether it is dead."""
        return self._process.exitcode is not None

    def send(self, how: signal.Signals) -> None:
        """Send it a signal; a dead one hears nothing."""
        if not self.has_ended:
            os.kill(self.pid, how)

    async def ready(self) -> None:
        """Return once it says that it works."""
        async with asyncio.timeout(60):
            while not self._says_ready():
                if self.has_ended:
                    raise RuntimeError(f"{self.name} ended at its start; see {self.log}")
                await asyncio.sleep(0.02)

    def _says_ready(self) -> bool:
        with self.log.open("rb") as file:
            file.seek(self._log_began)
            return b'"ready"' in file.read()

    def last_words(self) -> str:
        """How its log ends."""
        return "its log ends with\n    " + "\n    ".join(self.log.read_text().splitlines()[-20:])

    async def ended(self, within: float = 60) -> int:
        """Return once it is dead; its exit code, or the signal's number, negative."""
        async with asyncio.timeout(within):
            while (code := self._process.exitcode) is None:
                await asyncio.sleep(0.01)
        return code


def start_worker(
    name: str, environment: Mapping[str, str], folder: Path, trap: Trap, *, skew_s: float = 0
) -> Worker:
    """Start a worker; it writes its log into the folder, and is killed with this process.

    `skew_s`: how far its wall clock is ahead (needs libfaketime); its monotonic clock is right.
    """
    if skew_s:
        return _spawn_skewed(name, environment, folder, trap, skew_s)
    log = _make_log(name, folder)
    arguments = (dict(environment), str(log), str(trap.path))
    process = _forks.Process(target=_work, args=arguments, name=name)
    worker = Worker(name, process, log)
    process.start()
    return worker


def _make_log(name: str, folder: Path) -> Path:
    log = folder / f"{name}.log"
    log.touch()
    return log


def _spawn_skewed(
    name: str, environment: Mapping[str, str], folder: Path, trap: Trap, skew_s: float
) -> Worker:
    library = find_faketime()
    if library is None:
        raise RuntimeError("libfaketime is not installed: no worker's clock can be skewed")
    faked = {**faketime_environment(library), "FAKETIME": f"{skew_s:+.3f}"}
    return spawn_worker(name, {**environment, **faked}, folder, trap, skew_s=skew_s)


def faketime_environment(library: Path) -> dict[str, str]:
    """What makes a process read a wall clock of its own, and leaves its monotonic clock alone."""
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DISABLE_SHM": "1",  # a killed process would leave its segment behind
        "NO_FAKE_STAT": "1",
    }


def spawn_worker(
    name: str,
    environment: Mapping[str, str],
    folder: Path,
    trap: Trap,
    *,
    before: Sequence[str] = (),
    skew_s: float = 0,
) -> Worker:
    """Start a worker as a process of its own; its log goes into the folder.

    It is killed with this process. `before` is a command that runs another one, such as
    `ip netns exec NAME`; `skew_s` is what the environment makes of its clock.
    """
    log = _make_log(name, folder)
    process = subprocess.Popen(
        [*before, sys.executable, __file__, str(log), str(trap.path)],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
    )
    return Worker(name, _Spawned(process), log, skew_s)


if __name__ == "__main__":
    _run(*sys.argv[1:])
