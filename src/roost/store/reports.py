"""What a report needs about one account, besides snapshots and anomalies."""

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
    """Return what X billed for an account per day of a time zone and kind of request.

    If `integration_id` is None, only the tenant's requests of no account count.
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
