"""`roost post --dry-run`: what would become of a post, when and for how much; stores nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from roost import worker
from roost.cli.output import describe_finding, exit_code, plain, say, show_price
from roost.cli.part_options import tell_options
from roost.cli.post_status import describe_wait, local_time, tell_held
from roost.errors import ReconnectNeeded, RoostError, TimePast, TimeTooFar
from roost.escaping import indented, one_line
from roost.models import Integration, IntegrationStatus, Tenant, Wait
from roost.runtime import Runtime
from roost.services import pause, schedule
from roost.services.pause import PauseScope
from roost.services.schedule import PartInput, Validation


def require_connected(account: Integration) -> None:
    """Refuse an account that X does not let in at present. Raises: ReconnectNeeded."""
    if account.status is not IntegrationStatus.CONNECTED:
        raise ReconnectNeeded(f"@{account.username} is {account.status}.")


@dataclass(frozen=True, slots=True)
class _Preview:
    """What is known of a post that is not stored."""

    account: Integration
    due_at: datetime
    is_now: bool
    """Its time has come already."""
    judged: Validation
    problems: tuple[RoostError, ...]
    """For which it would be refused, besides what breaks X's rules."""
    held: tuple[PauseScope, ...]
    wait: Wait | None
    """X takes no post of the account, or of its app, before then."""
    is_other_x: bool
    """The account belongs to another X than the one in use."""
    worker_alive: bool


async def preview(
    runtime: Runtime,
    tenant: Tenant,
    account: Integration,
    parts: Sequence[PartInput],
    due_at: datetime,
    *,
    as_json: bool,
) -> int:
    """Say what would become of a post; the exit code that storing it would have."""
    seen = await _see(runtime, tenant, account, parts, due_at)
    say(_as_json(seen), "\n".join(_lines(seen, tenant)), as_json=as_json)
    if seen.judged.violations:
        return 2
    return exit_code(seen.problems[0]) if seen.problems else 0


async def _see(
    runtime: Runtime,
    tenant: Tenant,
    account: Integration,
    parts: Sequence[PartInput],
    due_at: datetime,
) -> _Preview:
    now = runtime.clock.now()
    problems: list[RoostError] = []
    try:
        require_connected(account)
    except ReconnectNeeded as error:
        problems.append(error)
    try:
        schedule.check_due(due_at, now)
    except (TimePast, TimeTooFar) as error:
        problems.append(error)
    judged = await schedule.validate_for_account(runtime, tenant, account, parts, due_at=due_at)
    async with runtime.database.for_tenant(account.tenant_id) as transaction:
        holds = await pause.get_pause_status(transaction)
        apps = await transaction.run(
            "list_app_backoffs", at=now, environment=runtime.settings.environment
        )
    waits = [
        Wait(row["reason"], row["until"]) for row in apps if row["client_id"] == account.client_id
    ]
    if account.backoff_until is not None and account.backoff_until > now:
        waits.append(
            Wait(account.backoff_reason or "X takes no post at present", account.backoff_until)
        )
    later = [wait for wait in waits if wait.until is not None and wait.until > due_at]
    return _Preview(
        account=account,
        due_at=due_at,
        is_now=due_at <= now,
        judged=judged,
        problems=tuple(problems),
        held=pause.active_account_pauses(account, holds),
        wait=max(later, key=lambda wait: wait.until or due_at, default=None),
        is_other_x=account.environment is not runtime.settings.environment,
        worker_alive=await worker.is_any_alive(runtime),
    )


def _lines(seen: _Preview, tenant: Tenant) -> list[str]:
    lines = []
    for order, draft in enumerate(seen.judged.parts, 1):
        lines.append(f"part {order}: {indented(draft.text, '  ')}")
        lines += [one_line(f"  {line}") for line in tell_options(draft.options)]
    lines += [one_line(f"✗ {one.code}: {one.message} {one.next}") for one in seen.judged.violations]
    lines += [one_line(f"✗ {one.code}: {one.message} {one.next}") for one in seen.problems]
    lines += [describe_finding(one) for one in seen.judged.findings]
    if seen.is_other_x:
        lines.append(f"! The account belongs to the {seen.account.environment} X: not from here.")
    if seen.held:
        lines.append(f"! It would be held back: {tell_held(seen.held)} is paused.")
    if seen.wait is not None:
        lines.append(one_line(f"! It {describe_wait(seen.wait, tenant)}."))
    if not seen.worker_alive:
        how = "this command would publish it" if seen.is_now else "start `roost worker` before then"
        lines.append(f"! No worker is alive: {how}.")
    name = f"@{seen.account.username} ({seen.account.environment}, {seen.account.status})"
    if not (seen.problems or seen.judged.violations):
        earliest = seen.due_at if seen.wait is None else seen.wait.until or seen.due_at
        when = f"at {local_time(earliest, tenant)}"
        if seen.is_now and seen.wait is None:
            when = "now"
        lines.append(one_line(f"It would be published {when} as {name}."))
    else:
        lines.append(one_line(f"It would be refused for {name}; nothing would be published."))
    lines.append(one_line(f"X charges {show_price(seen.judged.price)}."))
    return lines


def _as_json(seen: _Preview) -> dict[str, object]:
    return {
        "parts": [draft.text for draft in seen.judged.parts],
        "options": [draft.options for draft in seen.judged.parts],
        "violations": seen.judged.violations,
        "findings": seen.judged.findings,
        "problems": [error.as_dict() for error in seen.problems],
        "account": plain(seen.account),
        "due_at": seen.due_at,
        "held_by": seen.held,
        "wait": seen.wait,
        "is_other_x": seen.is_other_x,
        "worker_alive": seen.worker_alive,
        "price": seen.judged.price,
    }
