"""Checks workers, late posts, alerts, back-offs, copies of media files and accounts."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from roost import store, x
from roost.account_client import open_account, update_profile
from roost.errors import MediaStalled, MediaStoreUnsafe, RoostError
from roost.formats import format_count, format_time
from roost.models import Integration, IntegrationStatus, Reason, ReasonCode
from roost.next_actions import ActionCode, NextAction
from roost.prices import Operation, Price, price_of_reads
from roost.publishing.alerts import action_for, describe_alert
from roost.publishing.history import describe_account_status, describe_reason
from roost.runtime import Runtime
from roost.services import media_copies, monitor, queries
from roost.services.health.findings import (
    HealthFinding,
    HealthStatus,
    describe_distance,
    error_finding,
)
from roost.services.health.service import ServiceHealth, get_service_health
from roost.store.availability import DATABASE_AWAY
from roost.unexpected import to_roost_error

#: The kinds of alerts about a single post. They are only warnings, because the other posts are
#: still published.
_POST_ALERTS: Final = {"decision", "missed", "failed"}
#: `roost doctor` does not list these alerts, because it has a check of its own for each of them.
_CHECKED_ALERTS: Final = {"late"}
#: Maximum number of files that one finding names.
_NAMED_FILES: Final = 5


async def list_all_accounts(
    runtime: Runtime,
) -> tuple[list[Integration], list[HealthFinding]]:
    """Return every tenant's accounts, and a finding for each tenant that cannot be read.

    Uses one transaction per tenant. Raises: the errors in `store.availability.DATABASE_AWAY`.
    """
    accounts: list[Integration] = []
    findings = []
    for tenant_id in await store.tenants.list_ids(runtime.database):
        try:
            async with runtime.database.for_tenant(tenant_id) as transaction:
                accounts += await store.integrations.list_all(transaction)
        except DATABASE_AWAY:
            raise
        except Exception as error:
            failure = to_roost_error(error)
            what = f"accounts of tenant {tenant_id}"
            findings.append(error_finding(what, failure))
    return accounts, findings


async def check_work(runtime: Runtime, accounts: Sequence[Integration]) -> list[HealthFinding]:
    """Check workers, late posts, alerts, back-offs, stalled workers and copies of media files."""
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
    workers = HealthFinding("workers", HealthStatus.OK, "at least one worker is alive")
    if not service.live_workers:
        workers = HealthFinding(
            "workers",
            HealthStatus.WARNING,
            "no worker is alive",
            next_action=NextAction(ActionCode.START_WORKER),
        )
    findings = [workers]
    if service.is_stopped:
        message = "everything is paused"
        if service.stop_reason is not None:
            message += f": {describe_reason(service.stop_reason)}"
        findings.append(
            HealthFinding(
                "global pause",
                HealthStatus.WARNING,
                message,
                next_action=NextAction(ActionCode.RESUME_EVERYTHING),
            )
        )
    now = runtime.clock.now()
    if service.oldest_due_at is None or not monitor.is_late(service.oldest_due_at, now):
        message = f"no post is more than {monitor.LATE // timedelta(minutes=1)} min late"
        return [*findings, HealthFinding("posts", HealthStatus.OK, message)]
    message = (
        f"the oldest due post is {(now - service.oldest_due_at) // timedelta(minutes=1)} min late"
    )
    action = NextAction(ActionCode.CHECK_LATE_POSTS)
    return [*findings, HealthFinding("posts", HealthStatus.ERROR, message, next_action=action)]


async def _check_alerts(runtime: Runtime) -> list[HealthFinding]:
    return [
        HealthFinding(
            "alert" if tenant is None else f"alert of {tenant.name}",
            HealthStatus.WARNING if alert.kind in _POST_ALERTS else HealthStatus.ERROR,
            describe_alert(alert)
            + f" Since {format_time(alert.raised_at, tenant.time_zone if tenant else 'UTC')}.",
            next_action=action_for(alert),
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
            f"X accepts no posts from this app's accounts: {describe_reason(one.reason)}",
            f"Roost tries again {describe_distance(one.until, now)}.",
        )
        for one in backoffs
    ]


async def _check_stalled_workers(
    runtime: Runtime, accounts: Sequence[Integration]
) -> list[HealthFinding]:
    """Find stopped worker processes that hold account locks.

    Only an operator can continue or end such a process.
    """
    names = {account.id: f"@{account.username}" for account in accounts}
    within = runtime.settings.worker_timeout
    async with runtime.database.unscoped() as transaction:
        stalled = await store.locks.find_stale_holders(transaction, accounts, within=within)
    return [
        HealthFinding(
            one.worker,
            HealthStatus.ERROR,
            "sends no heartbeat, but holds the lock of "
            + (", ".join(names[account] for account in one.accounts) or "an account")
            + ", whose posts wait for it",
            "Continue the process, or end it so that another worker publishes the posts.",
        )
        for one in stalled
    ]


async def _check_media(runtime: Runtime) -> HealthFinding:
    """Check that every file of an unpublished post has a copy, because Roost uploads the copy."""
    try:
        lost = await media_copies.list_missing(runtime)
        runtime.media.require_safe()
    except (MediaStalled, MediaStoreUnsafe) as error:
        return error_finding("media", error)
    if not lost:
        return HealthFinding("media", HealthStatus.OK, "every file that a post needs has a copy")
    names = ", ".join(lost[:_NAMED_FILES])
    if len(lost) > _NAMED_FILES:
        names += f" and {len(lost) - _NAMED_FILES} more"
    have = "has" if len(lost) == 1 else "have"
    count = format_count(len(lost), "file")
    message = f"{count} of unpublished posts {have} no copy in {runtime.media.folder}: {names}"
    action = NextAction(ActionCode.RESTORE_MEDIA)
    return HealthFinding("media", HealthStatus.ERROR, message, next_action=action)


def price_live_check(accounts: Sequence[Integration]) -> Price:
    """Return the maximum price of one user read per account."""
    return price_of_reads(Operation.READ_USER, len(accounts))


async def check_account(
    runtime: Runtime, account: Integration, *, live: bool
) -> list[HealthFinding]:
    """Check one account's connection, back-off and pause.

    With `live`, the user is also read from X, which costs $0.010.
    """
    connection = _check_connection(runtime, account)
    if connection.status is HealthStatus.OK and live:
        connection = await _ask_x(runtime, account)
    return [connection, *_check_account_limits(runtime, account)]


def _check_connection(runtime: Runtime, account: Integration) -> HealthFinding:
    what = f"@{account.username}"
    if account.status is not IntegrationStatus.CONNECTED:
        message = f"{describe_account_status(account.status)}, so its posts wait"
        action = NextAction(ActionCode.RECONNECT_ACCOUNT)
        return HealthFinding(what, HealthStatus.ERROR, message, next_action=action)
    if account.environment is not runtime.settings.environment:
        message = (
            f"belongs to the environment {account.environment}, and not to"
            f" {runtime.settings.x_base_url}"
        )
        return HealthFinding(what, HealthStatus.WARNING, message)
    if account.health is not None:
        message = f"its metrics could not be read: {account.health}"
        return HealthFinding(what, HealthStatus.ERROR, message)
    return HealthFinding(what, HealthStatus.OK, f"connected ({account.environment})")


async def _ask_x(runtime: Runtime, account: Integration) -> HealthFinding:
    what = f"@{account.username}"
    try:
        user = await x.users.read_me(open_account(runtime, account))
        await update_profile(runtime, account, user)
    except RoostError as error:
        return error_finding(what, error)
    return HealthFinding(what, HealthStatus.OK, "X has this user and accepts the token")


def _check_account_limits(runtime: Runtime, account: Integration) -> list[HealthFinding]:
    what, now = f"@{account.username}", runtime.clock.now()
    findings = []
    if account.backoff_until is not None and account.backoff_until > now:
        findings.append(
            HealthFinding(
                what,
                HealthStatus.WARNING,
                "X accepts no posts of this account: "
                + describe_reason(account.backoff_reason or Reason(ReasonCode.NO_POSTS_ACCEPTED)),
                f"Roost tries again {describe_distance(account.backoff_until, now)}.",
            )
        )
    if account.paused:
        action = NextAction(ActionCode.RESUME_ACCOUNT, {"username": account.username})
        message = "its posts are paused"
        findings.append(HealthFinding(what, HealthStatus.WARNING, message, next_action=action))
    return findings
