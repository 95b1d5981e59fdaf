"""Queues jobs for what has come due, in one statement that is committed before it returns."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from roost.runtime import Runtime

#: Maximum number of posts in the queue: with more, one tenant's posts would occupy the workers,
#: and tenants could not take turns.
POSTS_IN_QUEUE: Final = 40
#: Maximum number of posts with files to upload, and of accounts with metrics to collect.
_OTHERS_IN_QUEUE: Final = 10
#: Domain time after which a collecting job that died is queued again.
_LEASE: Final = timedelta(hours=1)
#: Maximum number of posts without a job that one sweep queues.
_STRANDED_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Dispatched:
    """The number of jobs queued, and when to dispatch again."""

    queued: int
    next_at: datetime | None
    """None if nothing is scheduled; not later than now if something due is left."""


async def dispatch_due(runtime: Runtime, *, posts_in_queue: int = POSTS_IN_QUEUE) -> Dispatched:
    """Queue due posts, uploads and accounts, up to the capacity of the queues."""
    now = runtime.clock.now()
    row = await runtime.database.autocommit.run_one(
        "dispatch_due",
        at=now,
        max_posts=posts_in_queue,
        max_others=_OTHERS_IN_QUEUE,
        leased_until=now + _LEASE,
        environment=runtime.settings.environment,
        is_wall_time=runtime.clock.is_wall_time,
    )
    assert row is not None, "a statement of one row"
    return Dispatched(row["queued"], row["next_at"])


async def dispatch_stranded(runtime: Runtime) -> int:
    """Queue posts that are being published but have no live job; return their number."""
    row = await runtime.database.autocommit.run_one(
        "dispatch_stranded", at_most=_STRANDED_AT_ONCE, environment=runtime.settings.environment
    )
    assert row is not None, "a statement of one row"
    queued: int = row["queued"]
    return queued
