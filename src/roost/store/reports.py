"""Reads what a report shows about an account besides metrics: parts, prices and outcomes."""

from datetime import datetime

from roost.models import IntegrationId, PostOutcome, SentPart, Spending
from roost.store.database import Transaction


async def list_parts(
    transaction: Transaction, integration_id: IntegrationId, *, since: datetime, until: datetime
) -> list[SentPart]:
    """Return the account's parts that were sent in a period, oldest first."""
    return await transaction.fetch_all(
        SentPart, "list_report_parts", integration=integration_id, since=since, until=until
    )


async def list_spending(
    transaction: Transaction,
    integration_id: IntegrationId | None,
    *,
    since: datetime,
    until: datetime,
    zone: str,
) -> list[Spending]:
    """Return what X billed for an account, for each day and each kind of request.

    The days begin at midnight in the time zone `zone`. If `integration_id` is None, return what X
    billed for those of the tenant's requests that belong to no account.
    """
    return await transaction.fetch_all(
        Spending,
        "list_spending",
        integration=integration_id,
        since=since,
        until=until,
        zone=zone,
    )


async def list_outcomes(
    transaction: Transaction, integration_id: IntegrationId, *, since: datetime, until: datetime
) -> list[PostOutcome]:
    """Return what happened to the account's posts that were due in a period, in due order."""
    return await transaction.fetch_all(
        PostOutcome, "list_outcomes", integration=integration_id, since=since, until=until
    )
