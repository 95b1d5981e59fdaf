"""Alerts: what the detectors found, each once."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from roost.models import Anomaly, IntegrationId, Metric, TenantId
from roost.store.database import Transaction
from roost.store.tables import anomalies


async def add_anomalies(
    transaction: Transaction, tenant_id: TenantId, found: Sequence[Anomaly], *, now: datetime
) -> list[Anomaly]:
    """Keep alerts; those known already (same account, metric and day) are not raised again.

    Returns the new ones.
    """
    if not found:
        return []
    rows = [
        {
            "tenant_id": tenant_id,
            "integration_id": one.integration_id,
            "metric": one.metric,
            "day": one.day,
            "score": one.score,
            "observed": one.observed,
            "expected": one.expected,
            "message": one.message,
            "raised_at": now,
        }
        for one in found
    ]
    written = await transaction.sql.execute(
        insert(anomalies)
        .values(rows)
        .on_conflict_do_nothing(index_elements=["integration_id", "metric", "day"])
        .returning(anomalies.c.integration_id, anomalies.c.metric, anomalies.c.day)
    )
    fresh = {tuple(row) for row in written}
    return [one for one in found if (one.integration_id, one.metric, one.day) in fresh]


async def list_anomalies(
    transaction: Transaction, integration_id: IntegrationId | None = None
) -> list[Anomaly]:
    """The tenant's alerts, of one account or all, oldest day first."""
    wanted = select(anomalies).order_by(anomalies.c.day, anomalies.c.id)
    if integration_id is not None:
        wanted = wanted.where(anomalies.c.integration_id == integration_id)
    rows = await transaction.sql.execute(wanted)
    return [
        Anomaly(
            integration_id=row["integration_id"],
            metric=Metric(row["metric"]),
            day=row["day"],
            score=row["score"],
            observed=row["observed"],
            expected=row["expected"],
            message=row["message"],
        )
        for row in rows.mappings()
    ]
