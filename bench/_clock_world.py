"""Workers by wrong clocks: which cases there are, and how one is played in a world of its own."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from _ground import Ground
from _net_judge import Verdict
from _net_schedules import Schedule, lose_answer
from _net_world import World, open_world
from _proxy import Act, Exchange
from _workers import Worker, faketime_environment, find_faketime, spawn_worker
from aiohttp import web

#: A worker whose clock is further off sends nothing.
ALLOWED_S = 30.0
#: Wall seconds between a step and the first heartbeat by which it has to be seen.
_GRACE_S = 5.0
#: Before its due time, where a step comes before it.
_STEP_BEFORE_S = 4.0


@dataclass(frozen=True, slots=True)
class ClockCase:
    """How a worker's wall clock is wrong, in seconds ahead of true time."""

    name: str
    offset_s: float = 0.0
    """From the worker's start on."""
    step_s: float | None = None
    """To which it steps while the worker runs."""
    step_at: Literal["due", "create"] = "due"
    """Shortly before the posts are due; or when X has made the first of them."""
    beside: bool = False
    """Another worker with a right clock is there."""
    due_after_s: float = 14.0
    """Wall seconds from the planning of the posts to their due time."""
    wrong_for_s: float = 25.0
    """From the due time until a clock that is wrong beyond measure is set right."""
    within_s: float = 240.0
    """From then on until no post moves any more."""

    @property
    def is_beyond(self) -> bool:
        """Whether the worker must not send while its clock is wrong."""
        return max(abs(self.offset_s), abs(self.step_s or 0)) > ALLOWED_S


class ShiftedClock:
    """A worker's wall clock: true time and an offset, which may change while the worker runs."""

    def __init__(self, path: Path, library: Path) -> None:
        self._path = path
        self._library = library

    def shift(self, seconds: float) -> None:
        """From now on the clock is this much ahead of true time (negative: behind)."""
        draft = self._path.with_suffix(".new")
        draft.write_text(f"{seconds:+.0f}\n")
        draft.rename(self._path)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs in order to run by this clock."""
        file = {"FAKETIME_TIMESTAMP_FILE": str(self._path), "FAKETIME_NO_CACHE": "1"}
        return faketime_environment(self._library) | file


@dataclass(frozen=True, slots=True)
class ClockResult:
    """What a case ended in."""

    verdicts: list[Verdict]
    sent_while_wrong: int
    """Creates of the worker while its clock was further off than allowed."""
    sent_beside: int
    """Creates of the right worker meanwhile."""
    has_alert: bool
    """`clock_skew` was opened."""


#: For a test: a few seconds, and a fault that nothing but a comparison of clocks finds.
SHORT_CASE = ClockCase("offset/+100s", 100, due_after_s=6, wrong_for_s=4, within_s=60)


def clock_cases() -> Iterator[ClockCase]:
    """Constant offsets, alone and beside a right worker; and steps while posts go out."""
    for offset, word in _spans((20, "20s"), (100, "100s"), (300, "5min"), (7200, "2h")):
        yield ClockCase(f"offset/{word}", offset)
    for offset, word in _spans((100, "100s"), (7200, "2h")):
        yield ClockCase(f"offset-beside/{word}", offset, beside=True)
        yield ClockCase(f"step-at-due/{word}", step_s=offset)
        yield ClockCase(f"step-at-create/{word}", step_s=offset, step_at="create")


def _spans(*spans: tuple[int, str]) -> Iterator[tuple[float, str]]:
    for seconds, word in spans:
        yield float(seconds), f"+{word}"
        yield -float(seconds), f"-{word}"


async def play_clock(
    ground: Ground, case: ClockCase, *, wall: Mapping[str, str], refuses: bool
) -> ClockResult:
    """Play one case: a plain post, one whose answer is lost, and a thread that loses two."""
    library = find_faketime()
    assert library is not None, "the bench asks for libfaketime before it begins"
    async with open_world(ground, wall=wall, refuses=refuses) as world:
        clock = ShiftedClock(world.scene.folder / "clock", library)
        clock.shift(case.offset_s)
        wrong_from = time.monotonic() if case.offset_s else None

        def step() -> None:
            nonlocal wrong_from
            if case.step_s is not None and wrong_from is None:
                clock.shift(case.step_s)
                wrong_from = time.monotonic() + _GRACE_S

        if case.beside:
            await (await world.start_worker("right")).ready()
        worker = await _start(world, clock)
        await _plan(world, case, _then(step) if case.step_at == "create" else lose_answer)
        due_at = time.monotonic() + case.due_after_s
        if case.step_at == "due":
            await asyncio.sleep(case.due_after_s - _STEP_BEFORE_S)
            step()
        if case.is_beyond:
            await asyncio.sleep(due_at + case.wrong_for_s - time.monotonic())
        right_from = time.monotonic()
        if case.is_beyond:
            clock.shift(0)
            if worker.has_ended:
                await _start(world, clock)
        await world.settled(case.within_s)
        meanwhile = [
            each.via
            for each in world.proxy.creates
            if case.is_beyond and wrong_from is not None and wrong_from <= each.at < right_from
        ]
        return ClockResult(
            await world.verdicts(),
            meanwhile.count("wrong"),
            meanwhile.count("right"),
            "clock_skew" in await world.alert_kinds(),
        )


async def _start(world: World, clock: ShiftedClock) -> Worker:
    """Start the worker of the wrong clock; one that refuses to work by it may end."""
    worker = await world.start_worker("wrong", start=spawn_worker, more=clock.environment)
    try:
        await worker.ready()
    except RuntimeError:
        if not worker.has_ended:
            raise
    return worker


async def _plan(world: World, case: ClockCase, losing: Act) -> None:
    schedules = (
        Schedule(f"clock/{case.name}/plain"),
        Schedule(f"clock/{case.name}/lost", (losing,)),
        Schedule(f"clock/{case.name}/thread", (losing, lose_answer), parts=2),
    )
    accounts = await world.connect(len(schedules))
    for schedule, account in zip(schedules, accounts, strict=True):
        await world.plan(schedule, account, timedelta(seconds=case.due_after_s))


def _then(step: Callable[[], None]) -> Act:
    """Deliver, let the clock step, and lose the answer."""

    async def act(exchange: Exchange) -> web.StreamResponse:
        delivered = await exchange.deliver()
        step()
        exchange.reset()
        return delivered

    return act
