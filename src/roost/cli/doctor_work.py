"""What `roost doctor` looks at in the work itself: what is stopped, late, at rest or kept."""

from datetime import timedelta

from roost import store, worker
from roost.cli.chosen import ago
from roost.cli.findings import Finding, Health
from roost.errors import MediaCopyLost, MediaStalled, MediaStoreUnsafe
from roost.house import House
from roost.models import Integration
from roost.services import media_copies, pause, watch

#: Alarms of one post: the others go out.
_ABOUT_A_POST = {"decision", "missed", "failed"}
#: Told by a line of its own.
_TOLD_APART = {"late"}


async def look_at_work(house: House, accounts: list[Integration]) -> list[Finding]:
    """Workers, the stop switch, late posts, alarms, what rests or is kept, copies of files."""
    return [
        await _workers(house),
        *await _stop_switch(house),
        await _late(house),
        *await _alarms(house),
        *await _apps(house),
        *await _silent(house, accounts),
        await _media(house),
    ]


async def _workers(house: House) -> Finding:
    if await worker.is_any_alive(house):
        return Finding("workers", Health.WELL, "at least one is alive")
    return Finding("workers", Health.NOTICE, "none is alive", "Start `roost worker`.")


async def _stop_switch(house: House) -> list[Finding]:
    async with house.database.statements(None) as transaction:
        holds = await pause.find_holds(transaction)
    if not holds.everything:
        return []
    told = f"everything is stopped: {holds.why}"
    return [Finding("stop switch", Health.NOTICE, told, "`roost resume --all` lets it go on.")]


async def _late(house: House) -> Finding:
    oldest = await watch.check_alerts(house)
    if oldest is None:
        minutes = watch.LATE // timedelta(minutes=1)
        return Finding("posts", Health.WELL, f"none is more than {minutes} min late")
    minutes = (house.clock.now() - oldest) // timedelta(minutes=1)
    told = f"the oldest due post is {minutes} min late"
    return Finding("posts", Health.ILL, told, "See `roost posts` and the worker's log.")


async def _alarms(house: House) -> list[Finding]:
    return [
        Finding(
            "alarm" if tenant is None else f"alarm of {tenant.name}",
            Health.NOTICE if alarm.kind in _ABOUT_A_POST else Health.ILL,
            f"{alarm.message} (since {alarm.raised_at.isoformat(timespec='seconds')})",
            alarm.next,
        )
        for tenant, alarm in await watch.list_alarms(house)
        if alarm.kind not in _TOLD_APART
    ]


async def _apps(house: House) -> list[Finding]:
    now = house.clock.now()
    async with house.database.statements(None) as transaction:
        rows = await transaction.run(
            "list_app_rests", now=now, environment=house.settings.environment
        )
    return [
        Finding(
            f"X app {row['client_id'][:6]}…",
            Health.NOTICE,
            f"X takes nothing of its accounts: {row['why']}",
            f"Tried again {ago(row['until'], now)}.",
        )
        for row in rows
    ]


async def _silent(house: House, accounts: list[Integration]) -> list[Finding]:
    """Nobody breaks a lock: a person wakes or ends the process that keeps it."""
    names = {account.id: f"@{account.username}" for account in accounts}
    within = timedelta(seconds=house.settings.roost_stalled_after_s)
    async with house.database.statements(None) as transaction:
        silent = await store.locks.find_silent(transaction, accounts, within=within)
    return [
        Finding(
            one.who,
            Health.ILL,
            "gives no sign of life and keeps "
            + (", ".join(names[account] for account in one.accounts) or "an account")
            + ", whose posts wait",
            "Wake it, or end it: then another worker goes on.",
        )
        for one in silent
    ]


async def _media(house: House) -> Finding:
    """Files of posts that are not out: without Roost's copy they cannot be uploaded."""
    try:
        lost = await media_copies.list_lost(house)
        house.media.require_safe()
    except (MediaStalled, MediaStoreUnsafe) as error:
        return Finding("media", Health.ILL, error.message, error.next)
    if not lost:
        return Finding("media", Health.WELL, "every file that a post needs is there")
    names = ", ".join(lost[:5]) + (f" and {len(lost) - 5} more" if len(lost) > 5 else "")
    told = f"{len(lost)} files that posts need are not in {house.media.folder}: {names}"
    return Finding("media", Health.ILL, told, MediaCopyLost.default_next)


def account_rests(account: Integration, house: House) -> list[Finding]:
    """An account of which X takes nothing at present, or that somebody has paused."""
    what, now = f"@{account.username}", house.clock.now()
    found = []
    if account.rest_until is not None and account.rest_until > now:
        told = f"X takes no post of it: {account.rest_why}"
        found.append(
            Finding(what, Health.NOTICE, told, f"Tried again {ago(account.rest_until, now)}.")
        )
    if account.paused:
        resume = f"`roost resume --account {what}` lets them go on."
        found.append(Finding(what, Health.NOTICE, "its posts are held back by hand", resume))
    return found
