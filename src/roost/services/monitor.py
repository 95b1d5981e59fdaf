"""Detects late posts without a worker, and resolves alerts that no worker resolves.

A worker resolves the alerts of its own work. This module resolves an alert if a late post was
published, cancelled or deferred, if a back-off is over and no post waits for its end, and if a
machine with a wrong clock no longer has a worker.
"""

import logging
from datetime import datetime, timedelta
from typing import Final

from roost import store
from roost.models import Alert, AlertKind, Tenant
from roost.models.alerts import SERVICE, about_app
from roost.runtime import Runtime
from roost.store.away import DATABASE_AWAY
from roost.store.database import Transaction
from roost.unexpected import wrap_unexpected

log = logging.getLogger(__name__)

#: A post that was due longer ago than this is late.
LATE: Final = timedelta(minutes=2)
#: How many characters of a worker's name are surely in its session's name, which PostgreSQL
#: truncates to 63 bytes.
_SESSION_NAME_LENGTH: Final = 39


async def get_oldest_due_at(
    runtime: Runtime, transaction: Transaction, now: datetime
) -> datetime | None:
    """Return when the oldest due post should have been published; None if no post is due.

    Only posts of this environment that are not paused count. A post that waits for X counts from
    the end of its wait.
    """
    environment = runtime.settings.environment
    row = await transaction.run_one("get_oldest_due_at", at=now, environment=environment)
    oldest: datetime | None = row["at"] if row else None
    return oldest


def is_late(due_at: datetime | None, now: datetime) -> bool:
    """Whether a post that was due at `due_at` is late. Pure."""
    return due_at is not None and now - due_at > LATE


async def check_lateness(runtime: Runtime) -> datetime | None:
    """Open or resolve the alert of late posts, and resolve alerts whose cause is gone.

    Return the due time of the oldest late post, or None if no post is late.
    """
    now = runtime.clock.now()
    async with runtime.database.unscoped() as transaction:
        await _end_idle_backoffs(runtime, transaction, now)
        await _resolve_clock_alerts(transaction, now)
        oldest = await get_oldest_due_at(runtime, transaction, now)
        if oldest is None or not is_late(oldest, now):
            await store.alerts.resolve_alert(transaction, None, AlertKind.LATE, SERVICE, at=now)
            return None
        await store.alerts.open_alert(
            transaction, None, AlertKind.LATE, SERVICE, at=now,
            detail={"due_at": oldest.isoformat(timespec="seconds")},
        )  # fmt: skip
        return oldest


async def _end_idle_backoffs(runtime: Runtime, transaction: Transaction, now: datetime) -> None:
    """End back-offs of X apps that are over, and resolve their alerts, if no post waits.

    If a post waits, its next attempt shows whether the cause of the back-off is gone.
    """
    environment = runtime.settings.environment
    for row in await transaction.run("delete_expired_backoffs", at=now, environment=environment):
        for kind in store.alerts.OF_APPS:
            subject = about_app(row["client_id"])
            await store.alerts.resolve_alert(transaction, None, kind, subject, at=now)


async def _resolve_clock_alerts(transaction: Transaction, now: datetime) -> None:
    """Resolve the clock alerts of machines without a worker, because they send nothing.

    If a worker starts on such a machine, it compares the clocks before it sends anything.
    """
    skewed = [
        alert
        for alert in await store.alerts.list_open(transaction)
        if alert.kind is AlertKind.CLOCK_SKEW
    ]
    if not skewed:
        return
    names = [row["name"] for row in await transaction.run("list_worker_names")]
    for alert in skewed:
        machine = f"{alert.subject_id}:"[:_SESSION_NAME_LENGTH]
        if not any(name.startswith(machine) for name in names):
            await store.alerts.resolve_alert(transaction, None, alert.kind, alert.subject, at=now)


async def list_alerts(runtime: Runtime) -> list[tuple[Tenant | None, Alert]]:
    """List open alerts: first those that concern all tenants, then tenant by tenant."""
    async with runtime.database.unscoped() as transaction:
        unscoped = await store.alerts.list_open(transaction)
    found: list[tuple[Tenant | None, Alert]] = [(None, alert) for alert in unscoped]
    for tenant_id in await store.tenants.list_ids(runtime.database):
        try:
            tenant = await store.tenants.get_by_id(runtime.database, tenant_id)
            async with runtime.database.for_tenant(tenant_id) as transaction:
                alerts = await store.alerts.list_open(transaction)
        except DATABASE_AWAY:
            raise
        except Exception as error:
            # If the rows of one tenant are damaged, the alerts of the others must still be listed.
            code = wrap_unexpected(error).code
            log.error("the alerts of tenant %s cannot be read (%s)", tenant_id, code)
            continue
        found += [(tenant, alert) for alert in alerts if alert not in unscoped]
    return found
