"""Anomalies: unusual values of metrics, each stored once."""

from collections.abc import Sequence
from datetime import datetime

from roost.models import Anomaly, IntegrationId, TenantId
from roost.store.database import Transaction


async def add_anomalies(
    transaction: Transaction, tenant_id: TenantId, found: Sequence[Anomaly], *, now: datetime
) -> list[Anomaly]:
    """Store anomalies and return the new ones.

    One of the same account, metric and day is known already and is not stored again.
    """
    new = []
    for each in found:
        row = await transaction.run_one(
            "add_anomaly",
            tenant=tenant_id,
            integration=each.integration_id,
            metric=each.metric,
            day=each.day,
            score=each.score,
            observed=each.observed,
            expected=each.expected,
            message=each.message,
            at=now,
        )
        if row is not None:
            new.append(each)
    return new


async def list_anomalies(
    transaction: Transaction, integration_id: IntegrationId | None = None
) -> list[Anomaly]:
    """The tenant's anomalies, of one account or all, by day."""
    return await transaction.fetch_all(Anomaly, "list_anomalies", integration=integration_id)
