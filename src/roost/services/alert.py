"""Looks for what is out of the ordinary in an account's figures, and raises it once."""

import logging
from datetime import timedelta
from typing import Final

from roost import store
from roost.house import House
from roost.insights import anomalies
from roost.models import Alert, IntegrationId, TenantId

log = logging.getLogger(__name__)

#: The detector looks back this far,
_LOOK_BACK: Final = timedelta(days=180)
#: and speaks of what happened since: the first days of what it sees are only its baseline.
_NEWS: Final = timedelta(days=14)


async def detect(house: House, tenant_id: TenantId, integration_id: IntegrationId) -> list[Alert]:
    """Run the detectors over the account's history; the alerts that are new."""
    now = house.clock.now()
    async with house.database.tenant(tenant_id) as transaction:
        account = await store.snapshots.list_account(
            transaction, integration_id, since=now - _LOOK_BACK, until=now + timedelta(seconds=1)
        )
        found = [
            alert
            for alert in anomalies.find_anomalies(integration_id, account)
            if alert.day >= (now - _NEWS).date()
        ]
        fresh = await store.findings.raise_alerts(transaction, tenant_id, found, now=now)
    for alert in fresh:
        log.warning("alert for account %s: %s on %s", integration_id, alert.metric, alert.day)
    return fresh
