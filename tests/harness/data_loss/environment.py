"""The test setup of one data-loss schedule.

It has a PostgreSQL cluster behind an address that never changes, planned posts, machines that run
workers, and an operator.
"""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import psycopg
from PIL import Image

from fix_postgres import app_url
from fix_processes import until
from harness.data_loss.checker import LossOutcome
from harness.data_loss.cluster import DATABASE, Cluster, ClusterHost
from harness.data_loss.forwarder import Forwarder, open_forwarder
from harness.data_loss.machine import Machine
from harness.data_loss.operator import Operator
from harness.post_rows import read_rows
from harness.records import PlannedPost
from harness.scenario import Scenario, open_scenario
from roost.models import PostId
from roost.runtime import open_runtime
from roost.services.schedule import PartInput, cancel_post, edit_post

#: The number of emulated seconds that pass in one wall second.
RATE = 20
_ALERTS = (
    "SELECT kind, ended_at IS NULL FROM roost.alerts WHERE subject_type = 'database' ORDER BY id"
)
#: The wall seconds within which all posts must reach a final state after the loss.
_SETTLE_TIMEOUT_S = 150.0


@dataclass
class LossEnvironment:
    """Everything that one data-loss schedule uses: a cluster, machines, posts, an operator."""

    host: ClusterHost
    cluster: Cluster
    """The cluster to which `address` forwards at the start."""
    address: Forwarder
    scenario: Scenario
    machine: Machine
    """The machine that runs from the start of the schedule."""
    operator: Operator
    stack: contextlib.AsyncExitStack
    """The open resources of the schedule, which are closed at its end."""
    machines: list[Machine] = field(default_factory=list)
    early: list[PlannedPost] = field(default_factory=list)
    """Posts that are due and published before any copy is made."""
    middle: list[PlannedPost] = field(default_factory=list)
    """Posts that are due between the copy and the loss."""
    late: list[PlannedPost] = field(default_factory=list)
    """Posts that are due after the loss."""
    copy_url: str = ""
    """The URL of a copy that runs beside the original, and that no person confirms as real."""
    must_alert: bool = False
    attempts_copied: int | None = None
    """The number of attempts in the copy when it was made; None without a copy, or once a person
    has confirmed the copy."""
    sent_before_decision: int = 0

    @property
    def planned(self) -> list[PlannedPost]:
        """All posts of the schedule."""
        return [*self.early, *self.middle, *self.late]

    # The following methods schedule and change posts, and wait for them.

    async def plan_posts(self, *, middle: int = 7, apart_s: float = 6.0) -> None:
        """Plan the posts `early`, `middle` and `late` on two accounts, while the clock is stopped.

        `middle` is the number of posts in the second group. They are due `apart_s` domain seconds
        apart.
        """
        await self.scenario.emulator.control("clock", rate=0)
        accounts = [await self.scenario.connect(name) for name in ("ada", "ben")]

        async def plan(number: int, group: str, after: timedelta) -> PlannedPost:
            account = accounts[number % 2]
            texts = [f"{group} {number} of {account.username}, part 1"]
            if number % 4 == 2:
                texts.append(f"{group} {number} of {account.username}, part 2")
            media = self._image(number) if number % 3 == 1 else None
            return await self.scenario.plan_post(account, *texts, after=after, media=media)

        for number in range(2):
            self.early.append(await plan(number, "early", timedelta(minutes=2)))
        for number in range(middle):
            after = timedelta(minutes=15, seconds=apart_s * number)
            self.middle.append(await plan(number, "middle", after))
        for number in range(3):
            self.late.append(await plan(number, "late", timedelta(minutes=40 + number)))
        await self.scenario.emulator.control("clock", rate=RATE)

    def _image(self, number: int) -> Path:
        path = self.scenario.folder / f"{number}.png"
        Image.new("RGB", (32, 32), (number * 20 % 256, 90, 60)).save(path)
        return path

    async def publish_early(self) -> None:
        """Start the machine's workers, and wait until they have published the posts in `early`."""
        await self.machine.start()
        await self.wait_published(self.early)
        ids = [each.post_id for each in self.early]
        await until(lambda: self.scenario.are_final(ids), within=60)

    async def wait_published(self, posts: Sequence[PlannedPost]) -> None:
        """Move the clock close to the earliest due time, and wait until X has all the posts."""
        rows = await self.scenario.fetch(
            "SELECT min(due_at) FROM roost.posts WHERE id = ANY(%s) AND state = 'scheduled'",
            [each.post_id for each in posts],
        )
        if rows[0][0] is not None:
            ahead = rows[0][0] - self.scenario.runtime.clock.now() - timedelta(seconds=20)
            if ahead > timedelta(0):
                await self.scenario.emulator.jump(seconds=ahead.total_seconds())

        async def are_on_x() -> bool:
            return await self.count_missing_on_x(posts) == 0

        await until(are_on_x, within=60)

    async def count_missing_on_x(self, posts: Sequence[PlannedPost]) -> int:
        """Count the parts of these posts that X does not have yet."""
        on_x = {(post.user_id, post.text) for post in await self.scenario.read_x_posts()}
        return sum((each.user_id, text) not in on_x for each in posts for text in each.texts)

    async def edit_post(self, planned: PlannedPost, text: str) -> None:
        """Change the text of a post that has one part."""
        parts = [PartInput(text)]
        scenario = self.scenario
        await edit_post(
            scenario.runtime, scenario.scope, PostId(planned.post_id), parts=parts, due_at=None
        )
        self.operator.edited[planned.post_id] = text

    async def move_post(self, planned: PlannedPost, after: timedelta) -> None:
        """Change the due time of a post."""
        scenario, due_at = self.scenario, self.scenario.runtime.clock.now() + after
        await edit_post(
            scenario.runtime, scenario.scope, PostId(planned.post_id), parts=None, due_at=due_at
        )
        self.operator.moved[planned.post_id] = due_at

    async def cancel_post(self, planned: PlannedPost) -> None:
        """Cancel a post."""
        await cancel_post(self.scenario.runtime, self.scenario.scope, PostId(planned.post_id))
        self.operator.cancelled.add(planned.post_id)

    # The following methods add machines, and change the database in use.

    def add_machine(self, name: str, home: Path | None = None, url: str = "") -> Machine:
        """Add a machine with the same settings but its own home, and with another URL if given."""
        home = home or self.scenario.folder / f"home-{name}"
        machine = Machine(self.scenario, name, home, url or self.machine.url)
        self.machines.append(machine)
        return machine

    async def use_database(self, url: str) -> None:
        """Use another database from now on, both in the test setup and on the first machine."""
        scenario = self.scenario
        scenario.admin_url = url
        if scenario.admin_connection is not None:
            await scenario.admin_connection.close()
        settings = scenario.runtime.settings.model_copy(update={"database_url": app_url(url)})
        scenario.runtime = await self.stack.enter_async_context(open_runtime(settings))
        self.machine.url = app_url(url)

    # The following methods act as the operator after the loss, and collect the outcome.

    async def wait_settled(self) -> bool:
        """Wait until all posts are final; meanwhile, resume publishing after each alert.

        Returns False if the posts do not become final in time.
        """
        return await self.scenario.run_until(self._is_settled, within=_SETTLE_TIMEOUT_S)

    async def _is_settled(self) -> bool:
        for machine in self.machines:
            machine.supervise()
        try:
            alerts = await read_alerts(self.scenario.admin_url)
            if any(is_open for _, is_open in alerts):
                if not self.operator.gives_up:
                    await self._resume({kind for kind, is_open in alerts if is_open})
                return False
            posts = {each.post_id for each in self.planned}
            return await self.scenario.are_final(posts - self.operator.paused)
        except psycopg.errors.ProgrammingError:
            # The tables do not exist now, because a restore is replacing them.
            return False

    async def _resume(self, kinds: set[str]) -> None:
        """Let the operator resume publishing after alerts of these kinds."""
        await self._count_sent_by_copy()
        if not self.copy_url:
            self.attempts_copied = None
        await self.operator.resume(kinds)

    async def _count_sent_by_copy(self) -> None:
        """Count the attempts that workers have added to the copy since the copy was made."""
        if self.attempts_copied is not None:
            url = self.copy_url or self.scenario.admin_url
            self.sent_before_decision = await count_attempts(url) - self.attempts_copied

    async def collect_outcome(self) -> LossOutcome:
        """Collect the data at the end of the schedule for the checker."""
        await self._count_sent_by_copy()
        planned = {each.post_id for each in self.planned}
        rows = await read_rows(self.scenario.admin_url)
        alerts = await read_alerts(self.copy_url or self.scenario.admin_url)
        return LossOutcome(
            planned=self.planned,
            rows={post_id: row for post_id, row in rows.items() if post_id in planned},
            x_posts=await self.scenario.read_x_posts(),
            alerts=[kind for kind, _ in alerts],
            must_alert=self.must_alert,
            sent_before_decision=self.sent_before_decision,
            edited={post: [text] for post, text in self.operator.edited.items()},
            cancelled=self.operator.cancelled,
            paused=self.operator.paused,
        )


async def read_alerts(url: str) -> list[tuple[str, bool]]:
    """Return the kind of each alert about the database, and whether the alert is still open."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        return await (await connection.execute(_ALERTS)).fetchall()


async def count_attempts(url: str) -> int:
    """Count the attempts that a database has recorded."""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        row = await (await connection.execute("SELECT count(*) FROM roost.attempts")).fetchone()
        assert row is not None
        return int(row[0])


@contextlib.asynccontextmanager
async def open_environment(
    host: ClusterHost,
    emulator_url: str,
    folder: Path,
    *,
    wall: Mapping[str, str],
    refuse_duplicates: bool,
) -> AsyncIterator[LossEnvironment]:
    """Open the test setup of one data-loss schedule, with a new PostgreSQL cluster.

    The emulator is reset. `refuse_duplicates` says whether the emulator refuses a text that the
    same account has already posted in the last 24 hours.
    """
    async with contextlib.AsyncExitStack() as stack:
        cluster = await stack.enter_async_context(host.cluster())
        address = await stack.enter_async_context(open_forwarder(cluster.socket))
        url = f"postgresql://postgres@127.0.0.1:{address.port}/{DATABASE}"
        scenario = await stack.enter_async_context(
            open_scenario(url, emulator_url, folder, wall=wall)
        )
        await scenario.emulator.switch(refuse_duplicates=refuse_duplicates)
        machine = Machine(scenario, "main", folder / "home", app_url(url))
        operator = Operator(scenario, machine, RATE)
        yield LossEnvironment(host, cluster, address, scenario, machine, operator, stack, [machine])
