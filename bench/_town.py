"""A town for benchmarks: a private PostgreSQL, the emulator, tenants of unequal sizes, workers.

Everything runs as a user runs it: a durable server, the emulator over HTTP, workers as processes.
Posts are put into the tables by SQL, because how they are planned is not what is measured.
"""

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg.rows import dict_row

from roost import store, worker
from roost.cli.demo.processes import running
from roost.models import IntegrationId, TenantId
from roost.runtime import Runtime, open_runtime
from roost.settings import Settings
from roost.store.embedded import embedded_postgres, remove_embedded
from roost.store.integrations import Identity, Tokens
from roost.store.schema import create_database, prepare_database
from roost.store.vault import make_key_line
from x_emulator.pytest_plugin import SCOPES, EmulatedX, run_emulator

#: Accounts a tenant has, fifty of them: a few large ones, many small ones.
SIZES = (220, 140, *[45] * 8, *[14] * 15, *[4] * 15, *[1] * 10)
_FAR = timedelta(days=400)


def say(text: str) -> None:
    """Progress is for the eyes: standard error."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Town:
    """What runs, and who lives there."""

    runtime: Runtime
    played: EmulatedX
    owner: psycopg.AsyncConnection[dict[str, Any]]
    """The superuser, who counts, and puts rows where the application would take long."""
    folder: Path
    tenant_of: dict[str, TenantId] = field(default_factory=dict)
    """By X's number of the account."""
    accounts: dict[TenantId, list[IntegrationId]] = field(default_factory=dict)

    async def ask(self, query: Any, *values: object) -> dict[str, Any]:
        """One row, as the superuser."""
        row = await (await self.owner.execute(query, values)).fetchone()
        assert row is not None
        return row

    async def plan(self, tenants: Sequence[TenantId], each: int, due: datetime, name: str) -> int:
        """Every account of these tenants has `each` single-text posts due then; how many."""
        planned = 0
        for round_number in range(each):
            for tenant_id in tenants:
                planned += await self.fill(
                    tenant_id, self.accounts[tenant_id], [due], f"{name} {round_number}"
                )
        await self.announce()
        return planned

    async def tidy(self) -> None:
        """Do what the server's autovacuum has done by the time such a state is old."""
        await self.owner.execute("VACUUM (ANALYZE)")

    async def announce(self) -> None:
        """Wake the dispatchers, as whoever plans a post does at commit."""
        await self.owner.execute("SELECT pg_notify('roost_due', '')")

    async def fill(
        self,
        tenant_id: TenantId,
        accounts: Sequence[IntegrationId],
        dues: Sequence[datetime],
        name: str,
    ) -> int:
        """A post for each account and time, with its part and its history's first line."""
        done = await self.owner.execute(
            _FILL,
            {"tenant": tenant_id, "accounts": list(accounts), "dues": list(dues), "name": name},
        )
        return done.rowcount

    async def server(self) -> psutil.Process:
        """PostgreSQL's first process."""
        home = Path((await self.ask("SHOW data_directory"))["data_directory"])
        return psutil.Process(int((home / "postmaster.pid").read_text().split()[0]))

    async def settled(self) -> None:
        """Return once no post that is due moves any more."""
        await self.until(_AT_REST, self.runtime.clock.now())

    async def until(self, query: Any, *values: object) -> None:
        """Return once the query says `so`."""
        while not (await self.ask(query, *values))["so"]:
            await asyncio.sleep(0.05)


_FILL = """
    WITH planned AS (
        INSERT INTO posts (tenant_id, integration_id, state, due_at)
        SELECT %(tenant)s, account, 'scheduled', due
        FROM unnest(%(accounts)s::bigint[]) AS account, unnest(%(dues)s::timestamptz[]) AS due
        RETURNING tenant_id, id, integration_id, due_at
    ), told AS (
        INSERT INTO events (tenant_id, post_id, at, to_state, reason)
        SELECT tenant_id, id, due_at - interval '1 day', 'scheduled', 'planned by the bench'
        FROM planned
    )
    INSERT INTO parts (tenant_id, post_id, integration_id, position, text, state)
    SELECT tenant_id, id, integration_id, 1, format(
        'Post %%s of %%s. It says what such posts say, and is about as long as they are.',
        id, %(name)s::text), 'pending'
    FROM planned
"""
_AT_REST = """
    SELECT NOT EXISTS (SELECT FROM posts WHERE wake_at <= %s)
       AND NOT EXISTS (SELECT FROM posts WHERE state = 'publishing') AS so
"""


@contextlib.asynccontextmanager
async def open_town(sizes: Sequence[int] = SIZES) -> AsyncIterator[Town]:
    """Start it all, connect the accounts, and leave nothing behind."""
    folder = Path(tempfile.mkdtemp(prefix="roost-bench-"))
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        stack.push_async_callback(remove_embedded, folder)
        server = await stack.enter_async_context(embedded_postgres(folder))
        await create_database(server.url("postgres"), "bench")
        await prepare_database(server.url("bench"))
        url = stack.enter_context(run_emulator("--scenario", "steady"))
        played = EmulatedX(url)
        played.reset()
        played.switch(rate_limits=False)
        settings = Settings(
            _env_file=None,
            roost_home=folder / "home",
            database_url=server.app_url("bench"),
            roost_vault_keys=make_key_line(),
            roost_x_base_url=url,
            roost_clock_url=f"{url}/_emulator/clock",
            twitter_client_id=played.app.client_id,
            twitter_client_secret=played.app.client_secret,
        )
        runtime = await stack.enter_async_context(open_runtime(settings))
        owner = await stack.enter_async_context(
            await psycopg.AsyncConnection.connect(
                f"{server.url('bench')}&application_name=bench",
                autocommit=True,
                row_factory=dict_row,
                options="-c search_path=roost",
            )
        )
        town = Town(runtime, played, owner, folder)
        for number, size in enumerate(sizes):
            await _settle(town, number, size)
        # Reading figures is not what is measured.
        await owner.execute("UPDATE integrations SET collect_due_at = collect_due_at + %s", [_FAR])
        yield town


async def _settle(town: Town, number: int, size: int) -> None:
    """A tenant and its connected accounts."""
    runtime = town.runtime
    async with runtime.database.unscoped() as transaction:
        tenant_id = await store.tenants.make(transaction, f"tenant-{number}", time_zone="UTC")
    town.accounts[tenant_id] = []
    for account in range(size):
        username = f"bench_{number}_{account}"
        user = town.played.control("users", username=username)
        grant = town.played.connect(username)
        now = runtime.clock.now()
        async with runtime.database.for_tenant(tenant_id) as transaction:
            vault = await runtime.vault.for_tenant(transaction, tenant_id)
            kept = await store.integrations.upsert(
                transaction,
                vault,
                tenant_id,
                Identity(
                    x_user_id=user["id"],
                    username=username,
                    name=username,
                    subscription_type=None,
                    environment=runtime.settings.environment,
                    client_id=town.played.app.client_id,
                    scopes=tuple(SCOPES.split()),
                ),
                Tokens(
                    grant["access_token"],
                    grant["refresh_token"],
                    now + timedelta(seconds=grant["expires_in"]),
                ),
                now=now,
            )
        town.tenant_of[user["id"]] = tenant_id
        town.accounts[tenant_id].append(kept.id)


def environment_of(settings: Settings) -> Mapping[str, str]:
    """The environment from which a child reads these settings."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("TWITTER_", "ROOST_"))}
    told = {name.upper(): str(getattr(settings, name)) for name in settings.model_fields_set}
    return plain | told


@contextlib.asynccontextmanager
async def workers(town: Town, count: int) -> AsyncIterator[list[psutil.Process]]:
    """So many `roost worker` processes, ready."""
    before = set(psutil.Process().children())
    async with contextlib.AsyncExitStack() as stack:
        for number in range(count):
            await stack.enter_async_context(
                running(
                    "worker",
                    environment=environment_of(town.runtime.settings),
                    log=town.folder / f"worker-{number}.log",
                )
            )
        engines = count * len(worker.CONCURRENCY)
        await town.until("SELECT count(*) >= %s AS so FROM procrastinate_workers", engines)
        yield [each for each in psutil.Process().children() if each not in before]
