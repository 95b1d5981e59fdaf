"""A worker's tasks: how long they pause while the database is away, and that they end."""

import asyncio
import contextlib

import pytest

from roost.supervision import cancel_all, next_pause, supervise


@pytest.mark.parametrize(
    ("pause", "worked_s", "expected"),
    [
        pytest.param(0, 0.1, 1, id="the first failure"),
        pytest.param(1, 0.1, 2, id="the second"),
        pytest.param(4, 0.1, 8, id="ever more rarely"),
        pytest.param(8, 0.1, 10, id="up to ten seconds"),
        pytest.param(10, 9.9, 10, id="and no more"),
        pytest.param(10, 11, 1, id="it worked for a while in between"),
    ],
)
def test_pauses_grow_until_it_works_again(pause: float, worked_s: float, expected: float) -> None:
    assert next_pause(pause, worked_s) == expected


async def test_task_ends_although_its_work_drops_a_cancellation() -> None:
    """As `asyncio.wait_for` does before Python 3.12 where it is over in the same moment."""
    waiting, runs = asyncio.Event(), 0

    async def drop_cancellation() -> None:
        nonlocal runs
        runs += 1
        with contextlib.suppress(asyncio.CancelledError):
            waiting.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(supervise("the test", drop_cancellation, asyncio.Event()))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert runs == 1


async def test_task_that_waits_again_after_a_dropped_cancellation_is_cancelled_again() -> None:
    waiting = asyncio.Event()

    async def wait_twice() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            waiting.set()
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    async def fail() -> None:
        raise KeyError

    tasks = [asyncio.create_task(wait_twice()), asyncio.create_task(fail())]
    await waiting.wait()
    await cancel_all(tasks)
    assert tasks[0].cancelled()
