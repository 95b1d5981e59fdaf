"""The operator after a loss: resumes publishing after an alert, and repeats lost changes.

The operator acts only through Roost's commands, as the output of `roost resume --json` suggests.
"""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from harness.data_loss.machine import Machine
from harness.scenario import Scenario

#: The operator gives up after this many attempts to resume.
_MAX_RESUMES = 6


@dataclass
class Operator:
    """A person who remembers the changes that were made after the backup."""

    scenario: Scenario
    machine: Machine
    rate: float
    """The number of emulated seconds that pass in one wall second, except while commands run."""
    edited: dict[int, str] = field(default_factory=dict)
    """The new text of each post that was edited after the backup, by post id."""
    moved: dict[int, datetime] = field(default_factory=dict)
    cancelled: set[int] = field(default_factory=set)
    paused: set[int] = field(default_factory=set)
    """The ids of posts that the operator paused, so that they do not become final."""
    resumes: list[tuple[int, Any]] = field(default_factory=list)
    """The exit code and the output of each `roost resume --all`."""
    commands: list[str] = field(default_factory=list)
    """The commands that followed a resume, each with its exit code."""

    @property
    def gives_up(self) -> bool:
        """Whether the operator has tried to resume too often."""
        return len(self.resumes) >= _MAX_RESUMES

    @property
    def adopted(self) -> int:
        """The number of parts that `roost resume` has found on X and adopted."""
        return sum(len(output["adopted"]) for code, output in self.resumes if not code)

    @property
    def reconnected(self) -> int:
        """The number of accounts that had to reconnect before their timelines could be searched."""
        return sum(len(output["paused_accounts"]) for code, output in self.resumes if not code)

    async def resume(self, kinds: set[str]) -> None:
        """Resume all publishing after alerts of these kinds, then repeat the lost changes."""
        async with self._commands_in_real_time():
            options = ["--this-is-the-real-one"] if "copied" in kinds else []
            code, output = await self.machine.run_command("resume", "--all", *options)
            self.resumes.append((code, output))
            if not code:
                await self._follow_up(output)

    @contextlib.asynccontextmanager
    async def _commands_in_real_time(self) -> AsyncIterator[None]:
        """Slow domain time to the speed of wall time while commands run.

        Without this, a command that takes some seconds would take minutes of domain time.
        """
        await self.scenario.emulator.control("clock", rate=1)
        try:
            yield
        finally:
            await self.scenario.emulator.control("clock", rate=self.rate)

    async def _follow_up(self, output: Any) -> None:
        for post in output["searched_again_first"]:
            if post in self.cancelled or post in self.edited:
                await self._keep_unsent(post)
        for post in output["may_have_changed"]:
            await self._repeat_change(post)
        if output["paused_accounts"]:
            await self.scenario.reconnect_accounts()
        for username in output["paused_accounts"]:
            await self._run("resume", "--account", f"@{username}")

    async def _keep_unsent(self, post: int) -> None:
        """Cancel a post, or pause it if it cannot be cancelled, so that it is not sent again.

        The post was cancelled before the loss, or X has it with another text.
        """
        if not await self._run("cancel", str(post)):
            self.paused.add(post)
            await self._run("pause", str(post))

    async def _repeat_change(self, post: int) -> None:
        if post in self.cancelled:
            await self._run("cancel", str(post))
        if post in self.edited:
            await self._run("edit", str(post), "--text", self.edited[post])
        if post in self.moved:
            await self._run("edit", str(post), "--at", self.moved[post].isoformat())

    async def _run(self, *arguments: str) -> bool:
        code, _ = await self.machine.run_command(*arguments)
        self.commands.append(f"{' '.join(arguments)}: {code}")
        return code == 0
