"""Tests of the emulated clock: jumps, freezing, rates, and clients that poll the clock."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from fix_emulator import Emulator
from roost.clock import open_clock

pytestmark = pytest.mark.timing


async def read(emulator: Emulator) -> dict[str, Any]:
    async with emulator.http.get(emulator.clock_url) as answer:
        reading: dict[str, Any] = await answer.json()
        return reading


def emulated(reading: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(reading["emulated"])


async def test_clock_starts_with_the_machine(emulator: Emulator) -> None:
    await emulator.control("reset")  # The fixture may have set another time of day.
    reading = await read(emulator)
    apart = emulated(reading) - datetime.fromisoformat(reading["wall"])
    # The two clocks are read one after the other, and a busy machine may pause in between.
    assert abs(apart) < timedelta(seconds=1)
    assert reading["rate"] == 1.0


async def test_frozen_clock_can_jump(emulator: Emulator) -> None:
    await emulator.freeze()
    before = await read(emulator)
    await emulator.jump(days=30)
    after = await read(emulator)
    assert emulated(after) - emulated(before) == timedelta(days=30)
    assert emulated(await read(emulator)) == emulated(after)
    assert after["version"] == before["version"] + 1


async def test_clock_jumps_to_an_instant_but_never_backward(emulator: Emulator) -> None:
    await emulator.freeze()
    wanted = emulated(await read(emulator)) + timedelta(days=3)
    await emulator.control("clock", to=wanted.isoformat())
    assert emulated(await read(emulator)) == wanted
    body = {"to": (wanted - timedelta(seconds=1)).isoformat()}
    async with emulator.http.post(emulator.clock_url, json=body) as answer:
        assert answer.status == 400


async def test_clock_runs_at_a_rate(emulator: Emulator) -> None:
    await emulator.control("clock", rate=3600)
    before = await read(emulator)
    after = await read(emulator)
    passed = datetime.fromisoformat(after["wall"]) - datetime.fromisoformat(before["wall"])
    assert abs((emulated(after) - emulated(before)) - passed * 3600) < timedelta(seconds=1)


async def test_poll_returns_at_once_if_the_version_differs(emulator: Emulator) -> None:
    params = {"after": "-1", "wait": "20"}
    async with emulator.http.get(emulator.clock_url, params=params) as answer:
        assert answer.status == 200


async def test_poll_returns_unchanged_after_its_wait(emulator: Emulator) -> None:
    version = (await read(emulator))["version"]
    params = {"after": str(version), "wait": "0.05"}
    async with emulator.http.get(emulator.clock_url, params=params) as answer:
        assert (await answer.json())["version"] == version


async def test_jump_returns_after_every_follower_has_polled_again(emulator: Emulator) -> None:
    await emulator.freeze()
    async with (
        open_clock(emulator.clock_url, emulator.endpoint) as one,
        open_clock(emulator.clock_url, emulator.endpoint) as other,
    ):
        for _ in range(5):
            async with asyncio.timeout(1.5):
                await emulator.jump(hours=1)
            instant = emulated(await read(emulator))
            assert one.now() == other.now() == instant


async def test_sleeper_wakes_when_the_clock_jumps(emulator: Emulator) -> None:
    await emulator.freeze()
    async with open_clock(emulator.clock_url, emulator.endpoint) as clock:
        sleeping = asyncio.create_task(clock.sleep_until(clock.now() + timedelta(days=1)))
        await emulator.jump(hours=23)
        assert not sleeping.done()
        await emulator.jump(hours=1)
        async with asyncio.timeout(5):
            await sleeping


async def open_poll(emulator: Emulator) -> asyncio.StreamWriter:
    """Start a long poll, and wait until the emulator has received the poll."""
    at = urlsplit(emulator.url)
    _, writer = await asyncio.open_connection(at.hostname, at.port)
    version = (await read(emulator))["version"]
    writer.write(f"GET /_emulator/clock?after={version}&wait=60 HTTP/1.1\r\n\r\n".encode())
    await writer.drain()
    await read(emulator)
    return writer


async def test_disconnected_follower_does_not_delay_a_jump(emulator: Emulator) -> None:
    (await open_poll(emulator)).close()
    async with asyncio.timeout(1.5):
        await emulator.jump(hours=1)


async def test_silent_follower_delays_one_jump_only(
    emulator: Emulator,
) -> None:
    silent = await open_poll(emulator)
    first = asyncio.create_task(emulator.jump(hours=1))
    await asyncio.wait({first}, timeout=1)
    assert not first.done()
    await first  # The second jump would otherwise wait for the first.
    async with asyncio.timeout(1.5):
        await emulator.jump(hours=1)
    silent.close()
