"""A workload for benchmarks: tenants of unequal sizes, PostgreSQL and the emulator.

All components run as users run them: a durable server, the emulator over HTTP, workers as
processes. Only the posts are inserted by SQL, because the benchmarks do not measure the planning of
posts.
"""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg.rows import dict_row

from fix_processes import environment_of
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

#: The number of accounts of each of fifty tenants, of which a few are large and many are small.
SIZES = (220, 140, *[45] * 8, *[14] * 15, *[4] * 15, *[1] * 10)
#: The time by which the collection of metrics is postponed, so that no benchmark includes it.
_FAR = timedelta(days=400)


@dataclass(frozen=True)
class Workload:
    """The running processes and connections, and the accounts of each tenant."""

    runtime: Runtime
    emulator: EmulatedX
    admin: psycopg.AsyncConnection[dict[str, Any]]
    """The superuser's session, for counting and for inserting many rows quickly."""
    folder: Path
    tenant_of: dict[str, TenantId] = field(default_factory=dict)
    """The tenant of each account, by the account's id on X."""
    accounts: dict[TenantId, list[IntegrationId]] = field(default_factory=dict)

    async def fetch_row(self, query: Any, *values: object) -> dict[str, Any]:
        """Return the single row of a query by the superuser."""
        row = await (await self.admin.execute(query, values)).fetchone()
        assert row is not None
        return row

    async def plan_posts(
        self, tenants: Sequence[TenantId], each: int, due_at: datetime, name: str
    ) -> int:
        """Plan `each` posts of one part for every account of these tenants; return the total."""
        planned = 0
        for round_number in range(each):
            for tenant_id in tenants:
                planned += await self.insert_posts(
                    tenant_id, self.accounts[tenant_id], [due_at], f"{name} {round_number}"
                )
        await self.notify_dispatchers()
        return planned

    async def vacuum(self) -> None:
        """Vacuum the tables, as autovacuum would have done in a database that has grown slowly."""
        await self.admin.execute("VACUUM (ANALYZE)")

    async def notify_dispatchers(self) -> None:
        """Notify the dispatchers, as the commit of a planned post does."""
        await self.admin.execute("SELECT pg_notify('roost_due', '')")

    async def insert_posts(
        self,
        tenant_id: TenantId,
        accounts: Sequence[IntegrationId],
        due_times: Sequence[datetime],
        name: str,
    ) -> int:
        """For each account and due time, insert a post with its part and its first event."""
        cursor = await self.admin.execute(
            _INSERT_POSTS,
            {
                "tenant": tenant_id,
                "accounts": list(accounts),
                "due_times": list(due_times),
                "name": name,
            },
        )
        return cursor.rowcount

    async def postgres_process(self) -> psutil.Process:
        """Return PostgreSQL's main process."""
        home = Path((await self.fetch_row("SHOW data_directory"))["data_directory"])
        return psutil.Process(int((home / "postmaster.pid").read_text().split()[0]))

    async def wait_settled(self) -> None:
        """Wait until no post is due or in progress."""
        await self.wait_until(_IS_SETTLED, self.runtime.clock.now())

    async def wait_until(self, query: Any, *values: object) -> None:
        """Run a query repeatedly until the column `done` of its only row is true."""
        while not (await self.fetch_row(query, *values))["done"]:
            await asyncio.sleep(0.05)


_INSERT_POSTS = """
    WITH planned AS (
        INSERT INTO posts (tenant_id, integration_id, state, due_at)
        SELECT %(tenant)s, account, 'scheduled', due
        FROM unnest(%(accounts)s::bigint[]) AS account, unnest(%(due_times)s::timestamptz[]) AS due
        RETURNING tenant_id, id, integration_id, due_at
    ), added_events AS (
        INSERT INTO events (tenant_id, post_id, at, code, to_state, actor)
        SELECT tenant_id, id, due_at - interval '1 day', 'post.scheduled', 'scheduled',
               'command_line bench@here'
        FROM planned
    )
    INSERT INTO parts (tenant_id, post_id, integration_id, position, text, state)
    SELECT tenant_id, id, integration_id, 1, format(
        'Post %%s of %%s. It says what such posts say, and is about as long as they are.',
        id, %(name)s::text), 'pending'
    FROM planned
"""
_IS_SETTLED = """
    SELECT NOT EXISTS (SELECT FROM posts WHERE wake_at <= %s)
       AND NOT EXISTS (SELECT FROM posts WHERE state = 'publishing') AS done
"""


@contextlib.asynccontextmanager
async def open_workload(sizes: Sequence[int] = SIZES) -> AsyncIterator[Workload]:
    """Start all processes and connect the accounts; stop and remove all of them at the end."""
    folder = Path(tempfile.mkdtemp(prefix="roost-bench-"))
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        stack.push_async_callback(remove_embedded, folder)
        server = await stack.enter_async_context(embedded_postgres(folder))
        await create_database(server.url("postgres"), "bench")
        await prepare_database(server.url("bench"))
        url = stack.enter_context(run_emulator("--scenario", "steady"))
        emulator = EmulatedX(url)
        emulator.reset()
        emulator.switch(rate_limits=False)
        settings = Settings(
            _env_file=None,
            home=folder / "home",
            database_url=server.app_url("bench"),
            vault_keys=make_key_line(),
            x_base_url=url,
            clock_url=f"{url}/_emulator/clock",
            twitter_client_id=emulator.app.client_id,
            twitter_client_secret=emulator.app.client_secret,
        )
        runtime = await stack.enter_async_context(open_runtime(settings))
        admin = await stack.enter_async_context(
            await psycopg.AsyncConnection.connect(
                f"{server.url('bench')}&application_name=bench",
                autocommit=True,
                row_factory=dict_row,
                options="-c search_path=roost",
            )
        )
        workload = Workload(runtime, emulator, admin, folder)
        for number, size in enumerate(sizes):
            await _add_tenant(workload, number, size)
        # The benchmarks do not measure the collection of metrics.
        await admin.execute("UPDATE integrations SET collect_due_at = collect_due_at + %s", [_FAR])
        yield workload


async def _add_tenant(workload: Workload, number: int, size: int) -> None:
    """Add a tenant and connect its accounts."""
    runtime = workload.runtime
    async with runtime.database.unscoped() as transaction:
        tenant_id = await store.tenants.make(transaction, f"tenant-{number}", time_zone="UTC")
    workload.accounts[tenant_id] = []
    for account in range(size):
        username = f"bench_{number}_{account}"
        user = workload.emulator.control("users", username=username)
        tokens = workload.emulator.connect(username)
        now = runtime.clock.now()
        async with runtime.database.for_tenant(tenant_id) as transaction:
            vault = await runtime.vault.for_tenant(transaction, tenant_id)
            integration = await store.integrations.upsert(
                transaction,
                vault,
                tenant_id,
                Identity(
                    x_user_id=user["id"],
                    username=username,
                    name=username,
                    subscription_type=None,
                    environment=runtime.settings.environment,
                    client_id=workload.emulator.app.client_id,
                    scopes=tuple(SCOPES.split()),
                ),
                Tokens(
                    tokens["access_token"],
                    tokens["refresh_token"],
                    now + timedelta(seconds=tokens["expires_in"]),
                ),
                now=now,
            )
        workload.tenant_of[user["id"]] = tenant_id
        workload.accounts[tenant_id].append(integration.id)


@contextlib.asynccontextmanager
async def run_workers(workload: Workload, count: int) -> AsyncIterator[list[psutil.Process]]:
    """Run `count` processes of `roost worker`, which are ready when the `with` block begins."""
    other_children = set(psutil.Process().children())
    async with contextlib.AsyncExitStack() as stack:
        for number in range(count):
            await stack.enter_async_context(
                running(
                    "worker",
                    environment=environment_of(workload.runtime.settings, wall={}),
                    log=workload.folder / f"worker-{number}.log",
                )
            )
        engines = count * len(worker.CONCURRENCY)
        await workload.wait_until(
            "SELECT count(*) >= %s AS done FROM procrastinate_workers", engines
        )
        yield [each for each in psutil.Process().children() if each not in other_children]
