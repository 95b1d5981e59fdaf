"""The ledger of requests to X and their prices, and the reads that X has billed to an app."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from roost import prices
from roost.models import IntegrationId, LedgerEntry, Part, TenantId
from roost.prices import Price
from roost.store import posts
from roost.store.database import Transaction


@dataclass(frozen=True, slots=True)
class _Total:
    requests: int
    usd: Decimal


async def add(
    transaction: Transaction,
    tenant_id: TenantId,
    integration_id: IntegrationId | None,
    entry: LedgerEntry,
) -> None:
    """Add one request to the ledger."""
    await transaction.run(
        "add_ledger_entry",
        tenant=tenant_id,
        integration=integration_id,
        at=entry.at,
        operation=entry.operation,
        status=entry.status,
        usd=entry.usd,
        reason=entry.reason,
    )


async def record_billed_reads(
    transaction: Transaction, client_id: str, resource: str, ids: Collection[str], day: date
) -> int:
    """Record an app's reads of resources, and return how many of these reads X bills.

    X bills a resource once per app and UTC day. Records of the app that are more than two days
    older than `day` are deleted, because nothing reads them any more.
    """
    if not ids:
        return 0
    await transaction.run(
        "delete_old_billed_reads", client_id=client_id, before=day - timedelta(days=2)
    )
    rows = await transaction.run(
        "add_billed_reads",
        client_id=client_id,
        resource=resource,
        # The ids are sorted, because two transactions that insert the same ids in different orders
        # could deadlock.
        ids=sorted(set(ids)),
        day=day,
    )
    return len(rows)


async def get_total(
    transaction: Transaction,
    *,
    integration_id: IntegrationId | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> tuple[int, Decimal]:
    """Return the number and total price (USD) of the tenant's requests.

    If `integration_id` is given, only requests of this account count.
    """
    total = await transaction.fetch_one(
        _Total, "get_ledger_total", integration=integration_id, since=since, until=until
    )
    assert total is not None
    return total.requests, total.usd


async def price_part(transaction: Transaction, integration_id: IntegrationId, part: Part) -> Price:
    """Return the price of creating a part on X.

    A reply to one of the account's own posts costs as much as a post that is not a reply, so the
    parent is looked up in the database.
    """
    parent = part.options.reply_to
    own = await posts.list_own_parts(transaction, integration_id, [parent]) if parent else ()
    return prices.price_of_part(part.text, part.options, has_media=bool(part.media), own=own)
