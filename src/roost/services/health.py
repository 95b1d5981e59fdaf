"""The health of an installation, as `roost doctor`, `/healthz` and the front page show it."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import aiohttp

from roost import store, x
from roost.account_client import keep_profile, open_account
from roost.errors import (
    DatabaseUnavailable,
    MediaCopyLost,
    MediaStalled,
    MediaStoreUnsafe,
    PoolerUnsupported,
    RoostError,
    SchemaOutdated,
    UnsafeDatabaseRole,
)
from roost.models import Integration, IntegrationStatus
from roost.prices import Operation, Price, price_of_reads
from roost.runtime import Runtime, from_outside
from roost.services import media_copies, monitor, pause, queries
from roost.settings import Settings
from roost.store.away import DATABASE_AWAY
from roost.store.privileges import Login, find_login
from roost.store.vault import key_file, load_ring

log = logging.getLogger(__name__)

#: Wall seconds after which `/healthz` reports a database that does not answer.
_DATABASE_TIMEOUT_S: Final = 5.0
#: Wall seconds for X's answer to a request without a token.
_X_TIMEOUT_S: Final = 5
#: Wall seconds between two checks for late posts.
_LATENESS_INTERVAL_S: Final = 30.0
#: Errors at the start that concern the database, not the data folder or a setting.
_DATABASE_ERRORS: Final = (
    DatabaseUnavailable, PoolerUnsupported, SchemaOutdated, UnsafeDatabaseRole,
)  # fmt: skip
#: Alerts about a single post: the other posts are still published.
_POST_ALERTS: Final = {"decision", "missed", "failed"}
#: Alerts that `roost doctor` shows as a check of their own.
_CHECKED_ALERTS: Final = {"late"}
#: Files that a finding names at most.
_NAMED_FILES: Final = 5


class HealthStatus(StrEnum):
    """The result of one check."""

    OK = "ok"
    WARNING = "warning"
    """It works, but an operator should know about this."""
    ERROR = "error"
    """It does not work."""


@dataclass(frozen=True, slots=True)
class HealthFinding:
    """One line of `roost doctor`."""

    what: str
    """What was checked."""
    status: HealthStatus
    message: str
    next: str = ""
    """What the operator can do; empty where nothing has to be done."""


class ServiceStatus(StrEnum):
    """Whether posts are published on time."""

    OK = "ok"
    NO_WORKER = "no_worker"
    """No worker is alive, and no post is late yet."""
    LATE = "late"
    """A post is late."""
    STOPPED = "stopped"
    """An operator or a safety check has paused everything."""
    BROKEN = "broken"
    """The database does not answer."""


@dataclass(frozen=True, slots=True)
class ServiceHealth:
    """Whether posts are published on time, and by how many workers."""

    status: ServiceStatus
    live_workers: int | None
    """None where the database does not answer."""
    oldest_due_at: datetime | None = None
    """When the oldest post was due that should be published by now; None where there is none."""
    stop_reason: str | None = None
    """Why everything is paused; None where it is not."""


async def get_service_health(runtime: Runtime) -> ServiceHealth:
    """Read the health of the service. Raises: what `store.away.DATABASE_AWAY` lists."""
    now = runtime.clock.now()
    within = timedelta(seconds=runtime.settings.roost_worker_timeout_s)
    async with runtime.database.unscoped() as transaction:
        workers = await transaction.run_one("live_workers", within=within)
        oldest_due_at = await monitor.find_oldest(runtime, transaction, now)
        pauses = await pause.find_holds(transaction)
    assert workers is not None, "an aggregate returns one row"
    status = ServiceStatus.OK if workers["n"] else ServiceStatus.NO_WORKER
    if monitor.is_late(oldest_due_at, now):
        status = ServiceStatus.LATE
    if pauses.everything:
        status = ServiceStatus.STOPPED
    return ServiceHealth(
        status, workers["n"], oldest_due_at, (pauses.why or "") if pauses.everything else None
    )


async def probe_service(runtime: Runtime) -> ServiceHealth:
    """Read the health of the service; `BROKEN` if the database does not answer within 5 s."""
    try:
        async with asyncio.timeout(_DATABASE_TIMEOUT_S):
            return await get_service_health(runtime)
    except (*DATABASE_AWAY, TimeoutError):
        return ServiceHealth(ServiceStatus.BROKEN, live_workers=None)


async def is_worker_alive(runtime: Runtime) -> bool:
    """Return whether any worker of this database has sent a heartbeat recently."""
    within = timedelta(seconds=runtime.settings.roost_worker_timeout_s)
    async with runtime.database.unscoped() as transaction:
        workers = await transaction.run_one("live_workers", within=within)
    return workers is not None and workers["n"] > 0


async def watch_lateness(runtime: Runtime) -> None:
    """Open an alert while a post is late and resolve it afterwards, until cancelled.

    Runs outside the workers: they may all have stopped.
    """
    while True:
        try:
            await monitor.check_alerts(runtime)
        except DATABASE_AWAY as error:
            log.warning("late posts cannot be checked: no database (%s)", type(error).__name__)
        await asyncio.sleep(_LATENESS_INTERVAL_S)


# --- the checks of `roost doctor` -------------------------------------------------------------


def check_settings(settings: Settings) -> list[HealthFinding]:
    """Check that an X app and a vault key are set."""
    return [_check_x_app(settings), _check_vault_key(settings)]


def _check_x_app(settings: Settings) -> HealthFinding:
    if settings.twitter_client_id is None:
        return HealthFinding(
            "settings",
            HealthStatus.WARNING,
            "TWITTER_CLIENT_ID is not set: no account can be connected or refreshed",
            "Set it, and TWITTER_CLIENT_SECRET, from your X app.",
        )
    app = f"X app {settings.twitter_client_id[:6]}…, callback {settings.twitter_callback_url}"
    return HealthFinding("settings", HealthStatus.OK, app)


def _check_vault_key(settings: Settings) -> HealthFinding:
    if settings.roost_vault_keys is not None:
        return HealthFinding("vault key", HealthStatus.OK, "from ROOST_VAULT_KEYS")
    try:
        keyring = load_ring(settings.roost_home, None)
    except RoostError as error:
        return HealthFinding("vault key", HealthStatus.ERROR, error.message, error.next)
    if not keyring:
        return HealthFinding(
            "vault key",
            HealthStatus.ERROR,
            "there is none (vault_key_missing)",
            "Run `roost init`.",
        )
    return HealthFinding("vault key", HealthStatus.OK, f"from {key_file(settings.roost_home)}")


async def check_x(settings: Settings) -> HealthFinding:
    """Check that X is reachable: any response to a request without a token, which is free."""
    url = settings.roost_x_base_url
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
            f"does not respond ({type(error).__name__})",
            "Check the network, or ROOST_X_BASE_URL.",
        )


def describe_start_failure(error: RoostError) -> HealthFinding:
    """Return the finding for an error that kept the runtime from opening."""
    what = "database" if isinstance(error, _DATABASE_ERRORS) else "start"
    return HealthFinding(what, HealthStatus.ERROR, error.message, error.next)


async def check_database(runtime: Runtime) -> list[HealthFinding]:
    """Check the database's address and the rights of the role that Roost logs in as."""
    async with runtime.database.statements(None) as transaction:
        login = await find_login(transaction.raw)
    address = "DATABASE_URL" if runtime.settings.database_url else "embedded"
    findings = [
        HealthFinding("database", HealthStatus.OK, f"{address}, tables up to date"),
        *describe_login(login),
    ]
    if runtime.settings.roost_admin_database_url is not None:
        findings.append(
            HealthFinding(
                "settings",
                HealthStatus.WARNING,
                "ROOST_ADMIN_DATABASE_URL is set here, and only `roost init` needs it",
                "Set it for that command alone: anyone who reads it can change every table.",
            )
        )
    return findings


def describe_login(login: Login) -> list[HealthFinding]:
    """Return a finding for each right that the role should not have, or one that it has none."""
    if not login.excesses:
        message = f"{login.name}, which owns nothing and sees one tenant at a time"
        return [HealthFinding("database login", HealthStatus.OK, message)]
    return [
        HealthFinding(
            "database login",
            HealthStatus.WARNING,
            f"{login.name} {each.told}",
            "Have an administrator of the database revoke that; `roost init` with"
            " ROOST_ADMIN_DATABASE_URL closes the database to other roles.",
        )
        for each in login.excesses
    ]


async def list_all_accounts(
    runtime: Runtime,
) -> tuple[list[Integration], list[HealthFinding]]:
    """Return every tenant's accounts, and a finding for each tenant that cannot be read.

    One transaction per tenant. Raises: what `store.away.DATABASE_AWAY` lists.
    """
    accounts: list[Integration] = []
    findings = []
    for tenant_id in await store.tenants.list_ids(runtime.database):
        try:
            accounts += await queries.list_accounts(runtime, tenant_id)
        except DATABASE_AWAY:
            raise
        except Exception as error:
            failure = from_outside(error)
            what = f"accounts of tenant {tenant_id}"
            findings.append(HealthFinding(what, HealthStatus.ERROR, failure.message, failure.next))
    return accounts, findings


async def check_work(runtime: Runtime, accounts: Sequence[Integration]) -> list[HealthFinding]:
    """Check workers, late posts, alerts, back-offs, stalled workers and copies of files."""
    await monitor.check_alerts(runtime)
    service = await get_service_health(runtime)
    return [
        *_describe_service(runtime, service),
        *await _check_alerts(runtime),
        *await _check_apps(runtime),
        *await _check_stalled_workers(runtime, accounts),
        await _check_media(runtime),
    ]


def _describe_service(runtime: Runtime, service: ServiceHealth) -> list[HealthFinding]:
    workers = HealthFinding("workers", HealthStatus.OK, "at least one is alive")
    if not service.live_workers:
        workers = HealthFinding(
            "workers", HealthStatus.WARNING, "none is alive", "Start `roost worker`."
        )
    findings = [workers]
    if service.stop_reason is not None:
        message = f"everything is paused: {service.stop_reason}"
        findings.append(
            HealthFinding(
                "global pause", HealthStatus.WARNING, message, "`roost resume --all` resumes it."
            )
        )
    now = runtime.clock.now()
    if service.oldest_due_at is None or not monitor.is_late(service.oldest_due_at, now):
        message = f"none is more than {monitor.LATE // timedelta(minutes=1)} min late"
        return [*findings, HealthFinding("posts", HealthStatus.OK, message)]
    message = (
        f"the oldest due post is {(now - service.oldest_due_at) // timedelta(minutes=1)} min late"
    )
    advice = "See `roost posts` and the worker's log."
    return [*findings, HealthFinding("posts", HealthStatus.ERROR, message, advice)]


async def _check_alerts(runtime: Runtime) -> list[HealthFinding]:
    return [
        HealthFinding(
            "alert" if tenant is None else f"alert of {tenant.name}",
            HealthStatus.WARNING if alert.kind in _POST_ALERTS else HealthStatus.ERROR,
            f"{alert.message} (since {alert.raised_at.isoformat(timespec='seconds')})",
            alert.next,
        )
        for tenant, alert in await monitor.list_alerts(runtime)
        if alert.kind not in _CHECKED_ALERTS
    ]


async def _check_apps(runtime: Runtime) -> list[HealthFinding]:
    now = runtime.clock.now()
    async with runtime.database.statements(None) as transaction:
        backoffs = await queries.read_app_backoffs(runtime, transaction, now)
    return [
        HealthFinding(
            f"X app {one.client_id[:6]}…",
            HealthStatus.WARNING,
            f"X accepts nothing from its accounts: {one.reason}",
            f"Roost tries again {describe_distance(one.until, now)}.",
        )
        for one in backoffs
    ]


async def _check_stalled_workers(
    runtime: Runtime, accounts: Sequence[Integration]
) -> list[HealthFinding]:
    """Locks are never broken, so an operator has to continue or end a stopped process."""
    names = {account.id: f"@{account.username}" for account in accounts}
    within = timedelta(seconds=runtime.settings.roost_worker_timeout_s)
    async with runtime.database.statements(None) as transaction:
        stalled = await store.locks.find_silent(transaction, accounts, within=within)
    return [
        HealthFinding(
            one.actor,
            HealthStatus.ERROR,
            "sends no heartbeat and holds the lock of "
            + (", ".join(names[account] for account in one.accounts) or "an account")
            + ", whose posts wait",
            "Continue the process, or end it: another worker then takes over.",
        )
        for one in stalled
    ]


async def _check_media(runtime: Runtime) -> HealthFinding:
    """Check the copies of files of unpublished posts: without them nothing can be uploaded."""
    try:
        lost = await media_copies.list_lost(runtime)
        runtime.media.require_safe()
    except (MediaStalled, MediaStoreUnsafe) as error:
        return HealthFinding("media", HealthStatus.ERROR, error.message, error.next)
    if not lost:
        return HealthFinding("media", HealthStatus.OK, "every file that a post needs is stored")
    names = ", ".join(lost[:_NAMED_FILES])
    if len(lost) > _NAMED_FILES:
        names += f" and {len(lost) - _NAMED_FILES} more"
    message = f"{len(lost)} files that posts need are not in {runtime.media.folder}: {names}"
    return HealthFinding("media", HealthStatus.ERROR, message, MediaCopyLost.default_next)


def price_live_check(accounts: Sequence[Integration]) -> Price:
    """Return what X bills at most for one user read per account."""
    return price_of_reads(Operation.READ_USER, len(accounts))


async def check_account(
    runtime: Runtime, account: Integration, *, live: bool
) -> list[HealthFinding]:
    """Check one account's connection, back-off and pause; `live` reads the user from X ($0.010)."""
    connection = _check_connection(runtime, account)
    if connection.status is HealthStatus.OK and live:
        connection = await _ask_x(runtime, account)
    return [connection, *_check_account_limits(runtime, account)]


def _check_connection(runtime: Runtime, account: Integration) -> HealthFinding:
    what = f"@{account.username}"
    if account.status is not IntegrationStatus.CONNECTED:
        advice = "Run `roost connect`; its posts wait."
        return HealthFinding(what, HealthStatus.ERROR, f"is {account.status}", advice)
    if account.environment is not runtime.settings.environment:
        message = (
            f"belongs to the {account.environment} X, not to {runtime.settings.roost_x_base_url}"
        )
        return HealthFinding(what, HealthStatus.WARNING, message)
    if account.health is not None:
        return HealthFinding(what, HealthStatus.ERROR, f"could not be read: {account.health}")
    return HealthFinding(what, HealthStatus.OK, f"connected ({account.environment})")


async def _ask_x(runtime: Runtime, account: Integration) -> HealthFinding:
    what = f"@{account.username}"
    try:
        user = await x.users.read_me(open_account(runtime, account))
        await keep_profile(runtime, account, user)
    except RoostError as error:
        return HealthFinding(what, HealthStatus.ERROR, error.message, error.next)
    return HealthFinding(what, HealthStatus.OK, "X knows it and accepts its token")


def _check_account_limits(runtime: Runtime, account: Integration) -> list[HealthFinding]:
    what, now = f"@{account.username}", runtime.clock.now()
    findings = []
    if account.rest_until is not None and account.rest_until > now:
        findings.append(
            HealthFinding(
                what,
                HealthStatus.WARNING,
                f"X accepts no post of it: {account.rest_why}",
                f"Roost tries again {describe_distance(account.rest_until, now)}.",
            )
        )
    if account.paused:
        advice = f"`roost resume --account {what}` resumes them."
        findings.append(HealthFinding(what, HealthStatus.WARNING, "its posts are paused", advice))
    return findings


def describe_distance(instant: datetime, now: datetime) -> str:
    """Return roughly how far away an instant is: `3 h ago`, `in 5 min`."""
    distance = abs(now - instant)
    amount = f"{distance // timedelta(minutes=1)} min"
    for unit, size in (("d", timedelta(days=1)), ("h", timedelta(hours=1))):
        if distance >= size:
            amount = f"{distance // size} {unit}"
            break
    return f"{amount} ago" if instant <= now else f"in {amount}"
