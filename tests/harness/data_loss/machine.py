"""A simulated machine with its own ROOST_HOME, on which workers and commands run."""

import asyncio
import itertools
import json
import shutil
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.scenario import Scenario
from harness.workers import Worker, start_worker

_numbers = itertools.count(1)
#: The file names of the watermark: the present name, then former names.
_WATERMARK_FILES = ("watermark.json", "database-mark.json")


@dataclass
class Machine:
    """A simulated machine. It replaces each worker that ends by itself with a new worker."""

    scenario: Scenario
    name: str
    home: Path
    url: str
    """The value of DATABASE_URL."""
    workers: list[Worker] = field(default_factory=list)
    target_count: int = 0
    exit_logs: list[str] = field(default_factory=list)
    """The last log lines of each worker that ended by itself."""
    _may_start_at: float = 0.0

    def __post_init__(self) -> None:
        """Link to the shared folder of media copies, which all machines of a database need."""
        shared, own = self.scenario.runtime.media.folder, self.home / "media"
        if not own.exists():
            shared.mkdir(mode=0o700, parents=True, exist_ok=True)
            own.parent.mkdir(parents=True, exist_ok=True)
            if own != shared:
                own.symlink_to(shared)

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment variables of the machine's processes."""
        variables = {"ROOST_HOME": str(self.home), "DATABASE_URL": self.url}
        return {**self.scenario.environment, **variables}

    async def start(self, count: int = 2) -> None:
        """Start `count` workers; return when each worker is ready or has ended."""
        self.target_count, self._may_start_at = count, 0.0
        self.supervise()
        for worker in self.workers:
            try:
                await worker.wait_ready()
            except RuntimeError:
                continue  # The worker ended while it started. `supervise` records this.

    def supervise(self) -> None:
        """Replace the workers that have ended, like a supervisor, at most once a second."""
        ended = [worker for worker in self.workers if worker.has_ended]
        self.exit_logs += [f"{worker.name}: {worker.log_tail()}" for worker in ended]
        self.workers = [worker for worker in self.workers if not worker.has_ended]
        if len(self.workers) == self.target_count or time.monotonic() < self._may_start_at:
            return
        self._may_start_at = time.monotonic() + 1
        while len(self.workers) < self.target_count:
            name = f"{self.name}-{next(_numbers)}"
            worker = start_worker(name, self.environment, self.scenario.folder, self.scenario.trap)
            self.workers.append(worker)
            self.scenario.workers.append(worker)

    async def stop(self, stop_signal: signal.Signals) -> None:
        """Send SIGTERM (a clean stop) or SIGKILL to all workers, and wait until they have ended."""
        self.target_count = 0
        for worker in self.workers:
            worker.send(stop_signal)
        for worker in self.workers:
            await worker.wait_ended()
        self.workers = []

    async def run_command(self, *arguments: str) -> tuple[int, Any]:
        """Run a Roost command with `--json`; return the exit code and the decoded output."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "roost", *arguments, "--json"),
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        output, _ = await process.communicate()
        try:
            return process.returncode or 0, json.loads(output)
        except ValueError:
            return process.returncode or 0, output.decode(errors="replace")

    def get_watermark(self) -> Path:
        """Return the path of the watermark.

        Raises: RuntimeError (there is no watermark).
        """
        paths = [path for name in _WATERMARK_FILES if (path := self.home / name).exists()]
        if not paths:
            raise RuntimeError(f"{self.home} has no watermark")
        return paths[0]

    def copy_home(self, target: Path) -> Path:
        """Copy this machine's ROOST_HOME to `target`; return `target`."""
        shutil.copytree(self.home, target)
        return target

    def replace_home(self, copy: Path) -> None:
        """Replace this machine's ROOST_HOME with a copy."""
        shutil.rmtree(self.home)
        shutil.copytree(copy, self.home)
