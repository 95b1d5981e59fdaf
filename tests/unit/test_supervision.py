"""A worker's tasks: the delay before a retry, and that a cancelled task ends."""

import asyncio
import contextlib

import psycopg
import pytest

from roost.supervision import cancel_all, next_delay, supervise


@pytest.mark.parametrize(
    ("delay", "worked_s", "expected"),
    [
        pytest.param(0, 0.1, 1, id="the first failure"),
        pytest.param(1, 0.1, 2, id="the second"),
        pytest.param(4, 0.1, 8, id="doubled"),
        pytest.param(8, 0.1, 10, id="up to ten seconds"),
        pytest.param(10, 9.9, 10, id="not more"),
        pytest.param(10, 11, 1, id="after working for a while"),
    ],
)
def test_next_delay_grows(delay: float, worked_s: float, expected: float) -> None:
    assert next_delay(delay, worked_s) == expected


@pytest.mark.timing
async def test_task_ends_although_its_work_drops_a_cancellation() -> None:
    """Before Python 3.12, `asyncio.wait_for` drops a cancellation at the moment its wait ends."""
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


@pytest.mark.timing
async def test_error_of_a_cancelled_query_is_not_reported_as_a_lost_database(
    caplog: pytest.LogCaptureFixture,
) -> None:
    waiting = asyncio.Event()

    async def fail_when_cancelled() -> None:
        try:
            waiting.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise psycopg.OperationalError("the query was cancelled") from None

    task = asyncio.create_task(supervise("the test", fail_when_cancelled, asyncio.Event()))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert caplog.records == []


@pytest.mark.timing
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
