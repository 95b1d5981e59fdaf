"""Runs the demo's month: moves the clock to each due post and each daily read of metrics."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from typing import Final

from roost.cli.demo.emulator import EmulatorControl
from roost.cli.demo.output import Progress
from roost.errors import Broken
from roost.insights.read_plan import READ_TIME
from roost.models import Integration, Post, PostState, Scope
from roost.runtime import Runtime
from roost.services import queries

DAYS: Final = 30
#: The time of day at which the month starts. It starts on a Monday, so that `+1d` (in one day) in a
#: plan file means Tuesday.
_START_TIME: Final = time_of_day(8, tzinfo=UTC)
#: The clock moves this far past the earliest due time, so that posts which are due at almost the
#: same time are published together.
_TOGETHER: Final = timedelta(seconds=2)
#: Timeouts in wall seconds: for due posts to be finished, and for a day's snapshots to be stored.
_PUBLISH_TIMEOUT_S: Final = 60.0
_COLLECT_TIMEOUT_S: Final = 20.0
_UNFINISHED: Final = {PostState.SCHEDULED, PostState.PUBLISHING}


def find_month_start(now: datetime) -> datetime:
    """Return the first Monday, 08:00 UTC, after `now`."""
    today = now.astimezone(UTC).date()
    start = datetime.combine(today + timedelta(days=-today.weekday() % 7), _START_TIME)
    return start if start > now else start + timedelta(days=7)


async def live_through_month(
    runtime: Runtime,
    emulator: EmulatorControl,
    scopes: Sequence[Scope],
    accounts: Sequence[Integration],
    progress: Progress,
) -> list[Post]:
    """Let 30 emulated days pass, so that Roost publishes posts and reads metrics.

    Returns all posts as they are at the end.
    """
    first_day = runtime.clock.now().date()
    await _wait_for_snapshots(runtime, scopes, accounts, runtime.clock.now() - timedelta(hours=1))
    posts = await _list_posts(runtime, scopes)
    for day in range(DAYS):
        read_at = _read_time(first_day + timedelta(days=day))
        while due := [at for at in _unfinished_due_times(posts) if at < read_at]:
            await _move_clock(runtime, emulator, min(due) + _TOGETHER)
            posts = await _wait_for_due_posts(runtime, scopes)
        await _move_clock(runtime, emulator, read_at + timedelta(seconds=1))
        await _wait_for_snapshots(runtime, scopes, accounts, read_at)
        progress.count("days", day + 1, DAYS)
    return posts


def _read_time(day: date) -> datetime:
    return datetime.combine(day, READ_TIME)


def _unfinished_due_times(posts: Sequence[Post]) -> list[datetime]:
    return [post.due_at for post in posts if post.due_at and post.state in _UNFINISHED]


async def _list_posts(runtime: Runtime, scopes: Sequence[Scope]) -> list[Post]:
    return [post for scope in scopes for post in await queries.list_posts(runtime, scope)]


async def _move_clock(runtime: Runtime, emulator: EmulatorControl, instant: datetime) -> None:
    """Move the emulated clock to an instant, unless this instant has already passed."""
    if instant > runtime.clock.now():
        await emulator.jump_to(instant)


async def _wait_for_due_posts(runtime: Runtime, scopes: Sequence[Scope]) -> list[Post]:
    """Wait until every due post is finished; return all posts. Raises: Broken after a minute."""
    deadline = time.monotonic() + _PUBLISH_TIMEOUT_S
    while True:
        now, posts = runtime.clock.now(), await _list_posts(runtime, scopes)
        left = sum(at <= now for at in _unfinished_due_times(posts))
        if not left:
            return posts
        if time.monotonic() > deadline:
            raise Broken(f"{left} posts were not finished within {_PUBLISH_TIMEOUT_S:.0f} s.")
        await asyncio.sleep(0.05)


async def _wait_for_snapshots(
    runtime: Runtime, scopes: Sequence[Scope], accounts: Sequence[Integration], since: datetime
) -> None:
    """Wait until every account has a snapshot from `since` or later.

    Raises: Broken on timeout.
    """
    deadline = time.monotonic() + _COLLECT_TIMEOUT_S
    until = since + timedelta(days=400)
    scope_of = {scope.tenant_id: scope for scope in scopes}
    for account in accounts:
        scope = scope_of[account.tenant_id]
        while not await queries.has_account_snapshot(
            runtime, scope, account, since=since, until=until
        ):
            if time.monotonic() > deadline:
                raise Broken(f"There is no snapshot of @{account.username} since {since}.")
            await asyncio.sleep(0.05)
