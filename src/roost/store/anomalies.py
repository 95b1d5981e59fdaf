"""Stores and lists anomalies, which are unusual changes of metrics; each is stored once."""

from collections.abc import Sequence
from datetime import datetime

from roost.models import Anomaly, IntegrationId, TenantId
from roost.store.database import Transaction


async def add_anomalies(
    transaction: Transaction, tenant_id: TenantId, found: Sequence[Anomaly], *, now: datetime
) -> list[Anomaly]:
    """Store anomalies, and return the new ones.

    An anomaly is not stored if the same account, metric and day already has an anomaly.
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
    """Return the tenant's anomalies for one account or for all accounts, oldest day first."""
    return await transaction.fetch_all(Anomaly, "list_anomalies", integration=integration_id)
