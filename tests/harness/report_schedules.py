"""Runs scheduled reports while workers are killed, for a test and for a benchmark.

Several tenants in different time zones have weekly schedules, and two workers run. In every week,
workers are killed: in most weeks one worker at a failpoint, in every fourth week one worker within
two seconds after each report is due. Afterwards no worker runs for some weeks. This module computes
the expected periods from the calendar, without Roost's code.
"""

import asyncio
import random
import signal
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from fix_processes import QUICK, environment_of
from harness.workers import FailpointTrap, Worker, start_worker
from harness.workload import Workload
from roost.failpoints import ReportFailpoint
from roost.models import (
    Actor,
    ActorKind,
    Cadence,
    ComparedPeriods,
    ReportOptions,
    ReportTime,
    ScheduleId,
    Scope,
    TenantId,
)
from roost.services import report

ZONES: Final = ("Europe/Berlin", "America/New_York", "Asia/Kolkata")
_MONDAY_8: Final = ReportTime(Cadence.WEEKLY, 0, time(8))
_WEEK: Final = timedelta(days=7)
#: The number of weeks at the end in which no worker runs.
STOPPED_WEEKS: Final = 3
_TIMEOUT_S: Final = 120


@dataclass
class ScheduleOutcome:
    """The result of `run_schedules`: expected reports, killed workers, and wrong reports."""

    expected: int = 0
    """The number of reports that had to be made."""
    killed: int = 0
    """The number of workers that were killed."""
    problems: list[str] = field(default_factory=list)
    """One line for each report, event or skipped period that is missing, or is there twice."""


@dataclass
class _Workers:
    """The two running workers; `fill` replaces those that were killed."""

    workload: Workload
    trap: FailpointTrap
    running: list[Worker] = field(default_factory=list)
    started: int = 0
    killed: int = 0

    async def fill(self) -> None:
        """Replace workers that were killed, and wait until the new ones are ready."""
        ended = [worker for worker in self.running if worker.has_ended]
        for worker in ended:
            code = await worker.wait_ended()
            assert code == -signal.SIGKILL, f"{worker.name} ended with {code}; {worker.log_tail()}"
        self.killed += len(ended)
        self.running = [worker for worker in self.running if not worker.has_ended]
        while len(self.running) < 2:
            self.started += 1
            worker = start_worker(
                f"worker-{self.started}",
                environment_of(self.workload.runtime.settings, QUICK),
                self.workload.folder,
                self.trap,
            )
            self.running.append(worker)
            await worker.wait_ready()

    async def kill(self, worker: Worker) -> None:
        """Kill a worker, and wait until its process has ended."""
        worker.send(signal.SIGKILL)
        await worker.wait_ended()

    async def stop(self) -> None:
        """Kill all workers."""
        for worker in self.running:
            await self.kill(worker)


async def run_schedules(workload: Workload, *, weeks: int, seed: int) -> ScheduleOutcome:
    """Let `weeks` weeks pass while workers are killed, then `STOPPED_WEEKS` without a worker."""
    chance = random.Random(seed)
    schedules = await _add_schedules(workload)
    workers = _Workers(workload, FailpointTrap(workload.folder / "trap"))
    expected: dict[tuple[ScheduleId, date], tuple[date, ...]] = {}
    outcome = ScheduleOutcome()
    try:
        monday = _next_monday(workload.runtime.clock.now())
        for number in range(weeks):
            await workers.fill()
            step = list(ReportFailpoint)[number % (len(ReportFailpoint) + 1) - 1]
            at_random = number % (len(ReportFailpoint) + 1) == 0
            if not at_random:
                workers.trap.arm(step, signal.SIGKILL)
            for schedule, zone in schedules.items():
                expected[schedule, monday - _WEEK] = ()
                _move_clock(workload, monday, zone)
                if at_random:
                    await asyncio.sleep(chance.uniform(0, 2))
                    await workers.kill(chance.choice(workers.running))
                await _wait_made(workload, workers, len(expected))
            monday += _WEEK
        await workers.stop()
        monday += (STOPPED_WEEKS - 1) * _WEEK
        skipped = tuple(monday - n * _WEEK for n in range(STOPPED_WEEKS, 1, -1))
        for schedule in schedules:
            expected[schedule, monday - _WEEK] = skipped
        # Monday comes last in New York, so all schedules are due then.
        _move_clock(workload, monday, ZoneInfo("America/New_York"))
        await workers.fill()
        await _wait_made(workload, workers, len(expected))
        await workers.fill()
    finally:
        await workers.stop()
    outcome.expected, outcome.killed = len(expected), workers.killed
    outcome.problems = await _find_problems(workload, expected)
    return outcome


async def _add_schedules(workload: Workload) -> dict[ScheduleId, ZoneInfo]:
    """Add a weekly schedule for each tenant; return the schedules' zones from east to west."""
    added = {}
    for tenant_id, zone in zip(workload.accounts, sorted(ZONES, key=_offset), strict=True):
        await workload.admin.execute(
            "UPDATE tenants SET time_zone = %s WHERE id = %s", [zone, tenant_id]
        )
        scope = Scope(TenantId(tenant_id), Actor(ActorKind.COMMAND_LINE, "bench@here"))
        options = ReportOptions(compare=ComparedPeriods.NONE)
        schedule = await report.add_schedule(workload.runtime, scope, _MONDAY_8, options)
        added[schedule.id] = ZoneInfo(zone)
    return added


def _offset(zone: str) -> timedelta:
    return -(datetime(2026, 1, 1, tzinfo=ZoneInfo(zone)).utcoffset() or timedelta())


def _next_monday(now: datetime) -> date:
    """Return a Monday in the next eight days that has not begun in any time zone."""
    day = (now + timedelta(days=2)).date()
    return day + timedelta(days=-day.weekday() % 7)


def _move_clock(workload: Workload, monday: date, zone: ZoneInfo) -> None:
    at = datetime.combine(monday, time(8, 1), zone).astimezone(UTC)
    workload.emulator.control("clock", to=at.isoformat())


async def _wait_made(workload: Workload, workers: _Workers, count: int) -> None:
    """Wait until `count` reports exist or `_TIMEOUT_S` has passed; replace killed workers."""
    deadline = asyncio.get_running_loop().time() + _TIMEOUT_S
    while asyncio.get_running_loop().time() < deadline:
        row = await workload.fetch_row("SELECT count(*) AS made FROM reports")
        if row["made"] >= count:
            break
        await workers.fill()
        await asyncio.sleep(0.05)


async def _find_problems(
    workload: Workload, expected: dict[tuple[ScheduleId, date], tuple[date, ...]]
) -> list[str]:
    reports = await _fetch(
        workload, "SELECT id, tenant_id, number, schedule_id, first_day, skipped FROM reports"
    )
    events = await _fetch(
        workload, "SELECT report_id, detail FROM events WHERE code = 'report.ready'"
    )
    made = Counter((each["schedule_id"], each["first_day"]) for each in reports)
    announced = Counter(each["report_id"] for each in events)
    problems = [
        f"{what} of schedule {schedule}, {first}: {count}"
        for schedule, first in expected.keys() | made.keys()
        for what, count in [("report", made[schedule, first])]
        if count != 1 or (schedule, first) not in expected
    ]
    problems += [
        f"event of report {each['id']}: {announced[each['id']]}"
        for each in reports
        if announced[each["id"]] != 1
    ]
    for each in reports:
        skipped = expected.get((each["schedule_id"], each["first_day"]), ())
        details = [event["detail"] for event in events if event["report_id"] == each["id"]]
        named = [tuple(map(date.fromisoformat, detail["skipped"])) for detail in details]
        if tuple(each["skipped"]) != skipped or named != [skipped]:
            problems.append(f"skipped periods of report {each['id']}: {each['skipped']}, {named}")
    for tenant_id in workload.accounts:
        numbers = sorted(each["number"] for each in reports if each["tenant_id"] == tenant_id)
        if numbers != list(range(1, len(numbers) + 1)):
            problems.append(f"numbers of tenant {tenant_id}: {numbers}")
    return problems


async def _fetch(workload: Workload, query: Any) -> list[dict[str, Any]]:
    return await (await workload.admin.execute(query)).fetchall()
