"""Kept reports have a number and one event; a schedule makes one report per period."""

import asyncio
from datetime import date, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from fix_emulator import Emulator
from fix_publishing import Publisher
from fix_runtime import connect_account, make_tenant, scope_of
from roost import store
from roost.insights.reports.periods import choose_period
from roost.insights.reports.rendering import Form
from roost.models import (
    AccountGroup,
    AccountSnapshot,
    Cadence,
    ComparedPeriods,
    IntegrationId,
    KeptReport,
    Metric,
    ReportBrand,
    ReportOptions,
    ReportSchedule,
    ReportTime,
)
from roost.services import report
from roost.services.report import ReportNotFound, ReportOptionsInvalid, ReportScheduleNotFound
from roost.services.tenant import set_report_brand
from roost.store.kept_reports import NewReport

_OPTIONS = ReportOptions()
MONDAY_8 = ReportTime(Cadence.WEEKLY, 0, time(8))


async def make(publisher: Publisher, options: ReportOptions = _OPTIONS) -> KeptReport:
    period = choose_period(publisher.runtime.clock.now(), ZoneInfo("UTC"), days=7)
    return await report.make_kept_report(publisher.runtime, publisher.scope, period, options)


async def ready_events(publisher: Publisher) -> list[dict[str, Any]]:
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        rows = await transaction.raw.execute(
            "SELECT detail FROM events WHERE code = 'report.ready' ORDER BY id"
        )
        return [detail for (detail,) in await rows.fetchall()]


@pytest.fixture
async def weekly(publisher: Publisher) -> ReportSchedule:
    """A weekly schedule whose first report is due on the next Monday at 08:00."""
    await publisher.set_next_collection(publisher.runtime.clock.now() + timedelta(days=4000))
    return await report.add_schedule(publisher.runtime, publisher.scope, MONDAY_8, ReportOptions())


async def test_report_gets_the_tenants_next_number_and_one_event(
    publisher: Publisher, emulator: Emulator
) -> None:
    first, second = await make(publisher), await make(publisher)
    other = await make_tenant(publisher.runtime, "acme")
    await connect_account(publisher.runtime, other, emulator, "otherbooks")
    period = choose_period(publisher.runtime.clock.now(), ZoneInfo("UTC"))
    third = await report.make_kept_report(
        publisher.runtime, scope_of(other), period, ReportOptions()
    )
    assert (first.number, second.number, third.number) == (1, 2, 1)
    assert [event["number"] for event in await ready_events(publisher)] == [1, 2]
    listed = await report.list_reports(publisher.runtime, publisher.scope)
    assert listed == [second, first]


async def test_reports_made_at_once_have_different_numbers(publisher: Publisher) -> None:
    made = await asyncio.gather(*(make(publisher) for _ in range(3)))
    assert sorted(each.number for each in made) == [1, 2, 3]


async def test_kept_report_does_not_change(publisher: Publisher) -> None:
    brand = ReportBrand(title="Before")
    await set_report_brand(publisher.runtime, publisher.scope, brand)
    await make(publisher)
    before = await report.render_report(publisher.runtime, publisher.scope, 1, Form.JSON)
    brand = ReportBrand(title="After")
    await set_report_brand(publisher.runtime, publisher.scope, brand)
    await publisher.schedule("New")
    await publisher.run_due_jobs()
    await publisher.emulator.jump(hours=48)
    after = await report.render_report(publisher.runtime, publisher.scope, 1, Form.JSON)
    assert after == before
    assert b'"title": "Before"' in after.files["report.json"]


async def test_stored_report_can_be_neither_changed_nor_deleted(publisher: Publisher) -> None:
    await make(publisher)
    for statement in ("UPDATE reports SET number = 7", "DELETE FROM reports"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
                await transaction.raw.execute(statement.encode())


async def test_report_with_an_account_of_another_tenant_is_refused(publisher: Publisher) -> None:
    wrong = IntegrationId(int(publisher.account.id) + 1)
    for options in (
        ReportOptions(accounts=(wrong,)),
        ReportOptions(groups=(AccountGroup("a", (wrong,)),)),
    ):
        with pytest.raises(ReportOptionsInvalid):
            await make(publisher, options)
    assert await report.list_reports(publisher.runtime, publisher.scope) == []


@pytest.mark.parametrize("compare", list(ComparedPeriods))
async def test_report_has_only_the_comparisons_that_were_asked_for(
    compare: ComparedPeriods, publisher: Publisher
) -> None:
    now = publisher.runtime.clock.now()
    instants = [now - timedelta(days=days) for days in (*range(18), *range(365, 383))]
    for at in instants:
        await store.snapshots.ensure_partitions(publisher.runtime.database, at)
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        for at in instants:
            snapshot = AccountSnapshot(publisher.account.id, at, {Metric.FOLLOWERS: 10})
            await store.snapshots.add_account(transaction, publisher.tenant.id, snapshot)
    await make(publisher, ReportOptions(compare=compare))
    made = await report.render_report(publisher.runtime, publisher.scope, 1, Form.JSON)
    content = made.files["report.json"]
    both = ComparedPeriods.BOTH
    assert (b"@previous" in content) == (compare in (both, ComparedPeriods.PREVIOUS))
    assert (b"@year_before" in content) == (compare in (both, ComparedPeriods.YEAR))


async def test_unknown_report_and_schedule_are_not_found(publisher: Publisher) -> None:
    with pytest.raises(ReportNotFound):
        await report.render_report(publisher.runtime, publisher.scope, 1, Form.JSON)
    with pytest.raises(ReportScheduleNotFound):
        await report.remove_schedule(publisher.runtime, publisher.scope, 1)  # type: ignore[arg-type]


async def test_schedule_makes_its_report_when_due(
    publisher: Publisher, weekly: ReportSchedule
) -> None:
    await publisher.run_due_jobs()
    assert await report.list_reports(publisher.runtime, publisher.scope) == []
    await publisher.move_clock_to(weekly.next_at)
    await publisher.run_due_jobs()
    await publisher.run_due_jobs()
    (made,) = await report.list_reports(publisher.runtime, publisher.scope)
    assert made.schedule_id == weekly.id
    assert made.last_day == weekly.next_at.date() - timedelta(days=1)
    assert made.last_day - made.first_day == timedelta(days=6)
    (planned,) = await report.list_schedules(publisher.runtime, publisher.scope)
    assert planned.next_at == weekly.next_at + timedelta(days=7)
    assert await ready_events(publisher) == [
        {
            "number": 1,
            "first_day": str(made.first_day),
            "last_day": str(made.last_day),
            "skipped": [],
        }
    ]


async def test_schedule_makes_one_report_if_two_workers_make_it(
    publisher: Publisher, weekly: ReportSchedule
) -> None:
    await publisher.move_clock_to(weekly.next_at)
    runtime, scope = publisher.runtime, publisher.scope
    made = await asyncio.gather(
        *(report.make_scheduled_report(runtime, scope, weekly.id) for _ in range(3))
    )
    assert sum(each is not None for each in made) == 1
    assert len(await report.list_reports(runtime, scope)) == len(await ready_events(publisher)) == 1


async def test_database_refuses_a_second_report_of_a_schedule_for_a_period(
    publisher: Publisher, weekly: ReportSchedule
) -> None:
    day = date(2026, 11, 2)
    new = NewReport(day, day, ReportOptions(), b"", weekly.id)
    added = []
    for _ in range(2):
        async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
            now = publisher.runtime.clock.now()
            added.append(
                await store.kept_reports.add(
                    transaction, publisher.tenant.id, new, now=now, actor=publisher.scope.actor
                )
            )
    assert added[0] is not None
    assert added[1] is None
    assert len(await ready_events(publisher)) == 1


async def test_missed_reports_are_skipped_and_named(
    publisher: Publisher, weekly: ReportSchedule
) -> None:
    await publisher.move_clock_to(weekly.next_at + timedelta(days=16))
    await publisher.run_due_jobs()
    (made,) = await report.list_reports(publisher.runtime, publisher.scope)
    monday = weekly.next_at.date()
    assert made.first_day == monday + timedelta(days=7)
    assert made.skipped == (monday - timedelta(days=7), monday)
    (event,) = await ready_events(publisher)
    assert event["skipped"] == [str(day) for day in made.skipped]


async def test_removed_schedule_makes_no_report_and_its_reports_stay(
    publisher: Publisher, weekly: ReportSchedule
) -> None:
    await publisher.move_clock_to(weekly.next_at)
    await publisher.run_due_jobs()
    await report.remove_schedule(publisher.runtime, publisher.scope, weekly.id)
    await publisher.move_clock_to(weekly.next_at + timedelta(days=7))
    await publisher.run_due_jobs()
    (made,) = await report.list_reports(publisher.runtime, publisher.scope)
    assert made.schedule_id == weekly.id


async def test_schedule_tries_again_after_a_failure(
    publisher: Publisher, weekly: ReportSchedule, admin_url: str
) -> None:
    await publisher.move_clock_to(weekly.next_at)
    # The report cannot be made, because Roost has no language "x".
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(
            """UPDATE roost.report_schedules SET options = options || '{"language":"x"}'"""
        )
    await publisher.run_due_jobs()
    (failed,) = await report.list_schedules(publisher.runtime, publisher.scope)
    assert (failed.failure, failed.next_at) == ("language_unknown", weekly.next_at)
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(
            """UPDATE roost.report_schedules SET options = options || '{"language":"en"}'"""
        )
    await publisher.run_due_jobs()
    assert await report.list_reports(publisher.runtime, publisher.scope) == []
    await publisher.move_clock_to(weekly.next_at + timedelta(minutes=10))
    await publisher.run_due_jobs()
    (made,) = await report.list_reports(publisher.runtime, publisher.scope)
    (schedule,) = await report.list_schedules(publisher.runtime, publisher.scope)
    assert (schedule.failure, made.schedule_id) == (None, weekly.id)


async def test_schedule_follows_the_tenants_time_zone(publisher: Publisher, admin_url: str) -> None:
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute("UPDATE roost.tenants SET time_zone = 'Asia/Tokyo'")
    added = await report.add_schedule(publisher.runtime, publisher.scope, MONDAY_8, ReportOptions())
    local = added.next_at.astimezone(ZoneInfo("Asia/Tokyo"))
    assert (local.weekday(), local.time()) == (0, time(8))
