"""Past metrics of connected accounts, which `TwitterTool` reads from the database."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from fix_emulator import Emulator
from fix_runtime import connect_account, make_tenant
from roost import history, store
from roost.endpoint import XEndpoint
from roost.models import AccountSnapshot, Integration, Metric, Tenant
from roost.runtime import Runtime
from roost.twitter import AccountMetrics, HistoryNotKept, TwitterTool

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)
GetMetrics = Callable[..., Awaitable[AccountMetrics]]


@pytest.fixture
async def account(runtime: Runtime, tenant: Tenant, emulator: Emulator) -> Integration:
    """An account with snapshots on Monday at 9:00 and on Tuesday at 9:00 and 10:00."""
    connected = await connect_account(runtime, tenant, emulator, "larkbooks")
    monday = datetime(2026, 3, 2, 9, tzinfo=UTC)
    await store.snapshots.ensure_partitions(runtime.database, monday)
    async with runtime.database.for_tenant(tenant.id) as transaction:
        for hours, followers in ((0, 100), (24, 110), (25, 120)):
            counts = {Metric.FOLLOWERS: followers, Metric.FOLLOWING: 7, Metric.POSTS: None}
            snapshot = AccountSnapshot(connected.id, monday + timedelta(hours=hours), counts)
            await store.snapshots.add_account(transaction, tenant.id, snapshot)
    return connected


@pytest.fixture
def get_metrics(runtime: Runtime, tenant: Tenant) -> GetMetrics:
    """Return `get_user_metrics` of a tool without a token and without access to X."""

    async def get_metrics(
        user_id: str, *range_of_days: date | None, of: Tenant = tenant
    ) -> AccountMetrics:
        past = history.from_snapshots(runtime, of.id)
        async with TwitterTool("", endpoint=XEndpoint("http://127.0.0.1:9"), history=past) as tool:
            return await tool.get_user_metrics(user_id, *range_of_days)

    return get_metrics


@pytest.mark.parametrize(
    ("start", "end", "followers"),
    [
        (MONDAY, MONDAY, 100),
        (MONDAY, TUESDAY, 120),
        (TUESDAY, TUESDAY, 120),
        (None, MONDAY, 100),
        (MONDAY, None, 120),
    ],
)
async def test_history_returns_last_snapshot_of_range(
    account: Integration,
    get_metrics: GetMetrics,
    start: date | None,
    end: date | None,
    followers: int,
) -> None:
    metrics = await get_metrics(account.x_user_id, start, end)
    assert (metrics.followers_count, metrics.following_count, metrics.tweet_count) == (
        followers,
        7,
        None,
    )


async def test_history_returns_time_of_snapshot(
    account: Integration, get_metrics: GetMetrics
) -> None:
    metrics = await get_metrics(account.x_user_id, MONDAY, MONDAY)
    assert metrics.read_at == datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize("day", [date(2026, 3, 1), date(2026, 3, 4)])
async def test_history_refuses_range__no_snapshot(
    account: Integration, get_metrics: GetMetrics, day: date
) -> None:
    with pytest.raises(HistoryNotKept, match=str(day)):
        await get_metrics(account.x_user_id, day, day)


async def test_history_refuses_account__other_user_or_tenant(
    account: Integration, get_metrics: GetMetrics, runtime: Runtime
) -> None:
    with pytest.raises(HistoryNotKept):
        await get_metrics("1", MONDAY, MONDAY)
    other = await make_tenant(runtime, "other")
    with pytest.raises(HistoryNotKept):
        await get_metrics(account.x_user_id, MONDAY, MONDAY, of=other)
