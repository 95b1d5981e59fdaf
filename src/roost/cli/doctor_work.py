"""What `roost doctor` looks at in the work itself: what is stopped, late, at rest or kept."""

from datetime import timedelta

from roost import store, worker
from roost.cli.arguments import ago
from roost.cli.findings import Finding, Health
from roost.errors import MediaCopyLost, MediaStalled, MediaStoreUnsafe
from roost.models import Integration
from roost.runtime import Runtime
from roost.services import media_copies, monitor, pause

#: Alerts of one post: the others go out.
_ABOUT_A_POST = {"decision", "missed", "failed"}
#: Told by a line of its own.
_TOLD_APART = {"late"}


async def look_at_work(runtime: Runtime, accounts: list[Integration]) -> list[Finding]:
    """Workers, the stop switch, late posts, alerts, what rests or is kept, copies of files."""
    return [
        await _workers(runtime),
        *await _stop_switch(runtime),
        await _late(runtime),
        *await _alerts(runtime),
        *await _apps(runtime),
        *await _silent(runtime, accounts),
        await _media(runtime),
    ]


async def _workers(runtime: Runtime) -> Finding:
    if await worker.is_any_alive(runtime):
        return Finding("workers", Health.WELL, "at least one is alive")
    return Finding("workers", Health.NOTICE, "none is alive", "Start `roost worker`.")


async def _stop_switch(runtime: Runtime) -> list[Finding]:
    async with runtime.database.unscoped() as transaction:
        holds = await pause.get_pause_status(transaction)
    if not holds.everything:
        return []
    told = f"everything is stopped: {holds.reason}"
    return [Finding("stop switch", Health.NOTICE, told, "`roost resume --all` lets it go on.")]


async def _late(runtime: Runtime) -> Finding:
    oldest = await monitor.check_lateness(runtime)
    if oldest is None:
        minutes = monitor.LATE // timedelta(minutes=1)
        return Finding("posts", Health.WELL, f"none is more than {minutes} min late")
    minutes = (runtime.clock.now() - oldest) // timedelta(minutes=1)
    told = f"the oldest due post is {minutes} min late"
    return Finding("posts", Health.ILL, told, "See `roost posts` and the worker's log.")


async def _alerts(runtime: Runtime) -> list[Finding]:
    return [
        Finding(
            "alert" if tenant is None else f"alert of {tenant.name}",
            Health.NOTICE if alert.kind in _ABOUT_A_POST else Health.ILL,
            f"{alert.message} (since {alert.raised_at.isoformat(timespec='seconds')})",
            alert.next,
        )
        for tenant, alert in await monitor.list_alerts(runtime)
        if alert.kind not in _TOLD_APART
    ]


async def _apps(runtime: Runtime) -> list[Finding]:
    now = runtime.clock.now()
    async with runtime.database.unscoped() as transaction:
        rows = await transaction.run(
            "list_app_backoffs", at=now, environment=runtime.settings.environment
        )
    return [
        Finding(
            f"X app {row['client_id'][:6]}…",
            Health.NOTICE,
            f"X takes nothing of its accounts: {row['reason']}",
            f"Tried again {ago(row['until'], now)}.",
        )
        for row in rows
    ]


async def _silent(runtime: Runtime, accounts: list[Integration]) -> list[Finding]:
    """Nobody breaks a lock: a person wakes or ends the process that keeps it."""
    names = {account.id: f"@{account.username}" for account in accounts}
    within = timedelta(seconds=runtime.settings.roost_worker_timeout_s)
    async with runtime.database.unscoped() as transaction:
        silent = await store.locks.find_stale_holders(transaction, accounts, within=within)
    return [
        Finding(
            one.worker,
            Health.ILL,
            "gives no sign of life and keeps "
            + (", ".join(names[account] for account in one.accounts) or "an account")
            + ", whose posts wait",
            "Wake it, or end it: then another worker goes on.",
        )
        for one in silent
    ]


async def _media(runtime: Runtime) -> Finding:
    """Files of posts that are not out: without Roost's copy they cannot be uploaded."""
    try:
        lost = await media_copies.list_missing(runtime)
        runtime.media.require_safe()
    except (MediaStalled, MediaStoreUnsafe) as error:
        return Finding("media", Health.ILL, error.message, error.next)
    if not lost:
        return Finding("media", Health.WELL, "every file that a post needs is there")
    names = ", ".join(lost[:5]) + (f" and {len(lost) - 5} more" if len(lost) > 5 else "")
    told = f"{len(lost)} files that posts need are not in {runtime.media.folder}: {names}"
    return Finding("media", Health.ILL, told, MediaCopyLost.default_next)


def account_rests(account: Integration, runtime: Runtime) -> list[Finding]:
    """An account of which X takes nothing at present, or that somebody has paused."""
    what, now = f"@{account.username}", runtime.clock.now()
    found = []
    if account.backoff_until is not None and account.backoff_until > now:
        told = f"X takes no post of it: {account.backoff_reason}"
        found.append(
            Finding(what, Health.NOTICE, told, f"Tried again {ago(account.backoff_until, now)}.")
        )
    if account.paused:
        resume = f"`roost resume --account {what}` lets them go on."
        found.append(Finding(what, Health.NOTICE, "its posts are held back by hand", resume))
    return found
