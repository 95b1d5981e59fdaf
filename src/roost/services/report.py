"""Load what was measured about accounts and write reports on it."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

from roost import store
from roost.extras import require_extra
from roost.insights.reports.report import build_report
from roost.models import AccountHistory, Integration, Tenant
from roost.runtime import Runtime


def period_start(now: datetime, days: int) -> datetime:
    """Return the midnight UTC `days` before today, because metrics are kept per UTC day."""
    first = (now.astimezone(UTC) - timedelta(days=days)).date()
    return datetime.combine(first, time(), UTC)


async def gather_histories(
    runtime: Runtime, tenant: Tenant, integrations: Sequence[Integration], *, since: datetime
) -> list[AccountHistory]:
    """Load what was measured about accounts since an instant, and for the same time before it.

    A report compares with the time before. The dollars are those billed since the instant.
    """
    until = runtime.clock.now() + timedelta(seconds=1)
    before = since - (until - since) - timedelta(days=1)
    histories = []
    async with runtime.database.for_tenant(tenant.id) as transaction:
        for integration in integrations:
            _, usd = await store.ledger.get_total(
                transaction, integration_id=integration.id, since=since, until=until
            )
            anomalies = await store.anomalies.list_anomalies(transaction, integration.id)
            posts = await store.snapshots.list_posts(
                transaction, integration.id, since=before, until=until
            )
            known_before = await store.snapshots.list_known_metrics(
                transaction, integration.id, {each.part_id for each in posts}, before=before
            )
            account = await store.snapshots.list_account(
                transaction, integration.id, since=before, until=until
            )
            histories.append(
                AccountHistory(
                    integration=integration,
                    account=tuple(account),
                    posts=tuple(posts),
                    known_before=known_before,
                    anomalies=tuple(anomalies),
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
    """Return the report on the last `days` as one HTML file that needs no network.

    It covers `account` if one is passed, otherwise every account of the tenants.
    """
    require_extra("charts", purpose="The report")
    from roost.insights.reports.html import render_html

    now = runtime.clock.now()
    since = period_start(now, days)
    histories = []
    for tenant in tenants:
        async with runtime.database.for_tenant(tenant.id) as transaction:
            integrations = [account] if account else await store.integrations.list_all(transaction)
        histories += await gather_histories(runtime, tenant, integrations, since=since)
    report = build_report(
        histories,
        since=since,
        until=now,
        tenant_name=", ".join(tenant.name for tenant in tenants),
        made_at=now,
    )
    return await asyncio.to_thread(render_html, report)
