"""Database incidents during a phase of a chaos run: a restart, refused writes, a restore.

After a restore, an operator follows docs/howto/back-up-and-restore.md. The operator resumes
publishing as soon as an alert is open, and reconnects the accounts whose tokens are not in the
restored copy.
"""

import asyncio
import contextlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from fix_runtime import ACTOR, scope_of
from harness.chaos.recovery import RecoveryTimer
from harness.records import PlannedPost
from harness.report import log_progress
from harness.scenario import Scenario, retry_while_away
from harness.server import RestartMode, Server
from roost.errors import RestoreSearchFailed, RoostError
from roost.models import Integration
from roost.services.pause import resume_account
from roost.services.resume import Resumed, resume_everything

#: The domain time from the start of a phase to the due time of the first post.
LEAD = timedelta(minutes=1)
#: Each incident begins when this share of the phase's domain time has passed.
_READ_ONLY_AT, _RESTART_AT, _BACK_UP_AT, _RESTORE_AT = 0.2, 0.5, 0.2, 0.5
_HAS_OPEN_ALERT = "SELECT FROM roost.alerts WHERE subject_type = 'database' AND ended_at IS NULL"
#: The wall seconds after a restore within which the alert about it must be open.
_ALERT_TIMEOUT_S = 60.0
#: The wall seconds between two attempts to resume publishing.
_RESUME_INTERVAL_S = 0.5


@dataclass(frozen=True)
class Incidents:
    """What happens to the database in a phase of a chaos run."""

    restart: RestartMode | None = None
    read_only_s: float = 0
    """The wall seconds for which the database accepts no writes. 0 for no such period."""
    restore: bool = False
    """Whether an older copy replaces the database while the workers run."""


@dataclass
class IncidentRun:
    """Runs the database incidents of a phase, and records their effects."""

    scenario: Scenario
    server: Server
    incidents: Incidents
    span: timedelta
    workers_lock: asyncio.Lock
    """The lock that is held while no worker may be killed, stopped or started."""
    recovery: RecoveryTimer
    accounts: Sequence[Integration]
    extra_posts: int
    """The number of posts to plan after the copy, and again after the restore."""
    seed: int
    restarts: int = 0
    read_only_phases: int = 0
    restores: int = 0
    restored_at: datetime | None = None
    """The domain time of the restore. None if there is no restore."""
    alert_after_s: float = 0.0
    """The wall seconds from the restore to its alert."""
    resume_attempts: int = 0
    resumed: Resumed = field(default_factory=Resumed)
    undone_by_restore: list[PlannedPost] = field(default_factory=list)
    """Posts that were planned after the copy, so the restored database does not have them."""
    late: list[PlannedPost] = field(default_factory=list)
    """Posts that were planned after publishing was resumed."""

    async def run(self) -> None:
        """Run every incident at its time; return when all incidents are over."""
        started_at = self.scenario.runtime.clock.now()
        if self.incidents.read_only_s:
            await self._wait_until(started_at, _READ_ONLY_AT)
            await self._refuse_writes(self.incidents.read_only_s)
        if self.incidents.restore:
            await self._restore(started_at)
        if self.incidents.restart is not None:
            await self._wait_until(started_at, _RESTART_AT)
            log_progress("the database restarts")
            await self.server.restart(self.incidents.restart)
            self.restarts += 1

    async def _wait_until(self, started_at: datetime, share: float) -> None:
        await self.scenario.runtime.clock.sleep_until(started_at + LEAD + share * self.span)

    async def _refuse_writes(self, seconds: float) -> None:
        """Make the database refuse writes for some wall seconds.

        After half of the time, the sessions of every other worker are ended, so that these workers
        must open sessions while the database is read-only.
        """
        log_progress("the database refuses writes")
        await self.server.set_read_only(True)
        try:
            await asyncio.sleep(seconds / 2)
            for worker in self.scenario.workers[::2]:
                await self.scenario.end_sessions(worker)
            await asyncio.sleep(seconds / 2)
        finally:
            await self.server.set_read_only(False)
        log_progress("the database accepts writes again")
        self.read_only_phases += 1

    async def _restore(self, started_at: datetime) -> None:
        await self._wait_until(started_at, _BACK_UP_AT)
        await self.server.back_up(self.scenario.admin_url)
        log_progress("the database was copied")
        for planned in await self._plan_posts("planned after the copy", self.span * 0.7):
            self.undone_by_restore.append(replace(planned, undone_by_restore=True))
        await self._wait_until(started_at, _RESTORE_AT)
        async with self.workers_lock:
            # By design, a worker ends at once if the database is missing while the worker starts.
            # All workers must therefore be ready before the restore.
            for worker in self.scenario.workers:
                if not worker.is_stopped and not worker.has_ended:
                    await worker.wait_ready()
            await self.server.restore(self.scenario.admin_url)
            restored_at_s = asyncio.get_running_loop().time()
            self.restored_at = self.scenario.runtime.clock.now()
            self.recovery.clear()
        log_progress("the copy was restored")
        async with asyncio.timeout(_ALERT_TIMEOUT_S):
            while not await self.scenario.fetch(_HAS_OPEN_ALERT):
                await asyncio.sleep(0.05)
        self.alert_after_s = asyncio.get_running_loop().time() - restored_at_s
        await self._resume()
        self.restores += 1
        self.late += await self._plan_posts("planned after the restore", self.span * 0.2)

    async def _resume(self) -> None:
        """Resume publishing after the restore, then reconnect the paused accounts.

        Resuming fails while X's timelines cannot be read. It is then tried again.
        """
        scenario = self.scenario
        while True:
            self.resume_attempts += 1
            try:
                resumed = await retry_while_away(
                    lambda: resume_everything(scenario.runtime, ACTOR, accept_copy=True), within=300
                )
                break
            except RestoreSearchFailed as error:
                log_progress(f"not resumed: {error}")
                await asyncio.sleep(_RESUME_INTERVAL_S)
        self.resumed = resumed
        log_progress(
            f"resumed: {len(resumed.adopted)} parts adopted, {len(resumed.searched_again)} posts to"
            f" search for, {len(resumed.paused_accounts)} accounts paused"
        )
        for account in [*scenario.accounts.values()]:
            if account.username in resumed.paused_accounts:
                await self._reconnect(account)

    async def _reconnect(self, account: Integration) -> None:
        """Reconnect a paused account and resume its posts."""
        scenario = self.scenario
        tenant = scenario.tenants[account.tenant_id]
        is_connected = False
        while not is_connected:
            # X can fail during the reconnect too. In that case, the account's owner tries again.
            with contextlib.suppress(RoostError, OSError, AssertionError):
                await retry_while_away(lambda: scenario.connect(account.username, tenant))
                is_connected = True
        await retry_while_away(lambda: resume_account(scenario.runtime, scope_of(tenant), account))

    async def _plan_posts(self, text: str, within: timedelta) -> list[PlannedPost]:
        """Schedule `extra_posts` posts of one part.

        They are due at random times between now and `within` later.
        """
        chance = random.Random(f"{text} {self.seed}")
        planned = []
        for number in range(self.extra_posts):
            account, after = chance.choice(self.accounts), within * chance.random()
            plan_post = partial(self.scenario.plan_post, account, f"{text} · {number}", after=after)
            planned.append(await retry_while_away(plan_post))
        return planned
