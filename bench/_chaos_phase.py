"""One phase of chaos: a calendar comes due while workers die, X errs and the database restarts."""

import asyncio
import contextlib
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from _chaos_incidents import LEAD, Course, Incidents
from _chaos_plan import (
    Draft,
    count_shared,
    draw_calendar,
    draw_faults,
    draw_skews,
    draw_strikes,
)
from _chaos_say import say
from _ground import Ground
from _judge import CLOCKS_DIFFER, Case, Finding, Planned, judge
from _rows import read_truth, tell
from _scene import Scene
from _watch import Watch
from _workers import Worker, find_faketime
from PIL import Image

from roost.errors import RoostError
from roost.models import Integration
from roost.store.away import DATABASE_AWAY

#: A token's life in domain time: it ends in the middle of a phase.
_TOKEN_LIFE = timedelta(hours=2)
#: With so many posts that could go on at once, the workers are swamped: time runs slower,
_SWAMPED, _SLOWER = 40, 4
#: How many posts are put on the calendar at a time.
_AT_ONCE = 8
#: How far the wall clock of the worker is ahead that may send nothing, in wall seconds.
_WRONG_CLOCK_S = 100.0
#: Posts that are due so much later than all others: they have to wait, untouched.
_FUTURE, _FUTURE_POSTS = timedelta(days=60), 2
#: Of so many posts, one is planned after the copy was made, and one after the restore.
_MORE_PER = 25


@dataclass(frozen=True)
class Size:
    """How much of it; the same for all phases but for the number of posts."""

    posts: int
    """Over all phases."""
    accounts: int
    span: timedelta
    """The posts are due over so much domain time,"""
    rate: float
    """which runs so many times as fast as the machine's."""
    wall: Mapping[str, str]
    """Settings of wall time, where they are not the product's own."""
    pace: tuple[float, float]
    """The least and most wall seconds between two blows."""
    stops_s: tuple[float, ...]
    """For how long a stopped worker is silent: one outlasts every deadline and patience."""
    read_only_s: float
    """For how long the database takes no writes, in wall seconds."""
    skew: timedelta
    """How far the clocks of skewed workers are ahead or behind, in domain time."""
    lag_s: float = 15.0
    """Domain seconds within which a read may be stale: the product's own setting."""
    workers: int = 3


@dataclass
class Outcome:
    """What came of a phase, by X's truth and the rows."""

    posts: int
    parts: int
    findings: list[Finding]
    stories: dict[int, str]
    states: Counter[str]
    untouched: int
    """Posts that no hand and no twin touched."""
    asked: int
    """Of these, how many went to a person."""
    asked_stories: dict[int, str]
    recoveries: list[float]
    kills: int
    stops: int
    ended_by_themselves: int
    """Workers that nobody killed and that are gone."""
    restarts: int
    read_only_phases: int
    restores: int
    skewed_workers: int
    """Workers with a skewed clock that began an attempt."""
    sent_by_wrong_clock: int
    """Workers that began an attempt though their clock was far off."""
    shared_accounts: int
    """Accounts with posts of two tenants."""
    lost_responses: int
    reconciled: int
    requests: int
    faults: Counter[str]
    reconnected: int
    deleted_by_hand: int
    seconds: float
    course: Course


@dataclass
class Phase:
    """A running phase."""

    scene: Scene
    size: Size
    seed: int
    ground: Ground
    incidents: Incidents
    posts: int
    """In this phase."""
    accounts: list[Integration] = field(default_factory=list)
    second_accounts: list[Integration] = field(default_factory=list)
    """The second tenant's connections of the first accounts."""
    calm: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held where no worker may be killed, stopped or started."""
    kills: int = 0
    stops: int = 0
    ended_by_themselves: int = 0
    reconnected: int = 0
    deleted: int = 0

    async def run(self, *, refuses_duplicates: bool, beyond_the_lag: bool) -> Outcome:
        """Play it through, and judge what came of it."""
        scene, size = self.scene, self.size
        began = time.monotonic()
        calendar = draw_calendar(self.seed, self.posts, size.accounts, size.span)
        await scene.emulator.control("clock", rate=0)
        for number in range(size.accounts):
            self.accounts.append(await scene.connect(f"account_{number}"))
        second = await scene.make_tenant("second")
        for account in self.accounts[: count_shared(size.accounts)]:
            self.second_accounts.append(await scene.connect(account.username, second))
        await scene.emulator.jump(seconds=(_TOKEN_LIFE - size.span / 2).total_seconds())
        planned = await self._plan(calendar)
        future = [
            await scene.plan(account, f"in the future · {number}", after=_FUTURE)
            for number, account in enumerate(self.accounts[:_FUTURE_POSTS])
        ]
        say(f"{len(planned)} posts of {size.accounts} accounts are on the calendar")
        await scene.emulator.switch(refuse_duplicates=refuses_duplicates)
        for fault in draw_faults(beyond_the_lag=beyond_the_lag, lag_s=size.lag_s):
            await scene.emulator.control("faults", **fault)
        if find_faketime() is not None:
            scene.skews = (
                skew.total_seconds() / size.rate for skew in draw_skews(self.seed, size.skew)
            )
            await scene.start_beside(_WRONG_CLOCK_S)
        await scene.fill_up(size.workers)
        await scene.emulator.control("clock", rate=size.rate)
        watch = Watch(scene)
        last_due = scene.runtime.clock.now() + size.span + LEAD
        course = Course(
            scene, self.ground, self.incidents, size.span, self.calm, watch, self.accounts,
            max(2, self.posts // _MORE_PER), self.seed,
        )  # fmt: skip
        incidents = asyncio.create_task(course.run())
        beside = [
            asyncio.create_task(work)
            for work in (
                watch.follow(),
                self._own(),
                self._delete_by_hand(calendar, planned),
                self._keep_pace(),
            )
        ]
        try:
            await self._strike(watch, until=lambda: scene.runtime.clock.now() >= last_due)
            say("the last post is due; the workers are left alone")
            await incidents
            ids = [each.post_id for each in (*planned, *course.late)]
            if not await scene.settled(ids, within=300):
                say("not every post comes to an end")
                for worker in scene.workers:
                    say(f"{worker.name}: {worker.last_words()}")
            for task in beside:
                if task.done():
                    task.result()
        finally:
            for task in (incidents, *beside):
                task.cancel()
            await asyncio.gather(incidents, *beside, return_exceptions=True)
        await self._drain()
        more = [*future, *course.forgotten, *course.late]
        return await self._judge(calendar, planned, more, watch, course, time.monotonic() - began)

    async def _plan(self, calendar: Sequence[Draft]) -> list[Planned]:
        gate = asyncio.Semaphore(_AT_ONCE)

        async def plan(draft: Draft) -> Planned:
            async with gate:
                owned = self.second_accounts if draft.by_second_tenant else self.accounts
                return await self.scene.plan(
                    owned[draft.account],
                    *draft.texts,
                    after=LEAD + draft.after,
                    media=None if draft.image is None else self._image(draft.image),
                )

        return await asyncio.gather(*map(plan, calendar))

    def _image(self, number: int) -> Path:
        path = self.scene.folder / f"{number}.png"
        if not path.exists():
            colour = (number % 256, number // 256 % 256, self.seed % 256)
            Image.new("RGB", (32, 32), colour).save(path)
        return path

    async def _strike(self, watch: Watch, until: Callable[[], bool]) -> None:
        """Blow after blow, each victim replaced or woken, until it is enough."""
        waking: list[asyncio.Task[None]] = []
        for strike in draw_strikes(self.seed, self.size.pace, self.size.stops_s):
            await asyncio.sleep(strike.pause_s)
            if until():
                break
            async with self.calm:
                self._bury()
                awake = [each for each in self.scene.workers if not each.is_stopped]
                while len(self.scene.workers) < self.size.workers:
                    await self.scene.start_worker()
                if not awake:
                    continue
                victim = awake[strike.victim % len(awake)]
                if strike.stopped_s is None:
                    self.kills += 1
                    self.scene.workers.remove(victim)
                    await watch.kill(victim)
                    await self.scene.start_worker()
                else:
                    self.stops += 1
                    victim.send(signal.SIGSTOP)
                    waking.append(asyncio.create_task(_wake(victim, strike.stopped_s)))
        await asyncio.gather(*waking)
        self._bury()
        await self.scene.fill_up(self.size.workers)

    def _bury(self) -> None:
        """Tell of each worker that ended though nobody killed it."""
        for workers in (self.scene.workers, self.scene.beside):
            for worker in [each for each in workers if each.has_ended]:
                say(f"{worker.name} ended by itself; {worker.last_words()}")
                workers.remove(worker)
                self.ended_by_themselves += 1

    async def _keep_pace(self) -> None:
        """Let time run slower while the workers are swamped: it is they that are measured.

        Not while one of them is stopped: it would not hear of it, and its clock would run ahead.
        """
        slow = False
        while True:
            ((ready,),) = await self.scene.ask(
                "SELECT count(*) FROM roost.posts WHERE state = 'publishing' AND resume_at IS NULL"
            )
            if slow != (ready > (_SWAMPED / 2 if slow else _SWAMPED)):
                async with self.calm:
                    if not any(each.is_stopped for each in self.scene.workers):
                        slow = not slow
                        rate = self.size.rate / (_SLOWER if slow else 1)
                        await self.scene.emulator.control("clock", rate=rate)
            await asyncio.sleep(0.5)

    async def _own(self) -> None:
        """Connect again what has lost its grant, as owners do."""
        while True:
            # X errs, and the database may be away: the owner comes again.
            with contextlib.suppress(RoostError, OSError, AssertionError, *DATABASE_AWAY):
                self.reconnected += await self.scene.reconnect_lost()
            await asyncio.sleep(0.5)

    async def _delete_by_hand(self, calendar: Sequence[Draft], planned: Sequence[Planned]) -> None:
        """Delete a part of each post that is the hand's, as soon as X shows one."""
        chance = random.Random(f"hand {self.seed}")
        left = {
            (plan.user_id, text): plan
            for draft, plan in zip(calendar, planned, strict=True)
            if draft.by_hand
            for text in (chance.choice(plan.texts),)
        }
        while left:
            for post in read_truth(await self.scene.truth("posts")):
                if left.pop((post.user_id, post.text), None) is not None:
                    await self.scene.delete_by_hand(post.id)
                    self.deleted += 1
            await asyncio.sleep(0.5)

    async def _drain(self) -> None:
        """Let the workers end what they do."""
        self._bury()
        workers = [*self.scene.workers, *self.scene.beside]
        for worker in workers:
            worker.send(signal.SIGTERM)
        for worker in workers:
            await worker.ended()

    async def _judge(
        self,
        calendar: Sequence[Draft],
        planned: Sequence[Planned],
        more: Sequence[Planned],
        watch: Watch,
        course: Course,
        seconds: float,
    ) -> Outcome:
        """`more` are posts besides the calendar's."""
        rows = await self.scene.rows()
        truth = await self.scene.truth("posts", "requests")
        on_x = read_truth(truth)
        differ = CLOCKS_DIFFER + 2 * self.size.skew
        now = self.scene.runtime.clock.now()
        findings = judge(Case([*planned, *more], rows, on_x, differ, now, course.restored_at))
        journal = await self.scene.journal()
        mine = [each.post_id for each in planned]
        drafted = list(zip(calendar, planned, strict=True))
        senders = await self.scene.senders()
        skewed = [each for each in self.scene.started if each.skew_s and each.pid in senders]
        owners = {(plan.user_id, draft.by_second_tenant) for draft, plan in drafted}
        shared = sum((user, True) in owners for user, is_second in owners if not is_second)

        def story(post_id: int) -> str:
            its = [
                tell(
                    rows[post_id],
                    [
                        post
                        for post in on_x
                        if post.user_id == each.user_id and post.text in each.texts
                    ],
                )
                for each in (*planned, *more)
                if each.post_id == post_id
            ]
            return "\n".join(its)

        untouched = [
            plan.post_id for draft, plan in drafted if not draft.has_twin and not draft.by_hand
        ]
        asked = [number for number in untouched if rows[number].state == "needs_decision"]
        return Outcome(
            posts=len(planned),
            parts=sum(len(each.texts) for each in planned),
            findings=findings,
            stories={each.post_id: story(each.post_id) for each in findings if each.post_id},
            states=Counter(rows[number].state for number in mine),
            untouched=len(untouched),
            asked=len(asked),
            asked_stories={number: story(number) for number in asked},
            recoveries=watch.recoveries,
            kills=self.kills,
            stops=self.stops,
            ended_by_themselves=self.ended_by_themselves,
            restarts=course.restarts,
            read_only_phases=course.read_only_phases,
            restores=course.restores,
            skewed_workers=sum(abs(each.skew_s) < _WRONG_CLOCK_S for each in skewed),
            sent_by_wrong_clock=sum(abs(each.skew_s) >= _WRONG_CLOCK_S for each in skewed),
            shared_accounts=shared,
            lost_responses=sum(
                each["operation"] == "create_post" and each["when"] == "after" for each in journal
            ),
            reconciled=sum(
                event.before == "unknown" and event.after in ("sent", "sending")
                for number in mine
                for event in rows[number].events
            ),
            requests=len(truth["requests"]),
            faults=Counter(f"{each['when']} {each['kind']}" for each in journal),
            reconnected=self.reconnected,
            deleted_by_hand=self.deleted,
            seconds=seconds,
            course=course,
        )


async def _wake(victim: Worker, seconds: float) -> None:
    """End its silence after so long."""
    await asyncio.sleep(seconds)
    victim.send(signal.SIGCONT)
