"""Reports that were made. A report is added with its event, in the caller's transaction."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import msgspec

from roost.models import (
    Actor,
    EventCode,
    KeptReport,
    NarrativeSource,
    ReportId,
    ReportOptions,
    ScheduleId,
    TenantId,
)
from roost.store.database import Transaction

#: The first key of the advisory locks under which reports are numbered; the second is the tenant.
_LOCK_KIND: Final = 7_067_817
#: The maximum number of reports that a list has.
_AT_MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class NewReport:
    """A report that has no number yet."""

    first_day: date
    last_day: date
    options: ReportOptions
    document: bytes
    schedule_id: ScheduleId | None = None
    skipped: tuple[date, ...] = ()
    narratives: tuple[NarrativeSource, ...] = ()


async def add(
    transaction: Transaction, tenant_id: TenantId, report: NewReport, *, now: datetime, actor: Actor
) -> KeptReport | None:
    """Add a report with the tenant's next number, and the event that the report is ready.

    Return None if the report's schedule has already made a report for the period.
    """
    await transaction.run("lock_report_numbers", kind=_LOCK_KIND, tenant=tenant_id % 2**31)
    row = await transaction.run_one(
        "add_report",
        tenant=tenant_id,
        first=report.first_day,
        last=report.last_day,
        options=msgspec.json.encode(report.options).decode(),
        document=report.document,
        narratives=msgspec.json.encode(report.narratives).decode(),
        at=now,
        actor=str(actor),
        schedule=report.schedule_id,
        skipped=list(report.skipped),
    )
    if row is None:
        return None
    detail = {
        "number": row["number"],
        "first_day": report.first_day,
        "last_day": report.last_day,
        "skipped": report.skipped,
    }
    await transaction.run(
        "add_report_event",
        tenant=tenant_id,
        report=row["id"],
        at=now,
        code=EventCode.REPORT_READY,
        detail=msgspec.json.encode(detail).decode(),
        actor=str(actor),
    )
    return KeptReport(
        ReportId(row["id"]), row["number"], report.first_day, report.last_day, report.options,
        now, str(actor), report.schedule_id, report.skipped, report.narratives,
    )  # fmt: skip


async def list_all(transaction: Transaction) -> list[KeptReport]:
    """Return the tenant's latest reports, the newest first."""
    return await transaction.fetch_all(KeptReport, "list_reports", number=None, at_most=_AT_MOST)


async def find(transaction: Transaction, number: int) -> KeptReport | None:
    """Return the report with this number; None if there is none."""
    return await transaction.fetch_one(KeptReport, "list_reports", number=number, at_most=1)


async def get_document(transaction: Transaction, report_id: ReportId) -> bytes:
    """Return the document of a report, as compressed JSON."""
    row = await transaction.run_one("get_report_document", report=report_id)
    assert row is not None, "a report is never deleted"
    return bytes(row["document"])
