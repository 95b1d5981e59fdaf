"""Stores and reads the schedules by which workers make reports."""

from datetime import datetime
from typing import Any

import msgspec

from roost.models import (
    Actor,
    Cadence,
    Environment,
    ReportOptions,
    ReportSchedule,
    ReportTime,
    ScheduleId,
    TenantId,
)
from roost.store.database import Transaction


async def add(
    transaction: Transaction,
    tenant_id: TenantId,
    time: ReportTime,
    options: ReportOptions,
    *,
    environment: Environment,
    next_at: datetime,
    now: datetime,
    actor: Actor,
) -> ScheduleId:
    """Add a schedule whose first report is planned for `next_at`."""
    row = await transaction.run_one(
        "add_report_schedule",
        tenant=tenant_id,
        environment=environment,
        cadence=time.cadence,
        day=time.day,
        local_time=time.local_time,
        options=msgspec.json.encode(options).decode(),
        next_at=next_at,
        at=now,
        actor=str(actor),
    )
    assert row is not None
    await transaction.run("announce_due")
    return ScheduleId(row["id"])


async def list_all(transaction: Transaction) -> list[ReportSchedule]:
    """Return the tenant's schedules in the order in which they were added."""
    return [
        _to_schedule(row) for row in await transaction.run("list_report_schedules", schedule=None)
    ]


async def find(transaction: Transaction, schedule_id: ScheduleId) -> ReportSchedule | None:
    """Return a schedule; None if there is none, or if it was removed."""
    row = await transaction.run_one("list_report_schedules", schedule=schedule_id)
    return None if row is None else _to_schedule(row)


def _to_schedule(row: dict[str, Any]) -> ReportSchedule:
    return ReportSchedule(
        ScheduleId(row["id"]),
        Environment(row["environment"]),
        ReportTime(Cadence(row["cadence"]), row["day"], row["local_time"]),
        msgspec.convert(row["options"], ReportOptions),
        row["next_at"],
        row["failure"],
        row["created_at"],
        row["created_by"],
    )


async def lock_next_at(transaction: Transaction, schedule_id: ScheduleId) -> datetime | None:
    """Lock a schedule until the transaction ends, and return when its next report is planned.

    Return None if there is no such schedule, or if it was removed.
    """
    row = await transaction.run_one("lock_report_schedule", schedule=schedule_id)
    return None if row is None else row["next_at"]


async def set_next(
    transaction: Transaction,
    schedule_id: ScheduleId,
    next_at: datetime,
    *,
    due_at: datetime | None = None,
    failure: str | None = None,
) -> None:
    """Plan a schedule's next report for `next_at`. The caller must have locked the schedule.

    `due_at` is the time at which the job is queued; the default is `next_at`. After a failure,
    `due_at` is the time of the retry, and `failure` is the error's code.
    """
    await transaction.run(
        "set_next_report", schedule=schedule_id, next_at=next_at, due_at=due_at or next_at,
        failure=failure,
    )  # fmt: skip


async def remove(transaction: Transaction, schedule_id: ScheduleId, *, now: datetime) -> bool:
    """Remove a schedule. Return False if it does not exist, or was removed before."""
    row = await transaction.run_one("remove_report_schedule", schedule=schedule_id, at=now)
    return row is not None
