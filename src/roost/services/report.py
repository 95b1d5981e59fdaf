"""Loads the metrics of accounts and writes reports about them."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

from roost import store
from roost.extras import require_extra
from roost.insights.read_plan import ReadPlan, plan_reads
from roost.insights.reports.report import build_report
from roost.models import AccountHistory, Integration, Scope
from roost.runtime import Runtime


def period_start(now: datetime, days: int) -> datetime:
    """Return the start of the day that is `days` days before today, in UTC.

    The result is a midnight, because reports compare whole days.
    """
    first = (now.astimezone(UTC) - timedelta(days=days)).date()
    return datetime.combine(first, time(), UTC)


async def gather_histories(
    runtime: Runtime, scope: Scope, integrations: Sequence[Integration], *, since: datetime
) -> list[AccountHistory]:
    """Load the metrics of accounts since `since`, and of an equally long period before.

    A report compares the two periods. Only requests since `since` count in the price of a history.
    """
    until = runtime.clock.now() + timedelta(seconds=1)
    before = since - (until - since) - timedelta(days=1)
    histories = []
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
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
            sent = await store.snapshots.list_sent_parts(transaction, integration.id, since=since)
            unread = [(part, at, None) for part, _, at, read_at in sent if read_at is None]
            collected_at = await store.integrations.find_next_collection_at(
                transaction, integration.id
            )
            histories.append(
                AccountHistory(
                    integration=integration,
                    account=tuple(account),
                    posts=tuple(posts),
                    known_before=known_before,
                    anomalies=tuple(anomalies),
                    usd=usd,
                    unread=tuple(sent_at for _, sent_at, _ in unread),
                    next_read_at=_find_next_read_at(plan_reads(unread, until), collected_at),
                )
            )
    return histories


def _find_next_read_at(plan: ReadPlan, collected_at: datetime | None) -> datetime | None:
    """Return when a plan's posts are read, given the time of the account's next collection.

    A collection before the planned time reads only the account, not its posts. Return None if no
    collection is planned.
    """
    if collected_at is None or plan.due or plan.next_at is None:
        return collected_at
    return max(collected_at, plan.next_at)


async def write_report(
    runtime: Runtime,
    scopes: Sequence[Scope],
    *,
    account: Integration | None = None,
    days: int = 30,
) -> str:
    """Return the report of the last `days` days as an HTML page that loads no other file.

    The report covers `account` if it is given, otherwise every account of the tenants.
    """
    require_extra("charts", purpose="The report")
    from roost.insights.reports.html import render_html

    now = runtime.clock.now()
    since = period_start(now, days)
    histories, names = [], []
    for scope in scopes:
        tenant = await store.tenants.get_by_id(runtime.database, scope.tenant_id)
        names.append(tenant.name)
        async with runtime.database.for_tenant(scope.tenant_id) as transaction:
            integrations = [account] if account else await store.integrations.list_all(transaction)
        histories += await gather_histories(runtime, scope, integrations, since=since)
    report = build_report(
        histories,
        since=since,
        until=now,
        tenant_name=", ".join(names),
        made_at=now,
    )
    return await asyncio.to_thread(render_html, report)
