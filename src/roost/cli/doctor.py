"""`roost doctor`: checks the installation and says what to do."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import Parameter

from roost.cli import env_file
from roost.cli.arguments import Json, command_settings, settings_file
from roost.cli.command import run_async
from roost.cli.confirm import confirm
from roost.cli.next_actions import describe_action
from roost.cli.output import print_result
from roost.cli.schemas.health import DoctorOutput
from roost.cli.tenant_option import make_option
from roost.errors import RoostError
from roost.escaping import one_line
from roost.formats import format_count
from roost.models import Tenant
from roost.next_actions import ActionCode, NextAction
from roost.runtime import Runtime, open_runtime
from roost.services import health, queries
from roost.services.health import HealthFinding, HealthStatus
from roost.settings import Settings
from roost.unknown_settings import find_unknown_settings

_MARKS: Final = {HealthStatus.OK: "✓", HealthStatus.WARNING: "!", HealthStatus.ERROR: "✗"}


def doctor(
    *,
    live: Annotated[
        bool, Parameter(negative="", help="Ask X about each account, after showing the price.")
    ] = False,
    yes: Annotated[bool, Parameter(negative="", help="Agree to the price of --live.")] = False,
    as_json: Json = False,
) -> int:
    """Check settings, database, keys, X, connections and late posts, and say what to do."""

    async def work() -> int:
        findings, tenants = await _check(command_settings(warn=False), live, yes)
        has_errors = any(one.status is HealthStatus.ERROR for one in findings)
        text = "\n".join(_describe(one, tenants) for one in findings)
        shown = {
            "ok": not has_errors,
            "findings": [_as_json(one, tenants) for one in findings],
        }
        print_result(DoctorOutput.model_validate(shown), text, as_json=as_json)
        return 5 if has_errors else 0

    return run_async(work)


def _describe(finding: HealthFinding, tenants: Sequence[Tenant]) -> str:
    what = finding.what
    tenant = _find_tenant(finding, tenants)
    if tenant is not None and _option(tenant, tenants):
        what += f" (tenant {tenant.name})"
    line = one_line(f"{_MARKS[finding.status]} {what}: {finding.message}")
    advice = _advice(finding, tenants)
    return f"{line}\n    → {one_line(advice)}" if advice else line


def _advice(finding: HealthFinding, tenants: Sequence[Tenant]) -> str:
    """Return what the operator can do about a finding; empty if there is nothing to do."""
    if finding.next_action is None:
        return finding.next
    tenant = _find_tenant(finding, tenants)
    return describe_action(finding.next_action, _option(tenant, tenants) if tenant else "")


def _find_tenant(finding: HealthFinding, tenants: Sequence[Tenant]) -> Tenant | None:
    return next((one for one in tenants if one.id == finding.tenant_id), None)


def _option(tenant: Tenant, tenants: Sequence[Tenant]) -> str:
    return make_option(tenant.name, is_only_tenant=len(tenants) == 1)


def _as_json(finding: HealthFinding, tenants: Sequence[Tenant]) -> dict[str, Any]:
    action, tenant = finding.next_action, _find_tenant(finding, tenants)
    return {
        "what": finding.what,
        "status": finding.status.value,
        "tenant": None if tenant is None else tenant.name,
        "post_id": finding.post_id,
        "message": finding.message,
        "next": _advice(finding, tenants),
        "next_action": None if action is None else action.to_json(),
    }


async def _check(
    settings: Settings, live: bool, yes: bool
) -> tuple[list[HealthFinding], list[Tenant]]:
    """Run every check; return the findings, and the tenants to which findings may belong."""
    findings = [
        *_check_settings_file(settings),
        *_check_names(settings),
        *health.check_settings(settings),
        await health.check_x(settings),
    ]
    tenants: list[Tenant] = []
    try:
        async with open_runtime(settings) as runtime:
            tenants = await queries.list_tenants(runtime)
            findings += await health.check_database(runtime)
            findings += await _check_runtime(runtime, live, yes)
    except RoostError as error:
        findings.append(health.describe_start_failure(error))
    return findings, tenants


def _check_names(settings: Settings) -> list[HealthFinding]:
    """Return a warning for each unknown setting, because Roost ignores unknown settings."""
    return [
        HealthFinding("settings", HealthStatus.WARNING, one.message, one.next)
        for one in find_unknown_settings(settings_file(settings.home))
    ]


def _check_settings_file(settings: Settings) -> list[HealthFinding]:
    """Return a warning if Roost ignores a `.env` in the working directory.

    Roost does not read this file, because anyone may have written it.
    """
    if env_file.get() is not None or not Path(".env").is_file():
        return []
    if Path.cwd() == settings.home:
        return []
    return [
        HealthFinding(
            "settings file",
            HealthStatus.WARNING,
            "the file .env of this folder is not read: anyone may have written it",
            f"If the file is Roost's, move it to {settings.home}, or name it with --env-file.",
        )
    ]


async def _check_runtime(runtime: Runtime, live: bool, yes: bool) -> list[HealthFinding]:
    accounts, findings = await health.list_all_accounts(runtime)
    findings += await health.check_work(runtime, accounts)
    if live:
        price = health.price_live_check(accounts)
        count = format_count(len(accounts), "account")
        cost = f"Asking X about {count} costs up to ${price.high:.3f}."
        live = await confirm(cost, yes=yes)
    for account in accounts:
        findings += await health.check_account(runtime, account, live=live)
    if not accounts:
        findings.append(
            HealthFinding(
                "accounts",
                HealthStatus.WARNING,
                "no account is connected",
                next_action=NextAction(ActionCode.CONNECT_FIRST_ACCOUNT),
            )
        )
    return findings
