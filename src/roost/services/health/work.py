"""Checks workers, late posts, alerts, back-offs, copies of media files and accounts."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from roost import store, x
from roost.account_client import open_account, update_profile
from roost.errors import MediaStalled, MediaStoreUnsafe, RoostError
from roost.formats import format_time
from roost.models import (
    Integration,
    IntegrationStatus,
    Post,
    PostState,
    Reason,
    ReasonCode,
    TenantId,
)
from roost.next_actions import ActionCode, NextAction
from roost.prices import Operation, Price, price_of_reads
from roost.publishing.alerts import action_for, describe_alert, find_post_id
from roost.publishing.history import describe_account_status, describe_reason
from roost.publishing.state import find_wait
from roost.runtime import Runtime
from roost.services import media_copies, monitor, pause, queries
from roost.services.health.findings import (
    HealthFinding,
    HealthStatus,
    describe_distance,
    error_finding,
)
from roost.services.health.service import ServiceHealth, get_service_health
from roost.services.pause import PauseStatus, get_pause_status, list_paused_posts
from roost.store.availability import DATABASE_AWAY
from roost.unexpected import to_roost_error

log = logging.getLogger(__name__)

#: The kinds of alerts about a single post. They are only warnings, because the other posts are
#: still published.
_POST_ALERTS: Final = {"decision", "missed", "failed"}
#: `roost doctor` does not list these alerts, because it has a check of its own for each of them.
_CHECKED_ALERTS: Final = {"late"}
#: Maximum number of posts for which one check reports findings. For paused posts, this is the
#: maximum for each tenant.
_NAMED_POSTS: Final = 5


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
            findings.append(error_finding(what, failure, tenant_id=tenant_id))
    return accounts, findings


async def check_work(runtime: Runtime, accounts: Sequence[Integration]) -> list[HealthFinding]:
    """Check workers, late posts, alerts, back-offs, stalled workers and copies of media files."""
    await monitor.check_lateness(runtime)
    service = await get_service_health(runtime)
    return [
        *_describe_service(service, accounts),
        *await _check_pauses(runtime),
        *await _check_lateness(runtime, service, accounts),
        *await _check_alerts(runtime),
        *await _check_apps(runtime),
        *await _check_stalled_workers(runtime, accounts),
        *await _check_media(runtime),
    ]


def _describe_service(
    service: ServiceHealth, accounts: Sequence[Integration]
) -> list[HealthFinding]:
    """Describe the workers and the global pause.

    Without a worker nothing is published, which is an error once an account is connected.
    """
    n = service.live_workers or 0
    message = "1 worker is alive" if n == 1 else f"{n} workers are alive"
    findings = [HealthFinding("workers", HealthStatus.OK, message)]
    if not n:
        findings = [
            HealthFinding(
                "workers",
                HealthStatus.ERROR if accounts else HealthStatus.WARNING,
                "no worker is alive, so nothing is published and no metrics are read",
                next_action=NextAction(ActionCode.START_WORKER),
            )
        ]
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
    return findings


async def _check_pauses(runtime: Runtime) -> list[HealthFinding]:
    """Return a finding for each paused tenant, and for each tenant's first paused posts."""
    findings = []
    for tenant_id in await store.tenants.list_ids(runtime.database):
        async with runtime.database.for_tenant(tenant_id) as transaction:
            status = await get_pause_status(transaction)
            posts = await list_paused_posts(transaction, at_most=_NAMED_POSTS)
        if status.tenant:
            message, action = "the tenant's posts are paused", NextAction(ActionCode.RESUME_TENANT)
            findings.append(_pause_finding(message, action, tenant_id))
        for post_id in posts:
            action = NextAction(ActionCode.RESUME_POST, {"post_id": post_id})
            message = f"post {post_id} is paused"
            findings.append(replace(_pause_finding(message, action, tenant_id), post_id=post_id))
    return findings


def _pause_finding(message: str, action: NextAction, tenant_id: TenantId) -> HealthFinding:
    return HealthFinding(
        "pause", HealthStatus.WARNING, message, next_action=action, tenant_id=tenant_id
    )


async def _check_lateness(
    runtime: Runtime, service: ServiceHealth, accounts: Sequence[Integration]
) -> list[HealthFinding]:
    """Return findings about the first late posts; if no post is late, one finding says so."""
    now = runtime.clock.now()
    if service.oldest_due_at is None or not monitor.is_late(service.oldest_due_at, now):
        message = f"no post is more than {monitor.LATE // timedelta(minutes=1)} min late"
        return [HealthFinding("posts", HealthStatus.OK, message)]
    names = {account.id: f"@{account.username}" for account in accounts}
    findings = [
        HealthFinding(
            "posts",
            HealthStatus.ERROR,
            f"post {post.id} of {names.get(post.integration_id, 'an account')} is"
            f" {_describe_minutes(now - post.due_at)} late",
            next_action=NextAction(ActionCode.CHECK_LATE_POSTS),
            tenant_id=post.tenant_id,
            post_id=post.id,
        )
        for post in await _list_late_posts(runtime, at_most=_NAMED_POSTS)
        if post.due_at is not None
    ]
    if findings:
        return findings
    message = f"the oldest due post is {_describe_minutes(now - service.oldest_due_at)} late"
    action = NextAction(ActionCode.CHECK_LATE_POSTS)
    return [HealthFinding("posts", HealthStatus.ERROR, message, next_action=action)]


async def _list_late_posts(runtime: Runtime, *, at_most: int) -> list[Post]:
    """Return at most `at_most` late posts, tenant by tenant.

    Once enough posts are found, the remaining tenants are not read. Posts that are paused or that
    wait for X are left out.
    """
    now = runtime.clock.now()
    late: list[Post] = []
    for tenant_id in await store.tenants.list_ids(runtime.database):
        try:
            async with runtime.database.for_tenant(tenant_id) as transaction:
                posts = await store.posts.list_all(transaction)
                accounts = {one.id: one for one in await store.integrations.list_all(transaction)}
                pauses = await pause.get_pause_status(transaction)
        except DATABASE_AWAY:
            raise
        except Exception as error:
            code = to_roost_error(error).code
            log.error("the posts of tenant %s cannot be read (%s)", tenant_id, code)
            continue
        late += [
            post
            for post in posts
            if post.state in (PostState.SCHEDULED, PostState.PUBLISHING)
            and monitor.is_late(post.due_at, now)
            and _can_be_published(runtime, post, accounts[post.integration_id], pauses)
        ]
        if len(late) >= at_most:
            break
    return late[:at_most]


def _can_be_published(
    runtime: Runtime, post: Post, account: Integration, pauses: PauseStatus
) -> bool:
    """Whether the post belongs to this environment, is not paused, and does not wait."""
    return (
        account.environment is runtime.settings.environment
        and not pause.active_pauses(post, account, pauses)
        and find_wait(post, account, runtime.clock.now()) is None
    )


def _describe_minutes(span: timedelta) -> str:
    return f"{span // timedelta(minutes=1)} min"


async def _check_alerts(runtime: Runtime) -> list[HealthFinding]:
    return [
        HealthFinding(
            "alert",
            HealthStatus.WARNING if alert.kind in _POST_ALERTS else HealthStatus.ERROR,
            describe_alert(alert)
            + f" Since {format_time(alert.raised_at, tenant.time_zone if tenant else 'UTC')}.",
            next_action=action_for(alert),
            tenant_id=None if tenant is None else tenant.id,
            post_id=find_post_id(alert),
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
    """Return a finding for each worker that holds account locks but sends no heartbeat.

    The worker's process may be suspended. No other worker can publish for these accounts until an
    operator continues or ends the process.
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


async def _check_media(runtime: Runtime) -> list[HealthFinding]:
    """Check that every file of an unpublished post has a copy, because Roost uploads the copy."""
    try:
        missing = await media_copies.list_missing(runtime)
        runtime.media.require_safe()
    except (MediaStalled, MediaStoreUnsafe) as error:
        return [error_finding("media", error)]
    if not missing:
        return [HealthFinding("media", HealthStatus.OK, "every file that a post needs has a copy")]
    findings = [
        HealthFinding(
            "media",
            HealthStatus.ERROR,
            f"post {one.post_id} needs files that have no copy in {runtime.media.folder}:"
            f" {', '.join(one.names)}",
            next_action=NextAction(ActionCode.RESTORE_MEDIA),
            tenant_id=one.tenant_id,
            post_id=one.post_id,
        )
        for one in missing[:_NAMED_POSTS]
    ]
    if (more := len(missing) - _NAMED_POSTS) > 0:
        message = f"{more} more posts need files that have no copy"
        findings.append(HealthFinding("media", HealthStatus.ERROR, message))
    return findings


def price_live_check(accounts: Sequence[Integration]) -> Price:
    """Return the maximum price of a live check, which reads the user of each account from X."""
    return price_of_reads(Operation.READ_USER, len(accounts))


async def check_account(
    runtime: Runtime, account: Integration, *, live: bool
) -> list[HealthFinding]:
    """Check one account's connection, back-off and pause.

    With `live`, the account's user is also read from X, which costs $0.010.
    """
    connection = _check_connection(runtime, account)
    if connection.status is HealthStatus.OK and live:
        connection = await _ask_x(runtime, account)
    findings = [connection, *_check_account_limits(runtime, account)]
    return [replace(finding, tenant_id=account.tenant_id) for finding in findings]


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
