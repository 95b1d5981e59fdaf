"""Gives `TwitterTool` past metrics of accounts, because X reports only current metrics.

This module is separate from `roost.twitter` so that `TwitterTool` works without a database.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

from roost import store
from roost.models import AccountSnapshot, TenantId, XUserId
from roost.runtime import Runtime


def from_snapshots(
    runtime: Runtime, tenant_id: TenantId
) -> Callable[[XUserId, datetime, datetime], Awaitable[AccountSnapshot | None]]:
    """Return a function that finds the last snapshot of a tenant's account in a time range.

    With `TwitterTool(token, history=from_snapshots(runtime, tenant.id))`, `get_user_metrics`
    accepts a range of dates.
    """

    async def find_last_snapshot(
        user_id: XUserId, since: datetime, until: datetime
    ) -> AccountSnapshot | None:
        async with runtime.database.for_tenant(tenant_id) as transaction:
            return await store.snapshots.find_last(
                transaction,
                user_id,
                runtime.settings.environment,
                since=since,
                until=until,
            )

    return find_last_snapshot
