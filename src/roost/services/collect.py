"""Reads the metrics of an account and its posts at the lowest price, and stores snapshots."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from roost import store, x
from roost.account_client import mark_needs_reconnect, open_account, update_profile
from roost.errors import ReconnectNeeded, RoostError
from roost.insights import read_plan
from roost.insights.snapshots import drop_false_zeros
from roost.models import (
    AccountSnapshot,
    Integration,
    IntegrationId,
    IntegrationStatus,
    PartId,
    PostSnapshot,
    Scope,
    TweetId,
)
from roost.runtime import Runtime

log = logging.getLogger(__name__)

#: The delay before the next try if X's response does not say how long to wait.
_RETRY_DELAY: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Collection:
    """The number of snapshots of the account and of posts that one run stored."""

    account: int
    posts: int


async def collect_account(
    runtime: Runtime, scope: Scope, integration_id: IntegrationId
) -> Collection:
    """Store a snapshot of the account and of each post that is due by the read plan.

    X bills one user read, and one post read for each post that it has not billed today. If X does
    not return the metrics now, Roost tries again later. If X no longer accepts the account's
    tokens, Roost tries again after the account has been reconnected.
    """
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        integration = await store.integrations.get(transaction, integration_id)
        now = runtime.clock.now()
        sent = await store.snapshots.list_sent_parts(
            transaction, integration_id, since=now - timedelta(days=read_plan.READ_UNTIL_DAYS)
        )
    if integration.environment is not runtime.settings.environment:
        # The account belongs to the other environment. A worker of that environment collects the
        # account's metrics.
        return Collection(0, 0)
    if integration.status is not IntegrationStatus.CONNECTED:
        return Collection(0, 0)
    try:
        return await _read_and_store(runtime, integration, sent, now)
    except ReconnectNeeded as error:
        await mark_needs_reconnect(runtime, integration, error)
        log.warning("account %s: %s", integration_id, error)
    except RoostError as error:
        delay = error.wait if isinstance(error, x.errors.RateLimited) else _RETRY_DELAY
        async with runtime.database.for_tenant(scope.tenant_id) as transaction:
            await store.integrations.set_next_collection(
                transaction, integration_id, now + delay, health=str(error)
            )
        log.warning("account %s: %s", integration_id, error)
    return Collection(0, 0)


async def _read_and_store(
    runtime: Runtime,
    integration: Integration,
    sent: Sequence[tuple[PartId, TweetId, datetime, datetime | None]],
    now: datetime,
) -> Collection:
    # The table partitions are created before the request, because without them the metrics that X
    # has billed could not be stored.
    await store.snapshots.ensure_partitions(runtime.database, now)
    client, integration_id = open_account(runtime, integration), integration.id
    user = await x.users.read_user(client, integration.x_user_id)
    await update_profile(runtime, integration, user)
    plan = read_plan.plan_reads([(part, at, last_read) for part, _, at, last_read in sent], now)
    due_parts = set(plan.due)
    due = [(part, tweet, at) for part, tweet, at, _ in sent if part in due_parts]
    metrics = await x.metrics.read_posts(
        client,
        [tweet for _, tweet, _ in due],
        private_for={tweet for _, tweet, at in due if read_plan.has_private_metrics(at, now)},
    )
    # X's response leaves out posts that no longer exist.
    found = [(part, tweet, at) for part, tweet, at in due if tweet in metrics]
    tenant_id = integration.tenant_id
    async with runtime.database.for_tenant(tenant_id) as transaction:
        known = await store.snapshots.list_known_metrics(
            transaction, integration_id, [part for part, _, _ in found], before=now
        )
        posts = [
            PostSnapshot(
                integration_id, part, tweet, at, now,
                drop_false_zeros(metrics[tweet].metrics, known.get(part, {})),
            )
            for part, tweet, at in found
        ]  # fmt: skip
        known_account = await store.snapshots.get_known_account_metrics(
            transaction, integration_id, before=now
        )
        account = AccountSnapshot(
            integration_id, now, drop_false_zeros(user.metrics, known_account)
        )
        await store.snapshots.add_account(transaction, tenant_id, account)
        await store.snapshots.add_posts(transaction, tenant_id, posts)
        await store.integrations.set_next_collection(
            transaction, integration_id, read_plan.next_account_read(now), health=None
        )
    return Collection(1, len(posts))
