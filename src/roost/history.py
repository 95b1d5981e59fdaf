"""What connected accounts counted in the past, as `TwitterTool` asks for it."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from roost import store
from roost.models import AccountSnapshot, TenantId, XUserId
from roost.runtime import Runtime


def kept(
    runtime: Runtime, tenant_id: TenantId
) -> Callable[[XUserId, datetime, datetime], Awaitable[AccountSnapshot | None]]:
    """The history of a tenant's accounts, from the snapshots that were collected of them.

    `TwitterTool(token, history=kept(runtime, tenant.id))` answers a range of dates from it.
    """

    async def find(user_id: XUserId, since: datetime, until: datetime) -> AccountSnapshot | None:
        async with runtime.database.tenant(tenant_id) as transaction:
            return await store.snapshots.find_last(
                transaction,
                user_id,
                runtime.settings.environment,
                since=since,
                until=until,
            )

    return find
