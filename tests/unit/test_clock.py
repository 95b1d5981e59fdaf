"""Domain time: the machine's time, or an emulator's time with jumps and other rates."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from fix_emulator import Emulator
from roost.clock import Clock, SystemClock, open_clock, require_same_host
from roost.endpoint import LIVE_X, XEndpoint
from roost.errors import Broken, SettingInvalid

pytestmark = pytest.mark.timing


@pytest.fixture
async def clock(emulator: Emulator) -> AsyncIterator[Clock]:
    """The emulator's clock, which is stopped."""
    await emulator.freeze()
    async with open_clock(emulator.clock_url, emulator.endpoint) as opened:
        yield opened


async def is_sleeping(sleeper: asyncio.Task[None]) -> bool:
    """Whether a task still sleeps after the event loop has run it."""
    await asyncio.wait({sleeper}, timeout=0.05)
    return not sleeper.done()


async def test_a_frozen_clock_stands_still(clock: Clock) -> None:
    readings = {clock.now() for _ in range(1000)}
    assert len(readings) == 1
    assert readings.pop().tzinfo is UTC


async def test_the_clock_is_the_emulators(clock: Clock, emulator: Emulator) -> None:
    truth = datetime.fromisoformat((await emulator.ground_truth())["now"])
    assert clock.now() == truth


async def test_a_jump_is_known_when_it_answers(clock: Clock, emulator: Emulator) -> None:
    before = clock.now()
    await emulator.jump(days=30, seconds=0.5)
    assert clock.now() - before == timedelta(days=30, seconds=0.5)


async def test_jump_after_jump_is_followed(clock: Clock, emulator: Emulator) -> None:
    before = clock.now()
    for number in range(1, 21):
        await emulator.jump(hours=1)
        assert clock.now() - before == timedelta(hours=number)


async def test_every_follower_knows_of_a_jump(clock: Clock, emulator: Emulator) -> None:
    async with (
        open_clock(emulator.clock_url, emulator.endpoint) as second,
        open_clock(emulator.clock_url, emulator.endpoint) as third,
    ):
        await emulator.jump(days=1)
        assert clock.now() == second.now() == third.now()


async def test_a_new_rate_is_followed(clock: Clock, emulator: Emulator) -> None:
    before = clock.now()
    await emulator.control("clock", rate=1_000_000)
    async with asyncio.timeout(5):
        await clock.sleep_until(before + timedelta(days=1))
    await emulator.freeze()
    assert clock.now() >= before + timedelta(days=1)


async def test_a_sleeper_wakes_at_a_jump_to_its_instant(clock: Clock, emulator: Emulator) -> None:
    sleeper = asyncio.create_task(clock.sleep_until(clock.now() + timedelta(hours=1)))
    await emulator.jump(seconds=3599)
    assert await is_sleeping(sleeper)
    await emulator.jump(seconds=1)
    async with asyncio.timeout(5):
        await sleeper


async def test_a_sleeper_wakes_at_a_change_of_rate(clock: Clock, emulator: Emulator) -> None:
    sleeper = asyncio.create_task(clock.sleep_until(clock.now() + timedelta(hours=1)))
    assert await is_sleeping(sleeper)
    await emulator.control("clock", rate=1_000_000)
    async with asyncio.timeout(5):
        await sleeper


async def test_a_hundred_sleepers_wake_each_at_its_instant(
    clock: Clock, emulator: Emulator
) -> None:
    now = clock.now()
    sleepers = [
        asyncio.create_task(clock.sleep_until(now + timedelta(minutes=number)))
        for number in range(1, 101)
    ]
    await emulator.jump(seconds=50 * 60)
    async with asyncio.timeout(5):
        await asyncio.gather(*sleepers[:50])
    assert await is_sleeping(sleepers[50])
    for sleeper in sleepers[50:]:
        sleeper.cancel()


async def test_an_instant_that_has_passed_is_not_slept_for(clock: Clock) -> None:
    async with asyncio.timeout(5):
        await clock.sleep_until(clock.now())
        await clock.sleep_until(clock.now() - timedelta(days=1))


async def test_system_clock_returns_utc_and_reaches_an_instant() -> None:
    clock = SystemClock()
    instant = clock.now() + timedelta(milliseconds=30)
    async with asyncio.timeout(5):
        await clock.sleep_until(instant)
    assert clock.now() >= instant
    assert clock.now().tzinfo is UTC


async def test_without_an_address_the_clock_is_the_systems() -> None:
    async with open_clock(None, LIVE_X) as clock:
        assert isinstance(clock, SystemClock)


@pytest.mark.parametrize(
    ("clock_url", "x_base_url"),
    [
        ("http://127.0.0.1:8710/_emulator/clock", "https://api.x.com"),
        ("http://127.0.0.1:8710/_emulator/clock", "http://127.0.0.1:8711"),
        ("http://127.0.0.1:8710/_emulator/clock", "http://localhost:8710"),
        ("http://127.0.0.1/_emulator/clock", "http://127.0.0.1:8710"),
        ("https://127.0.0.1:8710/_emulator/clock", "http://127.0.0.1:8710"),
    ],
    ids=["the_real_x", "another_port", "another_name", "no_port", "another_scheme"],
)
async def test_a_clock_on_another_host_than_x_is_refused(clock_url: str, x_base_url: str) -> None:
    with pytest.raises(SettingInvalid, match="ROOST_CLOCK_URL"):
        async with open_clock(clock_url, XEndpoint(x_base_url)):
            pass


def test_the_real_x_is_no_clock() -> None:
    with pytest.raises(SettingInvalid, match="ROOST_CLOCK_URL"):
        require_same_host("https://api.x.com/clock", LIVE_X)


def test_a_clock_beside_its_emulator_is_taken() -> None:
    require_same_host("http://127.0.0.1:8710/_emulator/clock", XEndpoint("http://127.0.0.1:8710"))


async def test_a_clock_that_does_not_answer_is_broken() -> None:
    with pytest.raises(Broken, match="does not respond"):
        async with open_clock("http://127.0.0.1:9/clock", XEndpoint("http://127.0.0.1:9")):
            pass


@pytest.mark.parametrize("door", ["users", "ground-truth", "nothing"])
async def test_an_address_that_is_no_clock_is_broken(emulator: Emulator, door: str) -> None:
    with pytest.raises(Broken):
        async with open_clock(f"{emulator.url}/_emulator/{door}", emulator.endpoint):
            pass
