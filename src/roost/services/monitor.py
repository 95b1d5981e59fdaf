"""Detects late posts without the help of a worker, and resolves alerts that no worker can.

A worker resolves the alerts of its own work. This module resolves the others: a late post that was
published, cancelled or deferred, a back-off for which no post waits, a machine without a worker.
"""

import logging
from datetime import datetime, timedelta
from typing import Final

from roost import store
from roost.models import Alert, AlertKind, Tenant
from roost.runtime import Runtime
from roost.store.away import DATABASE_AWAY
from roost.store.database import Transaction
from roost.unexpected import wrap_unexpected

log = logging.getLogger(__name__)

#: A post that is due for longer than this is late.
LATE: Final = timedelta(minutes=2)
#: How much of a worker's name its session has: PostgreSQL truncates session names to 63 bytes.
_SESSION_NAME_LENGTH: Final = 39


async def get_oldest_due_at(
    runtime: Runtime, transaction: Transaction, now: datetime
) -> datetime | None:
    """When the oldest due post of this environment should be published; None if none is due.

    Paused posts do not count. A post that waits for X counts from the end of its wait.
    """
    environment = runtime.settings.environment
    row = await transaction.run_one("get_oldest_due_at", at=now, environment=environment)
    oldest: datetime | None = row["at"] if row else None
    return oldest


def is_late(due_at: datetime | None, now: datetime) -> bool:
    """Whether a post that is due since then is late. Pure."""
    return due_at is not None and now - due_at > LATE


async def check_lateness(runtime: Runtime) -> datetime | None:
    """Open or resolve the alert of late posts, and resolve alerts without a cause.

    Returns when the oldest late post should have been published; None if no post is late.
    """
    now = runtime.clock.now()
    async with runtime.database.unscoped() as transaction:
        await _end_idle_backoffs(runtime, transaction, now)
        await _resolve_clock_alerts(transaction, now)
        oldest = await get_oldest_due_at(runtime, transaction, now)
        if oldest is None or not is_late(oldest, now):
            await store.alerts.resolve_alert(transaction, None, AlertKind.LATE, "posts", at=now)
            return None
        await store.alerts.open_alert(
            transaction, None, AlertKind.LATE, "posts", at=now,
            message=f"A post due at {oldest.isoformat(timespec='seconds')} is not published.",
            next="Check that `roost worker` runs, then run `roost doctor`.",
        )  # fmt: skip
        return oldest


async def _end_idle_backoffs(runtime: Runtime, transaction: Transaction, now: datetime) -> None:
    """Resolve the alerts of apps whose back-off is over and for which no post waits.

    If a post waits, sending it shows whether the cause is gone.
    """
    environment = runtime.settings.environment
    for row in await transaction.run("delete_expired_backoffs", at=now, environment=environment):
        for kind in store.alerts.OF_APPS:
            await store.alerts.resolve_alert(transaction, None, kind, row["client_id"], at=now)


async def _resolve_clock_alerts(transaction: Transaction, now: datetime) -> None:
    """Resolve the clock alerts of machines without a worker: they send nothing anyway.

    A worker that starts there compares the clocks first.
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
        machine = f"{alert.subject}:"[:_SESSION_NAME_LENGTH]
        if not any(name.startswith(machine) for name in names):
            await store.alerts.resolve_alert(transaction, None, alert.kind, alert.subject, at=now)


async def list_alerts(runtime: Runtime) -> list[tuple[Tenant | None, Alert]]:
    """List every open alert: first those of no tenant, then by tenant, each oldest first."""
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
            # One tenant's damaged row must not hide the alerts of the others.
            code = wrap_unexpected(error).code
            log.error("the alerts of tenant %s cannot be read (%s)", tenant_id, code)
            continue
        found += [(tenant, alert) for alert in alerts if alert not in unscoped]
    return found
