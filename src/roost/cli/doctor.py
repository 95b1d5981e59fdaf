"""`roost doctor`: checks the installation and says what to do."""

from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import Parameter

from roost.cli import env_file
from roost.cli.arguments import Json, command_settings
from roost.cli.command import run_async
from roost.cli.confirm import confirm
from roost.cli.next_actions import describe_action
from roost.cli.output import print_result
from roost.errors import RoostError
from roost.escaping import one_line
from roost.formats import format_count
from roost.next_actions import ActionCode, NextAction
from roost.runtime import Runtime, open_runtime
from roost.services import health
from roost.services.health import HealthFinding, HealthStatus
from roost.settings import Settings

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
        findings = await _check(command_settings(), live, yes)
        has_errors = any(one.status is HealthStatus.ERROR for one in findings)
        text = "\n".join(
            one_line(f"{_MARKS[one.status]} {one.what}: {one.message}")
            + (f"\n    → {one_line(advice)}" if (advice := _advice(one)) else "")
            for one in findings
        )
        shown = [_as_json(one) for one in findings]
        print_result({"ok": not has_errors, "findings": shown}, text, as_json=as_json)
        return 5 if has_errors else 0

    return run_async(work)


def _advice(finding: HealthFinding) -> str:
    """Return what the operator can do about a finding; empty if there is nothing to do."""
    return finding.next if finding.next_action is None else describe_action(finding.next_action)


def _as_json(finding: HealthFinding) -> dict[str, Any]:
    action = finding.next_action
    return {
        "what": finding.what,
        "status": finding.status,
        "message": finding.message,
        "next": _advice(finding),
        "next_action": None if action is None else action.to_json(),
    }


async def _check(settings: Settings, live: bool, yes: bool) -> list[HealthFinding]:
    findings = [
        *_check_settings_file(settings),
        *health.check_settings(settings),
        await health.check_x(settings),
    ]
    try:
        async with open_runtime(settings) as runtime:
            findings += await health.check_database(runtime)
            findings += await _check_runtime(runtime, live, yes)
    except RoostError as error:
        findings.append(health.describe_start_failure(error))
    return findings


def _check_settings_file(settings: Settings) -> list[HealthFinding]:
    """Warn that a `.env` in the working directory is ignored: anyone may have written it."""
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
