"""Checks from outside the worker whether posts go out in time, and ends alerts nobody else can end.

A worker ends the alerts of what it does. What ends without a worker is found here: a late post that
is out, cancelled or waiting, a back-off for which no post waits, a machine without a worker.
"""

import logging
from datetime import datetime, timedelta
from typing import Final

from roost import store
from roost.models import Alert, AlertKind, Tenant
from roost.runtime import Runtime, from_outside
from roost.store.away import DATABASE_AWAY
from roost.store.database import Transaction

log = logging.getLogger(__name__)

#: A post that is due longer than this and not out is late.
LATE: Final = timedelta(minutes=2)
#: PostgreSQL cuts a session's name off at 63 bytes: so much is left of a worker's name.
_KNOWN_OF_NAME: Final = 39


async def find_oldest(runtime: Runtime, transaction: Transaction, now: datetime) -> datetime | None:
    """Since when the oldest due post of this X should be out; None where none is due.

    What somebody has paused is not asked about, nor what waits for X: it should be out after that.
    """
    environment = runtime.settings.environment
    row = await transaction.run_one("get_oldest_due_at", at=now, environment=environment)
    oldest: datetime | None = row["at"] if row else None
    return oldest


def is_late(oldest: datetime | None, now: datetime) -> bool:
    """Whether a post that was due then is late. Pure."""
    return oldest is not None and now - oldest > LATE


async def check_alerts(runtime: Runtime) -> datetime | None:
    """Open or end the alert of late posts, and end those of which the cause is gone.

    Since when the oldest late post should be out; None where none is late.
    """
    now = runtime.clock.now()
    async with runtime.database.unscoped() as transaction:
        await _end_idle_backoffs(runtime, transaction, now)
        await _end_clock_alerts(transaction, now)
        oldest = await find_oldest(runtime, transaction, now)
        if oldest is None or not is_late(oldest, now):
            await store.alerts.resolve_alert(transaction, None, AlertKind.LATE, "posts", at=now)
            return None
        await store.alerts.open_alert(
            transaction, None, AlertKind.LATE, "posts", at=now,
            message=f"A post that was due at {oldest.isoformat(timespec='seconds')} is not out.",
            next="See that `roost worker` runs, then `roost doctor`.",
        )  # fmt: skip
        return oldest


async def _end_idle_backoffs(runtime: Runtime, transaction: Transaction, now: datetime) -> None:
    """An app whose back-off is over is tried by its next post; without one, nothing waits."""
    environment = runtime.settings.environment
    for row in await transaction.run("delete_expired_backoffs", at=now, environment=environment):
        for kind in store.alerts.OF_APPS:
            await store.alerts.resolve_alert(transaction, None, kind, row["client_id"], at=now)


async def _end_clock_alerts(transaction: Transaction, now: datetime) -> None:
    """A machine on which no worker runs any more sends nothing anyway: its clock does not matter.

    A worker that starts there compares the clock before anything else.
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
        machine = f"{alert.subject}:"[:_KNOWN_OF_NAME]
        if not any(name.startswith(machine) for name in names):
            await store.alerts.resolve_alert(transaction, None, alert.kind, alert.subject, at=now)


async def list_alerts(runtime: Runtime) -> list[tuple[Tenant | None, Alert]]:
    """Every open alert, oldest first within its tenant; first those that concern everybody."""
    async with runtime.database.unscoped() as transaction:
        everybodys = await store.alerts.list_open(transaction)
    found: list[tuple[Tenant | None, Alert]] = [(None, alert) for alert in everybodys]
    for tenant_id in await store.tenants.list_ids(runtime.database):
        try:
            tenant = await store.tenants.get_by_id(runtime.database, tenant_id)
            async with runtime.database.for_tenant(tenant_id) as transaction:
                alerts = await store.alerts.list_open(transaction)
        except DATABASE_AWAY:
            raise
        except Exception as error:
            # One tenant's damaged row must not hide the alerts of the others.
            code = from_outside(error).code
            log.error("the alerts of tenant %s cannot be read (%s)", tenant_id, code)
            continue
        found += [(tenant, alert) for alert in alerts if alert not in everybodys]
    return found
