"""Alarms: what a person has to see to, one open at a time for each kind and subject."""

import logging
from datetime import datetime

from roost.models import Alarm, TenantId
from roost.store.database import Statements

log = logging.getLogger(__name__)


async def sound(
    transaction: Statements,
    tenant_id: TenantId | None,
    kind: str,
    subject: str,
    *,
    at: datetime,
    message: str,
    next: str,  # noqa: A002  as in every failure: what to do next
) -> None:
    """Tell a person, unless they have been told of this already; without a tenant, everybody."""
    told = await transaction.run_one(
        "raise_alarm",
        tenant=tenant_id,
        kind=kind,
        subject=subject,
        at=at,
        message=message,
        next=next,
    )
    if told is not None:
        log.error("alarm %s, %s: %s", kind, subject, message)


async def end(
    transaction: Statements, tenant_id: TenantId | None, kind: str, subject: str, *, at: datetime
) -> bool:
    """The cause is gone; whether there was an alarm."""
    rows = await transaction.run("end_alarm", tenant=tenant_id, kind=kind, subject=subject, at=at)
    return bool(rows)


async def list_open(transaction: Statements) -> list[Alarm]:
    """The open alarms of the tenant in sight, and everybody's, oldest first."""
    return [Alarm(**row) for row in await transaction.run("list_alarms")]
