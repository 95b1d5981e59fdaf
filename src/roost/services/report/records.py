"""Loads the metrics of accounts and writes reports about them."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from roost import store
from roost.extras import require_extra
from roost.insights.read_plan import READ_UNTIL_DAYS, ReadPlan, plan_reads
from roost.insights.reports.compute import ReportRequest, compute_report
from roost.insights.reports.model import Report
from roost.insights.reports.patterns import describe_patterns
from roost.insights.reports.periods import (
    HISTORY_DAYS,
    DatePeriod,
    ReportPeriods,
    choose_periods,
)
from roost.insights.reports.report import build_report
from roost.models import (
    AccountHistory,
    AccountRecords,
    AccountSnapshot,
    Integration,
    IntegrationId,
    PartId,
    PostId,
    PostOutcome,
    PostSnapshot,
    Scope,
    SentPart,
    Spending,
    TenantId,
)
from roost.runtime import Runtime
from roost.store.database import Database, Transaction


def period_start(now: datetime, days: int) -> datetime:
    """Return the start of the first of the last `days` days in UTC, of which today is the last.

    The result is a midnight, because reports compare whole days.
    """
    first = (now.astimezone(UTC) - timedelta(days=days - 1)).date()
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
            parts = await store.reports.list_parts(
                transaction, integration.id, since=since, until=until
            )
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
                    unread=_find_unread_posts(parts, {part for part, _, _ in unread}),
                    next_read_at=_find_next_read_at(plan_reads(unread, until), collected_at),
                )
            )
    return histories


def _find_unread_posts(parts: Sequence[SentPart], unread: set[PartId]) -> tuple[datetime, ...]:
    """Return when each post was sent all of whose parts are unread. `parts` is oldest first."""
    measured = {part.post_id for part in parts if part.part_id not in unread}
    first_sent: dict[PostId, datetime] = {}
    for part in parts:
        first_sent.setdefault(part.post_id, part.sent_at)
    return tuple(at for post_id, at in first_sent.items() if post_id not in measured)


async def make_report(
    runtime: Runtime,
    scope: Scope,
    period: DatePeriod,
    *,
    account: Integration | None = None,
    groups: Mapping[str, Sequence[IntegrationId]] = MappingProxyType({}),
) -> Report:
    """Compute the report on a period from what the database has about the tenant's accounts.

    The report covers `account` if it is given, otherwise every account of the tenant, and each
    named group of accounts.
    """
    return await compute_from_records(
        runtime.database,
        scope.tenant_id,
        period,
        runtime.clock.now(),
        accounts=[account.id] if account else (),
        groups=groups,
    )


async def compute_from_records(
    database: Database,
    tenant_id: TenantId,
    period: DatePeriod,
    now: datetime,
    *,
    accounts: Sequence[IntegrationId] = (),
    groups: Mapping[str, Sequence[IntegrationId]] = MappingProxyType({}),
) -> Report:
    """Compute the report on a period, as it is at the instant `now`.

    The report covers `accounts`, or every account of the tenant if there are none, and each named
    group of accounts. The groups' accounts must be among the accounts of the report.
    """
    tenant = await store.tenants.get_by_id(database, tenant_id)
    periods = choose_periods(period, now)
    async with database.for_tenant(tenant_id) as transaction:
        records = [
            await _load_records(transaction, integration, periods, now)
            for integration in await store.integrations.list_all(transaction)
            if not accounts or integration.id in accounts
        ]
        other_spending = [
            each
            for since, until in periods.windows
            for each in await store.reports.list_spending(
                transaction, None, since=since, until=until, zone=period.zone.key
            )
        ]
    request = ReportRequest(
        tenant.name,
        period,
        now,
        groups=groups,
        other_spending=other_spending,
        has_tenant=not accounts,
    )
    return await asyncio.to_thread(compute_report, records, request)


async def _load_records(
    transaction: Transaction, integration: Integration, periods: ReportPeriods, now: datetime
) -> AccountRecords:
    """Load the records of an account for a report on some periods."""
    account: list[AccountSnapshot] = []
    parts: dict[PartId, SentPart] = {}
    snapshots: list[PostSnapshot] = []
    spending: list[Spending] = []
    outcomes: list[PostOutcome] = []
    zone = periods.current.zone.key
    for since, until in periods.windows:
        account += await store.snapshots.list_account(
            transaction, integration.id, since=since, until=until
        )
        # Posts that were sent before a window gain within it as long as they are read.
        sent_since = since - timedelta(days=READ_UNTIL_DAYS + 1)
        for part in await store.reports.list_parts(
            transaction, integration.id, since=sent_since, until=until
        ):
            parts[part.part_id] = part
        snapshots += await store.snapshots.list_posts(
            transaction, integration.id, since=since, until=until
        )
        spending += await store.reports.list_spending(
            transaction, integration.id, since=since, until=until, zone=zone
        )
        outcomes += await store.reports.list_outcomes(
            transaction, integration.id, since=since, until=until
        )
    sent = await store.snapshots.list_sent_parts(
        transaction, integration.id, since=periods.current.since
    )
    unread = [(part, at, None) for part, _, at, read_at in sent if read_at is None]
    collected_at = await store.integrations.find_next_collection_at(transaction, integration.id)
    return AccountRecords(
        integration,
        tuple(sorted(account, key=lambda each: each.at)),
        tuple(parts.values()),
        tuple(snapshots),
        tuple(spending),
        tuple(outcomes),
        tuple(await store.anomalies.list_anomalies(transaction, integration.id)),
        _find_next_read_at(plan_reads(unread, now), collected_at),
    )


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


async def list_patterns(runtime: Runtime, scope: Scope, account: Integration) -> tuple[str, ...]:
    """Return what the account's posts of the last 90 days earned, as data for a model.

    The sentences are empty if too few posts were measured.
    """
    tenant = await store.tenants.get_by_id(runtime.database, scope.tenant_id)
    zone = ZoneInfo(tenant.time_zone)
    today = runtime.clock.now().astimezone(zone).date()
    period = DatePeriod(today - timedelta(days=HISTORY_DAYS - 1), today, zone)
    report = await make_report(runtime, scope, period, account=account)
    return describe_patterns(report.subjects[-1])
