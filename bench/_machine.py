"""A machine with a ROOST_HOME of its own: workers under a supervisor, and a person's commands."""

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

from _scene import Scene
from _workers import Worker, start_worker

_numbers = itertools.count(1)
#: Names that the watermark has had, newest first.
_WATERMARKS = ("watermark.json", "database-mark.json")


@dataclass
class Machine:
    """Its workers are started again when they end by themselves, as a supervisor does."""

    scene: Scene
    name: str
    home: Path
    url: str
    """DATABASE_URL."""
    workers: list[Worker] = field(default_factory=list)
    wanted: int = 0
    endings: list[str] = field(default_factory=list)
    """How the log of each worker ends that ended by itself."""
    _may_start_at: float = 0.0

    def __post_init__(self) -> None:
        """Share the folder of media copies, as the machines of one database do."""
        shared, own = self.scene.runtime.media.folder, self.home / "media"
        if not own.exists():
            shared.mkdir(mode=0o700, parents=True, exist_ok=True)
            own.parent.mkdir(parents=True, exist_ok=True)
            if own != shared:
                own.symlink_to(shared)

    @property
    def environment(self) -> Mapping[str, str]:
        """What its processes are started with."""
        own = {"ROOST_HOME": str(self.home), "DATABASE_URL": self.url}
        return {**self.scene.environment, **own}

    async def start(self, count: int = 2) -> None:
        """Start so many workers; return once each is ready or has ended."""
        self.wanted, self._may_start_at = count, 0.0
        self.supervise()
        for worker in self.workers:
            try:
                await worker.ready()
            except RuntimeError:
                continue  # it ended at its start; the supervisor counts it

    def supervise(self) -> None:
        """Replace each worker that has ended, at most once in a second."""
        ended = [worker for worker in self.workers if worker.has_ended]
        self.endings += [f"{worker.name}: {worker.last_words()}" for worker in ended]
        self.workers = [worker for worker in self.workers if not worker.has_ended]
        if len(self.workers) == self.wanted or time.monotonic() < self._may_start_at:
            return
        self._may_start_at = time.monotonic() + 1
        while len(self.workers) < self.wanted:
            name = f"{self.name}-{next(_numbers)}"
            worker = start_worker(name, self.environment, self.scene.folder, self.scene.trap)
            self.workers.append(worker)
            self.scene.workers.append(worker)

    async def end(self, how: signal.Signals) -> None:
        """SIGTERM (a clean stop) or SIGKILL each worker, and wait until they have ended."""
        self.wanted = 0
        for worker in self.workers:
            worker.send(how)
        for worker in self.workers:
            await worker.ended()
        self.workers = []

    async def roost(self, *words: str) -> tuple[int, Any]:
        """Run a command of Roost with `--json`; its exit code and what it printed, decoded."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "roost", *words, "--json"),
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

    def watermark(self) -> Path:
        """The file that says how far the database had got; there must be one."""
        found = [path for name in _WATERMARKS if (path := self.home / name).exists()]
        if not found:
            raise RuntimeError(f"{self.home} has no watermark")
        return found[0]

    def copy_home(self, target: Path) -> Path:
        """Copy ROOST_HOME."""
        shutil.copytree(self.home, target)
        return target

    def replace_home(self, copy: Path) -> None:
        """Put a copy in the place of ROOST_HOME."""
        shutil.rmtree(self.home)
        shutil.copytree(copy, self.home)
