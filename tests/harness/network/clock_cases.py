"""Workers with wrong clocks: the list of cases, and a function that runs a case."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from aiohttp import web

from harness.network.checker import ScheduleResult
from harness.network.environment import NetworkEnvironment, open_environment
from harness.network.proxy import Action, Exchange
from harness.network.schedules import Schedule, lose_response
from harness.server import Server
from harness.workers import Worker, faketime_environment, find_faketime, spawn_worker

#: If a worker's clock is wrong by more than this many seconds, the worker must not send anything.
ALLOWED_S = 30.0
#: The wall seconds from a clock step to the next heartbeat, which must notice the step.
_HEARTBEAT_S = 5.0
#: If the clock steps shortly before the posts are due: the wall seconds from the step to the due
#: time.
_STEP_BEFORE_S = 4.0


@dataclass(frozen=True, slots=True)
class ClockCase:
    """The error of a worker's wall clock, in seconds ahead of the true time."""

    name: str
    offset_s: float = 0.0
    """The error from the worker's start on."""
    step_s: float | None = None
    """The error to which the clock steps while the worker runs; None if it does not step."""
    step_at: Literal["due", "create"] = "due"
    """The time of the step: shortly before the posts are due, or when X has the first post."""
    with_correct_worker: bool = False
    """Whether a second worker, with a correct clock, runs too."""
    due_after_s: float = 14.0
    """The wall seconds from the planning of the posts to their due time."""
    wrong_for_s: float = 25.0
    """The wall seconds from the due time to the correction of a clock whose error is too large."""
    within_s: float = 240.0
    """The wall seconds, after `wrong_for_s`, within which all posts must be final."""

    @property
    def is_too_far_off(self) -> bool:
        """Whether the clock's error is so large that the worker must not send."""
        return max(abs(self.offset_s), abs(self.step_s or 0)) > ALLOWED_S


class ShiftedClock:
    """A worker's wall clock, whose error can change while the worker runs."""

    def __init__(self, path: Path, library: Path) -> None:
        self._path = path
        self._library = library

    def shift(self, seconds: float) -> None:
        """Set the seconds by which the clock is ahead of the true time; negative if behind."""
        new_file = self._path.with_suffix(".new")
        new_file.write_text(f"{seconds:+.0f}\n")
        new_file.rename(self._path)

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that make a process use this clock."""
        variables = {"FAKETIME_TIMESTAMP_FILE": str(self._path), "FAKETIME_NO_CACHE": "1"}
        return faketime_environment(self._library) | variables


@dataclass(frozen=True, slots=True)
class ClockResult:
    """The result of a clock case."""

    results: list[ScheduleResult]
    sent_while_wrong: int
    """The number of creates that the worker sent while the error of its clock was too large."""
    sent_by_correct_worker: int
    """The number of creates that the worker with the correct clock sent during this error."""
    has_alert: bool
    """Whether the alert `clock_skew` was opened."""


#: The case for tests, which takes only some seconds. In it, Roost can notice the clock's error only
#: by a comparison with other clocks.
SHORT_CASE = ClockCase("offset/+100s", 100, due_after_s=6, wrong_for_s=4, within_s=60)


def clock_cases() -> Iterator[ClockCase]:
    """List constant errors, with and without a second worker, and steps during publishing."""
    for offset, name in _both_signs((20, "20s"), (100, "100s"), (300, "5min"), (7200, "2h")):
        yield ClockCase(f"offset/{name}", offset)
    for offset, name in _both_signs((100, "100s"), (7200, "2h")):
        yield ClockCase(f"offset-with-correct-worker/{name}", offset, with_correct_worker=True)
        yield ClockCase(f"step-at-due/{name}", step_s=offset)
        yield ClockCase(f"step-at-create/{name}", step_s=offset, step_at="create")


def _both_signs(*spans: tuple[int, str]) -> Iterator[tuple[float, str]]:
    for seconds, name in spans:
        yield float(seconds), f"+{name}"
        yield -float(seconds), f"-{name}"


async def run_clock_case(
    server: Server, case: ClockCase, *, wall: Mapping[str, str], refuse_duplicates: bool
) -> ClockResult:
    """Run a case with three posts, each on an account of its own.

    The first is a plain post. The second loses the response to its create. The third is a thread
    that loses the responses to both creates.
    """
    library = find_faketime()
    assert library is not None, "libfaketime is missing, which the caller must check"
    async with open_environment(
        server, wall=wall, refuse_duplicates=refuse_duplicates
    ) as environment:
        clock = ShiftedClock(environment.scenario.folder / "clock", library)
        clock.shift(case.offset_s)
        wrong_since = time.monotonic() if case.offset_s else None

        def step() -> None:
            nonlocal wrong_since
            if case.step_s is not None and wrong_since is None:
                clock.shift(case.step_s)
                wrong_since = time.monotonic() + _HEARTBEAT_S

        if case.with_correct_worker:
            await (await environment.start_worker("correct")).wait_ready()
        worker = await _start(environment, clock)
        await _plan(
            environment,
            case,
            _step_and_lose_response(step) if case.step_at == "create" else lose_response,
        )
        due_at = time.monotonic() + case.due_after_s
        if case.step_at == "due":
            await asyncio.sleep(case.due_after_s - _STEP_BEFORE_S)
            step()
        if case.is_too_far_off:
            await asyncio.sleep(due_at + case.wrong_for_s - time.monotonic())
        corrected_at = time.monotonic()
        if case.is_too_far_off:
            clock.shift(0)
            if worker.has_ended:
                await _start(environment, clock)
        await environment.wait_settled(case.within_s)
        senders = [
            each.worker_name
            for each in environment.proxy.creates
            if case.is_too_far_off
            and wrong_since is not None
            and wrong_since <= each.at < corrected_at
        ]
        return ClockResult(
            await environment.check_schedules(),
            senders.count("wrong"),
            senders.count("correct"),
            "clock_skew" in await environment.list_alert_kinds(),
        )


async def _start(environment: NetworkEnvironment, clock: ShiftedClock) -> Worker:
    """Start the worker with the wrong clock, and wait until it is ready or has ended.

    A worker that ends at once because it has noticed the error is correct.
    """
    worker = await environment.start_worker(
        "wrong", start=spawn_worker, variables=clock.environment
    )
    try:
        await worker.wait_ready()
    except RuntimeError:
        if not worker.has_ended:
            raise
    return worker


async def _plan(environment: NetworkEnvironment, case: ClockCase, losing_action: Action) -> None:
    schedules = (
        Schedule(f"clock/{case.name}/plain"),
        Schedule(f"clock/{case.name}/lost", (losing_action,)),
        Schedule(f"clock/{case.name}/thread", (losing_action, lose_response), parts=2),
    )
    accounts = await environment.connect(len(schedules))
    for schedule, account in zip(schedules, accounts, strict=True):
        await environment.plan_post(schedule, account, timedelta(seconds=case.due_after_s))


def _step_and_lose_response(step: Callable[[], None]) -> Action:
    """Return an action that delivers the create, calls `step` and drops the response."""

    async def action(exchange: Exchange) -> web.StreamResponse:
        response = await exchange.deliver()
        step()
        exchange.reset()
        return response

    return action
