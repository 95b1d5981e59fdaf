"""One phase of a chaos run: posts are due while workers, X and the database fail."""

import asyncio
import contextlib
import random
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from PIL import Image

from harness.chaos.config import ChaosConfig
from harness.chaos.incidents import LEAD, IncidentRun, Incidents
from harness.chaos.plan import (
    CalendarPost,
    count_shared_accounts,
    draw_calendar,
    draw_clock_skews,
    draw_faults,
    draw_interruptions,
)
from harness.chaos.recovery import RecoveryTimer
from harness.chaos.results import WRONG_CLOCK_S, PhaseRecord, PhaseResult, check_phase
from harness.records import PlannedPost
from harness.report import log_progress
from harness.scenario import Scenario
from harness.server import Server
from harness.workers import Worker, find_faketime
from roost.errors import RoostError
from roost.models import Integration
from roost.store.availability import DATABASE_AWAY

#: The domain time for which an access token is valid. The tokens expire in the middle of a phase.
_TOKEN_LIFETIME = timedelta(hours=2)
#: If more than `_OVERLOADED_POSTS` posts are ready to continue, the workers are overloaded. Domain
#: time then runs slower by the factor `_SLOWDOWN`.
_OVERLOADED_POSTS, _SLOWDOWN = 40, 4
#: The number of posts that are planned in parallel.
_PARALLEL_PLANS = 8
#: A few posts (`_FUTURE_POSTS`) are due `_FUTURE` after they are planned, long after the phase.
#: Roost must not touch these posts during the phase.
_FUTURE, _FUTURE_POSTS = timedelta(days=60), 2
#: For every 25 posts of a phase, one more is planned after the database is copied, and one after
#: the copy is restored.
_POSTS_PER_EXTRA_POST = 25
_OPEN_ALERTS = "SELECT kind, detail FROM roost.alerts WHERE ended_at IS NULL"


@dataclass
class Phase:
    """Runs one phase of a chaos run, in a test setup of its own."""

    scenario: Scenario
    config: ChaosConfig
    seed: int
    server: Server
    incidents: Incidents
    posts: int
    """The number of posts in this phase."""
    accounts: list[Integration] = field(default_factory=list)
    second_accounts: list[Integration] = field(default_factory=list)
    """The second tenant's connections, which are of the first accounts in `accounts`."""
    workers_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """The lock that is held while no worker may be killed, stopped or started."""
    record: PhaseRecord = field(default_factory=PhaseRecord)

    async def run(self, *, refuse_duplicates: bool, beyond_lag: bool) -> PhaseResult:
        """Run the phase, and check the result.

        `refuse_duplicates` says whether the emulator refuses a text that the same account has
        already posted in the last 24 hours. With `beyond_lag`, the emulator returns some timelines
        that are older than Roost's timeline lag.
        """
        scenario, config = self.scenario, self.config
        began = time.monotonic()
        await scenario.emulator.control("clock", rate=0)
        await self._connect_accounts()
        await scenario.emulator.jump(seconds=(_TOKEN_LIFETIME - config.span / 2).total_seconds())
        drawn = draw_calendar(self.seed, self.posts, config.accounts, config.span)
        calendar = await self._plan(drawn)
        future = [
            await scenario.plan_post(account, f"in the future · {number}", after=_FUTURE)
            for number, account in enumerate(self.accounts[:_FUTURE_POSTS])
        ]
        log_progress(f"{len(calendar)} posts of {config.accounts} accounts are planned")
        await scenario.emulator.switch(refuse_duplicates=refuse_duplicates)
        for fault in draw_faults(beyond_lag=beyond_lag, timeline_lag_s=config.timeline_lag_s):
            await scenario.emulator.control("faults", **fault)
        await self._start_workers()
        await scenario.emulator.control("clock", rate=config.rate)
        recovery = RecoveryTimer(scenario)
        incidents = IncidentRun(
            scenario,
            self.server,
            self.incidents,
            config.span,
            self.workers_lock,
            recovery,
            self.accounts,
            extra_posts=max(2, self.posts // _POSTS_PER_EXTRA_POST),
            seed=self.seed,
        )
        await self._run_until_settled(calendar, recovery, incidents)
        await self._stop_workers()
        self.record.recoveries = recovery.recoveries
        self.record.seconds = time.monotonic() - began
        others = [*future, *incidents.undone_by_restore, *incidents.late]
        return await check_phase(scenario, config, calendar, others, self.record, incidents)

    async def _connect_accounts(self) -> None:
        for number in range(self.config.accounts):
            self.accounts.append(await self.scenario.connect(f"account_{number}"))
        second = await self.scenario.add_tenant("second")
        for account in self.accounts[: count_shared_accounts(self.config.accounts)]:
            self.second_accounts.append(await self.scenario.connect(account.username, second))

    async def _start_workers(self) -> None:
        scenario, config = self.scenario, self.config
        if find_faketime() is not None:
            scenario.clock_skews = (
                skew.total_seconds() / config.rate
                for skew in draw_clock_skews(self.seed, config.skew)
            )
            await scenario.start_undisturbed_worker(WRONG_CLOCK_S)
        await scenario.ensure_workers(config.workers)

    async def _run_until_settled(
        self,
        calendar: Sequence[tuple[CalendarPost, PlannedPost]],
        recovery: RecoveryTimer,
        incidents: IncidentRun,
    ) -> None:
        """Interrupt workers until the last post is due, then wait until all posts are final."""
        scenario = self.scenario
        last_due_at = scenario.runtime.clock.now() + self.config.span + LEAD
        incident_task = asyncio.create_task(incidents.run())
        background = [
            asyncio.create_task(work)
            for work in (
                recovery.follow(),
                self._reconnect_accounts(),
                self._delete_manually(calendar),
                self._limit_load(),
            )
        ]
        try:
            await self._interrupt_workers(
                recovery, until=lambda: scenario.runtime.clock.now() >= last_due_at
            )
            log_progress("the last post is due; no worker is interrupted any more")
            await incident_task
            posts = [*(planned for _, planned in calendar), *incidents.late]
            if not await scenario.wait_settled([each.post_id for each in posts], within=300):
                log_progress("some posts do not reach a final state")
                for kind, detail in await scenario.fetch(_OPEN_ALERTS):
                    log_progress(f"open alert {kind}: {detail}")
                for worker in scenario.workers:
                    log_progress(f"{worker.name}: {worker.log_tail()}")
            for task in background:
                if task.done():
                    task.result()
        finally:
            for task in (incident_task, *background):
                task.cancel()
            await asyncio.gather(incident_task, *background, return_exceptions=True)

    async def _plan(
        self, calendar: Sequence[CalendarPost]
    ) -> list[tuple[CalendarPost, PlannedPost]]:
        limit = asyncio.Semaphore(_PARALLEL_PLANS)

        async def plan(post: CalendarPost) -> tuple[CalendarPost, PlannedPost]:
            async with limit:
                accounts = self.second_accounts if post.for_second_tenant else self.accounts
                planned = await self.scenario.plan_post(
                    accounts[post.account],
                    *post.texts,
                    after=LEAD + post.after,
                    media=None if post.image is None else self._image(post.image),
                )
                return post, planned

        return await asyncio.gather(*map(plan, calendar))

    def _image(self, number: int) -> Path:
        path = self.scenario.folder / f"{number}.png"
        if not path.exists():
            colour = (number % 256, number // 256 % 256, self.seed % 256)
            Image.new("RGB", (32, 32), colour).save(path)
        return path

    async def _interrupt_workers(self, recovery: RecoveryTimer, until: Callable[[], bool]) -> None:
        """Interrupt one worker at a time until `until()` is true.

        A worker is either killed and replaced, or stopped and later resumed.
        """
        resume_tasks: list[asyncio.Task[None]] = []
        for interruption in draw_interruptions(
            self.seed, self.config.interval_s, self.config.stop_durations_s
        ):
            await asyncio.sleep(interruption.delay_s)
            if until():
                break
            async with self.workers_lock:
                self._remove_ended_workers()
                running = [each for each in self.scenario.workers if not each.is_stopped]
                while len(self.scenario.workers) < self.config.workers:
                    await self.scenario.start_worker()
                if not running:
                    continue
                worker = running[interruption.worker_number % len(running)]
                if interruption.stopped_s is None:
                    self.record.kills += 1
                    self.scenario.workers.remove(worker)
                    await recovery.kill(worker)
                    await self.scenario.start_worker()
                else:
                    self.record.stops += 1
                    worker.send(signal.SIGSTOP)
                    resume = _resume_later(worker, interruption.stopped_s)
                    resume_tasks.append(asyncio.create_task(resume))
        await asyncio.gather(*resume_tasks)
        self._remove_ended_workers()
        await self.scenario.ensure_workers(self.config.workers)

    def _remove_ended_workers(self) -> None:
        """Remove, log and count the workers that ended although they were not killed."""
        for workers in (self.scenario.workers, self.scenario.undisturbed_workers):
            for worker in [each for each in workers if each.has_ended]:
                log_progress(f"{worker.name} ended by itself; {worker.log_tail()}")
                workers.remove(worker)
                self.record.ended_by_themselves += 1

    async def _limit_load(self) -> None:
        """Slow down domain time while more posts are ready than the workers can publish.

        The rate does not change while a worker is stopped, because the stopped worker would not
        learn the new rate, and its clock would run ahead.
        """
        is_slow = False
        while True:
            ((ready,),) = await self.scenario.fetch(
                "SELECT count(*) FROM roost.posts WHERE state = 'publishing' AND resume_at IS NULL"
            )
            if is_slow != (ready > (_OVERLOADED_POSTS / 2 if is_slow else _OVERLOADED_POSTS)):
                async with self.workers_lock:
                    if not any(each.is_stopped for each in self.scenario.workers):
                        is_slow = not is_slow
                        rate = self.config.rate / (_SLOWDOWN if is_slow else 1)
                        await self.scenario.emulator.control("clock", rate=rate)
            await asyncio.sleep(0.5)

    async def _reconnect_accounts(self) -> None:
        """Reconnect all accounts that lost their connection, as their owners do."""
        while True:
            # If X fails or the database is unavailable, the account's owner tries again.
            with contextlib.suppress(RoostError, OSError, AssertionError, *DATABASE_AWAY):
                self.record.reconnected += await self.scenario.reconnect_accounts()
            await asyncio.sleep(0.5)

    async def _delete_manually(self, calendar: Sequence[tuple[CalendarPost, PlannedPost]]) -> None:
        """Delete a part of each post that has `deleted_manually`, as soon as the part is on X."""
        chance = random.Random(f"hand {self.seed}")
        pending = {
            (planned.user_id, chance.choice(planned.texts))
            for post, planned in calendar
            if post.deleted_manually
        }
        while pending:
            for x_post in await self.scenario.read_x_posts():
                if (x_post.user_id, x_post.text) in pending:
                    pending.remove((x_post.user_id, x_post.text))
                    await self.scenario.delete_manually(x_post.id)
                    self.record.deleted_manually += 1
            await asyncio.sleep(0.5)

    async def _stop_workers(self) -> None:
        """Stop the workers with SIGTERM, so that they finish their work first."""
        self._remove_ended_workers()
        workers = [*self.scenario.workers, *self.scenario.undisturbed_workers]
        for worker in workers:
            worker.send(signal.SIGTERM)
        for worker in workers:
            await worker.wait_ended()


async def _resume_later(worker: Worker, seconds: float) -> None:
    """Resume a stopped worker after `seconds` of wall time."""
    await asyncio.sleep(seconds)
    worker.send(signal.SIGCONT)
