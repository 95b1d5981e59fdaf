"""A database, an emulator and workers that reach it through a proxy; posts are played and judged.

Emulated time runs at rate 1 and never jumps unless asked to: only then does Roost compare clocks.
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

from _ground import Ground
from _judge import Planned
from _net_judge import Played, Verdict, judge
from _net_schedules import Schedule
from _proxy import Act, Proxy, open_proxy
from _scene import Scene, Starter, open_scene
from _workers import Worker
from PIL import Image

from fix_emulator import RegisteredApp
from roost.models import Integration
from x_emulator.pytest_plugin import run_emulator

_ATTEMPTS = """
    SELECT p.post_id, count(*), count(*) FILTER (WHERE a.outcome = 'adopted')
    FROM roost.attempts a JOIN roost.parts p ON p.id = a.part_id GROUP BY p.post_id
"""
_ALERTS = "SELECT DISTINCT kind, subject FROM roost.alerts"
_OPEN_ALERTS = "SELECT DISTINCT kind, subject FROM roost.alerts WHERE ended_at IS NULL"
#: Kinds of alerts that concern a whole X app, which is their subject.
_APP_ALERTS = frozenset({"app", "credits", "limit"})
#: Wall seconds for a delivery to arrive at X after the proxy let go of it.
_SETTLE_S = 1.0
_numbers = itertools.count(1)


@dataclass
class _Entry:
    """A schedule that is being played."""

    schedule: Schedule
    planned: Planned
    creates: int = 0
    first_at: float | None = None


class Rules:
    """Which request belongs to which schedule, and what happens to it."""

    def __init__(self) -> None:
        self._by_text: dict[str, _Entry] = {}
        self._by_user: dict[str, _Entry] = {}

    def add(self, entry: _Entry) -> None:
        """Apply a schedule to the creates of its texts and to the reads of its account."""
        self._by_text |= dict.fromkeys(entry.planned.texts, entry)
        self._by_user[entry.planned.user_id] = entry

    def for_create(self, text: str) -> Act | None:
        """What to do with a create; None: it passes."""
        entry = self._by_text.get(text)
        if entry is None:
            return None
        number, entry.creates = entry.creates, entry.creates + 1
        entry.first_at = entry.first_at or time.monotonic()
        acts = entry.schedule.creates
        return acts[number] if number < len(acts) else None

    def for_read(self, user: str) -> Act | None:
        """What to do with a timeline read; None: it passes."""
        entry = self._by_user.get(user)
        if entry is None or entry.first_at is None:
            return None
        lasts = time.monotonic() - entry.first_at < entry.schedule.reads_for_s
        return entry.schedule.reads if lasts else None


@dataclass
class World:
    """One database and X, with the schedules that are played in it."""

    scene: Scene
    proxy: Proxy
    rules: Rules
    entries: list[_Entry] = field(default_factory=list)

    async def start_worker(
        self,
        via: str,
        *,
        start: Starter | None = None,
        more: Mapping[str, str] | None = None,
        listening: socket.socket | None = None,
    ) -> Worker:
        """Start a worker behind a listener of its own; it is not ready yet."""
        url = await self.proxy.listen(via, listening)
        own = {"ROOST_X_BASE_URL": url, "ROOST_CLOCK_URL": f"{url}/_emulator/clock"}
        return await self.scene.start_worker(start, {**own, **(more or {})})

    async def connect(self, count: int, *, apps: bool = False) -> list[Integration]:
        """Connect so many accounts; with `apps` each through an X app of its own.

        What stops an app then stops one account. Grants last longer than any bench, so that
        nothing is refreshed, which only the app of the settings could do.
        """
        emulator, own = self.scene.emulator, self.scene.emulator.app
        accounts = []
        for _ in range(count):
            if apps:
                app = await emulator.control(
                    "apps", callbacks=[own.callback], name="Roost under test"
                )
                emulator.app = RegisteredApp(app["client_id"], app["client_secret"], own.callback)
            accounts.append(await self.scene.connect(f"net_{next(_numbers)}"))
            emulator.app = own
        return accounts

    async def plan(self, schedule: Schedule, account: Integration, after: timedelta) -> Planned:
        """Schedule the post of a schedule, on an account that no other schedule uses."""
        number = next(_numbers)
        texts = [f"schedule {number} part {part}" for part in range(1, schedule.parts + 1)]
        image: Path | None = None
        if schedule.has_image:
            image = self.scene.folder / f"{number}.png"
            Image.new("RGB", (64, 64), (number % 256, number // 256, 120)).save(image)
        planned = await self.scene.plan(account, *texts, after=after, media=image)
        entry = _Entry(schedule, planned)
        self.entries.append(entry)
        self.rules.add(entry)
        return planned

    async def settled(self, within_s: float) -> None:
        """Return when no post moves any more and no create is under way, or the time is over."""
        posts = [entry.planned.post_id for entry in self.entries]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not await self.scene.are_final(posts) or self.proxy.creates_under_way:
                    await asyncio.sleep(0.25)
        # A create that the proxy still holds is part of the schedule, however the post ended.
        while self.proxy.creates_under_way:
            await asyncio.sleep(0.25)
        await asyncio.sleep(_SETTLE_S)

    async def verdicts(self) -> list[Verdict]:
        """Judge every schedule by the rows and by X."""
        rows, on_x = await self.scene.rows(), await self.scene.on_x()
        tried = {post: (count, adopted) for post, count, adopted in await self.scene.ask(_ATTEMPTS)}
        alerts = {subject for _, subject in await self.scene.ask(_OPEN_ALERTS)}
        verdicts = []
        for entry in self.entries:
            planned = entry.planned
            attempts, adopted = tried.get(planned.post_id, (0, 0))
            verdicts.append(
                judge(
                    Played(
                        name=entry.schedule.name,
                        planned=planned,
                        row=rows[planned.post_id],
                        on_x=[each for each in on_x if each.user_id == planned.user_id],
                        attempts=attempts,
                        adopted=adopted,
                        has_alert=f"post {planned.post_id}" in alerts,
                        proxy_doubles=entry.schedule.doubles,
                        shows_trace=entry.schedule.shows_trace,
                    )
                )
            )
        return verdicts

    async def app_backoffs(self) -> int:
        """How many X apps were ever in back-off."""
        alerts = await self.scene.ask(_ALERTS)
        return len({subject for kind, subject in alerts if kind in _APP_ALERTS})

    async def alert_kinds(self) -> set[str]:
        """The kinds of all alerts that were ever opened here."""
        return {kind for kind, _ in await self.scene.ask(_ALERTS)}


@contextlib.asynccontextmanager
async def open_world(
    ground: Ground, *, wall: Mapping[str, str], refuses: bool, rate: float = 1
) -> AsyncIterator[World]:
    """A world without workers yet; `refuses` is whether X refuses duplicates."""
    number = next(_numbers)
    async with contextlib.AsyncExitStack() as stack:
        url = stack.enter_context(run_emulator("--scenario", "steady", "--seed", str(number)))
        database = await stack.enter_async_context(ground.database())
        folder = ground.folder / f"net_{number}"
        rules = Rules()
        proxy = await stack.enter_async_context(open_proxy(url, rules.for_create, rules.for_read))
        scene = await stack.enter_async_context(open_scene(database, url, folder, wall=wall))
        await scene.emulator.switch(refuse_duplicates=refuses)
        if rate != 1:
            await scene.emulator.control("clock", rate=rate)
        yield World(scene, proxy, rules)


@dataclass(frozen=True, slots=True)
class NetworkResult:
    """What a world of network schedules ended in."""

    verdicts: list[Verdict]
    app_backoffs: int
    """X apps that were in back-off; nothing here that concerns an app comes from X."""
    has_clock_alert: bool
    """`clock_skew` was opened, although every clock is right."""


async def play_network(
    ground: Ground,
    schedules: Sequence[Schedule],
    *,
    wall: Mapping[str, str],
    refuses: bool,
    rate: float = 1,
    within_s: float = 330,
) -> NetworkResult:
    """Play network schedules side by side, each on an account and through an X app of its own.

    They have so many wall seconds, or a minute more than the longest takes.
    """
    mark = "refuses" if refuses else "takes-all"
    async with open_world(ground, wall=wall, refuses=refuses, rate=rate) as world:
        workers = [await world.start_worker(f"worker_{number}") for number in range(2)]
        for worker in workers:
            await worker.ready()
        accounts = await world.connect(len(schedules), apps=True)
        for number, (schedule, account) in enumerate(zip(schedules, accounts, strict=True)):
            # One every 0.2 s: waiting for a lost answer takes up a worker's places.
            after = timedelta(seconds=(4 + 0.2 * number) * rate)
            await world.plan(
                replace(schedule, name=f"proxy/{schedule.name}/{mark}"), account, after
            )
        longest = max(schedule.reads_for_s for schedule in schedules)
        await world.settled(max(within_s, longest + 60) + 0.2 * len(schedules))
        return NetworkResult(
            await world.verdicts(),
            await world.app_backoffs(),
            "clock_skew" in await world.alert_kinds(),
        )
