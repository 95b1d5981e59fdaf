"""Finds anomalies in an account's metrics, and stores each anomaly once."""

import logging
from datetime import timedelta
from typing import Final

from roost import store
from roost.insights import anomalies
from roost.models import Anomaly, IntegrationId, Scope
from roost.runtime import Runtime

log = logging.getLogger(__name__)

#: Snapshots that are older than this are not loaded.
_LOOK_BACK: Final = timedelta(days=180)
#: Anomalies of earlier days are not stored. Earlier snapshots only serve as the baseline.
_MAX_AGE: Final = timedelta(days=14)


async def detect_anomalies(
    runtime: Runtime, scope: Scope, integration_id: IntegrationId
) -> list[Anomaly]:
    """Store the anomalies of the account's last 14 days, and return the new anomalies."""
    now = runtime.clock.now()
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        snapshots = await store.snapshots.list_account(
            transaction, integration_id, since=now - _LOOK_BACK, until=now + timedelta(seconds=1)
        )
        recent = [
            anomaly
            for anomaly in anomalies.find_anomalies(integration_id, snapshots)
            if anomaly.day >= (now - _MAX_AGE).date()
        ]
        added = await store.anomalies.add_anomalies(transaction, scope.tenant_id, recent, now=now)
    for anomaly in added:
        log.warning("account %s: anomaly of %s on %s", integration_id, anomaly.metric, anomaly.day)
    return added
