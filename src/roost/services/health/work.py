"""Checks of workers, late posts, alerts, back-offs, copies of files and accounts."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from roost import store, x
from roost.account_client import open_account, update_profile
from roost.errors import MediaCopyLost, MediaStalled, MediaStoreUnsafe, RoostError
from roost.models import Integration, IntegrationStatus
from roost.prices import Operation, Price, price_of_reads
from roost.runtime import Runtime
from roost.services import media_copies, monitor, queries
from roost.services.health.findings import HealthFinding, HealthStatus, describe_distance
from roost.services.health.service import ServiceHealth, get_service_health
from roost.store.away import DATABASE_AWAY
from roost.unexpected import wrap_unexpected

#: Alerts about a single post: the other posts are still published.
_POST_ALERTS: Final = {"decision", "missed", "failed"}
#: Alerts that `roost doctor` shows as a check of their own.
_CHECKED_ALERTS: Final = {"late"}
#: Files that a finding names at most.
_NAMED_FILES: Final = 5


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
            failure = wrap_unexpected(error)
            what = f"accounts of tenant {tenant_id}"
            findings.append(HealthFinding(what, HealthStatus.ERROR, failure.message, failure.next))
    return accounts, findings


async def check_work(runtime: Runtime, accounts: Sequence[Integration]) -> list[HealthFinding]:
    """Check workers, late posts, alerts, back-offs, stalled workers and copies of files."""
    await monitor.check_lateness(runtime)
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
    async with runtime.database.unscoped() as transaction:
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
    within = runtime.settings.worker_timeout
    async with runtime.database.unscoped() as transaction:
        stalled = await store.locks.find_stale_holders(transaction, accounts, within=within)
    return [
        HealthFinding(
            one.worker,
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
        lost = await media_copies.list_missing(runtime)
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
    """Check one account's connection, back-off and pause.

    With `live`, X is asked for the user, which it bills ($0.010).
    """
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
        message = f"belongs to the {account.environment} X, not to {runtime.settings.x_base_url}"
        return HealthFinding(what, HealthStatus.WARNING, message)
    if account.health is not None:
        return HealthFinding(what, HealthStatus.ERROR, f"could not be read: {account.health}")
    return HealthFinding(what, HealthStatus.OK, f"connected ({account.environment})")


async def _ask_x(runtime: Runtime, account: Integration) -> HealthFinding:
    what = f"@{account.username}"
    try:
        user = await x.users.read_me(open_account(runtime, account))
        await update_profile(runtime, account, user)
    except RoostError as error:
        return HealthFinding(what, HealthStatus.ERROR, error.message, error.next)
    return HealthFinding(what, HealthStatus.OK, "X knows it and accepts its token")


def _check_account_limits(runtime: Runtime, account: Integration) -> list[HealthFinding]:
    what, now = f"@{account.username}", runtime.clock.now()
    findings = []
    if account.backoff_until is not None and account.backoff_until > now:
        findings.append(
            HealthFinding(
                what,
                HealthStatus.WARNING,
                f"X accepts no post of it: {account.backoff_reason}",
                f"Roost tries again {describe_distance(account.backoff_until, now)}.",
            )
        )
    if account.paused:
        advice = f"`roost resume --account {what}` resumes them."
        findings.append(HealthFinding(what, HealthStatus.WARNING, "its posts are paused", advice))
    return findings
