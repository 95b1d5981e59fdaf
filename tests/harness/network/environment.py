"""A database, an emulator, and workers that reach the emulator through a proxy.

By default, emulated time runs at the speed of wall time and never jumps, because only then does
Roost compare its clock with X's.
"""

import asyncio
import contextlib
import itertools
import socket
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from PIL import Image

from fix_emulator import RegisteredApp
from harness.network.checker import ScheduleEvidence, ScheduleResult, check_schedule
from harness.network.proxy import Action, Proxy, open_proxy
from harness.network.schedules import Schedule
from harness.records import PlannedPost
from harness.scenario import Scenario, Starter, open_scenario
from harness.server import Server
from harness.workers import Worker
from roost.models import Integration
from x_emulator.pytest_plugin import run_emulator

_ATTEMPTS = """
    SELECT p.post_id, count(*), count(*) FILTER (WHERE a.outcome = 'adopted')
    FROM roost.attempts a JOIN roost.parts p ON p.id = a.part_id GROUP BY p.post_id
"""
_ALERTS = "SELECT DISTINCT kind, subject_type || ' ' || subject_id FROM roost.alerts"
_OPEN_ALERTS = f"{_ALERTS} WHERE ended_at IS NULL"
#: The kinds of alerts that are about a whole X app.
_APP_ALERTS = frozenset({"app", "credits", "limit"})
#: The wall seconds to wait after the proxy has sent the last create, so that the create is on X.
_SETTLE_S = 1.0
_numbers = itertools.count(1)


@dataclass
class _RunningSchedule:
    """A schedule whose post is planned, and the creates that the proxy has received so far."""

    schedule: Schedule
    planned: PlannedPost
    create_count: int = 0
    first_create_at: float | None = None
    """The time of the post's first create, on the monotonic clock; None before the create."""


class ProxyRules:
    """Finds the schedule to which a request belongs, and the action for the request."""

    def __init__(self) -> None:
        self._by_text: dict[str, _RunningSchedule] = {}
        self._by_user: dict[str, _RunningSchedule] = {}

    def add(self, running: _RunningSchedule) -> None:
        """Apply a schedule to the creates of its post and to the timeline reads of its account."""
        self._by_text |= dict.fromkeys(running.planned.texts, running)
        self._by_user[running.planned.user_id] = running

    def for_create(self, text: str) -> Action | None:
        """Return the action for a create; None if the proxy must forward the create."""
        running = self._by_text.get(text)
        if running is None:
            return None
        number, running.create_count = running.create_count, running.create_count + 1
        running.first_create_at = running.first_create_at or time.monotonic()
        actions = running.schedule.creates
        return actions[number] if number < len(actions) else None

    def for_read(self, user: str) -> Action | None:
        """Return the action for a timeline read; None if the proxy must forward the read."""
        running = self._by_user.get(user)
        if running is None or running.first_create_at is None:
            return None
        elapsed_s = time.monotonic() - running.first_create_at
        return running.schedule.reads if elapsed_s < running.schedule.reads_for_s else None


@dataclass
class NetworkEnvironment:
    """A database, an emulator and the proxy, with the schedules that run on them."""

    scenario: Scenario
    proxy: Proxy
    rules: ProxyRules
    schedules: list[_RunningSchedule] = field(default_factory=list)

    async def start_worker(
        self,
        worker_name: str,
        *,
        start: Starter | None = None,
        variables: Mapping[str, str] | None = None,
        listening: socket.socket | None = None,
    ) -> Worker:
        """Start a worker with a proxy port of its own; do not wait until it is ready."""
        url = await self.proxy.listen(worker_name, listening)
        urls = {"ROOST_X_BASE_URL": url, "ROOST_CLOCK_URL": f"{url}/_emulator/clock"}
        return await self.scenario.start_worker(start, {**urls, **(variables or {})})

    async def connect(self, count: int, *, apps: bool = False) -> list[Integration]:
        """Connect `count` accounts. With `apps`, each account has an X app of its own.

        If each account has its own app, a fault that stops an app stops only one account. Only the
        app in the settings could refresh tokens, so the tokens are valid for longer than any
        benchmark runs.
        """
        emulator, default_app = self.scenario.emulator, self.scenario.emulator.app
        accounts = []
        for _ in range(count):
            if apps:
                callback = default_app.callback
                app = await emulator.control("apps", callbacks=[callback], name="Roost under test")
                emulator.app = RegisteredApp(app["client_id"], app["client_secret"], callback)
            accounts.append(await self.scenario.connect(f"net_{next(_numbers)}"))
            emulator.app = default_app
        return accounts

    async def plan_post(
        self, schedule: Schedule, account: Integration, after: timedelta
    ) -> PlannedPost:
        """Plan the post of a schedule. No other schedule may use the account."""
        number = next(_numbers)
        texts = [f"schedule {number} part {part}" for part in range(1, schedule.parts + 1)]
        image: Path | None = None
        if schedule.has_image:
            image = self.scenario.folder / f"{number}.png"
            Image.new("RGB", (64, 64), (number % 256, number // 256, 120)).save(image)
        planned = await self.scenario.plan_post(account, *texts, after=after, media=image)
        running = _RunningSchedule(schedule, planned)
        self.schedules.append(running)
        self.rules.add(running)
        return planned

    async def wait_settled(self, within_s: float) -> None:
        """Wait at most `within_s` until all posts are final, then until no create is pending."""
        posts = [running.planned.post_id for running in self.schedules]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not await self.scenario.are_final(posts) or self.proxy.pending_creates:
                    await asyncio.sleep(0.25)
        # The proxy may still deliver a create of a post that is final, which makes a duplicate.
        while self.proxy.pending_creates:
            await asyncio.sleep(0.25)
        await asyncio.sleep(_SETTLE_S)

    async def check_schedules(self) -> list[ScheduleResult]:
        """Check all schedules against the rows and the ground truth."""
        rows, x_posts = await self.scenario.read_posts(), await self.scenario.read_x_posts()
        attempts_of = {
            post: (count, adopted) for post, count, adopted in await self.scenario.fetch(_ATTEMPTS)
        }
        alerts = {subject for _, subject in await self.scenario.fetch(_OPEN_ALERTS)}
        results = []
        for running in self.schedules:
            planned = running.planned
            attempts, adopted = attempts_of.get(planned.post_id, (0, 0))
            results.append(
                check_schedule(
                    ScheduleEvidence(
                        name=running.schedule.name,
                        planned=planned,
                        row=rows[planned.post_id],
                        x_posts=[each for each in x_posts if each.user_id == planned.user_id],
                        attempts=attempts,
                        adopted=adopted,
                        has_alert=f"post {planned.post_id}" in alerts,
                        proxy_delivers_twice=running.schedule.delivers_twice,
                        shows_trace=running.schedule.shows_trace,
                    )
                )
            )
        return results

    async def count_app_backoffs(self) -> int:
        """Count the X apps that have ever been in back-off."""
        alerts = await self.scenario.fetch(_ALERTS)
        return len({subject for kind, subject in alerts if kind in _APP_ALERTS})

    async def list_alert_kinds(self) -> set[str]:
        """Return the kinds of all alerts that were ever opened."""
        return {kind for kind, _ in await self.scenario.fetch(_ALERTS)}


@contextlib.asynccontextmanager
async def open_environment(
    server: Server, *, wall: Mapping[str, str], refuse_duplicates: bool, rate: float = 1
) -> AsyncIterator[NetworkEnvironment]:
    """Open a test setup without workers.

    `refuse_duplicates` says whether the emulator refuses a text that the same account has already
    posted in the last 24 hours.
    """
    number = next(_numbers)
    async with contextlib.AsyncExitStack() as stack:
        url = stack.enter_context(run_emulator("--scenario", "steady", "--seed", str(number)))
        database = await stack.enter_async_context(server.database())
        folder = server.folder / f"net_{number}"
        rules = ProxyRules()
        proxy = await stack.enter_async_context(open_proxy(url, rules.for_create, rules.for_read))
        scenario = await stack.enter_async_context(open_scenario(database, url, folder, wall=wall))
        await scenario.emulator.switch(refuse_duplicates=refuse_duplicates)
        if rate != 1:
            await scenario.emulator.control("clock", rate=rate)
        yield NetworkEnvironment(scenario, proxy, rules)


@dataclass(frozen=True, slots=True)
class NetworkResult:
    """The results of the network schedules of one test setup."""

    results: list[ScheduleResult]
    app_backoffs: int
    """The number of X apps that were in back-off, although no response of X was about an app."""
    has_clock_alert: bool
    """Whether the alert `clock_skew` was opened, although all clocks are correct."""


async def run_schedules(
    server: Server,
    schedules: Sequence[Schedule],
    *,
    wall: Mapping[str, str],
    refuse_duplicates: bool,
    rate: float = 1,
    within_s: float = 330,
) -> NetworkResult:
    """Run network schedules in parallel. Each has its own account and X app.

    The posts must be final within `within_s` wall seconds. If the longest schedule would not end a
    minute before, the posts get more time.
    """
    suffix = "refuses" if refuse_duplicates else "accepts"
    async with open_environment(
        server, wall=wall, refuse_duplicates=refuse_duplicates, rate=rate
    ) as environment:
        workers = [await environment.start_worker(f"worker_{number}") for number in range(2)]
        for worker in workers:
            await worker.wait_ready()
        accounts = await environment.connect(len(schedules), apps=True)
        for number, (schedule, account) in enumerate(zip(schedules, accounts, strict=True)):
            # One post is due every 0.2 s, because a worker can wait for only a few lost responses
            # at a time.
            after = timedelta(seconds=(4 + 0.2 * number) * rate)
            await environment.plan_post(
                replace(schedule, name=f"proxy/{schedule.name}/{suffix}"), account, after
            )
        longest = max(schedule.reads_for_s for schedule in schedules)
        await environment.wait_settled(max(within_s, longest + 60) + 0.2 * len(schedules))
        return NetworkResult(
            await environment.check_schedules(),
            await environment.count_app_backoffs(),
            "clock_skew" in await environment.list_alert_kinds(),
        )
