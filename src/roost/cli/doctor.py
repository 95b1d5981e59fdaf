"""`roost doctor`: looks at everything Roost stands on and says what to do."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated

import aiohttp
from cyclopts import Parameter

from roost import store, x
from roost.account_client import open_account, update_profile
from roost.cli.command_settings import command_settings, env_file
from roost.cli.confirm import agree
from roost.cli.doctor_database import look_at_login
from roost.cli.doctor_work import account_rests, look_at_work
from roost.cli.findings import Finding, Health
from roost.cli.output import Json, actor_name, complete, say
from roost.errors import (
    DatabaseUnavailable,
    PoolerUnsupported,
    RoostError,
    SchemaOutdated,
    UnsafeDatabaseRole,
)
from roost.escaping import one_line
from roost.models import Integration, IntegrationStatus
from roost.prices import Operation, unit_usd
from roost.runtime import Runtime, open_runtime, wrap_unexpected
from roost.settings import Settings
from roost.store.away import DATABASE_AWAY
from roost.store.vault import key_file, load_keyring

_DATABASE = (DatabaseUnavailable, PoolerUnsupported, SchemaOutdated, UnsafeDatabaseRole)


def doctor(
    *,
    live: Annotated[
        bool, Parameter(negative="", help="Ask X about each account, after showing the price.")
    ] = False,
    yes: Annotated[bool, Parameter(negative="", help="Agree to the price of --live.")] = False,
    as_json: Json = False,
) -> int:
    """Look at settings, database, keys, X, each connection and what is late; say what to do."""

    async def work() -> int:
        findings = await _look(command_settings(), live, yes)
        ill = any(one.health is Health.ILL for one in findings)
        mark = {Health.WELL: "✓", Health.NOTICE: "!", Health.ILL: "✗"}
        told = "\n".join(
            one_line(f"{mark[one.health]} {one.what}: {one.told}")
            + (f"\n    → {one_line(one.next)}" if one.next else "")
            for one in findings
        )
        say({"well": not ill, "findings": findings}, told, as_json=as_json)
        return 5 if ill else 0

    return complete(work)


async def _look(settings: Settings, live: bool, yes: bool) -> list[Finding]:
    findings = [*_settings(settings), _keys(settings), await _reach(settings)]
    try:
        async with open_runtime(settings, actor=actor_name()) as runtime:
            kind = "DATABASE_URL" if settings.database_url else "embedded"
            findings.append(Finding("database", Health.WELL, f"{kind}, tables up to date"))
            findings += await look_at_login(runtime)
            findings += await _runtime(runtime, live, yes)
    except RoostError as error:
        what = "database" if isinstance(error, _DATABASE) else "start"
        findings.append(Finding(what, Health.ILL, error.message, error.next))
    return findings


def _settings(settings: Settings) -> list[Finding]:
    found = _x_app(settings)
    if env_file.get() is None and Path(".env").is_file() and Path.cwd() != settings.roost_home:
        told = "the file .env of this folder is not read: a folder may be anybody's"
        next_step = f"Where it is Roost's, move it to {settings.roost_home}, or use --env-file."
        found.append(Finding("settings file", Health.NOTICE, told, next_step))
    return found


def _x_app(settings: Settings) -> list[Finding]:
    if settings.twitter_client_id is None:
        return [
            Finding(
                "settings",
                Health.NOTICE,
                "TWITTER_CLIENT_ID is not set: no account can be connected or refreshed",
                "Set it, and TWITTER_CLIENT_SECRET, from your X app.",
            )
        ]
    told = f"X app {settings.twitter_client_id[:6]}…, callback {settings.twitter_callback_url}"
    return [Finding("settings", Health.WELL, told)]


def _keys(settings: Settings) -> Finding:
    if settings.roost_vault_keys is not None:
        return Finding("vault key", Health.WELL, "from ROOST_VAULT_KEYS")
    try:
        ring = load_keyring(settings.roost_home, None)
    except RoostError as error:
        return Finding("vault key", Health.ILL, error.message, error.next)
    if not ring:
        return Finding(
            "vault key", Health.ILL, "none is there (vault_key_missing)", "Run `roost init`."
        )
    return Finding("vault key", Health.WELL, f"from {key_file(settings.roost_home)}")


async def _reach(settings: Settings) -> Finding:
    """An unauthenticated request: any answer at all will do, and it costs nothing."""
    url = settings.roost_x_base_url
    what = f"X at {url}"
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(url, timeout=aiohttp.ClientTimeout(total=5), allow_redirects=False),
        ):
            return Finding(what, Health.WELL, "answers")
    except (aiohttp.ClientError, TimeoutError) as error:
        return Finding(
            what,
            Health.ILL,
            f"does not answer ({type(error).__name__})",
            "Check the network, or ROOST_X_BASE_URL.",
        )


async def _runtime(runtime: Runtime, live: bool, yes: bool) -> list[Finding]:
    accounts, unreadable = [], []
    for tenant_id in await store.tenants.list_ids(runtime.database):
        try:
            async with runtime.database.for_tenant(tenant_id) as transaction:
                accounts += await store.integrations.list_all(transaction)
        except DATABASE_AWAY:
            raise
        except Exception as error:
            failure = wrap_unexpected(error)
            what = f"accounts of tenant {tenant_id}"
            unreadable.append(Finding(what, Health.ILL, failure.message, failure.next))
    findings = [*unreadable, *await look_at_work(runtime, accounts)]
    if live:
        usd: Decimal = unit_usd(Operation.READ_USER) * len(accounts)
        cost = f"Asking X about {len(accounts)} accounts costs up to ${usd:.3f}."
        live = await agree(cost, yes=yes)
    for account in accounts:
        findings += [await _account(runtime, account, live), *account_rests(account, runtime)]
    if not accounts:
        findings.append(
            Finding("accounts", Health.NOTICE, "none is connected", "Run `roost connect`.")
        )
    return findings


async def _account(runtime: Runtime, account: Integration, live: bool) -> Finding:
    what = f"@{account.username}"
    if account.status is not IntegrationStatus.CONNECTED:
        return Finding(
            what, Health.ILL, f"is {account.status}", "Run `roost connect`; its posts wait."
        )
    if account.environment is not runtime.settings.environment:
        return Finding(
            what,
            Health.NOTICE,
            f"belongs to the {account.environment} X, not to {runtime.settings.roost_x_base_url}",
        )
    if account.health is not None:
        return Finding(what, Health.ILL, f"could not be read: {account.health}")
    if not live:
        return Finding(what, Health.WELL, f"connected ({account.environment})")
    try:
        user = await x.users.read_me(open_account(runtime, account))
        await update_profile(runtime, account, user)
    except RoostError as error:
        return Finding(what, Health.ILL, error.message, error.next)
    return Finding(what, Health.WELL, "X knows it and accepts its token")
