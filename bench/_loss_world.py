"""The world of one loss: a cluster behind a fixed address, a calendar, machines and an operator."""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import psycopg
from _cluster import DATABASE, Cluster, Site
from _forwarder import Forwarder, forwarding
from _judge import Planned
from _loss_judge import Loss
from _loss_operator import Operator
from _machine import Machine
from _rows import read_rows
from _scene import Scene, open_scene
from PIL import Image

from fix_postgres import app_url
from fix_processes import until
from roost.models import PostId
from roost.runtime import open_runtime
from roost.services.schedule import PartInput, cancel_post, edit_post

#: Emulated seconds in one wall second.
RATE = 20
_ALARMS = "SELECT kind, ended_at IS NULL FROM roost.alerts WHERE subject = 'database' ORDER BY id"
#: Wall seconds until everything has to be at rest again.
_PATIENCE_S = 150.0


@dataclass
class World:
    """What a schedule acts on."""

    site: Site
    cluster: Cluster
    """The cluster behind the address at first."""
    address: Forwarder
    scene: Scene
    machine: Machine
    """The machine that is there from the beginning."""
    operator: Operator
    stack: contextlib.AsyncExitStack
    """Closed at the end of the schedule."""
    machines: list[Machine] = field(default_factory=list)
    early: list[Planned] = field(default_factory=list)
    """Due, and published, before any copy is made."""
    middle: list[Planned] = field(default_factory=list)
    """Due between the copy and the loss."""
    late: list[Planned] = field(default_factory=list)
    """Due after the loss."""
    copy_url: str = ""
    """A copy that is used beside the original; no person says that it is the real one."""
    must_alert: bool = False
    attempts_copied: int | None = None
    """How many attempts a copy held when it was made, as long as no person has decided."""
    sent_early: int = 0

    @property
    def planned(self) -> list[Planned]:
        """Every post."""
        return [*self.early, *self.middle, *self.late]

    # The calendar.

    async def plan(self, *, middle: int = 7, apart_s: float = 6.0) -> None:
        """Put the calendar's three groups on two accounts; the clock stands still meanwhile.

        `middle` posts come due `apart_s` domain seconds apart.
        """
        await self.scene.emulator.control("clock", rate=0)
        accounts = [await self.scene.connect(name) for name in ("ada", "ben")]

        async def plan(number: int, group: str, after: timedelta) -> Planned:
            account = accounts[number % 2]
            texts = [f"{group} {number} of {account.username}, part 1"]
            if number % 4 == 2:
                texts.append(f"{group} {number} of {account.username}, part 2")
            media = self._image(number) if number % 3 == 1 else None
            return await self.scene.plan(account, *texts, after=after, media=media)

        for number in range(2):
            self.early.append(await plan(number, "early", timedelta(minutes=2)))
        for number in range(middle):
            after = timedelta(minutes=15, seconds=apart_s * number)
            self.middle.append(await plan(number, "middle", after))
        for number in range(3):
            self.late.append(await plan(number, "late", timedelta(minutes=40 + number)))
        await self.scene.emulator.control("clock", rate=RATE)

    def _image(self, number: int) -> Path:
        path = self.scene.folder / f"{number}.png"
        Image.new("RGB", (32, 32), (number * 20 % 256, 90, 60)).save(path)
        return path

    async def publish_early(self) -> None:
        """Start the machine's workers and let them publish the first group."""
        await self.machine.start()
        await self.reach(self.early)
        ids = [each.post_id for each in self.early]
        await until(lambda: self.scene.are_final(ids), within=60)

    async def reach(self, posts: Sequence[Planned]) -> None:
        """Move the clock to the first of the posts, and return when X has them all."""
        rows = await self.scene.ask(
            "SELECT min(due_at) FROM roost.posts WHERE id = ANY(%s) AND state = 'scheduled'",
            [each.post_id for each in posts],
        )
        if rows[0][0] is not None:
            ahead = rows[0][0] - self.scene.runtime.clock.now() - timedelta(seconds=20)
            if ahead > timedelta(0):
                await self.scene.emulator.jump(seconds=ahead.total_seconds())

        async def are_on_x() -> bool:
            return await self.missing_on_x(posts) == 0

        await until(are_on_x, within=60)

    async def missing_on_x(self, posts: Sequence[Planned]) -> int:
        """How many parts of the posts X does not have yet."""
        have = {(post.user_id, post.text) for post in await self.scene.on_x()}
        return sum((each.user_id, text) not in have for each in posts for text in each.texts)

    async def edit(self, planned: Planned, text: str) -> None:
        """Give a post of one part another text."""
        parts = [PartInput(text)]
        scene = self.scene
        await edit_post(
            scene.runtime, scene.tenant, PostId(planned.post_id), parts=parts, due_at=None
        )
        self.operator.edited[planned.post_id] = text

    async def move(self, planned: Planned, after: timedelta) -> None:
        """Give a post another time."""
        scene, due_at = self.scene, self.scene.runtime.clock.now() + after
        await edit_post(
            scene.runtime, scene.tenant, PostId(planned.post_id), parts=None, due_at=due_at
        )
        self.operator.moved[planned.post_id] = due_at

    async def cancel(self, planned: Planned) -> None:
        """Cancel a post."""
        await cancel_post(self.scene.runtime, self.scene.tenant, PostId(planned.post_id))
        self.operator.cancelled.add(planned.post_id)

    # Machines and addresses.

    def another_machine(self, name: str, home: Path | None = None, url: str = "") -> Machine:
        """A machine with the same settings but for its home (fresh) and, where given, the URL."""
        home = home or self.scene.folder / f"home-{name}"
        machine = Machine(self.scene, name, home, url or self.machine.url)
        self.machines.append(machine)
        return machine

    async def use(self, url: str) -> None:
        """Let all that is done from now on be done on another database, the machine included."""
        scene = self.scene
        scene.admin_url = url
        if scene.admin is not None:
            await scene.admin.close()
        settings = scene.runtime.settings.model_copy(update={"database_url": app_url(url)})
        scene.runtime = await self.stack.enter_async_context(open_runtime(settings))
        self.machine.url = app_url(url)

    # After the loss.

    async def come_to_rest(self) -> bool:
        """Let time pass, resume where there is an alert, until all is at rest; False: it is not."""
        return await self.scene.go_on_until(self._is_at_rest, within=_PATIENCE_S)

    async def _is_at_rest(self) -> bool:
        for machine in self.machines:
            machine.supervise()
        try:
            alerts = await read_alerts(self.scene.admin_url)
            if any(is_open for _, is_open in alerts):
                if not self.operator.gives_up:
                    await self._resume({kind for kind, is_open in alerts if is_open})
                return False
            mine = {each.post_id for each in self.planned}
            return await self.scene.are_final(mine - self.operator.paused)
        except psycopg.errors.ProgrammingError:
            return False  # the tables are being restored

    async def _resume(self, kinds: set[str]) -> None:
        """What an operator does who has read the alert."""
        await self._count_early()
        if not self.copy_url:
            self.attempts_copied = None
        await self.operator.resume(kinds)

    async def _count_early(self) -> None:
        """Count what a copy has sent until now."""
        if self.attempts_copied is not None:
            url = self.copy_url or self.scene.admin_url
            self.sent_early = await count_attempts(url) - self.attempts_copied

    async def as_loss(self) -> Loss:
        """How it ended, for the judge."""
        await self._count_early()
        mine = {each.post_id for each in self.planned}
        rows = await read_rows(self.scene.admin_url)
        alerts = await read_alerts(self.copy_url or self.scene.admin_url)
        return Loss(
            planned=self.planned,
            rows={number: row for number, row in rows.items() if number in mine},
            on_x=await self.scene.on_x(),
            alerts=[kind for kind, _ in alerts],
            must_alert=self.must_alert,
            sent_early=self.sent_early,
            edited={post: [text] for post, text in self.operator.edited.items()},
            cancelled=self.operator.cancelled,
            held_back=self.operator.paused,
        )


async def read_alerts(url: str) -> list[tuple[str, bool]]:
    """Alerts about the database that were ever opened: their kinds, and whether they are open."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        return await (await connection.execute(_ALARMS)).fetchall()


async def count_attempts(url: str) -> int:
    """How many attempts a database knows of."""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        row = await (await connection.execute("SELECT count(*) FROM roost.attempts")).fetchone()
        assert row is not None
        return int(row[0])


@contextlib.asynccontextmanager
async def open_world(
    site: Site, emulator_url: str, folder: Path, *, wall: Mapping[str, str], refuses: bool
) -> AsyncIterator[World]:
    """A fresh cluster and an emulator that is reset; `refuses`: X refuses duplicates."""
    async with contextlib.AsyncExitStack() as stack:
        cluster = await stack.enter_async_context(site.cluster())
        address = await stack.enter_async_context(forwarding(cluster.socket))
        url = f"postgresql://postgres@127.0.0.1:{address.port}/{DATABASE}"
        scene = await stack.enter_async_context(open_scene(url, emulator_url, folder, wall=wall))
        await scene.emulator.switch(refuse_duplicates=refuses)
        machine = Machine(scene, "main", folder / "home", app_url(url))
        operator = Operator(scene, machine, RATE)
        yield World(site, cluster, address, scene, machine, operator, stack, [machine])
