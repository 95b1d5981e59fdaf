"""Alerts: what a person has to see to, one open at a time for each kind and subject."""

import logging
from collections.abc import Collection
from datetime import datetime
from typing import Final

from roost.models import Alert, AlertKind, PostId, TenantId
from roost.store.database import Statements

log = logging.getLogger(__name__)

#: Kinds whose cause is the state of a post: they end with every change of it.
OF_POST_STATE: Final = (AlertKind.DECISION, AlertKind.MISSED, AlertKind.FAILED)
#: Kinds whose cause is that X takes nothing of an app: the one that X named last is open.
OF_APPS: Final = (AlertKind.CREDITS, AlertKind.APP, AlertKind.LIMIT)
#: Kinds that end where a person says that the post stays as it is.
ACKNOWLEDGED: Final = (*OF_POST_STATE, AlertKind.POSSIBLE_DUPLICATE)


def about_post(post_id: PostId) -> str:
    """The subject of an alert about a post."""
    return f"post {post_id}"


def about_account(integration_id: int) -> str:
    """The subject of an alert about an account, whose name may change."""
    return f"account {integration_id}"


async def open_alert(
    transaction: Statements,
    tenant_id: TenantId | None,
    kind: AlertKind,
    subject: str,
    *,
    at: datetime,
    message: str,
    next: str,  # noqa: A002  as in every failure: what to do next
) -> None:
    """Tell a person, unless they have been told of this already; without a tenant, everybody."""
    told = await transaction.run_one(
        "open_alert",
        tenant=tenant_id,
        kind=kind,
        subject=subject,
        at=at,
        message=message,
        next=next,
    )
    if told is not None:
        log.error("alert %s, %s: %s", kind, subject, message)


async def resolve_alert(
    transaction: Statements,
    tenant_id: TenantId | None,
    kind: AlertKind,
    subject: str,
    *,
    at: datetime,
) -> bool:
    """The cause is gone; whether there was an alert."""
    rows = await transaction.run(
        "resolve_alert", tenant=tenant_id, kind=kind, subject=subject, at=at
    )
    return bool(rows)


async def list_open(transaction: Statements) -> list[Alert]:
    """The open alerts of the tenant in sight, and everybody's, oldest first."""
    return [
        Alert(**row | {"kind": AlertKind(row["kind"])})
        for row in await transaction.run("list_open_alerts")
    ]


def values_of(kinds: Collection[AlertKind]) -> list[str]:
    """Kinds as the statements take them."""
    return [kind.value for kind in kinds]
