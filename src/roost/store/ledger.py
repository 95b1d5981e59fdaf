"""Every X request with what X bills for it, and which reads an app has paid for today."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import delete, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from roost.models import IntegrationId, LedgerEntry, TenantId
from roost.store.database import Transaction
from roost.store.tables import billed_reads, ledger


async def add(
    transaction: Transaction,
    tenant_id: TenantId,
    integration_id: IntegrationId | None,
    entry: LedgerEntry,
) -> None:
    """Write one request."""
    await transaction.sql.execute(
        insert(ledger).values(
            tenant_id=tenant_id,
            integration_id=integration_id,
            at=entry.at,
            operation=entry.operation,
            status=entry.status,
            usd=entry.usd,
            reason=entry.reason,
        )
    )


async def count_fresh(
    transaction: Transaction, client_id: str, resource: str, ids: Collection[str], day: date
) -> int:
    """How many of these resources the app has not paid for this UTC day; they count as paid now.

    What it has paid for on days before yesterday is forgotten: nothing asks for it again.
    """
    if not ids:
        return 0
    old = day - timedelta(days=2)
    await transaction.sql.execute(
        delete(billed_reads).where(billed_reads.c.client_id == client_id, billed_reads.c.day < old)
    )
    rows = [
        {"client_id": client_id, "resource": resource, "resource_id": one, "day": day}
        for one in sorted(set(ids))
    ]
    written = await transaction.sql.execute(
        upsert(billed_reads).values(rows).on_conflict_do_nothing().returning(billed_reads.c.day)
    )
    return len(written.all())


async def sum_up(
    transaction: Transaction,
    *,
    integration_id: IntegrationId | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> tuple[int, Decimal]:
    """Requests and dollars of the tenant in sight, of one account or all."""
    wanted = select(func.count(), func.coalesce(func.sum(ledger.c.usd), 0))
    if integration_id is not None:
        wanted = wanted.where(ledger.c.integration_id == integration_id)
    if since is not None:
        wanted = wanted.where(ledger.c.at >= since)
    if until is not None:
        wanted = wanted.where(ledger.c.at < until)
    count, usd = (await transaction.sql.execute(wanted)).one()
    return count, Decimal(usd)
