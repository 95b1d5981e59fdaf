"""Imports content plans: schedules every valid post of a file, once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from roost import planfile, prices, store
from roost.errors import AccountNotFound, TimeTooFar
from roost.models import Integration, PostFinding, Tenant, Violation
from roost.part_validation import FileAccess, Validation
from roost.post_files import OnFileProgress
from roost.repeats import REPEAT_WINDOW, find_repeats, find_repeats_in_plan
from roost.runtime import Runtime
from roost.services.schedule.validate import (
    MAX_DUE_AHEAD,
    list_texts,
    prevent_copy_removal,
    validate_for_account,
    with_stored_texts,
)
from roost.store.database import Transaction

#: A new row whose due time is further in the past than this is refused.
_MAX_LATE: Final = timedelta(hours=1)
#: A valid post of a plan.
_ValidPost = tuple[planfile.PlannedPost, Integration, Validation]


@dataclass(frozen=True, slots=True)
class RowFinding:
    """A probable mistake in a row of a plan, which is imported all the same."""

    line: int
    """The line of the file in which the row begins, from 1."""
    finding: PostFinding


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, or would do."""

    posts: int
    """The number of posts that were scheduled, or would be in a dry run."""
    already_imported: int
    """The number of posts that an earlier import of the same rows has scheduled."""
    refused: tuple[planfile.RefusedRow, ...]
    findings: tuple[RowFinding, ...]
    """By line."""
    price: prices.Price
    """The price of the scheduled posts."""


async def import_plan(
    runtime: Runtime,
    tenant: Tenant,
    path: Path,
    *,
    dry_run: bool = False,
    on_progress: OnFileProgress | None = None,
) -> Imported:
    """Schedule every valid post of a plan; an invalid row is refused alone, with every reason.

    Importing a file again changes nothing, even if its media files are gone meanwhile. A dry run
    copies no file.
    Raises: PlanInvalid; what `validate_parts` raises.
    """
    now = runtime.clock.now()
    plan = planfile.read_plan(path, time_zone=tenant.time_zone, now=now)
    has_files = any(part.media for planned in plan.posts for part in planned.parts)
    async with prevent_copy_removal(runtime, has_files=has_files and not dry_run):
        files = FileAccess(None if dry_run else runtime.media, on_progress, within=path.parent)
        return await _import(runtime, tenant, path, plan, now, dry_run, files)


async def _import(
    runtime: Runtime,
    tenant: Tenant,
    path: Path,
    plan: planfile.Plan,
    now: datetime,
    dry_run: bool,
    files: FileAccess,
) -> Imported:
    async with runtime.database.for_tenant(tenant.id) as transaction:
        accounts = {
            account.username.lower(): account
            for account in await store.integrations.list_all(transaction)
        }
        imported_before = await store.posts.list_imported(
            transaction, [planned.key for planned in plan.posts]
        )
    refused = list(plan.refused)
    valid: list[_ValidPost] = []
    for planned in plan.posts:
        if planned.key in imported_before:
            # Its post has copies of its files, and may be published: its row is not validated.
            continue
        account = accounts.get(planned.account.lstrip("@").lower())
        if account is None:
            error = AccountNotFound(f"Tenant {tenant.name!r} has no account {planned.account}.")
            unknown = Violation(error.code, error.message, next=error.next)
            refused += planfile.refuse_post(planned, [unknown])
            continue
        if (wrong_time := _find_wrong_time(planned.due_at, now)) is not None:
            refused += planfile.refuse_post(planned, [wrong_time])
            continue
        result = await validate_for_account(runtime, tenant, account, planned.parts, files=files)
        if result.violations:
            refused += planfile.refuse_post(planned, result.violations)
        else:
            valid.append((planned, account, result))
    scheduled, already_imported = [], len(imported_before)
    async with runtime.database.for_tenant(tenant.id) as transaction:
        findings = [*_list_findings(valid), *await _find_repeats(transaction, valid)]
        for planned, account, result in valid:
            post_id = await store.posts.add(
                transaction,
                tenant.id,
                account.id,
                with_stored_texts(result),
                due_at=planned.due_at,
                now=now,
                reason=f"imported from {path.name}, line {planned.lines[0]}",
                actor=runtime.actor,
                upload_lead=runtime.settings.upload_lead,
                import_key=planned.key,
            )
            if post_id is None:
                already_imported += 1
            else:
                scheduled.append(result.price)
        if dry_run:
            await transaction.raw.rollback()
    refused.sort(key=lambda row: row.line)
    findings.sort(key=lambda row: row.line)
    return Imported(
        len(scheduled), already_imported, tuple(refused), tuple(findings),
        prices.sum_prices(scheduled),
    )  # fmt: skip


def _find_wrong_time(due_at: datetime, now: datetime) -> Violation | None:
    if due_at < now - _MAX_LATE:
        return Violation(
            "time_past",
            f"Its time was {due_at.isoformat(timespec='minutes')}.",
            next="Give it a time in the future.",
        )
    if due_at > now + MAX_DUE_AHEAD:
        return Violation(
            "time_too_far",
            f"Its time is {due_at.isoformat(timespec='minutes')}.",
            next=TimeTooFar.default_next,
        )
    return None


def _list_findings(valid: Sequence[_ValidPost]) -> list[RowFinding]:
    return [
        RowFinding(planned.lines[(one.part or 1) - 1], one)
        for planned, _, result in valid
        for one in result.findings
    ]


async def _find_repeats(transaction: Transaction, valid: Sequence[_ValidPost]) -> list[RowFinding]:
    """Find equal texts within a plan, and in other posts of its accounts at about that time."""
    if not valid:
        return []
    times = [planned.due_at for planned, _, _ in valid]
    others = await store.posts.list_texts(
        transaction,
        {account.id for _, account, _ in valid},
        since=min(times) - REPEAT_WINDOW,
        until=max(times) + REPEAT_WINDOW,
    )
    rows, found = [], []
    for planned, account, result in valid:
        texts = list_texts(result, planned.due_at)
        rows += [(account.id, line, one) for line, one in zip(planned.lines, texts, strict=True)]
        is_thread = len(texts) > 1
        found += [
            RowFinding(planned.lines[(one.part or 1) - 1], one)
            for one in find_repeats(texts, others[account.id], parts_are_numbered=is_thread)
        ]
    rows.sort(key=lambda row: row[1])
    return found + [RowFinding(line, one) for line, one in find_repeats_in_plan(rows)]
