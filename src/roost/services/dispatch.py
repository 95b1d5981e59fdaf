"""Turns what has come due into jobs, in one transaction with the change of state."""

from datetime import timedelta
from typing import Final

from roost import jobs
from roost.house import House
from roost.models import IntegrationId

#: A collecting job that died is asked for again after this, in domain time.
_LEASE: Final = timedelta(hours=1)


async def dispatch_due(house: House, *, at_most: int = 100) -> int:
    """Queue the posts and accounts whose time has come; how many."""
    now, environment = house.clock.now(), house.settings.environment
    async with house.database.house() as transaction:
        posts = await transaction.run(
            "claim_due_posts", now=now, at_most=at_most, environment=environment
        )
        for row in posts:
            await jobs.defer_publish(transaction, row["tenant_id"], row["post_id"])
        accounts = await transaction.run(
            "claim_due_accounts",
            now=now,
            leased_until=now + _LEASE,
            at_most=at_most,
            environment=environment,
        )
        for row in accounts:
            await jobs.defer_collect(
                transaction, row["tenant_id"], IntegrationId(row["integration_id"])
            )
    return len(posts) + len(accounts)


async def dispatch_stranded(house: House) -> int:
    """Give every post on its way that no live job carries to a worker again; how many."""
    async with house.database.house() as transaction:
        rows = await transaction.run("find_stranded_posts", environment=house.settings.environment)
        for row in rows:
            await jobs.defer_publish(transaction, row["tenant_id"], row["post_id"])
    return len(rows)
