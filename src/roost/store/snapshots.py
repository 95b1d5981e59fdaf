"""What accounts and posts had at an instant, in tables partitioned by month."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import psycopg
from sqlalchemy import RowMapping, func, select, update
from sqlalchemy.dialects.postgresql import insert

from roost.models import (
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
from roost.store.tables import account_snapshots, integrations, parts, post_snapshots

#: Attempts to create a month's tables while other transactions lock the parents, and wall seconds
#: between two attempts.
_OPENING_TRIES: Final = 50
_OPENING_PAUSE_S: Final = 0.2

_ACCOUNT = (Metric.FOLLOWERS, Metric.FOLLOWING, Metric.POSTS)
#: A statement takes 65,535 values at the most.
_ROWS = 1_000
_POST = (
    Metric.IMPRESSIONS,
    Metric.ENGAGEMENTS,
    Metric.LIKES,
    Metric.REPLIES,
    Metric.REPOSTS,
    Metric.QUOTES,
    Metric.BOOKMARKS,
    Metric.LINK_CLICKS,
    Metric.PROFILE_CLICKS,
)


async def open_month(database: Database, instant: datetime) -> None:
    """Create the snapshot tables of an instant's month if they do not exist.

    Creating a partition locks its parent table against readers. This runs in a transaction of its
    own, whose lock timeout is shorter than PostgreSQL's deadlock timeout: it fails and is tried
    again, instead of ending a reader's transaction.

    Raises: psycopg.errors.LockNotAvailable if the parents stay locked.
    """
    for tries_left in reversed(range(_OPENING_TRIES)):
        try:
            async with database.statements(None) as statements:
                await statements.run("wait_briefly_for_locks")
                await statements.run("open_snapshot_month", at=instant)
            return
        except psycopg.errors.LockNotAvailable:
            if not tries_left:
                raise
            await asyncio.sleep(_OPENING_PAUSE_S)


async def add_account(
    transaction: Transaction, tenant_id: TenantId, snapshot: AccountSnapshot
) -> None:
    """Keep one reading of an account; the same instant again changes nothing.

    Needs the tables of the snapshot's month: call `open_month` first.
    """
    values = {metric.value: snapshot.metrics.get(metric) for metric in _ACCOUNT}
    await transaction.sql.execute(
        insert(account_snapshots)
        .values(
            tenant_id=tenant_id, integration_id=snapshot.integration_id, at=snapshot.at, **values
        )
        .on_conflict_do_nothing()
    )


async def add_posts(
    transaction: Transaction, tenant_id: TenantId, snapshots: Sequence[PostSnapshot]
) -> None:
    """Keep readings of tweets taken at one instant, and when each part was read last.

    Needs the tables of the snapshots' month: call `open_month` first. Many rows a statement:
    PostgreSQL refuses COPY into a table with row-level security.
    """
    if not snapshots:
        return
    rows = [
        {
            "tenant_id": tenant_id,
            "integration_id": one.integration_id,
            "part_id": one.part_id,
            "at": one.at,
            **{metric.value: one.metrics.get(metric) for metric in _POST},
        }
        for one in snapshots
    ]
    for first in range(0, len(rows), _ROWS):
        chunk = insert(post_snapshots).values(rows[first : first + _ROWS])
        await transaction.sql.execute(chunk.on_conflict_do_nothing())
    await transaction.sql.execute(
        update(parts)
        .where(parts.c.id.in_([one.part_id for one in snapshots]))
        .values(read_at=snapshots[0].at)
    )


async def list_sent(
    transaction: Transaction, integration_id: IntegrationId, *, since: datetime
) -> list[tuple[PartId, TweetId, datetime, datetime | None]]:
    """The account's parts on X: part, tweet, when sent, when read last; oldest first."""
    rows = await transaction.sql.execute(
        select(parts.c.id, parts.c.sent_as, parts.c.sent_at, parts.c.read_at)
        .where(
            parts.c.integration_id == integration_id,
            parts.c.state == "sent",
            parts.c.sent_at >= since,
        )
        .order_by(parts.c.sent_at, parts.c.id)
    )
    return [tuple(row) for row in rows]


async def list_account(
    transaction: Transaction, integration_id: IntegrationId, *, since: datetime, until: datetime
) -> list[AccountSnapshot]:
    """An account's readings in a range, oldest first."""
    rows = await transaction.sql.execute(
        select(account_snapshots)
        .where(
            account_snapshots.c.integration_id == integration_id,
            account_snapshots.c.at >= since,
            account_snapshots.c.at < until,
        )
        .order_by(account_snapshots.c.at)
    )
    return [_account_snapshot(row) for row in rows.mappings()]


def _account_snapshot(row: RowMapping) -> AccountSnapshot:
    counts = {metric: row[metric] for metric in _ACCOUNT}
    return AccountSnapshot(row["integration_id"], row["at"], counts)


async def find_last(
    transaction: Transaction,
    user_id: XUserId,
    environment: Environment,
    *,
    since: datetime,
    until: datetime,
) -> AccountSnapshot | None:
    """The last reading in a range of the account that is this user on X."""
    rows = await transaction.sql.execute(
        select(account_snapshots)
        .join(integrations, integrations.c.id == account_snapshots.c.integration_id)
        .where(
            integrations.c.metadata["userId"].astext == user_id,
            integrations.c.environment == environment,
            account_snapshots.c.at >= since,
            account_snapshots.c.at < until,
        )
        .order_by(account_snapshots.c.at.desc())
        .limit(1)
    )
    row = rows.mappings().first()
    return _account_snapshot(row) if row is not None else None


async def list_posts(
    transaction: Transaction, integration_id: IntegrationId, *, since: datetime, until: datetime
) -> list[PostSnapshot]:
    """Readings of the account's tweets in a range, by part, oldest first."""
    rows = await transaction.sql.execute(
        select(post_snapshots, parts.c.sent_as, parts.c.sent_at, parts.c.text)
        .join(parts, parts.c.id == post_snapshots.c.part_id)
        .where(
            post_snapshots.c.integration_id == integration_id,
            post_snapshots.c.at >= since,
            post_snapshots.c.at < until,
        )
        .order_by(post_snapshots.c.part_id, post_snapshots.c.at)
    )
    return [
        PostSnapshot(
            integration_id=integration_id,
            part_id=row["part_id"],
            sent_as=row["sent_as"],
            sent_at=row["sent_at"],
            at=row["at"],
            metrics={metric: row[metric] for metric in _POST},
            text=row["text"],
        )
        for row in rows.mappings()
    ]


async def list_known(
    transaction: Transaction,
    integration_id: IntegrationId,
    part_ids: Collection[PartId],
    *,
    before: datetime,
) -> dict[PartId, dict[Metric, int]]:
    """The last value of each metric of some tweets that was read before an instant."""
    rows = await transaction.run(
        "list_known_metrics", integration=integration_id, parts=array_of(part_ids), before=before
    )
    return {row["part_id"]: _known(row, _POST) for row in rows}


async def get_known_account(
    transaction: Transaction, integration_id: IntegrationId, *, before: datetime
) -> dict[Metric, int]:
    """The last value of each metric of an account that was read before an instant."""
    row = await transaction.run_one("get_known_account", integration=integration_id, before=before)
    return _known(row or {}, _ACCOUNT)


def _known(row: Mapping[str, Any], metrics: Iterable[Metric]) -> dict[Metric, int]:
    return {metric: value for metric in metrics if (value := row.get(metric.value)) is not None}


async def count(transaction: Transaction) -> int:
    """How many readings of accounts and tweets the tenant has."""
    accounts = await transaction.sql.execute(select(func.count()).select_from(account_snapshots))
    posts = await transaction.sql.execute(select(func.count()).select_from(post_snapshots))
    return int(accounts.scalar_one()) + int(posts.scalar_one())
