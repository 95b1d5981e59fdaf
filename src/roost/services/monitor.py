"""Detects late posts even if no worker runs, and resolves alerts that workers leave open.

A worker resolves the alerts about its own work. This module resolves three other kinds of alerts:
- about late posts, when no post is late any more;
- about a back-off of an X app, when the back-off is over and no post waits for its end;
- about a wrong clock, when no worker runs on the machine with that clock.
"""

import logging
from datetime import datetime
from typing import Final

from roost import store
from roost.models import LATE_AFTER, Alert, AlertKind, Tenant
from roost.models.alerts import SERVICE, about_app
from roost.runtime import Runtime
from roost.store.availability import DATABASE_AWAY
from roost.store.database import Transaction
from roost.unexpected import to_roost_error

log = logging.getLogger(__name__)

#: A post that was due longer ago than this is late.
LATE: Final = LATE_AFTER
#: The name of a worker's database session contains the worker's name. PostgreSQL truncates the
#: session's name to 63 bytes, so only this many characters at the start of the worker's name are
#: certain to remain.
_SESSION_NAME_LENGTH: Final = 39


async def get_oldest_due_at(
    runtime: Runtime, transaction: Transaction, now: datetime
) -> datetime | None:
    """Return the due time of the oldest post that is due; None if no post is due.

    Only posts of this environment that are not paused count. The due time of a post that waits for
    X is the end of its wait.
    """
    environment = runtime.settings.environment
    row = await transaction.run_one("get_oldest_due_at", at=now, environment=environment)
    oldest: datetime | None = row["at"] if row else None
    return oldest


def is_late(due_at: datetime | None, now: datetime) -> bool:
    """Whether a post that was due at `due_at` is late. Pure."""
    return due_at is not None and now - due_at > LATE


async def check_lateness(runtime: Runtime) -> datetime | None:
    """Open or resolve the alert about late posts, and resolve alerts whose cause is gone.

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
    """Delete the expired back-offs of X apps, and resolve the alerts about these back-offs.

    While a post waits for the end of a back-off, the back-off is kept: the post's next attempt will
    show whether the cause of the back-off is gone.
    """
    environment = runtime.settings.environment
    for row in await transaction.run("delete_expired_backoffs", at=now, environment=environment):
        for kind in store.alerts.OF_APPS:
            subject = about_app(row["client_id"])
            await store.alerts.resolve_alert(transaction, None, kind, subject, at=now)


async def _resolve_clock_alerts(transaction: Transaction, now: datetime) -> None:
    """Resolve the alerts about wrong clocks of machines on which no worker runs.

    Without a worker, a machine sends nothing. A worker that starts on the machine compares the
    clocks before it sends anything.
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
            code = to_roost_error(error).code
            log.error("the alerts of tenant %s cannot be read (%s)", tenant_id, code)
            continue
        found += [(tenant, alert) for alert in alerts if alert not in unscoped]
    return found
