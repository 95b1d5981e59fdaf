"""The job engine: queue names, and jobs deferred by task name inside the caller's transaction."""

from datetime import timedelta
from typing import Final

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued

from roost.models import IntegrationId, PostId, TenantId
from roost.store.database import Transaction

PUBLISH: Final = "publish"
COLLECT: Final = "collect"

#: Knows no task and opens no connection: deferring needs a name and the caller's connection.
_deferring = App(connector=PsycopgConnector())


def make_app(conninfo: str) -> App:
    """The engine for a worker, with connections of its own."""
    return App(connector=PsycopgConnector(conninfo=conninfo, min_size=1, max_size=6))


async def _defer(
    transaction: Transaction,
    task: str,
    queueing_lock: str,
    arguments: dict[str, int],
    wall_delay: timedelta | None = None,
) -> bool:
    delay = None if wall_delay is None else {"seconds": max(0.0, wall_delay.total_seconds())}
    job = _deferring.configure_task(
        task,
        connection=transaction.raw,
        queue=task,
        queueing_lock=queueing_lock,
        schedule_in=delay,
    )
    try:
        # A violated lock would end the caller's transaction: a savepoint ends instead.
        async with transaction.raw.transaction():
            await job.defer_async(**arguments)
    except AlreadyEnqueued:
        return False
    return True


async def defer_publish(
    transaction: Transaction,
    tenant_id: TenantId,
    post_id: PostId,
    *,
    wall_delay: timedelta | None = None,
) -> bool:
    """Queue the sending of a post, after a wall delay; False where a job waits for it already."""
    arguments = {"tenant_id": int(tenant_id), "post_id": int(post_id)}
    return await _defer(transaction, PUBLISH, f"post:{post_id}", arguments, wall_delay)


async def defer_collect(
    transaction: Transaction, tenant_id: TenantId, integration_id: IntegrationId
) -> bool:
    """Queue the reading of an account's figures; False where a job waits for it already."""
    arguments = {"tenant_id": int(tenant_id), "integration_id": int(integration_id)}
    return await _defer(transaction, COLLECT, f"account:{integration_id}", arguments)
