"""Loads what was measured of accounts in the last days, for a list of their metrics."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

from roost import store
from roost.insights.read_plan import find_next_read_at, plan_reads
from roost.models import AccountHistory, Integration, PartId, PostId, Scope, SentPart
from roost.runtime import Runtime


def period_start(now: datetime, days: int) -> datetime:
    """Return the start of the first of the last `days` days in UTC, of which today is the last.

    The result is a midnight, because metrics are listed for whole days.
    """
    first = (now.astimezone(UTC) - timedelta(days=days - 1)).date()
    return datetime.combine(first, time(), UTC)


async def gather_histories(
    runtime: Runtime, scope: Scope, integrations: Sequence[Integration], *, since: datetime
) -> list[AccountHistory]:
    """Load the metrics of accounts, their posts and their costs since `since`.

    The snapshots of the accounts begin an equally long period earlier, so that the last number of
    followers is known even if an account was not read since `since`.
    """
    until = runtime.clock.now() + timedelta(seconds=1)
    before = since - (until - since) - timedelta(days=1)
    histories = []
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        for integration in integrations:
            _, usd = await store.ledger.get_total(
                transaction, integration_id=integration.id, since=since, until=until
            )
            anomalies = await store.anomalies.list_anomalies(transaction, integration.id)
            posts = await store.snapshots.list_posts(
                transaction, integration.id, since=since, until=until
            )
            account = await store.snapshots.list_account(
                transaction, integration.id, since=before, until=until
            )
            sent = await store.snapshots.list_sent_parts(transaction, integration.id, since=since)
            unread = [(part, at, None) for part, _, at, read_at in sent if read_at is None]
            parts = await store.reports.list_parts(
                transaction, integration.id, since=since, until=until
            )
            collected_at = await store.integrations.find_next_collection_at(
                transaction, integration.id
            )
            histories.append(
                AccountHistory(
                    integration=integration,
                    account=tuple(account),
                    posts=tuple(posts),
                    anomalies=tuple(anomalies),
                    usd=usd,
                    unread=_find_unread_posts(parts, {part for part, _, _ in unread}),
                    next_read_at=find_next_read_at(plan_reads(unread, until), collected_at),
                )
            )
    return histories


def _find_unread_posts(parts: Sequence[SentPart], unread: set[PartId]) -> tuple[datetime, ...]:
    """Return when each post was sent all of whose parts are unread. `parts` is oldest first."""
    measured = {part.post_id for part in parts if part.part_id not in unread}
    first_sent: dict[PostId, datetime] = {}
    for part in parts:
        first_sent.setdefault(part.post_id, part.sent_at)
    return tuple(at for post_id, at in first_sent.items() if post_id not in measured)
