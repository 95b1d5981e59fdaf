"""A private PostgreSQL, a runtime on it, and the report on a planned world."""

import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from harness.report_oracle.rows import StoredWorld, store_world
from harness.report_oracle.worlds import PlannedWorld
from roost import store
from roost.insights.reports.model import Report
from roost.insights.reports.periods import DatePeriod
from roost.models import Actor, ActorKind, IntegrationId, Scope, TenantId
from roost.runtime import Runtime, open_runtime
from roost.services import report
from roost.settings import Settings
from roost.store.embedded import embedded_postgres, remove_embedded
from roost.store.schema import create_database, prepare_database
from roost.store.vault import make_key_line


@dataclass(frozen=True)
class FixedClock:
    """A clock that shows one instant."""

    instant: datetime
    is_wall_time = False

    def now(self) -> datetime:
        """Return the instant."""
        return self.instant

    async def sleep_until(self, instant: datetime) -> None:
        """Return at once if the instant has passed. No report waits for another instant."""
        assert instant <= self.instant


@dataclass(frozen=True)
class ReportDatabase:
    """The superuser's session, in which the oracle runs, and Roost's runtime."""

    admin: psycopg.Connection[Any]
    runtime: Runtime

    def store(self, planned: PlannedWorld) -> StoredWorld:
        """Store the rows of a world."""
        return store_world(self.admin, planned)

    async def make_report(self, planned: PlannedWorld, stored: StoredWorld) -> Report:
        """Return the report on a stored world."""
        runtime = replace(self.runtime, clock=FixedClock(planned.now))
        scope = Scope(TenantId(stored.tenant), Actor(ActorKind.COMMAND_LINE, "bench@here"))
        account = None
        if planned.has_one_account:
            async with runtime.database.for_tenant(scope.tenant_id) as transaction:
                account = await store.integrations.get(
                    transaction, IntegrationId(stored.accounts[0])
                )
        return await report.make_report(
            runtime,
            scope,
            DatePeriod(planned.first, planned.last, planned.zone),
            account=account,
            groups={
                name: [IntegrationId(each) for each in ids]
                for name, ids in groups_of(planned, stored).items()
            },
        )


def groups_of(planned: PlannedWorld, stored: StoredWorld) -> dict[str, tuple[int, ...]]:
    """Return the named groups of accounts of a world's report."""
    if not planned.has_groups or planned.has_one_account:
        return {}
    return {"Shops": stored.accounts[:2], "Everyone": stored.accounts}


@contextlib.asynccontextmanager
async def open_report_database() -> AsyncIterator[ReportDatabase]:
    """Start a server with a migrated database, and remove the server at the end."""
    folder = Path(tempfile.mkdtemp(prefix="roost-report-"))
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        stack.push_async_callback(remove_embedded, folder)
        server = await stack.enter_async_context(embedded_postgres(folder, durable=False))
        await create_database(server.url("postgres"), "bench")
        await prepare_database(server.url("bench"))
        settings = Settings(
            _env_file=None,
            home=folder / "home",
            database_url=server.app_url("bench"),
            vault_keys=make_key_line(),
            twitter_client_id="app",
        )
        runtime = await stack.enter_async_context(open_runtime(settings))
        admin = stack.enter_context(
            psycopg.Connection.connect(
                server.url("bench"), options="-c search_path=roost -c timezone=UTC"
            )
        )
        yield ReportDatabase(admin, runtime)
