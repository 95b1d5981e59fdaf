"""A worker sends nothing if its clock differs from X's clock or the database's clock."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fix_emulator import Emulator
from fix_processes import until
from fix_publishing import Publisher, run_roost
from fix_runtime import ACTOR, connect_account
from roost import failpoints, store, worker
from roost.cli.serve import worker_actor
from roost.failpoints import Failpoint
from roost.models import PartState, PostId, PostState, Tenant
from roost.runtime import Runtime
from roost.services import dispatch, resolve
from roost.services.clock_check import ClockCheck
from roost.services.resolve import TweetUnlikely
from roost.store.locks import open_account_locks

pytestmark = pytest.mark.timing


@pytest.fixture
async def emulator(emulator: Emulator) -> Emulator:
    """The emulator at the machine's current time."""
    await emulator.reset(start_time=None)
    return emulator


@dataclass
class SkewedClock:
    """The machine's clock plus `off`, which a test sets."""

    off: timedelta = timedelta(0)
    is_wall_time = True

    def now(self) -> datetime:
        return datetime.now(UTC) + self.off

    async def sleep_until(self, instant: datetime) -> None:
        while (left := (instant - self.now()).total_seconds()) > 0:
            await asyncio.sleep(min(left, 0.1))


@dataclass(frozen=True)
class Skewed(Publisher):
    """A publisher whose clock a test can make wrong. The emulator's clock stays right."""

    clock: SkewedClock


@pytest.fixture
async def skewed(runtime: Runtime, tenant: Tenant, emulator: Emulator) -> AsyncIterator[Skewed]:
    """A publisher for @larkbooks, whose clock is right at first, with short heartbeats."""
    clock = SkewedClock()
    settings = runtime.settings.model_copy(
        update={
            "heartbeat_interval": timedelta(seconds=0.2),
            "worker_timeout": timedelta(seconds=2.0),
        }
    )
    runtime = replace(runtime, clock=clock, settings=settings)
    account = await connect_account(runtime, tenant, emulator, "larkbooks")
    async with open_account_locks(runtime.database) as locks:
        publisher = Skewed(runtime, tenant, account, emulator, locks, clock)
        await publisher.set_next_collection(clock.now() + timedelta(days=365))
        yield publisher


@contextlib.asynccontextmanager
async def running(runtime: Runtime) -> AsyncIterator[None]:
    """Run a worker in this process during the block."""
    task = asyncio.create_task(worker.run(runtime, ACTOR, stop=asyncio.Event()))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def alerts(publisher: Publisher) -> list[str]:
    """Return the kinds of the open alerts that concern all tenants."""
    async with publisher.runtime.database.unscoped() as transaction:
        return [alert.kind for alert in await store.alerts.list_open(transaction)]


async def published(publisher: Publisher, post_id: PostId) -> None:
    """Wait until the post is published."""

    async def is_it() -> bool:
        return (await publisher.get_post(post_id)).state is PostState.PUBLISHED

    await until(is_it)


async def alerted(publisher: Publisher, kinds: list[str]) -> None:
    """Wait until exactly the alerts of these kinds are open."""

    async def are() -> bool:
        return await alerts(publisher) == kinds

    await until(are)


@pytest.mark.parametrize("off_s", [-7200, -300, -100, 100, 300, 7200])
async def test_worker_sends_nothing_until_the_clock_is_right(skewed: Skewed, off_s: int) -> None:
    post_id = await skewed.schedule("On time", after_s=-8)
    skewed.clock.off = timedelta(seconds=off_s)
    async with running(skewed.runtime):
        await alerted(skewed, ["clock_skew"])
        assert (await skewed.get_post(post_id)).state is PostState.SCHEDULED
        assert await skewed.published_texts() == []
        skewed.clock.off = timedelta(0)
        await published(skewed, post_id)
        await alerted(skewed, [])
    assert await skewed.published_texts() == ["On time"]


async def test_doctor_reports_a_wrong_clock(skewed: Skewed, tmp_path: Path) -> None:
    skewed.clock.off = timedelta(seconds=-300)
    await skewed.locks.heartbeat(str(worker_actor()))
    await ClockCheck(skewed.runtime).check()
    doctor = await run_roost("doctor", "--json", settings=skewed.runtime.settings, folder=tmp_path)
    found = " ".join(one["message"] for one in doctor.answer["findings"])
    assert "this machine's clock is 300 s behind of X's, so its worker sends nothing" in found


@pytest.mark.parametrize("off_s", [-20, 20])
async def test_worker_publishes__clock_slightly_off(skewed: Skewed, off_s: int) -> None:
    post_id = await skewed.schedule("On time", after_s=-25)
    skewed.clock.off = timedelta(seconds=off_s)
    async with running(skewed.runtime):
        await published(skewed, post_id)
    assert await alerts(skewed) == []


async def test_worker_sends_nothing__clock_moved_between_heartbeats(skewed: Skewed) -> None:
    check = ClockCheck(skewed.runtime)
    await check.check()
    assert check.problem is None
    post_id = await skewed.schedule("On time", after_s=-40)
    skewed.clock.off = timedelta(seconds=120)
    await skewed.run_due_jobs()
    assert await skewed.list_statuses("create_post") == []
    assert not skewed.locks.may_begin
    assert (await skewed.get_post(post_id)).parts[0].state == "pending"
    await check.check()
    assert await alerts(skewed) == ["clock_skew"]
    skewed.clock.off = timedelta(0)
    await check.check()
    assert (check.problem, await alerts(skewed)) == (None, [])
    skewed.locks.open_gate()
    await dispatch.dispatch_stranded(skewed.runtime)
    await skewed.run_due_jobs()
    assert await skewed.published_texts() == ["On time"]


async def test_post_is_not_missed_by_a_clock_that_moves_between_two_heartbeats(
    skewed: Skewed,
) -> None:
    await ClockCheck(skewed.runtime).check()
    post_id = await skewed.schedule("On time", "In two parts", after_s=-40)
    skewed.clock.off = timedelta(hours=2)
    await skewed.run_due_jobs()
    assert (await skewed.get_post(post_id)).state is PostState.PUBLISHING
    assert not skewed.locks.may_begin
    skewed.clock.off = timedelta(0)
    skewed.locks.open_gate()
    await dispatch.dispatch_stranded(skewed.runtime)
    await skewed.run_due_jobs()
    assert await skewed.published_texts() == ["On time", "In two parts"]


async def test_no_wait_is_stored_by_a_clock_that_moves_during_an_attempt(
    skewed: Skewed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def move_clock(failpoint: str) -> None:
        if failpoint == Failpoint.CREATE_BEFORE_SEND:
            skewed.clock.off = timedelta(hours=2)

    await ClockCheck(skewed.runtime).check()
    await skewed.emulator.fail("create_post", "before", "drop")
    post_id = await skewed.schedule("On time", after_s=-40)
    monkeypatch.setattr(failpoints, "_observers", [move_clock])
    await skewed.run_due_jobs()
    post = await skewed.get_post(post_id)
    assert (post.state, post.parts[0].state) == (PostState.PUBLISHING, PartState.UNKNOWN)
    assert not skewed.locks.may_begin
    assert await skewed.find_next_step_at() is None


async def test_clock_is_not_compared_with_an_emulator_not_at_wall_time(
    runtime: Runtime, emulator: Emulator
) -> None:
    check = ClockCheck(runtime)
    for change in ({"rate": 0}, {"jump_seconds": 7200, "rate": 1}, {"rate": 100}):
        await emulator.control("clock", **change)
        await check.check()
        assert check.problem is None
    assert runtime.server_time.latest is None


async def test_post_is_not_sent_before_it_is_due_by_the_databases_clock(skewed: Skewed) -> None:
    post_id = await skewed.schedule("Early", after_s=20)
    skewed.clock.off = timedelta(seconds=25)
    await skewed.run_due_jobs()
    assert (await skewed.get_post(post_id)).state is PostState.SCHEDULED
    async with skewed.runtime.database.for_tenant(skewed.tenant.id) as transaction:
        await transaction.raw.execute(
            "UPDATE posts SET state = 'publishing' WHERE id = %s", [post_id]
        )
    await dispatch.dispatch_stranded(skewed.runtime)
    await skewed.run_due_jobs()
    async with skewed.runtime.database.for_tenant(skewed.tenant.id) as transaction:
        state = await store.publishing.get(transaction, post_id)
    assert (state.parts[0].part.state, state.parts[0].attempts) == ("pending", ())
    assert await skewed.published_texts() == []


async def test_post_is_not_sent_before_it_is_due_by_the_workers_clock(skewed: Skewed) -> None:
    post_id = await skewed.schedule("Early")
    skewed.clock.off = timedelta(seconds=-25)
    await skewed.run_due_jobs()
    assert (await skewed.get_post(post_id)).state is PostState.SCHEDULED
    assert await skewed.published_texts() == []


@pytest.mark.parametrize("off_s", [-20, 0, 20])
async def test_create_is_adopted_by_the_time_of_x__response_lost(
    skewed: Skewed, off_s: int
) -> None:
    await skewed.emulator.switch(refuse_duplicates=False)
    await ClockCheck(skewed.runtime).check()
    await skewed.emulator.fail("create_post", "after", "drop")
    post_id = await skewed.schedule("Once", after_s=-25)
    skewed.clock.off = timedelta(seconds=off_s)
    await skewed.run_due_jobs()
    (on_x,) = (await skewed.emulator.ground_truth())["posts"]
    post = await skewed.get_post(post_id)
    assert (post.state, post.parts[0].sent_as) == (PostState.PUBLISHED, on_x["id"])


@pytest.mark.parametrize("off_s", [-28, 28])
async def test_confirm_sent_uses_the_time_of_x(skewed: Skewed, off_s: int) -> None:
    """X's clock, not the machine's, decides whether a post is too old to be the part."""
    await skewed.emulator.switch(refuse_duplicates=False)
    await ClockCheck(skewed.runtime).check()
    there = await skewed.post_manually("Twice")
    await skewed.emulator.fail("create_post", "after", "drop")
    post_id = await skewed.schedule("Twice", after_s=-40)
    skewed.clock.off = timedelta(seconds=off_s)
    await skewed.run_due_jobs()
    assert (await skewed.get_post(post_id)).state is PostState.NEEDS_DECISION
    # An id that X would have given to a post 61 s earlier.
    early = str(int(there) - (61_000 << 22))
    with pytest.raises(TweetUnlikely):
        await resolve.confirm_sent(skewed.runtime, skewed.scope, post_id, early)
    post = await resolve.confirm_sent(skewed.runtime, skewed.scope, post_id, there)
    assert post.parts[0].sent_as == there


async def test_worker_sends_nothing_before_it_knows_the_time_of_x(skewed: Skewed) -> None:
    await skewed.emulator.fail("read_usage", "before", "404html", times=None)
    post_id = await skewed.schedule("On time", after_s=-8)
    async with running(skewed.runtime):
        await skewed.wait_for_responses("read_usage", 2)
        assert await alerts(skewed) == []
        assert (await skewed.get_post(post_id)).state is PostState.SCHEDULED
        await skewed.emulator.clear_faults()
        await published(skewed, post_id)
    assert await skewed.list_statuses("create_post") == [201]
