"""Exactly-once publishing under random faults, manual posts, crashes and clock changes.

A state machine draws the events; after each step the posts on X are compared with the rows. The
database and the emulator are real; the two workers run in this process, so that one can crash at a
failpoint while the other continues. `ROOST_MACHINE_EXAMPLES` sets the number of examples.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import pytest
from _ground import Ground
from _judge import Case, OnX, Planned, judge
from _rows import tell
from _scene import Scene, open_scene
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from PIL import Image

from fix_emulator import START_TIME
from fix_postgres import PostgresServer
from fix_publishing import Desk
from roost import telemetry
from roost.failpoints import Failpoint
from roost.models import PostId
from roost.services import dispatch, pause, resolve, resume
from roost.services.pause import PauseScope
from roost.store.database import Database
from roost.store.locks import AccountLocks, open_account_locks

pytestmark = pytest.mark.timing

_Answer = TypeVar("_Answer")

_SHORT = "ROOST_MACHINE_EXAMPLES" not in os.environ
_EXAMPLES = int(os.environ.get("ROOST_MACHINE_EXAMPLES", "12"))
#: Wall seconds: the attempt of a crashed worker is awaited for this long.
_WALL = {"ROOST_CREATE_TIMEOUT_S": "0.4"}
_FAULTS = st.one_of(
    st.tuples(
        st.sampled_from(["create_post", "media_initialize", "media_finalize", "read_timeline"]),
        st.just("before"),
        st.sampled_from(["drop", "500", "503", "429", "401", "402"]),
    ),
    st.tuples(
        st.sampled_from(["create_post", "media_append", "media_finalize", "read_timeline"]),
        st.just("after"),
        st.sampled_from(["drop", "cut", "503", "502text", "wrong_type"]),
    ),
    st.tuples(
        st.just("refresh"), st.sampled_from(["before", "after"]), st.sampled_from(["drop", "503"])
    ),
)


class Death(BaseException):
    """A worker crashes here; what is not committed is lost."""


class _Fate:
    """What happens at the next failpoint; one for all examples, since callbacks stay registered."""

    def __init__(self) -> None:
        self.point = ""
        self.deed: Callable[[], None] = lambda: None

    def meet(self, step: str) -> None:
        if step == self.point:
            self.point = ""
            self.deed()


_fate = _Fate()
telemetry.on_failpoint(_fate.meet)


class Promise(RuleBasedStateMachine):
    """What may happen to an account's posts, in any order."""

    def __init__(self, ground: Ground, emulator_url: str, folder: Path) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._stack = contextlib.AsyncExitStack()
        self._planned: list[Planned] = []
        self._held: int | None = None
        """How many posts X had when everything was paused; None if it is not."""
        self._numbers = iter(range(10_000))
        self._locks: list[contextlib.AsyncExitStack] = []
        self._do(self._open(ground, emulator_url, folder))

    def _do(self, work: Coroutine[Any, Any, _Answer]) -> _Answer:
        return self._runner.run(work)

    async def _open(self, ground: Ground, emulator_url: str, folder: Path) -> None:
        database = await self._stack.enter_async_context(ground.database())
        self._scene: Scene = await self._stack.enter_async_context(
            open_scene(database, emulator_url, folder, wall=_WALL)
        )
        await self._scene.emulator.freeze_at_time(START_TIME or time(12))
        account = await self._scene.connect("larkbooks")
        runtime, emulator = self._scene.runtime, self._scene.emulator
        self._workers = [await self._new_worker() for _ in range(2)]
        self._desk = Desk(runtime, self._scene.tenant, account, emulator, self._workers[0])

    async def _new_worker(self) -> AccountLocks:
        return await self._stack.enter_async_context(
            open_account_locks(self._scene.runtime.database)
        )

    # Events.

    @rule(
        parts=st.integers(1, 3),
        after_s=st.sampled_from([0, 5, 60, 600]),
        pictured=st.booleans(),
    )
    def plan(self, parts: int, after_s: int, pictured: bool) -> None:
        """A user schedules a post."""
        number = next(self._numbers)
        texts = tuple(f"{number}.{part} & so on" for part in range(1, parts + 1))
        image = self._image(number) if pictured else None
        self._do(self._plan(*texts, after_s=after_s, media=image))

    @precondition(lambda self: self._planned)
    @rule(which=st.integers(0, 50), after_s=st.sampled_from([0, 5]))
    def plan_a_twin(self, which: int, after_s: int) -> None:
        """A user schedules an identical post."""
        other = self._planned[which % len(self._planned)]
        if len(other.texts) == 1 and not other.media:
            self._do(self._plan(*other.texts, after_s=after_s, media=None))

    async def _plan(self, *texts: str, after_s: int, media: Path | None) -> None:
        after = timedelta(seconds=after_s)
        planned = await self._scene.plan(self._desk.account, *texts, after=after, media=media)
        self._planned.append(planned)

    def _image(self, number: int) -> Path:
        path = self._scene.folder / f"{number}.png"
        Image.new("RGB", (16, 16), (number, 9, 9)).save(path)
        return path

    @rule(fault=_FAULTS, times=st.integers(1, 2))
    def something_goes_wrong_on_x(self, fault: tuple[str, str, str], times: int) -> None:
        """The next requests of a kind fail, or their responses do."""
        self._do(self._scene.emulator.fail(*fault, times=times))

    @rule(seconds=st.sampled_from([5, 14]))
    def x_shows_late_what_it_has(self, seconds: int) -> None:
        """The next reads of the timeline are stale, within the lag."""
        self._do(
            self._scene.emulator.fail("read_timeline", "before", "stale", seconds=seconds, times=2)
        )

    @rule(refuses=st.booleans())
    def x_refuses_duplicates_or_not(self, refuses: bool) -> None:
        """X's refusal of duplicates is on or off."""
        self._do(self._scene.emulator.switch(refuse_duplicates=refuses))

    @rule(seconds=st.sampled_from([1, 5, 16, 40, 400, 7200]))
    def time_passes(self, seconds: int) -> None:
        """The clock advances."""
        self._do(self._scene.emulator.jump(seconds=seconds))

    @rule(worker=st.integers(0, 1))
    def a_worker_works(self, worker: int) -> None:
        """One worker does all that is due."""
        self._do(self._work(worker))

    @rule()
    def both_work(self) -> None:
        """Two workers do all that is due."""
        self._do(self._both())

    async def _both(self) -> None:
        await asyncio.gather(self._work(0), self._work(1))

    @rule(worker=st.integers(0, 1), point=st.sampled_from(Failpoint))
    def a_worker_dies(self, worker: int, point: Failpoint) -> None:
        """A worker crashes at a failpoint; its session releases its locks."""

        def die() -> None:
            raise Death

        self._meet(point, die, worker)

    @rule(worker=st.integers(0, 1), point=st.sampled_from(Failpoint))
    def a_worker_loses_its_locks(self, worker: int, point: Failpoint) -> None:
        """The sessions of all workers are ended while one is at a failpoint; it continues."""
        self._meet(point, lambda: _end_sessions(self._scene.admin_url), worker)

    def _meet(self, point: Failpoint, deed: Callable[[], None], worker: int) -> None:
        _fate.point, _fate.deed = point.value, deed
        try:
            self._do(self._work(worker))
        except Death:
            self._do(self._bury(worker))
        finally:
            _fate.point = ""

    async def _bury(self, worker: int) -> None:
        await self._workers[worker].close(timeout_s=0)
        self._workers[worker] = await self._new_worker()

    @rule(which=st.integers(0, 50))
    def a_hand_deletes(self, which: int) -> None:
        """The account's owner deletes a post on X."""
        self._do(self._delete(which))

    async def _delete(self, which: int) -> None:
        there = [post for post in await self._scene.on_x() if post.deleted_at is None]
        if there:
            await self._scene.delete_by_hand(there[which % len(there)].id)

    @precondition(lambda self: self._planned)
    @rule(which=st.integers(0, 50))
    def a_hand_posts_the_same(self, which: int) -> None:
        """The owner posts a scheduled text on X at any moment; Roost never adopts it."""
        self._do(self._post(self._planned[which % len(self._planned)].texts[0]))

    @rule(worker=st.integers(0, 1), parts=st.integers(1, 2))
    def a_hand_posts_what_x_does_not_get(self, worker: int, parts: int) -> None:
        """X loses a create, and the owner posts its text at that moment."""
        texts = tuple(f"{next(self._numbers)} by both" for _ in range(parts))
        self._do(self._plan(*texts, after_s=0, media=None))
        self._do(self._scene.emulator.fail("create_post", "before", "drop"))
        self._do(self._post(texts[0]))
        self._do(self._work(worker))

    async def _post(self, text: str) -> None:
        with contextlib.suppress(AssertionError):  # X refuses it as a duplicate
            await self._scene.post_by_hand(self._desk.account, text)

    @precondition(lambda self: self._held is None)
    @rule(scope=st.sampled_from([PauseScope.ACCOUNT, PauseScope.TENANT, PauseScope.EVERYTHING]))
    def a_person_holds_all_back(self, scope: PauseScope) -> None:
        """Pause everything: X may get no further post until the resume."""
        self._do(self._hold_back(scope))

    @precondition(lambda self: self._held is not None)
    @rule()
    def a_person_lets_it_go(self) -> None:
        """The pause ends."""
        self._do(self._let_go())

    async def _hold_back(self, scope: PauseScope) -> None:
        runtime, account = self._scene.runtime, self._desk.account
        match scope:
            case PauseScope.ACCOUNT:
                await pause.pause_account(runtime, account)
            case PauseScope.TENANT:
                await pause.pause_tenant(runtime, self._scene.tenant)
            case _:
                await pause.pause_everything(runtime)
        self._held = len(_by_roost(await self._scene.on_x()))

    async def _let_go(self) -> None:
        self._held = None
        await pause.resume_account(self._scene.runtime, self._desk.account)
        await pause.resume_tenant(self._scene.runtime, self._scene.tenant)
        await resume.resume_everything(self._scene.runtime)

    @rule()
    def a_person_decides(self) -> None:
        """Resolve decisions by what is really on X."""
        self._do(self._decide())

    async def _decide(self) -> None:
        rows, on_x = await self._scene.rows(), await self._scene.on_x()
        claimed = {part.sent_as for row in rows.values() for part in row.parts}
        for planned in self._planned:
            row = rows[planned.post_id]
            part = next((each for each in row.parts if each.state == "unknown"), None)
            if row.state != "needs_decision" or part is None:
                continue
            text = planned.texts[part.position - 1]
            there = [
                post
                for post in _by_roost(on_x)
                if post.text == text and post.deleted_at is None and post.id not in claimed
            ]
            runtime, tenant = self._scene.runtime, self._scene.tenant
            if there:
                await resolve.confirm_sent(runtime, tenant, PostId(row.id), there[0].id)
                claimed.add(there[0].id)
            else:
                await resolve.confirm_absent(runtime, tenant, PostId(row.id))

    # Actions.

    async def _work(self, worker: int) -> None:
        """Do all that is due or stranded, as a worker would; sessions may end meanwhile."""
        desk = replace(self._desk, locks=self._workers[worker])
        for _ in range(2_000):
            with contextlib.suppress(psycopg.OperationalError):
                await dispatch.dispatch_due(desk.runtime)
                await dispatch.dispatch_stranded(desk.runtime)
            if (job := await _take_job(desk.runtime.database)) is None:
                return
            with contextlib.suppress(psycopg.OperationalError):
                await desk.do(*job)
        raise AssertionError("the work has no end")

    async def _come_to_rest(self) -> None:
        """Remove all faults, reconnect accounts, and advance the clock until posts are finished."""
        await self._scene.emulator.clear_faults()
        await self._let_go()
        for _ in range(100):
            await self._work(0)
            if await self._scene.reconnect_lost():
                continue
            if (at := await self._desk.next_step()) is None:
                return
            await self._desk.move_to(at)
        raise AssertionError("the posts do not come to rest")

    # Invariants.

    @invariant()
    def the_promise_is_kept(self) -> None:
        """No duplicate, no lost post, no thread out of order, no gap in a history."""
        self._do(self._hold(at_rest=False))

    def teardown(self) -> None:
        """At the end every part is on X once, or its rows say why not."""
        try:
            self._do(self._come_to_rest())
            self._do(self._hold(at_rest=True))
        finally:
            self._do(self._stack.aclose())
            self._runner.close()

    async def _hold(self, *, at_rest: bool) -> None:
        rows, on_x = await self._scene.rows(), await self._scene.on_x()
        broken = judge(Case(self._planned, rows, on_x), at_rest=at_rest)
        findings = "\n".join(f"{each.wrong}: {each.what}" for each in broken)
        histories = "\n".join(tell(row, on_x) for row in rows.values())
        assert not broken, f"{findings}\n{histories}"
        if self._held is not None:
            assert len(_by_roost(on_x)) == self._held, f"sent while held back\n{histories}"


def _by_roost(on_x: list[OnX]) -> list[OnX]:
    return [post for post in on_x if not post.by_hand]


async def _take_job(database: Database) -> tuple[str, dict[str, int]] | None:
    async with database.unscoped() as transaction:
        rows = await transaction.raw.execute(
            "DELETE FROM procrastinate_jobs WHERE id = (SELECT id FROM procrastinate_jobs"
            " WHERE status = 'todo' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)"
            " RETURNING task_name, args"
        )
        job: tuple[str, dict[str, int]] | None = await rows.fetchone()
    return job


def _end_sessions(admin_url: str) -> None:
    """End every other session in the database."""
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_posts_are_published_exactly_once(
    migrated_server: PostgresServer, emulator_url: str, tmp_path: Path
) -> None:
    ground = Ground(migrated_server.url, tmp_path)
    run_state_machine_as_test(
        lambda: Promise(ground, emulator_url, tmp_path),  # type: ignore[arg-type]  # a factory
        settings=settings(
            max_examples=_EXAMPLES,
            stateful_step_count=14,
            deadline=None,
            derandomize=_SHORT,
            suppress_health_check=list(HealthCheck),
            database=None,
            # The long form takes its time to find the shortest way to a failure.
            phases=[Phase.generate] if _SHORT else [Phase.generate, Phase.shrink],
        ),
    )
