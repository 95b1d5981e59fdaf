"""The past of connected accounts, as the provider class asks for it."""

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
Ask = Callable[..., Awaitable[AccountMetrics]]


@pytest.fixture
async def account(runtime: Runtime, tenant: Tenant, emulator: Emulator) -> Integration:
    """An account that was read on Monday at nine, and on Tuesday at nine and at ten."""
    connected = await connect_account(runtime, tenant, emulator, "larkbooks")
    monday = datetime(2026, 3, 2, 9, tzinfo=UTC)
    await store.snapshots.open_month(runtime.database, monday)
    async with runtime.database.tenant(tenant.id) as transaction:
        for hours, followers in ((0, 100), (24, 110), (25, 120)):
            counts = {Metric.FOLLOWERS: followers, Metric.FOLLOWING: 7, Metric.POSTS: None}
            reading = AccountSnapshot(connected.id, monday + timedelta(hours=hours), counts)
            await store.snapshots.add_account(transaction, tenant.id, reading)
    return connected


@pytest.fixture
def ask(runtime: Runtime, tenant: Tenant) -> Ask:
    """`get_user_metrics` of a tool whose token is good for nothing: X is never asked."""

    async def ask(user_id: str, *range_of_days: date | None, of: Tenant = tenant) -> AccountMetrics:
        kept = history.kept(runtime, of.id)
        async with TwitterTool("", endpoint=XEndpoint("http://127.0.0.1:9"), history=kept) as tool:
            return await tool.get_user_metrics(user_id, *range_of_days)

    return ask


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
async def test_range_gives_its_last_reading(
    account: Integration, ask: Ask, start: date | None, end: date | None, followers: int
) -> None:
    told = await ask(account.x_user_id, start, end)
    assert (told.followers_count, told.following_count, told.tweet_count) == (followers, 7, None)


async def test_reading_tells_when_it_was_made(account: Integration, ask: Ask) -> None:
    told = await ask(account.x_user_id, MONDAY, MONDAY)
    assert told.read_at == datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize("day", [date(2026, 3, 1), date(2026, 3, 4)])
async def test_range_without_a_reading_is_refused(
    account: Integration, ask: Ask, day: date
) -> None:
    with pytest.raises(HistoryNotKept, match=str(day)):
        await ask(account.x_user_id, day, day)


async def test_history_of_another_account_is_not_told(
    account: Integration, ask: Ask, runtime: Runtime
) -> None:
    with pytest.raises(HistoryNotKept):
        await ask("1", MONDAY, MONDAY)
    other = await make_tenant(runtime, "other")
    with pytest.raises(HistoryNotKept):
        await ask(account.x_user_id, MONDAY, MONDAY, of=other)
