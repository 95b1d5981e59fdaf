"""Opens, resolves and lists alerts: problems that an operator must act on.

At most one alert is open for each kind and subject.
"""

import logging
from collections.abc import Collection
from datetime import datetime
from typing import Final

from roost.models import Alert, AlertKind, Detail, Subject, TenantId
from roost.store.database import Queries
from roost.store.statements import json_of

log = logging.getLogger(__name__)

#: The kinds of alerts that a post's state causes. A change of the state therefore resolves them.
OF_POST_STATE: Final = (AlertKind.DECISION, AlertKind.MISSED, AlertKind.FAILED)
#: The kinds of alerts about an X app from which X accepts no posts. Only the alert with the latest
#: reason stays open.
OF_APPS: Final = (AlertKind.CREDITS, AlertKind.APP, AlertKind.LIMIT)
#: The kinds of alerts that are resolved when a person decides to leave the post as it is.
ACKNOWLEDGED: Final = (*OF_POST_STATE, AlertKind.POSSIBLE_DUPLICATE)


async def open_alert(
    transaction: Queries,
    tenant_id: TenantId | None,
    kind: AlertKind,
    subject: Subject,
    *,
    at: datetime,
    detail: Detail | None = None,
) -> None:
    """Open an alert, unless it is open already; without `tenant_id`, it concerns all tenants."""
    opened = await transaction.run_one(
        "open_alert",
        tenant=tenant_id,
        kind=kind,
        subject_type=subject.type,
        subject_id=subject.id,
        detail=json_of(detail or {}),
        at=at,
    )
    if opened is not None:
        log.error("alert %s, %s %s: %s", kind, subject.type, subject.id, json_of(detail or {}))


async def resolve_alert(
    transaction: Queries,
    tenant_id: TenantId | None,
    kind: AlertKind,
    subject: Subject,
    *,
    at: datetime,
) -> bool:
    """Resolve an alert whose cause is gone. Return False if no such alert was open."""
    rows = await transaction.run(
        "resolve_alert",
        tenant=tenant_id,
        kind=kind,
        subject_type=subject.type,
        subject_id=subject.id,
        at=at,
    )
    return bool(rows)


async def list_open(transaction: Queries) -> list[Alert]:
    """Return the open alerts that concern the current tenant or all tenants, oldest first."""
    return await transaction.fetch_all(Alert, "list_open_alerts")


def values_of(kinds: Collection[AlertKind]) -> list[str]:
    """Return the kinds as strings, for a parameter of an SQL statement."""
    return [kind.value for kind in kinds]
