"""The operator after a loss: resumes where an alert is open, and does again what was changed.

What to do is read from the lists that `roost resume --json` prints, and done by Roost's commands.
"""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from _machine import Machine
from _scene import Scene

#: An operator gives up after this many tries.
_MOST_RESUMES = 6


@dataclass
class Operator:
    """Knows what was changed after the backup, and from which machine to give commands."""

    scene: Scene
    machine: Machine
    rate: float
    """Emulated seconds in a wall second, but while commands are given."""
    edited: dict[int, str] = field(default_factory=dict)
    """By post: the text that its only part got after the backup."""
    moved: dict[int, datetime] = field(default_factory=dict)
    cancelled: set[int] = field(default_factory=set)
    paused: set[int] = field(default_factory=set)
    """Posts that wait until a person lets them go on."""
    resumes: list[tuple[int, Any]] = field(default_factory=list)
    """Exit code and output of each `roost resume --all`."""
    commands: list[str] = field(default_factory=list)
    """What was done after a resume, each with its exit code."""

    @property
    def gives_up(self) -> bool:
        """Whether resuming has failed too often."""
        return len(self.resumes) >= _MOST_RESUMES

    @property
    def found(self) -> int:
        """Parts that resuming has found on X."""
        return sum(len(output["adopted"]) for code, output in self.resumes if not code)

    @property
    def reconnected(self) -> int:
        """Accounts that had to be connected again before X could be searched for them."""
        return sum(len(output["paused_accounts"]) for code, output in self.resumes if not code)

    async def resume(self, kinds: set[str]) -> None:
        """Let everything go on after an alert of these kinds, and see to what is listed."""
        async with self._in_real_time():
            words = ["--this-is-the-real-one"] if "copied" in kinds else []
            code, output = await self.machine.roost("resume", "--all", *words)
            self.resumes.append((code, output))
            if not code:
                await self._see_to(output)

    @contextlib.asynccontextmanager
    async def _in_real_time(self) -> AsyncIterator[None]:
        """Commands take as long as they do, and no multiple of it."""
        await self.scene.emulator.control("clock", rate=1)
        try:
            yield
        finally:
            await self.scene.emulator.control("clock", rate=self.rate)

    async def _see_to(self, output: Any) -> None:
        for post in output["searched_again_first"]:
            if post in self.cancelled or post in self.edited:
                await self._hold_back(post)
        for post in output["may_have_changed"]:
            await self._do_again(post)
        if output["paused_accounts"]:
            await self.scene.reconnect_lost()
        for username in output["paused_accounts"]:
            await self._run("resume", "--account", f"@{username}")

    async def _hold_back(self, post: int) -> None:
        """A post of which X has another text, or that nobody wants, must not be sent."""
        if not await self._run("cancel", str(post)):
            self.paused.add(post)
            await self._run("pause", str(post))

    async def _do_again(self, post: int) -> None:
        if post in self.cancelled:
            await self._run("cancel", str(post))
        if post in self.edited:
            await self._run("edit", str(post), "--text", self.edited[post])
        if post in self.moved:
            await self._run("edit", str(post), "--at", self.moved[post].isoformat())

    async def _run(self, *words: str) -> bool:
        code, _ = await self.machine.roost(*words)
        self.commands.append(f"{' '.join(words)}: {code}")
        return code == 0
