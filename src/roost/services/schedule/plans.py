"""Imports plan files: schedules every valid post of a file, and no post twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from roost import planfile, prices, store
from roost.errors import AccountNotFound, TimeTooFar
from roost.formats import format_time
from roost.models import Integration, PostFinding, PostId, Scope, Tenant, Violation
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

#: A new row is refused if its due time is further in the past than this. Rows that were imported
#: before are skipped.
_MAX_LATE: Final = timedelta(hours=1)
#: A valid post of a plan, with its account and the result of its validation.
_ValidPost = tuple[planfile.PlannedPost, Integration, Validation]


@dataclass(frozen=True, slots=True)
class RowFinding:
    """A probable mistake in a row of a plan. The row is imported nevertheless."""

    line: int
    """The number of the line in which the row begins; the first line of the file is 1."""
    finding: PostFinding


@dataclass(frozen=True, slots=True)
class ScheduledRow:
    """A post that an import has scheduled, or that a dry run would have scheduled."""

    line: int
    """The number of the line on which its first row begins."""
    post_id: PostId | None
    """None in a dry run."""
    account: Integration
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import, or of a dry run."""

    posts: int
    """The number of posts that were scheduled, or that would have been without the dry run."""
    already_imported: int
    """The number of posts that an earlier import of the same rows has scheduled."""
    refused: tuple[planfile.RefusedRow, ...]
    findings: tuple[RowFinding, ...]
    """Findings in the order of their lines."""
    price: prices.Price
    """The price of the scheduled posts."""
    scheduled: tuple[ScheduledRow, ...] = ()
    """The posts that were scheduled, in the order of their lines."""


async def import_plan(
    runtime: Runtime,
    scope: Scope,
    path: Path,
    *,
    dry_run: bool = False,
    on_progress: OnFileProgress | None = None,
) -> Imported:
    """Schedule every valid post of a plan; refuse invalid rows and report every reason.

    A second import of a file changes nothing, even if its media files no longer exist. A dry run
    stores nothing and copies no file.
    Raises: PlanInvalid, and the errors of `validate_parts`.
    """
    now = runtime.clock.now()
    tenant = await store.tenants.get_by_id(runtime.database, scope.tenant_id)
    plan = planfile.read_plan(path, time_zone=tenant.time_zone, now=now)
    has_files = any(part.media for planned in plan.posts for part in planned.parts)
    async with prevent_copy_removal(runtime, has_files=has_files and not dry_run):
        files = FileAccess(None if dry_run else runtime.media, on_progress, within=path.parent)
        return await _import(runtime, scope, tenant, path, plan, now, files)


async def _import(
    runtime: Runtime,
    scope: Scope,
    tenant: Tenant,
    path: Path,
    plan: planfile.Plan,
    now: datetime,
    files: FileAccess,
) -> Imported:
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
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
            # The row is not validated again, because its post and the copies of its files are
            # stored already.
            continue
        account = accounts.get(planned.account.lstrip("@").lower())
        if account is None:
            error = AccountNotFound(f"Tenant {tenant.name!r} has no account {planned.account}.")
            unknown = Violation(
                error.code,
                error.message,
                next="Connect the account, or use another account in this row.",
            )
            refused += planfile.refuse_post(planned, [unknown])
            continue
        if (wrong_time := _find_wrong_time(planned.due_at, now, tenant.time_zone)) is not None:
            refused += planfile.refuse_post(planned, [wrong_time])
            continue
        result = await validate_for_account(runtime, scope, account, planned.parts, files=files)
        if result.violations:
            refused += planfile.refuse_post(planned, result.violations)
        else:
            valid.append((planned, account, result))
    is_dry_run = files.store_in is None
    scheduled: list[ScheduledRow] = []
    charged, already_imported = [], len(imported_before)
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        findings = [*_list_findings(valid), *await _find_repeats(transaction, valid)]
        for planned, account, result in valid:
            if is_dry_run:
                # A dry run does not add the post, because even a rollback would use up a post id.
                charged.append(result.price)
                scheduled.append(ScheduledRow(planned.lines[0], None, account, planned.due_at))
                continue
            post_id = await store.posts.add(
                transaction,
                scope.tenant_id,
                account.id,
                with_stored_texts(result),
                due_at=planned.due_at,
                now=now,
                detail={"file": path.name, "line": planned.lines[0]},
                actor=scope.actor,
                upload_lead=runtime.settings.upload_lead,
                import_key=planned.key,
            )
            if post_id is None:
                already_imported += 1
            else:
                charged.append(result.price)
                scheduled.append(ScheduledRow(planned.lines[0], post_id, account, planned.due_at))
    refused.sort(key=lambda row: row.line)
    findings.sort(key=lambda row: row.line)
    return Imported(
        len(scheduled), already_imported, tuple(refused), tuple(findings),
        prices.sum_prices(charged),
        tuple(sorted(scheduled, key=lambda row: row.line)),
    )  # fmt: skip


def _find_wrong_time(due_at: datetime, now: datetime, zone: str) -> Violation | None:
    if due_at < now - _MAX_LATE:
        return Violation(
            "time_past",
            f"The row's time, {format_time(due_at, zone)}, is in the past.",
            next="Use a time in the future.",
        )
    if due_at > now + MAX_DUE_AHEAD:
        return Violation(
            "time_too_far",
            f"The row's time is {format_time(due_at, zone)}.",
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
    """Return findings about the plan's texts that repeat each other or a stored post's text."""
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
