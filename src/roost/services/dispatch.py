"""Turns what has come due into jobs: one statement, which commits before it answers."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from roost.runtime import Runtime

#: So many posts wait in the queue for a worker at most: with more, whoever came first would have
#: the workers for long, and tenants would not take turns.
POSTS_IN_QUEUE: Final = 40
#: The same for files to be brought to X, and for accounts whose figures are to be read.
_OTHERS_IN_QUEUE: Final = 10
#: A collecting job that died is asked for again after this, in domain time.
_LEASE: Final = timedelta(hours=1)
#: Posts without a job that one sweep takes up.
_STRANDED_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Dispatched:
    """How many jobs were queued, and when to look again."""

    queued: int
    next_at: datetime | None
    """None: when somebody plans something. Not later than now: something due is left."""


async def dispatch_due(runtime: Runtime, *, posts_in_queue: int = POSTS_IN_QUEUE) -> Dispatched:
    """Queue posts, preparations and accounts whose time has come, as far as there is room."""
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
    """Give posts on their way that no live job carries to a worker again; how many."""
    row = await runtime.database.autocommit.run_one(
        "dispatch_stranded", at_most=_STRANDED_AT_ONCE, environment=runtime.settings.environment
    )
    assert row is not None, "a statement of one row"
    queued: int = row["queued"]
    return queued
