"""`run_blocking` enforces its time limits, and a stuck call blocks no other call."""

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
def blocked_pipe() -> Iterator[int]:
    """A pipe that is empty during the test, so that reading blocks; a byte follows at the end."""
    reading, writing = os.pipe()
    yield reading
    os.write(writing, bytes(100))
    for thread in threading.enumerate():
        if thread.name == "blocking":
            thread.join()
    blocking._abandoned.clear()
    os.close(reading)
    os.close(writing)


async def test_run_blocking_returns_or_raises_what_the_call_does() -> None:
    assert await run_blocking(lambda _: 7) == 7
    with pytest.raises(ZeroDivisionError):
        await run_blocking(lambda _: 1 // 0)


async def test_run_blocking_abandons_a_stuck_call_and_runs_others(blocked_pipe: int) -> None:
    for _ in range(12):  # more calls than the default executor has threads
        with pytest.raises(TimeoutError):
            await run_blocking(lambda _: os.read(blocked_pipe, 1), stall_s=0.02)
    assert await run_blocking(lambda _: 7) == 7
    assert await asyncio.to_thread(lambda: 8) == 8


async def test_run_blocking_allows_more_time_to_a_call_with_progress(blocked_pipe: int) -> None:
    def make_progress(progress: Progress) -> int:
        for _ in range(10):
            threading.Event().wait(0.05)
            progress.step()
        return 7

    assert await run_blocking(make_progress, stall_s=0.3) == 7
    with pytest.raises(TimeoutError):
        await run_blocking(make_progress, stall_s=0.3, within_s=0.1)


async def test_abandoned_call_is_stopped_at_its_next_step() -> None:
    resumed, stopped = threading.Event(), threading.Event()

    def stall_then_step(progress: Progress) -> None:
        resumed.wait()
        try:
            progress.step()
        except TimeoutError:
            stopped.set()

    with pytest.raises(TimeoutError):
        await run_blocking(stall_then_step, stall_s=0.02)
    resumed.set()
    assert stopped.wait(30)


async def test_run_blocking_refuses_new_calls__too_many_stuck(blocked_pipe: int) -> None:
    calls = [run_blocking(lambda _: os.read(blocked_pipe, 1), stall_s=0.02) for _ in range(16)]
    await asyncio.gather(*calls, return_exceptions=True)
    with pytest.raises(TimeoutError):
        await run_blocking(lambda _: 7)


async def test_run_blocking_can_be_cancelled(blocked_pipe: int) -> None:
    started = threading.Event()

    def read(_: Progress) -> bytes:
        started.set()
        return os.read(blocked_pipe, 1)

    task = asyncio.ensure_future(run_blocking(read))
    assert await asyncio.to_thread(started.wait, 30)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()
