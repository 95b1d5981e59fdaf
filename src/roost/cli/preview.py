"""`roost publish --dry-run`: shows what would happen to a post, without storing it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from roost.cli.command import exit_code
from roost.cli.next_actions import describe_next, error_as_json
from roost.cli.output import describe_finding, describe_price, print_result
from roost.cli.post_status import describe_pauses, describe_wait
from roost.errors import ReconnectNeeded, RoostError, TimePast, TimeTooFar
from roost.escaping import indented, one_line
from roost.formats import format_time
from roost.models import Integration, IntegrationStatus, Scope, Tenant
from roost.post_options import describe_options
from roost.publishing.history import describe_account_status
from roost.runtime import Runtime
from roost.services import health, queries, schedule
from roost.services.queries import AccountStatus
from roost.services.schedule import PartInput, Validation

if TYPE_CHECKING:
    from roost.cli.schemas.plans import PreviewOutput


def require_connected(account: Integration) -> None:
    """Require that the account is connected. Raises: ReconnectNeeded."""
    if account.status is not IntegrationStatus.CONNECTED:
        raise ReconnectNeeded(f"@{account.username} {describe_account_status(account.status)}.")


@dataclass(frozen=True, slots=True)
class _Preview:
    """The result of checking a post without storing it."""

    account: Integration
    due_at: datetime
    is_due: bool
    """Whether the due time has come."""
    judged: Validation
    problems: tuple[RoostError, ...]
    """Reasons to refuse the post, other than violations of X's rules."""
    status: AccountStatus
    is_other_x: bool
    """Whether the account's environment, live or emulator, is not the one of the settings."""
    worker_alive: bool


async def preview(
    runtime: Runtime,
    scope: Scope,
    tenant: Tenant,
    account: Integration,
    parts: Sequence[PartInput],
    due_at: datetime,
    *,
    as_json: bool,
) -> int:
    """Print what would happen to a post; return the exit code that publishing it would give."""
    result = await _read(runtime, scope, account, parts, due_at)
    shown = _as_json(result) if as_json else None
    print_result(shown, "\n".join(_describe(result, tenant)), as_json=as_json)
    if result.judged.violations:
        return 2
    return exit_code(result.problems[0]) if result.problems else 0


async def _read(
    runtime: Runtime,
    scope: Scope,
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
        await schedule.require_possible_due(runtime, scope, due_at)
    except (TimePast, TimeTooFar) as error:
        problems.append(error)
    return _Preview(
        account=account,
        due_at=due_at,
        is_due=due_at <= now,
        judged=await schedule.validate_for_account(runtime, scope, account, parts, due_at=due_at),
        problems=tuple(problems),
        status=await queries.get_account_status(runtime, scope, account, due_at),
        is_other_x=account.environment is not runtime.settings.environment,
        worker_alive=await health.is_worker_alive(runtime),
    )


def _describe(result: _Preview, tenant: Tenant) -> list[str]:
    judged, account, wait = result.judged, result.account, result.status.wait
    lines = []
    for order, draft in enumerate(judged.parts, 1):
        lines.append(f"part {order}: {indented(draft.text, '  ')}")
        lines += [one_line(f"  {line}") for line in describe_options(draft.options)]
    lines += [one_line(f"✗ {one.code}: {one.message} {one.next}") for one in judged.violations]
    lines += [
        one_line(f"✗ {one.code}: {one.message} {describe_next(one)}") for one in result.problems
    ]
    lines += [describe_finding(one) for one in judged.findings]
    if result.is_other_x:
        lines.append(
            f"! The account belongs to the {account.environment} environment: this Roost cannot"
            " publish its posts."
        )
    if result.status.paused_by:
        lines.append(f"! The post would wait. Paused: {describe_pauses(result.status.paused_by)}.")
    if wait is not None:
        lines.append(one_line(f"! The post {describe_wait(wait, tenant)}."))
    if not result.worker_alive:
        how = "this command would publish the post"
        if not result.is_due:
            how = "start `roost worker` first"
        lines.append(f"! No worker is alive: {how}.")
    name = f"@{account.username} ({account.environment}, {account.status.replace('_', ' ')})"
    if not (result.problems or judged.violations):
        earliest = result.due_at if wait is None else wait.until or result.due_at
        when = f"on {format_time(earliest, tenant.time_zone)}"
        if result.is_due and wait is None:
            when = "once it is resumed" if result.status.paused_by else "now"
        lines.append(one_line(f"The post would be published {when} as {name}."))
    else:
        lines.append(one_line(f"The post would be refused for {name}; nothing would be published."))
    lines.append(one_line(f"X charges {describe_price(judged.price)}."))
    return lines


def _as_json(result: _Preview) -> "PreviewOutput":
    from roost.cli.schemas.plans import PreviewOutput

    fields = {
        "parts": [draft.text for draft in result.judged.parts],
        "options": [draft.options for draft in result.judged.parts],
        "violations": result.judged.violations,
        "findings": result.judged.findings,
        "problems": [error_as_json(error) for error in result.problems],
        "account": result.account.username,
        "environment": result.account.environment,
        "status": result.account.status,
        "due_at": result.due_at,
        "paused_by": result.status.paused_by,
        "wait": result.status.wait,
        "is_other_x": result.is_other_x,
        "worker_alive": result.worker_alive,
        "price": result.judged.price,
    }
    return PreviewOutput.model_validate(fields)
