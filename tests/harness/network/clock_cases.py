"""Workers with wrong clocks: the list of cases, and how one is run."""

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

#: A worker whose clock is further off sends nothing.
ALLOWED_S = 30.0
#: Wall seconds from a clock step to the first heartbeat, which must notice it.
_HEARTBEAT_S = 5.0
#: Wall seconds from the clock step to the due time, for a step shortly before it.
_STEP_BEFORE_S = 4.0


@dataclass(frozen=True, slots=True)
class ClockCase:
    """How a worker's wall clock is wrong, in seconds ahead of true time."""

    name: str
    offset_s: float = 0.0
    """From the worker's start."""
    step_s: float | None = None
    """The offset to which the clock steps while the worker runs."""
    step_at: Literal["due", "create"] = "due"
    """The time of the step: shortly before the posts are due, or when X has the first of them."""
    with_correct_worker: bool = False
    """Whether another worker with a correct clock runs too."""
    due_after_s: float = 14.0
    """Wall seconds from planning the posts to their due time."""
    wrong_for_s: float = 25.0
    """Wall seconds from the due time until a clock that is too far off is corrected."""
    within_s: float = 240.0
    """Wall seconds after that within which every post must be settled."""

    @property
    def is_too_far_off(self) -> bool:
        """Whether the worker must not send while its clock is wrong."""
        return max(abs(self.offset_s), abs(self.step_s or 0)) > ALLOWED_S


class ShiftedClock:
    """A worker's wall clock: true time plus an offset that may change while the worker runs."""

    def __init__(self, path: Path, library: Path) -> None:
        self._path = path
        self._library = library

    def shift(self, seconds: float) -> None:
        """Set how many seconds the clock is ahead of true time; negative is behind."""
        new_file = self._path.with_suffix(".new")
        new_file.write_text(f"{seconds:+.0f}\n")
        new_file.rename(self._path)

    @property
    def environment(self) -> dict[str, str]:
        """Variables that make a process use this clock."""
        variables = {"FAKETIME_TIMESTAMP_FILE": str(self._path), "FAKETIME_NO_CACHE": "1"}
        return faketime_environment(self._library) | variables


@dataclass(frozen=True, slots=True)
class ClockResult:
    """The result of a clock case."""

    results: list[ScheduleResult]
    sent_while_wrong: int
    """Creates by the worker while its clock was further off than allowed."""
    sent_by_correct_worker: int
    """Creates by the worker with the correct clock meanwhile."""
    has_alert: bool
    """Whether the alert `clock_skew` was opened."""


#: For tests: it takes a few seconds, and only a comparison of clocks finds the fault.
SHORT_CASE = ClockCase("offset/+100s", 100, due_after_s=6, wrong_for_s=4, within_s=60)


def clock_cases() -> Iterator[ClockCase]:
    """List offsets with and without a correct worker, and steps while posts are sent."""
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
    """Run one case: a plain post, one with a lost response, and a thread that loses two."""
    library = find_faketime()
    assert library is not None, "callers check that libfaketime is installed"
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
    """Start the worker with the wrong clock; it may end because it refuses to work."""
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
    """Deliver, let the clock step, and lose the response."""

    async def action(exchange: Exchange) -> web.StreamResponse:
        response = await exchange.deliver()
        step()
        exchange.reset()
        return response

    return action
