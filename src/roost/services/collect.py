"""Reads what an account and its posts have, at the lowest X bill, and keeps it as history."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from roost import store, x
from roost.accounts import keep_profile, mark_lost, open_account
from roost.errors import ReconnectNeeded, RoostError
from roost.house import House
from roost.insights import plan
from roost.insights.failed_readings import drop_failed_zeros
from roost.models import (
    AccountSnapshot,
    Integration,
    IntegrationId,
    IntegrationStatus,
    PartId,
    PostSnapshot,
    TenantId,
    TweetId,
)

log = logging.getLogger(__name__)

#: Where X does not say when to ask again.
_PAUSE: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Collected:
    """What one collection brought."""

    account: int
    posts: int


async def collect_account(
    house: House, tenant_id: TenantId, integration_id: IntegrationId
) -> Collected:
    """One reading of the account and of each post whose reading is due by the plan.

    One user read, and a post read for each post that X has not billed today. Where X cannot be
    asked now, the account is read later; where its grant is dead, not before it is connected again.
    """
    async with house.database.tenant(tenant_id) as transaction:
        integration = await store.accounts.get(transaction, integration_id)
        now = house.clock.now()
        sent = await store.snapshots.list_sent(
            transaction, integration_id, since=now - timedelta(days=plan.READ_UNTIL_DAYS)
        )
    if integration.environment is not house.settings.environment:
        return Collected(0, 0)  # a job of another X, whose dispatcher asks again after the lease
    if integration.status is not IntegrationStatus.CONNECTED:
        return Collected(0, 0)
    try:
        return await _read(house, integration, sent, now)
    except ReconnectNeeded as error:
        await mark_lost(house, integration, error)
        log.warning("account %s: %s", integration_id, error)
    except RoostError as error:
        pause = error.wait if isinstance(error, x.errors.RateLimited) else _PAUSE
        async with house.database.tenant(tenant_id) as transaction:
            await store.accounts.collect_next_at(
                transaction, integration_id, now + pause, health=str(error)
            )
        log.warning("account %s: %s", integration_id, error)
    return Collected(0, 0)


async def _read(
    house: House,
    integration: Integration,
    sent: Sequence[tuple[PartId, TweetId, datetime, datetime | None]],
    now: datetime,
) -> Collected:
    # Before the reads, which X bills: without these tables nothing read could be stored.
    await store.snapshots.open_month(house.database, now)
    client, integration_id = open_account(house, integration), integration.id
    user = await x.users.read_user(client, integration.x_user_id)
    await keep_profile(house, integration, user)
    due = set(plan.plan_reads([(part, at, read) for part, _, at, read in sent], now).due)
    wanted = [(part, tweet, at) for part, tweet, at, _ in sent if part in due]
    figures = await x.metrics.read_posts(
        client,
        [tweet for _, tweet, _ in wanted],
        private_for={tweet for _, tweet, at in wanted if plan.has_private(at, now)},
    )
    read = [(part, tweet, at) for part, tweet, at in wanted if tweet in figures]
    tenant_id = integration.tenant_id
    async with house.database.tenant(tenant_id) as transaction:
        known = await store.snapshots.list_known(
            transaction, integration_id, [part for part, _, _ in read], before=now
        )
        taken = [
            PostSnapshot(
                integration_id, part, tweet, at, now,
                drop_failed_zeros(figures[tweet].metrics, known.get(part, {})),
            )
            for part, tweet, at in read
        ]  # fmt: skip
        known_account = await store.snapshots.get_known_account(
            transaction, integration_id, before=now
        )
        account = AccountSnapshot(
            integration_id, now, drop_failed_zeros(user.metrics, known_account)
        )
        await store.snapshots.add_account(transaction, tenant_id, account)
        await store.snapshots.add_posts(transaction, tenant_id, taken)
        await store.accounts.collect_next_at(
            transaction, integration_id, plan.next_account_reading(now), health=None
        )
    return Collected(1, len(taken))
