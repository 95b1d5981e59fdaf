"""Fixture `desk`: a connected account, a frozen clock, a worker that runs one step at a time."""

import asyncio
import atexit
import contextlib
import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import IO, Any

import pytest
from PIL import Image

from fix_emulator import START_TIME, Emulator
from fix_processes import environment_of, until
from fix_runtime import ACTOR, connect_account, scope_of
from roost import jobs, store
from roost.models import (
    Integration,
    IntegrationId,
    Post,
    PostId,
    PostState,
    Scope,
    Tenant,
    TenantId,
)
from roost.publishing.history import describe_event, describe_reason
from roost.publishing.part_input import MediaInput
from roost.runtime import Runtime
from roost.services import collect, detect, dispatch, publish
from roost.services.schedule import PartInput, schedule_post
from roost.settings import Settings
from roost.store.integrations import Tokens
from roost.store.locks import AccountLocks, open_account_locks

#: States in which a post still moves by itself.
MOVING = {PostState.SCHEDULED, PostState.PUBLISHING}

_NEXT_STEP = """
    SELECT least(min(due_at) FILTER (WHERE state = 'scheduled'),
                 min(resume_at) FILTER (WHERE state = 'publishing'),
                 min(prepare_at) FILTER (WHERE state IN ('scheduled', 'publishing')))
    FROM posts p JOIN sendable_accounts a ON a.id = p.integration_id WHERE NOT p.paused
"""
_TAKE_JOB = """
    DELETE FROM procrastinate_jobs WHERE id = (
        SELECT id FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id LIMIT 1)
    RETURNING task_name, args
"""


@dataclass(frozen=True)
class Desk:
    """One tenant's account, with everything that a test of publishing does to it."""

    runtime: Runtime
    tenant: Tenant
    account: Integration
    emulator: Emulator
    locks: AccountLocks

    @property
    def scope(self) -> Scope:
        """The scope of the tests for the tenant."""
        return scope_of(self.tenant)

    async def plan(
        self,
        *texts: str,
        after_s: float = 0,
        media: Path | None = None,
        account: Integration | None = None,
    ) -> PostId:
        """Schedule a post of these parts; the file goes with the first."""
        carried = (MediaInput(media, "A teal square"),) if media else ()
        parts = [PartInput(text, carried if at == 0 else ()) for at, text in enumerate(texts)]
        post = await schedule_post(
            self.runtime,
            self.scope,
            account or self.account,
            parts,
            due_at=self.runtime.clock.now() + timedelta(seconds=after_s),
        )
        return post.id

    async def work(self) -> None:
        """Do what is due now, job after job, until nothing is."""
        while True:
            while (job := await self._take_job()) is not None:
                await self.do(*job)
            if not (await dispatch.dispatch_due(self.runtime)).queued:
                return

    async def _take_job(self) -> tuple[str, dict[str, int]] | None:
        async with self.runtime.database.unscoped() as transaction:
            rows = await transaction.raw.execute(_TAKE_JOB)
            job: tuple[str, dict[str, int]] | None = await rows.fetchone()
        return job

    async def do(self, task: str, arguments: dict[str, int]) -> None:
        """Run one job's body, as the worker does."""
        scope = Scope(TenantId(arguments["tenant_id"]), ACTOR)
        integration_id = IntegrationId(arguments["integration_id"])
        if task == jobs.PUBLISH:
            post_id = PostId(arguments["post_id"])
            await publish.publish_post(self.runtime, scope, self.locks, integration_id, post_id)
        elif task == jobs.PREPARE:
            post_id = PostId(arguments["post_id"])
            await publish.prepare_post(self.runtime, scope, self.locks, integration_id, post_id)
        else:
            await collect.collect_account(self.runtime, scope, integration_id)
            await detect.detect_anomalies(self.runtime, scope, integration_id)

    async def work_through(self) -> None:
        """Work, and move the clock to each next step, until no post moves by itself."""
        for _ in range(50):
            await self.work()
            at = await self.next_step()
            if at is None:
                return
            await self.move_to(at)
        raise AssertionError("the posts do not come to rest")

    async def next_step(self) -> datetime | None:
        """When the next post moves by itself; None: none does."""
        async with self.runtime.database.for_tenant(self.tenant.id) as transaction:
            row = await (await transaction.raw.execute(_NEXT_STEP)).fetchone()
        assert row is not None
        at: datetime | None = row[0]
        return at

    async def move_to(self, at: datetime) -> None:
        """Move the clock forward to an instant."""
        await self.emulator.control("clock", to=at.isoformat())

    async def see(self, post_id: PostId) -> Post:
        """The post as it stands."""
        async with self.runtime.database.for_tenant(self.tenant.id) as transaction:
            return await store.posts.get(transaction, post_id)

    async def story(self, post_id: PostId) -> list[str]:
        """The post's history, a line each: whose, from, to, words."""
        async with self.runtime.database.for_tenant(self.tenant.id) as transaction:
            events = await store.posts.list_events(transaction, post_id)
        return [
            f"{'post' if e.position is None else f'part {e.position}'}:"
            f" {e.from_state} → {e.to_state}: {describe_event(replace(e, position=None))}"
            for e in events
        ]

    async def on_x(self) -> list[str]:
        """The texts on X, in the order in which they came."""
        return [post["text"] for post in (await self.emulator.ground_truth())["posts"]]

    async def requests(self, operation: str) -> list[int | None]:
        """With which status each request of this kind was answered."""
        told = (await self.emulator.ground_truth())["requests"]
        return [one["status"] for one in told if one["operation"] == operation]

    async def answered(self, operation: str, count: int) -> None:
        """Return once X has answered so many requests of this kind."""

        async def are() -> bool:
            got = await self.requests(operation)
            return None not in got and len(got) >= count

        await until(are, within=60)

    async def under_way(self, operation: str) -> None:
        """Return once X has got the first request of this kind, and has not answered it."""

        async def is_it() -> bool:
            return await self.requests(operation) == [None]

        await until(is_it, within=60)

    async def read_figures_at(self, at: datetime) -> None:
        """Let the account's figures be due at this instant."""
        async with self.runtime.database.for_tenant(self.tenant.id) as transaction:
            await transaction.raw.execute(
                "UPDATE integrations SET collect_due_at = %s WHERE id = %s", [at, self.account.id]
            )

    def with_settings(self, **changed: Any) -> "Desk":
        """The same desk under other settings."""
        settings = self.runtime.settings.model_copy(update=changed)
        return replace(self, runtime=replace(self.runtime, settings=settings))

    async def post_by_hand(self, text: str) -> str:
        """What the account's owner posts without Roost; its id."""
        made: str = (await self.on_behalf("POST", "/2/tweets", text=text))["data"]["id"]
        return made

    async def answer_by_hand(self, text: str, tweet_id: str) -> None:
        """What the account's owner answers to a post, through the app of the tests."""
        token = (await self.emulator.connect("larkbooks"))["access_token"]
        async with self.emulator.http.post(
            f"{self.emulator.url}/2/tweets",
            json={"text": text, "reply": {"in_reply_to_tweet_id": tweet_id}},
            headers={"authorization": f"Bearer {token}"},
        ) as answer:
            assert answer.status == 201, await answer.text()

    async def on_behalf(self, method: str, path: str, **body: str) -> Any:
        """What X answers to the account's owner."""
        token = (await self.emulator.connect("larkbooks"))["access_token"]
        async with self.emulator.http.request(
            method,
            self.emulator.url + path,
            json=body or None,
            headers={"authorization": f"Bearer {token}"},
        ) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def kept_tokens(self) -> Tokens:
        """The grant as the database has it."""
        async with self.runtime.database.for_tenant(self.tenant.id) as transaction:
            vault = await self.runtime.vault.for_tenant(transaction, self.tenant.id)
            return await store.integrations.decrypt_tokens(transaction, vault, self.account.id)

    async def kill_grant(self) -> None:
        """The account's owner takes the grant back on X."""
        app = self.emulator.app
        token = (await self.kept_tokens()).refresh_token
        async with self.emulator.http.post(
            f"{self.emulator.url}/2/oauth2/revoke",
            data={"token": token, "client_id": app.client_id},
            headers={"authorization": app.basic},
        ) as answer:
            assert answer.status == 200

    async def integration(self) -> Integration:
        """The account as it stands."""
        async with self.runtime.database.for_tenant(self.tenant.id) as transaction:
            return await store.integrations.get(transaction, self.account.id)


def reason_of(post: Post) -> str:
    """The reason of a post's state, as people read it; empty without one."""
    return "" if post.reason is None else describe_reason(post.reason)


def code_of(post: Post) -> str:
    """The code of the reason of a post's state; empty without one."""
    return "" if post.reason is None else post.reason.code


async def somebody_waits(runtime: Runtime) -> None:
    """Return once a transaction waits for another's lock."""

    async def does_one() -> bool:
        async with runtime.database.unscoped() as transaction:
            rows = await transaction.raw.execute("SELECT FROM pg_locks WHERE NOT granted")
            return await rows.fetchone() is not None

    await until(does_one)


@pytest.fixture
async def noon(emulator: Emulator) -> datetime:
    """The clock is stopped at noon (UTC), far from a day's end, or at `START_TIME` where set."""
    return await emulator.freeze_at_time(START_TIME or time(12))


@pytest.fixture
async def desk(
    noon: datetime, runtime: Runtime, tenant: Tenant, emulator: Emulator
) -> AsyncIterator[Desk]:
    """The account @larkbooks of the tenant `default`, connected, its figures not due soon."""
    account = await connect_account(runtime, tenant, emulator, "larkbooks")
    async with open_account_locks(runtime.database) as locks:
        desk = Desk(runtime, tenant, account, emulator, locks)
        await desk.read_figures_at(noon + timedelta(days=365))
        yield desk


@pytest.fixture
def teal(tmp_path: Path) -> Path:
    """A small image."""
    path = tmp_path / "teal.png"
    Image.new("RGB", (64, 64), "teal").save(path)
    return path


@dataclass(frozen=True)
class Ended:
    """A command of Roost that has ended."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> dict[str, Any]:
        """What `--json` printed: one object on one line, and nothing else."""
        (line,) = self.out.splitlines()
        told = json.loads(line)
        assert isinstance(told, dict)
        return told

    @property
    def error(self) -> str:
        """The code of the failure that `--json` told."""
        code: str = self.answer["error"]["code"]
        return code


@contextlib.asynccontextmanager
async def piped_python(
    *arguments: str, environment: dict[str, str], folder: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `python ARGUMENTS` with pipes on all sides; killed with the block if it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        env=environment,
        cwd=folder,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def run_roost(
    *arguments: str, settings: Settings | None = None, folder: Path, **environment: str
) -> Ended:
    """Run one command in a process of its own, in a folder without `.env`.

    `environment` are settings besides those given; an empty one is as good as none.
    """
    given = environment_of(settings) if settings else bare_environment(folder)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        async with asyncio.timeout(120):
            code = await _run_command(arguments, given | environment, folder, out, err)
        out.seek(0)
        err.seek(0)
        return _ended(code, out.read(), err.read())


async def _run_command(
    arguments: Sequence[str],
    environment: dict[str, str],
    folder: Path,
    out: IO[bytes],
    err: IO[bytes],
) -> int:
    request = {"arguments": arguments, "environment": environment, "folder": str(folder)}
    with tempfile.TemporaryFile() as empty, socket.socket(socket.AF_UNIX) as connection:
        connection.connect(_command_server())
        files = [file.fileno() for file in (empty, out, err)]
        socket.send_fds(connection, [json.dumps(request).encode() + b"\n"], files)
        reader, writer = await asyncio.open_unix_connection(sock=connection)
        pid = int(await reader.readline())
        try:
            return int(await reader.readline())
        except asyncio.CancelledError:
            os.kill(pid, signal.SIGKILL)
            raise
        finally:
            writer.close()


@functools.cache
def _command_server() -> str:
    """The socket of the command server, which ends with this process."""
    place = Path(tempfile.mkdtemp(prefix="roost-commands-")) / "socket"
    program = Path(__file__).with_name("command_server.py")
    server = subprocess.Popen(
        [sys.executable, program, place], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    atexit.register(shutil.rmtree, place.parent)
    atexit.register(server.kill)
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    return str(place)


async def end_of(process: asyncio.subprocess.Process) -> Ended:
    """What a command said until it ended."""
    out, err = await process.communicate()
    assert process.returncode is not None
    return _ended(process.returncode, out, err)


def _ended(code: int, out: bytes, err: bytes) -> Ended:
    if b"Traceback" in err:
        raise AssertionError(f"A traceback reached the user: {err.decode().splitlines()[-1]}")
    return Ended(code, out.decode(), err.decode())


def bare_environment(folder: Path) -> dict[str, str]:
    """An environment that sets nothing of Roost's but a home below the folder."""
    ours = ("TWITTER_", "ROOST_", "DATABASE_URL")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return plain | {"ROOST_HOME": str(folder / "home")}
