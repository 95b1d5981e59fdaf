"""Gathers a tenant's history and has it told as a report."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

from roost import store
from roost.insights import render
from roost.insights import report as telling
from roost.models import AccountHistory, Integration, Tenant
from roost.runtime import Runtime


def period_start(now: datetime, days: int) -> datetime:
    """Where a period of whole UTC days begins that ends today: figures are told by the day."""
    first = (now.astimezone(UTC) - timedelta(days=days)).date()
    return datetime.combine(first, time(), UTC)


async def gather(
    runtime: Runtime, tenant: Tenant, integrations: Sequence[Integration], *, since: datetime
) -> list[AccountHistory]:
    """Everything measured about some accounts since an instant, and as long before it.

    The time before is what a report compares with; dollars are those since the instant.
    """
    until = runtime.clock.now() + timedelta(seconds=1)
    before = since - (until - since) - timedelta(days=1)
    histories = []
    async with runtime.database.tenant(tenant.id) as transaction:
        for integration in integrations:
            _, usd = await store.ledger.sum_up(
                transaction, integration_id=integration.id, since=since, until=until
            )
            found = await store.findings.list_anomalies(transaction, integration.id)
            posts = await store.snapshots.list_posts(
                transaction, integration.id, since=before, until=until
            )
            known = await store.snapshots.list_known(
                transaction, integration.id, {each.part_id for each in posts}, before=before
            )
            histories.append(
                AccountHistory(
                    integration=integration,
                    account=tuple(
                        await store.snapshots.list_account(
                            transaction, integration.id, since=before, until=until
                        )
                    ),
                    posts=tuple(posts),
                    known_before=known,
                    anomalies=tuple(found),
                    usd=usd,
                )
            )
    return histories


async def write_report(
    runtime: Runtime,
    tenants: Sequence[Tenant],
    *,
    account: Integration | None = None,
    days: int = 30,
) -> str:
    """The report of the last `days` as one HTML file that opens without a network.

    Of one account where it is given, else of every account of the tenants.
    """
    now = runtime.clock.now()
    since = period_start(now, days)
    histories = []
    for tenant in tenants:
        async with runtime.database.tenant(tenant.id) as transaction:
            integrations = [account] if account else await store.accounts.list_all(transaction)
        histories += await gather(runtime, tenant, integrations, since=since)
    told = telling.build_report(
        histories,
        since=since,
        until=now,
        tenant_name=", ".join(tenant.name for tenant in tenants),
        made_at=now,
    )
    return await asyncio.to_thread(render.render_html, told)
