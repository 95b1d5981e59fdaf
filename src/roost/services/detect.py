"""Looks for what is out of the ordinary in an account's figures, and raises it once."""

import logging
from datetime import timedelta
from typing import Final

from roost import store
from roost.insights import anomalies
from roost.models import Anomaly, IntegrationId, TenantId
from roost.runtime import Runtime

log = logging.getLogger(__name__)

#: The detector looks back this far,
_LOOK_BACK: Final = timedelta(days=180)
#: and speaks of what happened since: the first days of what it sees are only its baseline.
_NEWS: Final = timedelta(days=14)


async def detect_anomalies(
    runtime: Runtime, tenant_id: TenantId, integration_id: IntegrationId
) -> list[Anomaly]:
    """Run the detectors over the account's history; the anomalies that are new."""
    now = runtime.clock.now()
    async with runtime.database.tenant(tenant_id) as transaction:
        account = await store.snapshots.list_account(
            transaction, integration_id, since=now - _LOOK_BACK, until=now + timedelta(seconds=1)
        )
        found = [
            anomaly
            for anomaly in anomalies.find_anomalies(integration_id, account)
            if anomaly.day >= (now - _NEWS).date()
        ]
        fresh = await store.findings.add_anomalies(transaction, tenant_id, found, now=now)
    for anomaly in fresh:
        log.warning("anomaly for account %s: %s on %s", integration_id, anomaly.metric, anomaly.day)
    return fresh
