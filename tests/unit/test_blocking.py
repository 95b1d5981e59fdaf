"""Blocking calls end in time for whoever waits, and hold up nobody else."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Iterator

import pytest

from roost import blocking
from roost.blocking import Progress, run_blocking

pytestmark = pytest.mark.timing


@pytest.fixture
def never() -> Iterator[int]:
    """A pipe that nobody writes to until the test is over."""
    reading, writing = os.pipe()
    yield reading
    os.write(writing, bytes(100))
    for thread in threading.enumerate():
        if thread.name == "blocking":
            thread.join()
    blocking._abandoned.clear()
    os.close(reading)
    os.close(writing)


async def test_what_a_call_returns_or_raises_is_passed_on() -> None:
    assert await run_blocking(lambda _: 7) == 7
    with pytest.raises(ZeroDivisionError):
        await run_blocking(lambda _: 1 // 0)


async def test_a_call_that_is_stuck_is_given_up_and_others_go_on(never: int) -> None:
    for _ in range(12):  # More than the loop's own threads.
        with pytest.raises(TimeoutError):
            await run_blocking(lambda _: os.read(never, 1), stall_s=0.02)
    assert await run_blocking(lambda _: 7) == 7
    assert await asyncio.to_thread(lambda: 8) == 8


async def test_a_call_that_moves_may_take_longer(never: int) -> None:
    def move(progress: Progress) -> int:
        for _ in range(10):
            threading.Event().wait(0.05)
            progress.step()
        return 7

    assert await run_blocking(move, stall_s=0.3) == 7
    with pytest.raises(TimeoutError):
        await run_blocking(move, stall_s=0.3, within_s=0.1)


async def test_a_call_that_nobody_waits_for_ends_at_its_next_step() -> None:
    went_on, ended = threading.Event(), threading.Event()

    def move(progress: Progress) -> None:
        went_on.wait()
        try:
            progress.step()
        except TimeoutError:
            ended.set()

    with pytest.raises(TimeoutError):
        await run_blocking(move, stall_s=0.02)
    went_on.set()
    assert ended.wait(30)


async def test_with_too_many_stuck_calls_no_further_one_begins(never: int) -> None:
    calls = [run_blocking(lambda _: os.read(never, 1), stall_s=0.02) for _ in range(16)]
    await asyncio.gather(*calls, return_exceptions=True)
    with pytest.raises(TimeoutError):
        await run_blocking(lambda _: 7)


async def test_a_cancelled_wait_is_over_at_once(never: int) -> None:
    task = asyncio.ensure_future(run_blocking(lambda _: os.read(never, 1)))
    await asyncio.sleep(0.05)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()
