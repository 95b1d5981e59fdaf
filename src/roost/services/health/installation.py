"""Checks the settings, the vault key, the connection to X and the database."""

from typing import Final

import aiohttp

from roost.connection_failures import describe_connection_failure
from roost.errors import (
    DatabaseUnavailable,
    PoolerUnsupported,
    RoostError,
    SchemaOutdated,
    UnsafeDatabaseRole,
)
from roost.next_actions import ActionCode, NextAction
from roost.runtime import Runtime
from roost.services.health.findings import HealthFinding, HealthStatus, error_finding
from roost.settings import Settings
from roost.store.privileges import Login, find_login
from roost.store.vault import key_file, load_keyring

#: Wall seconds for X's response to a request without a token.
_X_TIMEOUT_S: Final = 5
#: The features that use TWITTER_API_KEY and TWITTER_API_SECRET.
_OAUTH1_USERS: Final = "media uploads by API v1.1 and TwitterTool with OAuth 1.0a"
#: Errors at the start of a process that are caused by the database, and not by the data folder or a
#: setting.
_DATABASE_ERRORS: Final = (
    DatabaseUnavailable, PoolerUnsupported, SchemaOutdated, UnsafeDatabaseRole,
)  # fmt: skip


def check_settings(settings: Settings) -> list[HealthFinding]:
    """Check the X app, the keys of OAuth 1.0a and the vault key."""
    return [_check_x_app(settings), _check_oauth1_keys(settings), _check_vault_key(settings)]


def _check_x_app(settings: Settings) -> HealthFinding:
    if settings.twitter_client_id is None:
        return HealthFinding(
            "settings",
            HealthStatus.WARNING,
            "TWITTER_CLIENT_ID is not set: no account can be connected, and no token refreshed",
            "Set TWITTER_CLIENT_ID and TWITTER_CLIENT_SECRET to the values of your X app.",
        )
    app = f"X app {settings.twitter_client_id[:6]}…, callback {settings.twitter_callback_url}"
    return HealthFinding("settings", HealthStatus.OK, app)


def _check_oauth1_keys(settings: Settings) -> HealthFinding:
    what, names = "OAuth 1.0a keys", "TWITTER_API_KEY and TWITTER_API_SECRET"
    missing = [
        name
        for name, value in (
            ("TWITTER_API_KEY", settings.twitter_api_key),
            ("TWITTER_API_SECRET", settings.twitter_api_secret),
        )
        if not value
    ]
    if not missing:
        return HealthFinding(what, HealthStatus.OK, f"{names} are set; {_OAUTH1_USERS} use them")
    if len(missing) == 2:
        return HealthFinding(
            what,
            HealthStatus.OK,
            f"not needed unless {_OAUTH1_USERS} are used: {names} are not set",
        )
    return HealthFinding(
        what,
        HealthStatus.WARNING,
        f"{missing[0]} is not set, but the other key is: {_OAUTH1_USERS} need both keys",
        f"Set {names}, or neither of them.",
    )


def _check_vault_key(settings: Settings) -> HealthFinding:
    if settings.vault_keys is not None:
        return HealthFinding("vault key", HealthStatus.OK, "from ROOST_VAULT_KEYS")
    try:
        keyring = load_keyring(settings.home, None)
    except RoostError as error:
        return error_finding("vault key", error)
    if not keyring:
        return HealthFinding(
            "vault key",
            HealthStatus.ERROR,
            "there is no vault key (vault_key_missing)",
            next_action=NextAction(ActionCode.INITIALIZE),
        )
    return HealthFinding("vault key", HealthStatus.OK, f"from {key_file(settings.home)}")


async def check_x(settings: Settings) -> HealthFinding:
    """Check that X responds to a request. The request has no token, and X does not bill it."""
    url = settings.x_base_url
    what = f"X at {url}"
    timeout = aiohttp.ClientTimeout(total=_X_TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(url, timeout=timeout, allow_redirects=False),
        ):
            return HealthFinding(what, HealthStatus.OK, "responds")
    except (aiohttp.ClientError, TimeoutError) as error:
        return HealthFinding(
            what,
            HealthStatus.ERROR,
            f"does not respond: {describe_connection_failure(error)}",
            "Check the network, or ROOST_X_BASE_URL.",
        )


def describe_start_failure(error: RoostError) -> HealthFinding:
    """Return the finding for an error that prevented the start of the runtime."""
    what = "database" if isinstance(error, _DATABASE_ERRORS) else "start"
    return error_finding(what, error)


async def check_database(runtime: Runtime) -> list[HealthFinding]:
    """Check the database that Roost uses, and the rights of the role that Roost logs in as."""
    async with runtime.database.unscoped() as transaction:
        login = await find_login(transaction.raw)
    address = "DATABASE_URL" if runtime.settings.database_url else "embedded"
    findings = [
        HealthFinding("database", HealthStatus.OK, f"{address}, tables up to date"),
        *describe_login(login),
    ]
    if runtime.settings.admin_database_url is not None:
        findings.append(
            HealthFinding(
                "settings",
                HealthStatus.WARNING,
                "ROOST_ADMIN_DATABASE_URL is set, but only the setup of the database needs it",
                "Set it only during the setup: with its login, a person can change every table.",
            )
        )
    return findings


def describe_login(login: Login) -> list[HealthFinding]:
    """Return a warning for each right that the login should not have; if none, one OK."""
    if not login.excesses:
        message = f"{login.name}, which owns no table and sees one tenant at a time"
        return [HealthFinding("database login", HealthStatus.OK, message)]
    return [
        HealthFinding(
            "database login",
            HealthStatus.WARNING,
            f"{login.name} {each.description}",
            next_action=NextAction(ActionCode.REVOKE_RIGHTS),
        )
        for each in login.excesses
    ]
