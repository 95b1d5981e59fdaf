"""Loads the records of accounts, and computes reports from them."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from roost import store
from roost.insights.read_plan import READ_UNTIL_DAYS, find_next_read_at, plan_reads
from roost.insights.reports.compute import ReportRequest, compute_report
from roost.insights.reports.model import Report
from roost.insights.reports.patterns import describe_patterns
from roost.insights.reports.periods import (
    HISTORY_DAYS,
    DatePeriod,
    ReportPeriods,
    choose_periods,
)
from roost.models import (
    AccountRecords,
    AccountSnapshot,
    Integration,
    IntegrationId,
    PartId,
    PostOutcome,
    PostSnapshot,
    Scope,
    SentPart,
    Spending,
    TenantId,
)
from roost.runtime import Runtime
from roost.store.database import Database, Transaction


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
        find_next_read_at(plan_reads(unread, now), collected_at),
    )


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
