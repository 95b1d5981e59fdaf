"""Adds, lists and removes schedules of reports, and makes the reports that are due."""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from roost import store
from roost.errors import NotFound, RoostError
from roost.failpoints import ReportFailpoint, failpoint
from roost.insights.reports.schedules import DueReport, find_next, plan_report
from roost.models import (
    KeptReport,
    ReportOptions,
    ReportSchedule,
    ReportTime,
    ScheduleId,
    Scope,
    Tenant,
)
from roost.runtime import Runtime
from roost.services.report.child import MadeDocument
from roost.services.report.keep import make_document, require_options
from roost.store.kept_reports import NewReport

log = logging.getLogger(__name__)

#: The domain time before the next try if a report could not be made.
_RETRY_DELAY: Final = timedelta(minutes=10)


class ReportScheduleNotFound(NotFound):
    """The tenant has no schedule with this number."""

    default_next = "Choose a number from the list of schedules."


@dataclass(frozen=True, slots=True)
class _Planned:
    """A schedule whose report is due."""

    schedule: ReportSchedule
    report: DueReport


async def add_schedule(
    runtime: Runtime, scope: Scope, report_time: ReportTime, options: ReportOptions
) -> ReportSchedule:
    """Add a schedule. Workers make its reports; the first one at the next planned time.

    Raises: LanguageUnknown, ReportOptionsInvalid.
    """
    tenant = await store.tenants.get_by_id(runtime.database, scope.tenant_id)
    now = runtime.clock.now()
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        require_options(options, await store.integrations.list_all(transaction))
        schedule_id = await store.report_schedules.add(
            transaction,
            scope.tenant_id,
            report_time,
            options,
            environment=runtime.settings.environment,
            next_at=find_next(report_time, now, ZoneInfo(tenant.time_zone)),
            now=now,
            actor=scope.actor,
        )
        added = await store.report_schedules.find(transaction, schedule_id)
    assert added is not None
    return added


async def list_schedules(runtime: Runtime, scope: Scope) -> list[ReportSchedule]:
    """Return the tenant's schedules in the order in which they were added."""
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        return await store.report_schedules.list_all(transaction)


async def remove_schedule(runtime: Runtime, scope: Scope, schedule_id: ScheduleId) -> None:
    """End a schedule. The reports that it has made are kept. Raises: ReportScheduleNotFound."""
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        now = runtime.clock.now()
        if not await store.report_schedules.remove(transaction, schedule_id, now=now):
            raise ReportScheduleNotFound(f"There is no schedule {schedule_id}.")


async def make_scheduled_report(
    runtime: Runtime, scope: Scope, schedule_id: ScheduleId
) -> KeptReport | None:
    """Make the report of a schedule that is due; return None if none is due, or if making failed.

    The report is computed outside the transaction that keeps it. This transaction also writes the
    event and plans the next report, so that a worker that is killed at any point leaves either
    nothing or all of it. If two workers make the same report, the second one keeps nothing.
    """
    tenant = await store.tenants.get_by_id(runtime.database, scope.tenant_id)
    planned = await _plan(runtime, tenant, schedule_id)
    if planned is None:
        return None
    try:
        made = await make_document(runtime, scope, planned.report.period, planned.schedule.options)
    except RoostError as error:
        log.warning("schedule %s made no report: %s", schedule_id, error)
        await _plan_retry(runtime, scope, planned.schedule, error)
        return None
    failpoint(ReportFailpoint.BEFORE_COMMIT)
    kept = await _keep(runtime, scope, planned, made)
    failpoint(ReportFailpoint.AFTER_COMMIT)
    if kept is not None and kept.skipped:
        days = ", ".join(str(day) for day in kept.skipped)
        log.warning("schedule %s skips the periods that began on %s", schedule_id, days)
    return kept


async def _plan(runtime: Runtime, tenant: Tenant, schedule_id: ScheduleId) -> _Planned | None:
    """Return the schedule and the report to make; None if there is none to make.

    If none is due, the schedule's lease is ended, so that the next report is queued in time.
    """
    zone = ZoneInfo(tenant.time_zone)
    async with runtime.database.for_tenant(tenant.id) as transaction:
        if await store.report_schedules.lock_next_at(transaction, schedule_id) is None:
            return None
        schedule = await store.report_schedules.find(transaction, schedule_id)
        assert schedule is not None
        if schedule.environment is not runtime.settings.environment:
            return None
        due = plan_report(schedule.time, schedule.next_at, runtime.clock.now(), zone)
        if due is None:
            await store.report_schedules.set_next(
                transaction, schedule_id, schedule.next_at, failure=schedule.failure
            )
            return None
    return _Planned(schedule, due)


async def _keep(
    runtime: Runtime, scope: Scope, planned: _Planned, made: MadeDocument
) -> KeptReport | None:
    """Keep the report, unless another worker has kept it, or the schedule was removed."""
    schedule, due = planned.schedule, planned.report
    new = NewReport(
        due.period.first, due.period.last, schedule.options, made.document, schedule.id,
        due.skipped, made.narratives,
    )  # fmt: skip
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        next_at = await store.report_schedules.lock_next_at(transaction, schedule.id)
        if next_at != schedule.next_at:
            return None
        kept = await store.kept_reports.add(
            transaction, scope.tenant_id, new, now=runtime.clock.now(), actor=scope.actor
        )
        failpoint(ReportFailpoint.IN_TRANSACTION)
        await store.report_schedules.set_next(transaction, schedule.id, due.next_at)
    return kept


async def _plan_retry(
    runtime: Runtime, scope: Scope, schedule: ReportSchedule, error: RoostError
) -> None:
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        next_at = await store.report_schedules.lock_next_at(transaction, schedule.id)
        if next_at == schedule.next_at:
            await store.report_schedules.set_next(
                transaction,
                schedule.id,
                next_at,
                due_at=runtime.clock.now() + _RETRY_DELAY,
                failure=error.code,
            )
