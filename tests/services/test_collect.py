"""Metrics are collected daily, and an anomaly in them is found once and on the right day."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest

from fix_emulator import Emulator
from fix_publishing import Publisher
from fix_runtime import connect_account
from roost import store
from roost.models import (
    AccountSnapshot,
    Anomaly,
    Integration,
    IntegrationStatus,
    Metric,
    PostSnapshot,
)
from roost.services import collect, detect, report
from roost.services.schedule import PartInput, schedule_post


async def collect_for(publisher: Publisher, days: int) -> None:
    """Run the worker on `days` successive days, each time when the account is due."""
    for _ in range(days):
        await publisher.move_clock_to(await next_read(publisher))
        await publisher.run_due_jobs()


async def next_read(publisher: Publisher) -> datetime:
    """Return the time at which the account's metrics are due next."""
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        rows = await transaction.raw.execute(
            "SELECT min(collect_due_at) FROM integrations WHERE status = 'connected'"
        )
        row = await rows.fetchone()
    assert row is not None
    at: datetime = row[0]
    return at


@pytest.fixture
async def daily(publisher: Publisher) -> Publisher:
    """The publisher, with its account due for a collection of metrics now."""
    await publisher.set_next_collection(publisher.runtime.clock.now())
    return publisher


async def days_read(publisher: Publisher, account: Integration, days: int = 60) -> list[date]:
    """Return the days on which the account was read."""
    since = publisher.runtime.clock.now() - timedelta(days=days)
    (history,) = await report.gather_histories(
        publisher.runtime, publisher.scope, [account], since=since
    )
    return [snapshot.at.date() for snapshot in history.account]


async def anomalies_of(publisher: Publisher, account: Integration) -> list[Anomaly]:
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        return await store.anomalies.list_anomalies(transaction, account.id)


async def test_collect_reads_account_once_a_day_before_midnight(daily: Publisher) -> None:
    noon = await daily.emulator.move_to_time(time(12))
    await daily.run_due_jobs()
    await collect_for(daily, 3)
    first = noon.date()
    days = [first, first, first + timedelta(days=1), first + timedelta(days=2)]
    assert await days_read(daily, daily.account) == days
    assert (await next_read(daily)).strftime("%H:%M") == "23:30"


async def test_collect_stores_counts_as_x_reports_them(
    daily: Publisher, emulator: Emulator
) -> None:
    await daily.run_due_jobs()
    token = (await emulator.connect("larkbooks"))["access_token"]
    async with emulator.http.get(
        f"{emulator.url}/2/users/me?user.fields=public_metrics",
        headers={"authorization": f"Bearer {token}"},
    ) as response:
        public_metrics = (await response.json())["data"]["public_metrics"]
    since = daily.runtime.clock.now() - timedelta(days=1)
    (history,) = await report.gather_histories(
        daily.runtime, daily.scope, [daily.account], since=since
    )
    (snapshot,) = history.account
    assert snapshot.metrics[Metric.FOLLOWERS] == public_metrics["followers_count"]
    assert snapshot.metrics[Metric.FOLLOWING] == public_metrics["following_count"]


async def test_collect_reads_each_sent_part_every_day(daily: Publisher) -> None:
    await daily.schedule("One", "Two")
    await daily.run_due_jobs()
    await collect_for(daily, 3)
    since = daily.runtime.clock.now() - timedelta(days=10)
    (history,) = await report.gather_histories(
        daily.runtime, daily.scope, [daily.account], since=since
    )
    assert len(history.posts) == 6
    impressions = [s.metrics[Metric.IMPRESSIONS] or 0 for s in history.posts if s.text == "One"]
    assert impressions == sorted(impressions)
    assert impressions[-1] > 0


async def test_collect_reads_other_posts__one_deleted_on_x(
    daily: Publisher, emulator: Emulator
) -> None:
    await daily.schedule("Stays")
    gone = await daily.schedule("Goes", after_s=1)
    await daily.emulator.jump(seconds=2)
    await daily.run_due_jobs()
    tweet = (await daily.get_post(gone)).parts[0].sent_as
    token = (await emulator.connect("larkbooks"))["access_token"]
    async with emulator.http.delete(
        f"{emulator.url}/2/tweets/{tweet}", headers={"authorization": f"Bearer {token}"}
    ) as response:
        assert response.status == 200
    await collect_for(daily, 2)
    since = daily.runtime.clock.now() - timedelta(days=10)
    (history,) = await report.gather_histories(
        daily.runtime, daily.scope, [daily.account], since=since
    )
    assert [snapshot.text for snapshot in history.posts] == ["Stays", "Stays"]


async def test_detect_finds_purge_once_and_on_its_day(daily: Publisher, emulator: Emulator) -> None:
    started_at = datetime.fromisoformat((await emulator.ground_truth())["started_at"])
    await collect_for(daily, 32)
    (found,) = await anomalies_of(daily, daily.account)
    assert found.metric is Metric.FOLLOWERS
    assert found.day == started_at.date() + timedelta(days=21)
    assert -1300 < found.observed < -900  # the purge: 6 % of about 18,400 followers
    recorded = (await emulator.ground_truth())["anomalies"]
    assert [str(found.day)] == [anomaly["day"] for anomaly in recorded]
    again = await detect.detect_anomalies(daily.runtime, daily.scope, daily.account.id)
    assert again == []
    assert await anomalies_of(daily, daily.account) == [found]


async def test_detect_finds_nothing__steady_account(
    publisher: Publisher, emulator: Emulator
) -> None:
    steady = await connect_account(publisher.runtime, publisher.tenant, emulator, "tidewatcher")
    publisher = replace(publisher, account=steady)
    await collect_for(publisher, 45)
    assert len(await days_read(publisher, steady, days=50)) == 45
    assert await anomalies_of(publisher, steady) == []


async def test_collect_retries_later__x_unavailable(daily: Publisher) -> None:
    now = daily.runtime.clock.now()
    # The client tries a read three times.
    await daily.emulator.fail("read_user", "before", "503", times=3)
    collected = await collect.collect_account(daily.runtime, daily.scope, daily.account.id)
    assert (collected.account, collected.posts) == (0, 0)
    assert await next_read(daily) == now + timedelta(minutes=10)
    assert (await daily.get_integration()).status is IntegrationStatus.CONNECTED


async def test_collect_reads_nothing__account_needs_reconnect(daily: Publisher) -> None:
    async with daily.runtime.database.for_tenant(daily.tenant.id) as transaction:
        await store.integrations.mark_needs_reconnect(transaction, daily.account)
    await daily.run_due_jobs()
    await collect.collect_account(daily.runtime, daily.scope, daily.account.id)
    assert await daily.list_statuses("read_user") == []


async def collect_now(publisher: Publisher) -> None:
    """Collect the metrics of the account and of its posts that are due."""
    collected = await collect.collect_account(
        publisher.runtime, publisher.scope, publisher.account.id
    )
    assert collected.account == 1


async def test_collect_updates_handle_name_and_subscription(publisher: Publisher) -> None:
    before, tokens = await publisher.get_integration(), await publisher.get_stored_tokens()
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        await transaction.raw.execute(
            "UPDATE integrations SET metadata = metadata || "
            """'{"username": "formerly", "name": "Another name"}'"""
        )
    await publisher.emulator.control("users/larkbooks", subscription_type="Premium")
    await collect_now(publisher)
    after = await publisher.get_integration()
    assert (after.username, after.name) == ("larkbooks", before.name)
    assert (before.subscription_type, after.subscription_type) == (None, "Premium")
    assert await publisher.get_stored_tokens() == tokens
    assert await publisher.list_statuses("read_user") == [200]
    assert await publisher.list_statuses("read_me") == []
    await schedule_post(
        publisher.runtime, publisher.scope, after, [PartInput("x" * 281)],
        due_at=publisher.runtime.clock.now(),
    )  # fmt: skip
    await publisher.run_to_completion()
    assert await publisher.published_texts() == ["x" * 281]


async def test_collect_keeps_subscription__x_reports_none(publisher: Publisher) -> None:
    await publisher.emulator.control("users/larkbooks", subscription_type="Premium")
    await collect_now(publisher)
    await publisher.emulator.control("users/larkbooks", subscription_type=None)
    await collect_now(publisher)
    assert (await publisher.get_integration()).subscription_type == "Premium"


async def test_collect_writes_no_profile__nothing_changed(
    publisher: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    async def version() -> object:
        async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
            rows = await transaction.raw.execute("SELECT metadata, xmin::text FROM integrations")
            return await rows.fetchall()

    before = await version()
    account = await publisher.get_integration()
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        changed = await store.integrations.save_profile(
            transaction, account.id, username=account.username, name=account.name,
            subscription_type=account.subscription_type,
        )  # fmt: skip
    assert (changed, await version()) == (False, before)
    await collect_now(publisher)
    assert "changed on X" not in caplog.text


async def test_collect_stores_zero_after_higher_value_as_unknown(
    daily: Publisher, emulator: Emulator
) -> None:
    lonely = await connect_account(
        daily.runtime, daily.tenant, emulator,
        (await emulator.control("users", username="lonely", followers=900, following=0))[
            "username"
        ],
    )  # fmt: skip
    daily = replace(daily, account=lonely)
    post_id = await daily.schedule("Hello", account=lonely)
    await daily.run_due_jobs()
    (part,) = (await daily.get_post(post_id)).parts
    assert part.sent_as is not None
    assert part.sent_at is not None
    metrics = {Metric.IMPRESSIONS: 900, Metric.QUOTES: 3, Metric.LINK_CLICKS: 2}
    earlier = daily.runtime.clock.now() + timedelta(seconds=1)
    await store.snapshots.ensure_partitions(daily.runtime.database, earlier)
    async with daily.runtime.database.for_tenant(daily.tenant.id) as transaction:
        await store.snapshots.add_account(
            transaction,
            daily.tenant.id,
            AccountSnapshot(lonely.id, earlier, {Metric.FOLLOWERS: 900, Metric.FOLLOWING: 5}),
        )
        await store.snapshots.add_posts(
            transaction, daily.tenant.id,
            [PostSnapshot(lonely.id, part.id, part.sent_as, part.sent_at, earlier, metrics)],
        )  # fmt: skip
    await daily.set_next_collection(await daily.emulator.move_to_time(time(23, 30)))
    await collect_now(daily)
    since = daily.runtime.clock.now() - timedelta(days=1)
    (history,) = await report.gather_histories(daily.runtime, daily.scope, [lonely], since=since)
    newest = history.account[-1].metrics
    assert newest[Metric.FOLLOWING] is None
    assert (newest[Metric.FOLLOWERS] or 0) > 0
    post_metrics = history.posts[-1].metrics
    # The post has no link. X reports zero clicks for it, which Roost does not store.
    assert post_metrics[Metric.LINK_CLICKS] is None
    assert (post_metrics[Metric.IMPRESSIONS] or 0) > 0
    assert await anomalies_of(daily, lonely) == []
