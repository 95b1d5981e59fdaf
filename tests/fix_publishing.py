"""Fixture `publisher`: a connected account, a frozen clock, and jobs that run one by one."""

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
from harness.json_output import validate_output
from roost import jobs, store
from roost.models import (
    Integration,
    IntegrationId,
    Post,
    PostId,
    PostState,
    ScheduleId,
    Scope,
    Tenant,
    TenantId,
)
from roost.publishing.history import describe_event, describe_reason
from roost.publishing.part_input import MediaInput
from roost.runtime import Runtime
from roost.services import collect, detect, dispatch, publish, report
from roost.services.schedule import PartInput, schedule_post
from roost.settings import Settings
from roost.store.integrations import Tokens
from roost.store.locks import AccountLocks, open_account_locks

#: The states that a post leaves without a user's action.
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
class Publisher:
    """A tenant's account, with the operations that tests of publishing perform on it."""

    runtime: Runtime
    tenant: Tenant
    account: Integration
    emulator: Emulator
    locks: AccountLocks

    @property
    def scope(self) -> Scope:
        """The `Scope` that tests pass to services: the publisher's tenant and the tests' actor."""
        return scope_of(self.tenant)

    async def schedule(
        self,
        *texts: str,
        after_s: float = 0,
        media: Path | None = None,
        account: Integration | None = None,
    ) -> PostId:
        """Schedule a post with one part for each text; the first part gets the file `media`."""
        files = (MediaInput(media, "A teal square"),) if media else ()
        parts = [PartInput(text, files if at == 0 else ()) for at, text in enumerate(texts)]
        post = await schedule_post(
            self.runtime,
            self.scope,
            account or self.account,
            parts,
            due_at=self.runtime.clock.now() + timedelta(seconds=after_s),
        )
        return post.id

    async def run_due_jobs(self) -> None:
        """Dispatch and run jobs until nothing is due."""
        while True:
            while (job := await self._take_job()) is not None:
                await self.run_job(*job)
            if not (await dispatch.dispatch_due(self.runtime)).queued:
                return

    async def _take_job(self) -> tuple[str, dict[str, int]] | None:
        async with self.runtime.database.unscoped() as transaction:
            rows = await transaction.raw.execute(_TAKE_JOB)
            job: tuple[str, dict[str, int]] | None = await rows.fetchone()
        return job

    async def run_job(self, task: str, arguments: dict[str, int]) -> None:
        """Run one job, as a worker does."""
        scope = Scope(TenantId(arguments["tenant_id"]), ACTOR)
        if task == jobs.REPORT:
            schedule_id = ScheduleId(arguments["schedule_id"])
            await report.make_scheduled_report(self.runtime, scope, schedule_id)
            return
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

    async def run_to_completion(self) -> None:
        """Run due jobs and move the clock to the next step, until no post has a next step."""
        for _ in range(50):
            await self.run_due_jobs()
            at = await self.find_next_step_at()
            if at is None:
                return
            await self.move_clock_to(at)
        raise AssertionError("the posts have a next step forever")

    async def find_next_step_at(self) -> datetime | None:
        """Return the earliest time at which a post has a next step; None if there is none."""
        async with self.runtime.database.for_tenant(self.tenant.id) as transaction:
            row = await (await transaction.raw.execute(_NEXT_STEP)).fetchone()
        assert row is not None
        at: datetime | None = row[0]
        return at

    async def move_clock_to(self, at: datetime) -> None:
        """Move the clock forward to an instant."""
        await self.emulator.control("clock", to=at.isoformat())

    async def get_post(self, post_id: PostId) -> Post:
        """Return a post from the database."""
        async with self.runtime.database.for_tenant(self.tenant.id) as transaction:
            return await store.posts.get(transaction, post_id)

    async def list_history(self, post_id: PostId) -> list[str]:
        """Return a line for each event of the post: subject, old and new state, and sentence."""
        async with self.runtime.database.for_tenant(self.tenant.id) as transaction:
            events = await store.posts.list_events(transaction, post_id)
        return [
            f"{'post' if e.position is None else f'part {e.position}'}:"
            f" {e.from_state} → {e.to_state}: {describe_event(replace(e, position=None))}"
            for e in events
        ]

    async def published_texts(self) -> list[str]:
        """Return the texts of the posts on X, in order of creation."""
        return [post["text"] for post in (await self.emulator.ground_truth())["posts"]]

    async def list_statuses(self, operation: str) -> list[int | None]:
        """Return the response status of each request of an operation; None for a pending one."""
        requests = (await self.emulator.ground_truth())["requests"]
        return [one["status"] for one in requests if one["operation"] == operation]

    async def wait_for_responses(self, operation: str, count: int) -> None:
        """Wait until X has responded to at least `count` requests, and no request is pending.

        Only the requests of the given operation count.
        """

        async def are_complete() -> bool:
            statuses = await self.list_statuses(operation)
            return None not in statuses and len(statuses) >= count

        await until(are_complete, within=60)

    async def wait_for_request(self, operation: str) -> None:
        """Wait until X has received the first request of an operation, but has not responded."""

        async def is_pending() -> bool:
            return await self.list_statuses(operation) == [None]

        await until(is_pending, within=60)

    async def set_next_collection(self, at: datetime) -> None:
        """Set the time at which the account's metrics are collected next."""
        async with self.runtime.database.for_tenant(self.tenant.id) as transaction:
            await transaction.raw.execute(
                "UPDATE integrations SET collect_due_at = %s WHERE id = %s", [at, self.account.id]
            )

    def with_settings(self, **changed: Any) -> "Publisher":
        """Return a copy of the publisher whose runtime has changed settings."""
        settings = self.runtime.settings.model_copy(update=changed)
        return replace(self, runtime=replace(self.runtime, settings=settings))

    async def post_manually(self, text: str) -> str:
        """Create a post on X as the account's owner, without Roost; return the post's id on X."""
        tweet_id: str = (await self.request_as_owner("POST", "/2/tweets", text=text))["data"]["id"]
        return tweet_id

    async def reply_manually(self, text: str, tweet_id: str) -> None:
        """Reply to a post on X as the account's owner, without Roost."""
        token = (await self.emulator.connect("larkbooks"))["access_token"]
        async with self.emulator.http.post(
            f"{self.emulator.url}/2/tweets",
            json={"text": text, "reply": {"in_reply_to_tweet_id": tweet_id}},
            headers={"authorization": f"Bearer {token}"},
        ) as answer:
            assert answer.status == 201, await answer.text()

    async def request_as_owner(self, method: str, path: str, **body: str) -> Any:
        """Send a request to X as the account's owner; return the decoded response body."""
        token = (await self.emulator.connect("larkbooks"))["access_token"]
        async with self.emulator.http.request(
            method,
            self.emulator.url + path,
            json=body or None,
            headers={"authorization": f"Bearer {token}"},
        ) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def get_stored_tokens(self) -> Tokens:
        """Return the account's tokens from the database, decrypted."""
        async with self.runtime.database.for_tenant(self.tenant.id) as transaction:
            vault = await self.runtime.vault.for_tenant(transaction, self.tenant.id)
            return await store.integrations.decrypt_tokens(transaction, vault, self.account.id)

    async def revoke_tokens(self) -> None:
        """Revoke the X app's access to the account, as the account's owner can do on X."""
        app = self.emulator.app
        token = (await self.get_stored_tokens()).refresh_token
        async with self.emulator.http.post(
            f"{self.emulator.url}/2/oauth2/revoke",
            data={"token": token, "client_id": app.client_id},
            headers={"authorization": app.basic},
        ) as answer:
            assert answer.status == 200

    async def get_integration(self) -> Integration:
        """Return the account's connection from the database."""
        async with self.runtime.database.for_tenant(self.tenant.id) as transaction:
            return await store.integrations.get(transaction, self.account.id)


def reason_of(post: Post) -> str:
    """Return the reason for a post's state as a sentence; empty if the post has no reason."""
    return "" if post.reason is None else describe_reason(post.reason)


def code_of(post: Post) -> str:
    """Return the code of the reason for a post's state; empty if the post has no reason."""
    return "" if post.reason is None else post.reason.code


async def wait_for_lock_conflict(runtime: Runtime, count: int = 1) -> None:
    """Wait until at least `count` requests for a lock are blocked by other transactions."""

    async def is_waiting() -> bool:
        async with runtime.database.unscoped() as transaction:
            rows = await transaction.raw.execute("SELECT FROM pg_locks WHERE NOT granted")
            return len(await rows.fetchall()) >= count

    await until(is_waiting)


@pytest.fixture
async def noon(emulator: Emulator) -> datetime:
    """Freeze the emulator's clock at noon (UTC), or at `START_TIME` if it is set.

    Noon is far from midnight, so a short jump of the clock stays within one UTC day.
    """
    return await emulator.freeze_at_time(START_TIME or time(12))


@pytest.fixture
async def publisher(
    noon: datetime, runtime: Runtime, tenant: Tenant, emulator: Emulator
) -> AsyncIterator[Publisher]:
    """A publisher for the account @larkbooks of the tenant `default`.

    The account's metrics are due only in a year, so that no test collects them unintentionally.
    """
    account = await connect_account(runtime, tenant, emulator, "larkbooks")
    async with open_account_locks(runtime.database) as locks:
        publisher = Publisher(runtime, tenant, account, emulator, locks)
        await publisher.set_next_collection(noon + timedelta(days=365))
        yield publisher


@pytest.fixture
def teal(tmp_path: Path) -> Path:
    """The path of a small PNG image."""
    path = tmp_path / "teal.png"
    Image.new("RGB", (64, 64), "teal").save(path)
    return path


@dataclass(frozen=True)
class CommandResult:
    """The exit code, standard output and standard error of a `roost` command."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> dict[str, Any]:
        """The JSON object that a command with `--json` has printed on one line."""
        (line,) = self.out.splitlines()
        fields = json.loads(line)
        assert isinstance(fields, dict)
        return fields

    @property
    def error(self) -> str:
        """The error code in the JSON object that a command with `--json` has printed."""
        code: str = self.answer["error"]["code"]
        return code


@contextlib.asynccontextmanager
async def piped_python(
    *arguments: str, environment: dict[str, str], folder: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `python ARGUMENTS` with pipes as standard streams; kill it at the end of the block."""
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
) -> CommandResult:
    """Run one `roost` command in its own process, with `folder` as the working directory.

    The output of a command with `--json` is validated against the command's JSON Schema.
    `environment` adds further settings; an empty value counts as unset.
    """
    base = environment_of(settings) if settings else minimal_environment(folder)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        async with asyncio.timeout(120):
            code = await _run_command(arguments, base | environment, folder, out, err)
        out.seek(0)
        err.seek(0)
        result = _to_result(code, out.read(), err.read())
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    if "--json" in options and result.out:
        validate_output(arguments, result.answer)
    return result


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
    """Start the server that runs commands for `run_roost`; return the path of its socket.

    The server ends when this process ends.
    """
    address = Path(tempfile.mkdtemp(prefix="roost-commands-")) / "socket"
    program = Path(__file__).with_name("command_server.py")
    server = subprocess.Popen(
        [sys.executable, program, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    atexit.register(shutil.rmtree, address.parent)
    atexit.register(server.kill)
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    return str(address)


async def wait_for_result(process: asyncio.subprocess.Process) -> CommandResult:
    """Wait until a command has ended, and return its result."""
    out, err = await process.communicate()
    assert process.returncode is not None
    return _to_result(process.returncode, out, err)


def _to_result(code: int, out: bytes, err: bytes) -> CommandResult:
    if b"Traceback" in err:
        raise AssertionError(f"A traceback reached the user: {err.decode().splitlines()[-1]}")
    return CommandResult(code, out.decode(), err.decode())


def minimal_environment(folder: Path) -> dict[str, str]:
    """Return this process's environment variables, but only ROOST_HOME of Roost's settings."""
    ours = ("TWITTER_", "ROOST_", "DATABASE_URL")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return plain | {"ROOST_HOME": str(folder / "home")}
