"""Imports content plans: every valid post of a file goes on the calendar, once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from roost import planfile, prices, store
from roost.errors import AccountNotFound, TimeTooFar
from roost.models import Integration, PostFinding, Tenant, Violation
from roost.post_files import OnFileProgress
from roost.repeats import REPEAT_WINDOW, find_repeats, find_repeats_in_plan
from roost.runtime import Runtime
from roost.services.schedule.judging import (
    FARTHEST,
    Judged,
    PlainPart,
    accepting,
    judge_for,
    list_said,
    new_parts,
)
from roost.store.database import Transaction

#: A new row that is later than this was not meant to go out now.
_LATE: Final = timedelta(hours=1)
#: A post of a plan that breaks no rule.
_Sound = tuple[planfile.PlannedPost, Integration, Judged]


@dataclass(frozen=True, slots=True)
class RowFinding:
    """What is probably not meant in a row of a plan that goes in all the same."""

    line: int
    """Where the row begins in the file, counted from 1."""
    finding: PostFinding


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, or would do."""

    posts: int
    """Posts that were scheduled (in a dry run: that would be)."""
    known: int
    """Posts that an earlier import of the same rows had brought already."""
    refused: tuple[planfile.RefusedRow, ...]
    findings: tuple[RowFinding, ...]
    """By line."""
    price: prices.Price
    """Of what was scheduled."""


async def import_plan(
    runtime: Runtime,
    tenant: Tenant,
    path: Path,
    *,
    dry_run: bool = False,
    on_progress: OnFileProgress | None = None,
) -> Imported:
    """Schedule every valid post of a plan; a wrong row is refused alone, with every reason.

    Importing the same file again changes nothing, also where its files are gone meanwhile; a dry
    run copies no file. Raises: PlanInvalid; what `judge` raises.
    """
    now = runtime.clock.now()
    plan = planfile.read_plan(path, time_zone=tenant.time_zone, now=now)
    has_files = any(part.media for planned in plan.posts for part in planned.parts)
    async with accepting(runtime, has_files=has_files and not dry_run):
        return await _import(runtime, tenant, path, plan, now, dry_run, on_progress)


async def _import(
    runtime: Runtime,
    tenant: Tenant,
    path: Path,
    plan: planfile.Plan,
    now: datetime,
    dry_run: bool,
    on_progress: OnFileProgress | None,
) -> Imported:
    async with runtime.database.for_tenant(tenant.id) as transaction:
        accounts = {
            account.username.lower(): account
            for account in await store.integrations.list_all(transaction)
        }
        brought_before = await store.posts.list_imported(
            transaction, [planned.key for planned in plan.posts]
        )
    refused = list(plan.refused)
    sound: list[_Sound] = []
    for planned in plan.posts:
        if planned.key in brought_before:
            # Its post has copies of its files, and may be out: nothing here is of concern any more.
            continue
        account = accounts.get(planned.account.lstrip("@").lower())
        if account is None:
            error = AccountNotFound(f"Tenant {tenant.name!r} has no account {planned.account}.")
            unknown = Violation(error.code, error.message, next=error.next)
            refused += planfile.refuse_post(planned, [unknown])
            continue
        if planned.due_at < now - _LATE:
            past = Violation(
                "time_past",
                f"Its time was {planned.due_at.isoformat(timespec='minutes')}.",
                next="Give it a time to come.",
            )
            refused += planfile.refuse_post(planned, [past])
            continue
        if planned.due_at > now + FARTHEST:
            far = Violation(
                "time_too_far",
                f"Its time is {planned.due_at.isoformat(timespec='minutes')}.",
                next=TimeTooFar.default_next,
            )
            refused += planfile.refuse_post(planned, [far])
            continue
        parts = [PlainPart(part.text, part.media, part.options) for part in planned.parts]
        judged = await judge_for(
            runtime,
            tenant,
            account,
            parts,
            store_in=None if dry_run else runtime.media,
            on_progress=on_progress,
            within=path.parent,
        )
        if judged.violations:
            refused += planfile.refuse_post(planned, judged.violations)
        else:
            sound.append((planned, account, judged))
    brought, known = [], len(brought_before)
    async with runtime.database.for_tenant(tenant.id) as transaction:
        findings = [*_lints(sound), *await _repeats(transaction, sound)]
        for planned, account, judged in sound:
            post_id = await store.posts.add(
                transaction,
                tenant.id,
                account.id,
                new_parts(judged),
                due_at=planned.due_at,
                now=now,
                reason=f"imported from {path.name}, line {planned.lines[0]}",
                actor=runtime.actor,
                upload_lead=runtime.settings.upload_lead,
                import_key=planned.key,
            )
            if post_id is None:
                known += 1
            else:
                brought.append(judged.price)
        if dry_run:
            await transaction.raw.rollback()
    refused.sort(key=lambda row: row.line)
    findings.sort(key=lambda row: row.line)
    return Imported(
        len(brought), known, tuple(refused), tuple(findings), prices.sum_prices(brought)
    )


def _lints(sound: Sequence[_Sound]) -> list[RowFinding]:
    return [
        RowFinding(planned.lines[(one.part or 1) - 1], one)
        for planned, _, judged in sound
        for one in judged.findings
    ]


async def _repeats(transaction: Transaction, sound: Sequence[_Sound]) -> list[RowFinding]:
    """What a plan says twice, or what its accounts say already at about the same time."""
    if not sound:
        return []
    times = [planned.due_at for planned, _, _ in sound]
    others = await store.posts.list_texts(
        transaction,
        {account.id for _, account, _ in sound},
        since=min(times) - REPEAT_WINDOW,
        until=max(times) + REPEAT_WINDOW,
    )
    rows, found = [], []
    for planned, account, judged in sound:
        said = list_said(judged, planned.due_at)
        rows += [(account.id, line, one) for line, one in zip(planned.lines, said, strict=True)]
        is_thread = len(said) > 1
        found += [
            RowFinding(planned.lines[(one.part or 1) - 1], one)
            for one in find_repeats(said, others[account.id], parts_are_numbered=is_thread)
        ]
    rows.sort(key=lambda row: row[1])
    return found + [RowFinding(line, one) for line, one in find_repeats_in_plan(rows)]
