"""Snapshots of the metrics of accounts and posts, in tables that are partitioned by month."""

import asyncio
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import psycopg

from roost.models import (
    POST_METRICS,
    AccountSnapshot,
    Environment,
    IntegrationId,
    Metric,
    PartId,
    PostSnapshot,
    TenantId,
    TweetId,
    XUserId,
)
from roost.store.database import Database, Transaction
from roost.store.statements import array_of

#: Other transactions may lock the parent tables while a month's partitions are created. These are
#: the maximum number of tries, and the wall seconds between two tries.
_PARTITION_TRIES: Final = 50
_PARTITION_PAUSE_S: Final = 0.2

_ACCOUNT = (Metric.FOLLOWERS, Metric.FOLLOWING, Metric.POSTS)


async def ensure_partitions(database: Database, instant: datetime) -> None:
    """Create the missing partitions of the month of `instant`.

    The creation of a partition locks its parent table against readers. It therefore runs in its own
    transaction, whose lock timeout is shorter than PostgreSQL's deadlock timeout: in a deadlock,
    this transaction fails and is tried again, and a reader's transaction does not fail.

    Raises: psycopg.errors.LockNotAvailable if the parent tables stay locked.
    """
    for tries_left in reversed(range(_PARTITION_TRIES)):
        try:
            async with database.unscoped() as transaction:
                await transaction.run("set_lock_timeout")
                await transaction.run("ensure_snapshot_partitions", at=instant)
            return
        except psycopg.errors.LockNotAvailable:
            if not tries_left:
                raise
            await asyncio.sleep(_PARTITION_PAUSE_S)


async def add_account(
    transaction: Transaction, tenant_id: TenantId, snapshot: AccountSnapshot
) -> None:
    """Store a snapshot of an account, unless it has a snapshot of the same instant already.

    Call `ensure_partitions` first, because the partitions of the snapshot's month must exist.
    """
    await transaction.run(
        "add_account_snapshot",
        tenant=tenant_id,
        integration=snapshot.integration_id,
        at=snapshot.at,
        **{metric.value: snapshot.metrics.get(metric) for metric in _ACCOUNT},
    )


async def add_posts(
    transaction: Transaction, tenant_id: TenantId, snapshots: Sequence[PostSnapshot]
) -> None:
    """Store snapshots of parts, and record when the parts were last read.

    All snapshots must have the same instant. Call `ensure_partitions` first, because the partitions
    of its month must exist. One INSERT stores all rows, because PostgreSQL refuses COPY into a
    table with row-level security.
    """
    if not snapshots:
        return
    rows = [
        {
            "integration_id": each.integration_id,
            "part_id": each.part_id,
            "at": each.at.isoformat(),
            **{metric.value: each.metrics.get(metric) for metric in POST_METRICS},
        }
        for each in snapshots
    ]
    await transaction.run("add_post_snapshots", tenant=tenant_id, snapshots=json.dumps(rows))
    await transaction.run(
        "set_parts_read",
        parts=array_of(each.part_id for each in snapshots),
        at=snapshots[0].at,
    )


async def list_sent_parts(
    transaction: Transaction, integration_id: IntegrationId, *, since: datetime
) -> list[tuple[PartId, TweetId, datetime, datetime | None]]:
    """Return (part, id on X, sent at, last read at) of parts sent since `since`, oldest first."""
    rows = await transaction.run("list_sent_parts", integration=integration_id, since=since)
    return [
        (PartId(row["id"]), TweetId(row["sent_as"]), row["sent_at"], row["read_at"]) for row in rows
    ]


async def list_account(
    transaction: Transaction, integration_id: IntegrationId, *, since: datetime, until: datetime
) -> list[AccountSnapshot]:
    """Return an account's snapshots in a period, oldest first."""
    rows = await transaction.run(
        "list_account_snapshots", integration=integration_id, since=since, until=until
    )
    return [_to_account_snapshot(row) for row in rows]


def _to_account_snapshot(row: Mapping[str, Any]) -> AccountSnapshot:
    metrics = {metric: row[metric] for metric in _ACCOUNT}
    return AccountSnapshot(row["integration_id"], row["at"], metrics)


async def find_last(
    transaction: Transaction,
    user_id: XUserId,
    environment: Environment,
    *,
    since: datetime,
    until: datetime,
) -> AccountSnapshot | None:
    """Return the period's last snapshot of the tenant's account that has this X user id."""
    row = await transaction.run_one(
        "find_last_account_snapshot",
        x_user=user_id,
        environment=environment,
        since=since,
        until=until,
    )
    return _to_account_snapshot(row) if row is not None else None


async def list_posts(
    transaction: Transaction, integration_id: IntegrationId, *, since: datetime, until: datetime
) -> list[PostSnapshot]:
    """Return snapshots of the account's parts in a period, sorted by part, then by time."""
    rows = await transaction.run(
        "list_post_snapshots", integration=integration_id, since=since, until=until
    )
    return [
        PostSnapshot(
            integration_id=integration_id,
            part_id=row["part_id"],
            sent_as=row["sent_as"],
            sent_at=row["sent_at"],
            at=row["at"],
            metrics={metric: row[metric] for metric in POST_METRICS},
            text=row["text"],
            post_id=row["post_id"],
        )
        for row in rows
    ]


async def list_known_metrics(
    transaction: Transaction,
    integration_id: IntegrationId,
    part_ids: Collection[PartId],
    *,
    before: datetime,
) -> dict[PartId, dict[Metric, int]]:
    """Return the metrics of each part as last measured before an instant.

    If the last snapshot lacks a metric, the value of an earlier snapshot is returned.
    """
    rows = await transaction.run(
        "list_known_metrics", integration=integration_id, parts=array_of(part_ids), before=before
    )
    return {row["part_id"]: _known_metrics(row, POST_METRICS) for row in rows}


async def get_known_account_metrics(
    transaction: Transaction, integration_id: IntegrationId, *, before: datetime
) -> dict[Metric, int]:
    """Return an account's metrics as last measured before an instant.

    If the last snapshot lacks a metric, the value of an earlier snapshot is returned.
    """
    row = await transaction.run_one(
        "get_known_account_metrics", integration=integration_id, before=before
    )
    return _known_metrics(row or {}, _ACCOUNT)


def _known_metrics(row: Mapping[str, Any], metrics: Iterable[Metric]) -> dict[Metric, int]:
    return {metric: value for metric in metrics if (value := row.get(metric.value)) is not None}


async def count(transaction: Transaction) -> int:
    """Count the tenant's snapshots of accounts and parts."""
    row = await transaction.run_one("count_snapshots")
    assert row is not None
    return int(row["n"])
