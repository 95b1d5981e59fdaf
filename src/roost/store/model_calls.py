"""Calls to language models: reservations within a tenant's caps, and what the calls have used.

A reservation that is not settled counts in full. A crash may end the process after the provider
has received the request, so a reservation never expires: an expired one could let the tenant's
calls exceed the cap.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from roost.models import TenantId
from roost.store.database import Transaction

#: The first key of the advisory locks under which calls are reserved; the second is the tenant.
_LOCK_KIND: Final = 7_067_812


@dataclass(frozen=True, slots=True)
class ModelUsage:
    """What a tenant's calls of one month have used, with the reservations of unsettled calls."""

    calls: int
    tokens: int
    usd: Decimal
    unpriced: int
    """The number of calls to models without a known price."""


async def lock_reservations(transaction: Transaction, tenant_id: TenantId) -> None:
    """Make other reservations of the tenant, in all processes, wait until the transaction ends."""
    await transaction.run("lock_model_calls", kind=_LOCK_KIND, tenant=tenant_id % 2**31)


async def get_usage(transaction: Transaction, at: datetime) -> ModelUsage:
    """Return the usage of the current tenant in the UTC month of an instant."""
    usage = await transaction.fetch_one(ModelUsage, "get_model_usage", month=_month_of(at))
    assert usage is not None
    return usage


async def reserve(
    transaction: Transaction,
    tenant_id: TenantId,
    *,
    model: str,
    at: datetime,
    tokens: int,
    usd: Decimal | None,
) -> int:
    """Add a call with the most that it can use, and return the call's id."""
    row = await transaction.run_one(
        "add_model_call",
        tenant=tenant_id, month=_month_of(at), model=model, at=at, tokens=tokens, usd=usd,
    )  # fmt: skip
    assert row is not None
    return int(row["id"])


async def settle(transaction: Transaction, call: int, tokens: int, usd: Decimal | None) -> None:
    """Record what a call has used. A second settlement of a call changes nothing."""
    await transaction.run("settle_model_call", call=call, tokens=tokens, usd=usd)


def _month_of(at: datetime) -> date:
    return at.astimezone(UTC).date().replace(day=1)
