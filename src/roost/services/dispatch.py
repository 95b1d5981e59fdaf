"""Queues jobs for due posts, uploads, metrics and reports, each time by one SQL statement."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from roost.runtime import Runtime

#: Maximum number of publish jobs in the queue. In a longer queue, many posts of one tenant could
#: delay the posts of another tenant that become due later.
POSTS_IN_QUEUE: Final = 40
#: Maximum number of jobs in each of three queues: uploads, collection of metrics, and reports.
_OTHERS_IN_QUEUE: Final = 10
#: Domain time after which a job for an account or a report schedule is queued again, in case the
#: earlier job has died.
_LEASE: Final = timedelta(hours=1)
#: Maximum number of posts that one call of `dispatch_stranded` queues.
_STRANDED_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Dispatched:
    """The result of a dispatch: how many jobs were queued, and when to dispatch next."""

    queued: int
    next_at: datetime | None
    """None if nothing is scheduled; now or earlier if a due job did not fit into the queue."""


async def dispatch_due(runtime: Runtime, *, posts_in_queue: int = POSTS_IN_QUEUE) -> Dispatched:
    """Queue due posts, uploads, accounts and reports, up to the capacity of the queues."""
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
    assert row is not None, "the statement returns one row"
    return Dispatched(row["queued"], row["next_at"])


async def dispatch_stranded(runtime: Runtime) -> int:
    """Queue a job for each post whose publishing has begun but that has no job.

    Returns the number of jobs that were queued.
    """
    row = await runtime.database.autocommit.run_one(
        "dispatch_stranded", at_most=_STRANDED_AT_ONCE, environment=runtime.settings.environment
    )
    assert row is not None, "the statement returns one row"
    queued: int = row["queued"]
    return queued
