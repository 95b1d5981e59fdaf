"""The delivery guarantee holds under any order of posts, faults, user actions and crashes.

A state machine chooses random actions. After each action, the emulator's ground truth is compared
with the rows in the database. The database and the emulator are real servers. The two workers run
in this process, so that one can crash at a failpoint while the other continues.
`ROOST_MACHINE_EXAMPLES` sets the number of runs.
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
from fix_publishing import Publisher
from fix_runtime import ACTOR
from harness.checker import Evidence, check_posts
from harness.post_rows import describe_post
from harness.records import PlannedPost, XPost
from harness.scenario import Scenario, open_scenario
from harness.server import Server
from roost import failpoints
from roost.failpoints import Failpoint
from roost.models import PostId
from roost.services import dispatch, pause, resolve, resume
from roost.services.pause import PauseScope
from roost.store.database import Database
from roost.store.locks import AccountLocks, open_account_locks

pytestmark = pytest.mark.timing

_Result = TypeVar("_Result")

_SHORT = "ROOST_MACHINE_EXAMPLES" not in os.environ
_EXAMPLES = int(os.environ.get("ROOST_MACHINE_EXAMPLES", "12"))
#: The timeout of a create is short, because after a crash the next worker waits until the timeout
#: of the crashed worker's attempt has passed.
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


class WorkerCrash(BaseException):
    """Raised in a worker to make it crash; it loses everything that is not committed."""


class _NextFailpoint:
    """Runs an action once, when a worker next reaches the failpoint `name`.

    One object is used for all actions, because an observer of failpoints cannot be removed.
    """

    def __init__(self) -> None:
        self.name = ""
        self.action: Callable[[], None] = lambda: None

    def on_failpoint(self, name: str) -> None:
        if name == self.name:
            self.name = ""
            self.action()


_next_failpoint = _NextFailpoint()
failpoints.on_failpoint(_next_failpoint.on_failpoint)


class DeliveryMachine(RuleBasedStateMachine):
    """Random actions of users, workers, X and the clock on the posts of one account."""

    def __init__(self, server: Server, emulator_url: str, folder: Path) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._stack = contextlib.AsyncExitStack()
        self._planned: list[PlannedPost] = []
        self._paused_count: int | None = None
        """How many posts X had when the pause began; None: nothing is paused."""
        self._numbers = iter(range(10_000))
        self._run(self._open(server, emulator_url, folder))

    def _run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        return self._runner.run(work)

    async def _open(self, server: Server, emulator_url: str, folder: Path) -> None:
        database = await self._stack.enter_async_context(server.database())
        self._scenario: Scenario = await self._stack.enter_async_context(
            open_scenario(database, emulator_url, folder, wall=_WALL)
        )
        await self._scenario.emulator.freeze_at_time(START_TIME or time(12))
        account = await self._scenario.connect("larkbooks")
        runtime, emulator = self._scenario.runtime, self._scenario.emulator
        self._workers = [await self._new_worker() for _ in range(2)]
        self._publisher = Publisher(
            runtime, self._scenario.tenant, account, emulator, self._workers[0]
        )

    async def _new_worker(self) -> AccountLocks:
        return await self._stack.enter_async_context(
            open_account_locks(self._scenario.runtime.database)
        )

    # Actions.

    @rule(
        parts=st.integers(1, 3),
        after_s=st.sampled_from([0, 5, 60, 600]),
        has_image=st.booleans(),
    )
    def plan(self, parts: int, after_s: int, has_image: bool) -> None:
        """A person schedules a post."""
        number = next(self._numbers)
        texts = tuple(f"{number}.{part} & so on" for part in range(1, parts + 1))
        image = self._image(number) if has_image else None
        self._run(self._plan(*texts, after_s=after_s, media=image))

    @precondition(lambda self: self._planned)
    @rule(which=st.integers(0, 50), after_s=st.sampled_from([0, 5]))
    def plan_identical_post(self, which: int, after_s: int) -> None:
        """A person schedules a text that is already planned."""
        other = self._planned[which % len(self._planned)]
        if len(other.texts) == 1 and not other.media:
            self._run(self._plan(*other.texts, after_s=after_s, media=None))

    async def _plan(self, *texts: str, after_s: int, media: Path | None) -> None:
        after = timedelta(seconds=after_s)
        planned = await self._scenario.plan_post(
            self._publisher.account, *texts, after=after, media=media
        )
        self._planned.append(planned)

    def _image(self, number: int) -> Path:
        path = self._scenario.folder / f"{number}.png"
        Image.new("RGB", (16, 16), (number, 9, 9)).save(path)
        return path

    @rule(fault=_FAULTS, times=st.integers(1, 2))
    def x_fails(self, fault: tuple[str, str, str], times: int) -> None:
        """The next requests of one operation fail, or their responses are lost or damaged."""
        self._run(self._scenario.emulator.fail(*fault, times=times))

    @rule(seconds=st.sampled_from([5, 14]))
    def x_shows_a_stale_timeline(self, seconds: int) -> None:
        """The next reads of the timeline lack new posts, for no longer than the timeline lag."""
        self._run(
            self._scenario.emulator.fail(
                "read_timeline", "before", "stale", seconds=seconds, times=2
            )
        )

    @rule(refuses=st.booleans())
    def x_refuses_or_accepts_duplicates(self, refuses: bool) -> None:
        """X starts to refuse or to accept duplicates; Roost must work in both cases."""
        self._run(self._scenario.emulator.switch(refuse_duplicates=refuses))

    @rule(seconds=st.sampled_from([1, 5, 16, 40, 400, 7200]))
    def time_passes(self, seconds: int) -> None:
        """The clock advances."""
        self._run(self._scenario.emulator.jump(seconds=seconds))

    @rule(worker=st.integers(0, 1))
    def a_worker_runs(self, worker: int) -> None:
        """One worker runs everything that is due."""
        self._run(self._work(worker))

    @rule()
    def both_workers_run(self) -> None:
        """Both workers run at once."""
        self._run(self._run_both())

    async def _run_both(self) -> None:
        await asyncio.gather(self._work(0), self._work(1))

    @rule(worker=st.integers(0, 1), failpoint=st.sampled_from(Failpoint))
    def a_worker_crashes(self, worker: int, failpoint: Failpoint) -> None:
        """One worker runs and crashes at a failpoint; the end of its session frees its locks."""

        def crash() -> None:
            raise WorkerCrash

        self._run_to_failpoint(failpoint, crash, worker)

    @rule(worker=st.integers(0, 1), failpoint=st.sampled_from(Failpoint))
    def a_worker_loses_its_locks(self, worker: int, failpoint: Failpoint) -> None:
        """All database sessions end while one worker is at a failpoint; the worker continues."""
        self._run_to_failpoint(failpoint, lambda: _end_sessions(self._scenario.admin_url), worker)

    def _run_to_failpoint(
        self, failpoint: Failpoint, action: Callable[[], None], worker: int
    ) -> None:
        _next_failpoint.name, _next_failpoint.action = failpoint.value, action
        try:
            self._run(self._work(worker))
        except WorkerCrash:
            self._run(self._replace_worker(worker))
        finally:
            _next_failpoint.name = ""

    async def _replace_worker(self, worker: int) -> None:
        await self._workers[worker].close(timeout_s=0)
        self._workers[worker] = await self._new_worker()

    @rule(which=st.integers(0, 50))
    def a_person_deletes(self, which: int) -> None:
        """A person deletes a post on X."""
        self._run(self._delete(which))

    async def _delete(self, which: int) -> None:
        x_posts = await self._scenario.read_x_posts()
        present = [post for post in x_posts if post.deleted_at is None]
        if present:
            await self._scenario.delete_manually(present[which % len(present)].id)

    @precondition(lambda self: self._planned)
    @rule(which=st.integers(0, 50))
    def a_person_posts_a_planned_text(self, which: int) -> None:
        """A person posts a planned text on X manually; Roost must not adopt this post."""
        self._run(self._post(self._planned[which % len(self._planned)].texts[0]))

    @rule(worker=st.integers(0, 1), parts=st.integers(1, 2))
    def a_person_posts_what_x_loses(self, worker: int, parts: int) -> None:
        """X loses a create of Roost, and a person posts the same text on X at this moment."""
        texts = tuple(f"{next(self._numbers)} by both" for _ in range(parts))
        self._run(self._plan(*texts, after_s=0, media=None))
        self._run(self._scenario.emulator.fail("create_post", "before", "drop"))
        self._run(self._post(texts[0]))
        self._run(self._work(worker))

    async def _post(self, text: str) -> None:
        with contextlib.suppress(AssertionError):  # X may refuse the post as a duplicate.
            await self._scenario.post_manually(self._publisher.account, text)

    @precondition(lambda self: self._paused_count is None)
    @rule(scope=st.sampled_from([PauseScope.ACCOUNT, PauseScope.TENANT, PauseScope.EVERYTHING]))
    def a_person_pauses(self, scope: PauseScope) -> None:
        """A person pauses; until the pause ends, Roost must not create another post on X."""
        self._run(self._pause(scope))

    @precondition(lambda self: self._paused_count is not None)
    @rule()
    def a_person_resumes(self) -> None:
        """The pause ends."""
        self._run(self._resume())

    async def _pause(self, scope: PauseScope) -> None:
        runtime, account = self._scenario.runtime, self._publisher.account
        match scope:
            case PauseScope.ACCOUNT:
                await pause.pause_account(runtime, self._scenario.scope, account)
            case PauseScope.TENANT:
                await pause.pause_tenant(runtime, self._scenario.scope)
            case _:
                await pause.pause_everything(runtime, ACTOR)
        self._paused_count = len(_posts_by_roost(await self._scenario.read_x_posts()))

    async def _resume(self) -> None:
        self._paused_count = None
        await pause.resume_account(
            self._scenario.runtime, self._scenario.scope, self._publisher.account
        )
        await pause.resume_tenant(self._scenario.runtime, self._scenario.scope)
        await resume.resume_everything(self._scenario.runtime, ACTOR)

    @rule()
    def a_person_decides(self) -> None:
        """A person looks at X, and resolves each post that needs a decision accordingly."""
        self._run(self._decide())

    async def _decide(self) -> None:
        rows, x_posts = await self._scenario.read_posts(), await self._scenario.read_x_posts()
        claimed = {part.sent_as for row in rows.values() for part in row.parts}
        for planned in self._planned:
            row = rows[planned.post_id]
            part = next((each for each in row.parts if each.state == "unknown"), None)
            if row.state != "needs_decision" or part is None:
                continue
            text = planned.texts[part.position - 1]
            candidates = [
                post
                for post in _posts_by_roost(x_posts)
                if post.text == text and post.deleted_at is None and post.id not in claimed
            ]
            runtime, scope = self._scenario.runtime, self._scenario.scope
            if candidates:
                await resolve.confirm_sent(runtime, scope, PostId(row.id), candidates[0].id)
                claimed.add(candidates[0].id)
            else:
                await resolve.confirm_absent(runtime, scope, PostId(row.id))

    # Implementation of the actions.

    async def _work(self, worker: int) -> None:
        """Run the jobs of all due and stranded posts, as a worker does.

        Errors of ended database sessions are ignored.
        """
        publisher = replace(self._publisher, locks=self._workers[worker])
        for _ in range(2_000):
            with contextlib.suppress(psycopg.OperationalError):
                await dispatch.dispatch_due(publisher.runtime)
                await dispatch.dispatch_stranded(publisher.runtime)
            if (job := await _take_job(publisher.runtime.database)) is None:
                return
            with contextlib.suppress(psycopg.OperationalError):
                await publisher.run_job(*job)
        raise AssertionError("the work does not end")

    async def _settle(self) -> None:
        """Clear faults, resume, reconnect, and run the worker until every post is finished."""
        await self._scenario.emulator.clear_faults()
        await self._resume()
        for _ in range(100):
            await self._work(0)
            if await self._scenario.reconnect_accounts():
                continue
            if (at := await self._publisher.find_next_step_at()) is None:
                return
            await self._publisher.move_clock_to(at)
        raise AssertionError("the posts do not settle")

    # Checks.

    @invariant()
    def the_guarantee_holds(self) -> None:
        """Check for duplicates, lost posts, threads out of order, and gaps in histories."""
        self._run(self._check(all_settled=False))

    def teardown(self) -> None:
        """Finish all posts; check that each is on X once, or that the database says why not."""
        try:
            self._run(self._settle())
            self._run(self._check(all_settled=True))
        finally:
            self._run(self._stack.aclose())
            self._runner.close()

    async def _check(self, *, all_settled: bool) -> None:
        rows, x_posts = await self._scenario.read_posts(), await self._scenario.read_x_posts()
        findings = check_posts(Evidence(self._planned, rows, x_posts), all_settled=all_settled)
        problems = "\n".join(f"{each.kind}: {each.description}" for each in findings)
        histories = "\n".join(describe_post(row, x_posts) for row in rows.values())
        assert not findings, f"{problems}\n{histories}"
        if self._paused_count is not None:
            count = len(_posts_by_roost(x_posts))
            assert count == self._paused_count, f"sent while paused\n{histories}"


def _posts_by_roost(x_posts: list[XPost]) -> list[XPost]:
    return [post for post in x_posts if not post.posted_manually]


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
    """End all other sessions of the database."""
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_delivery_guarantee_holds_whatever_happens(
    migrated_server: PostgresServer, emulator_url: str, tmp_path: Path
) -> None:
    server = Server(migrated_server.url, tmp_path)
    run_state_machine_as_test(
        lambda: DeliveryMachine(server, emulator_url, tmp_path),  # type: ignore[arg-type]  # a factory
        settings=settings(
            max_examples=_EXAMPLES,
            stateful_step_count=14,
            deadline=None,
            derandomize=_SHORT,
            suppress_health_check=list(HealthCheck),
            database=None,
            # A short run does not shrink a failing example, because that takes long.
            phases=[Phase.generate] if _SHORT else [Phase.generate, Phase.shrink],
        ),
    )
