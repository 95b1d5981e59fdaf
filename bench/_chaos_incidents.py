"""What happens to the database while a phase runs: a restart, a read-only time, a restore.

After the restore an operator does what docs/operations.md says: resumes once an alert is open, and
connects again the accounts whose tokens the copy does not have.
"""

import asyncio
import contextlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from _chaos_say import say
from _ground import Ground, RestartMode
from _judge import Planned
from _scene import Scene, when_back
from _watch import Watch

from roost.errors import RestoreSearchFailed, RoostError
from roost.models import Integration
from roost.services.pause import resume_account
from roost.services.resume import Resumed, resume_everything

#: The calendar's first post is due this long after the phase begins, in domain time.
LEAD = timedelta(minutes=1)
#: Shares of the calendar's span after which each begins.
_READ_ONLY_AT, _RESTART_AT, _BACK_UP_AT, _RESTORE_AT = 0.2, 0.5, 0.2, 0.5
_ALARM_IS_OPEN = "SELECT FROM roost.alerts WHERE subject = 'database' AND ended_at IS NULL"
#: Wall seconds until the alert of a restore has to be open.
_ALARM_WITHIN_S = 60.0
#: Wall seconds between two tries to resume.
_RESUME_AGAIN_S = 0.5


@dataclass(frozen=True)
class Incidents:
    """What a phase has, besides dying workers and X's faults."""

    restart: RestartMode | None = None
    read_only_s: float = 0
    """For how long the database takes no writes, in wall seconds; 0: it always does."""
    restore: bool = False
    """An older state of the database is put in its place while the workers run."""


@dataclass
class Course:
    """The incidents of a running phase, and what came of them."""

    scene: Scene
    ground: Ground
    incidents: Incidents
    span: timedelta
    calm: asyncio.Lock
    """Held where no worker may be killed, stopped or started."""
    watch: Watch
    accounts: Sequence[Integration]
    more: int
    """Posts that are planned after the copy was made, and again after the restore."""
    seed: int
    restarts: int = 0
    read_only_phases: int = 0
    restores: int = 0
    restored_at: datetime | None = None
    """In domain time."""
    alert_after_s: float = 0.0
    """Wall seconds from the restore to its alert."""
    resume_tries: int = 0
    resumed: Resumed = field(default_factory=Resumed)
    forgotten: list[Planned] = field(default_factory=list)
    """Planned after the copy was made: the restore undid it."""
    late: list[Planned] = field(default_factory=list)
    """Planned after everything was resumed."""

    async def run(self) -> None:
        """Let everything happen in its time; returns when all of it is over."""
        began = self.scene.runtime.clock.now()
        if self.incidents.read_only_s:
            await self._until(began, _READ_ONLY_AT)
            await self._refuse_writes(self.incidents.read_only_s)
        if self.incidents.restore:
            await self._restore(began)
        if self.incidents.restart is not None:
            await self._until(began, _RESTART_AT)
            say("the database restarts")
            await self.ground.restart(self.incidents.restart)
            self.restarts += 1

    async def _until(self, began: datetime, share: float) -> None:
        await self.scene.runtime.clock.sleep_until(began + LEAD + share * self.span)

    async def _refuse_writes(self, seconds: float) -> None:
        """Half way through, some sessions end: new ones are read-only from their start."""
        say("the database takes no writes")
        await self.ground.refuse_writes(True)
        try:
            await asyncio.sleep(seconds / 2)
            for worker in self.scene.workers[::2]:
                await self.scene.end_sessions(worker)
            await asyncio.sleep(seconds / 2)
        finally:
            await self.ground.refuse_writes(False)
        say("the database takes writes again")
        self.read_only_phases += 1

    async def _restore(self, began: datetime) -> None:
        await self._until(began, _BACK_UP_AT)
        await self.ground.back_up(self.scene.admin_url)
        say("the database was copied")
        for planned in await self._plan("planned after the copy", self.span * 0.7):
            self.forgotten.append(replace(planned, forgotten=True))
        await self._until(began, _RESTORE_AT)
        async with self.calm:
            # One that starts while there is no database ends at once, as it should.
            for worker in self.scene.workers:
                if not worker.is_stopped and not worker.has_ended:
                    await worker.ready()
            await self.ground.restore(self.scene.admin_url)
            began_at = asyncio.get_running_loop().time()
            self.restored_at = self.scene.runtime.clock.now()
            self.watch.forget()
        say("the copy was restored")
        async with asyncio.timeout(_ALARM_WITHIN_S):
            while not await self.scene.ask(_ALARM_IS_OPEN):
                await asyncio.sleep(0.05)
        self.alert_after_s = asyncio.get_running_loop().time() - began_at
        await self._resume()
        self.restores += 1
        self.late += await self._plan("planned after the restore", self.span * 0.2)

    async def _resume(self) -> None:
        """Resume, again while X cannot be searched; then see to accounts that could not be."""
        scene = self.scene
        while True:
            self.resume_tries += 1
            try:
                found = await when_back(
                    lambda: resume_everything(scene.runtime, accept_copy=True), within=300
                )
                break
            except RestoreSearchFailed as error:
                say(f"not resumed: {error}")
                await asyncio.sleep(_RESUME_AGAIN_S)
        self.resumed = found
        say(
            f"resumed: {len(found.adopted)} parts adopted, {len(found.searched_again)} posts looked"
            f" for, {len(found.paused_accounts)} accounts paused"
        )
        for account in [*scene.accounts.values()]:
            if account.username in found.paused_accounts:
                await self._connect_again(account)

    async def _connect_again(self, account: Integration) -> None:
        """Connect a paused account again, and let its posts go on."""
        scene = self.scene
        tenant = scene.tenants[account.tenant_id]
        is_connected = False
        while not is_connected:
            # X errs here as well: its owner comes again.
            with contextlib.suppress(RoostError, OSError, AssertionError):
                await when_back(lambda: scene.connect(account.username, tenant))
                is_connected = True
        await when_back(lambda: resume_account(scene.runtime, account))

    async def _plan(self, words: str, within: timedelta) -> list[Planned]:
        """Schedule some posts of one part, due in so much domain time."""
        chance = random.Random(f"{words} {self.seed}")
        planned = []
        for number in range(self.more):
            account, after = chance.choice(self.accounts), within * chance.random()
            work = partial(self.scene.plan, account, f"{words} · {number}", after=after)
            planned.append(await when_back(work))
        return planned
