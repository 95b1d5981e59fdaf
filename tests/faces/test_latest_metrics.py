"""Each page shows the posts of one period, with the last known private metrics."""

import re
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
import psycopg
import pytest

from fix_publishing import Publisher, run_roost
from fix_web import get
from roost import store
from roost.models import Metric, PostSnapshot
from roost.services import collect, report


@pytest.mark.parametrize("days", [30, 60])
async def test_private_metrics_keep_their_last_known_value(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession, tmp_path: Path, days: int
) -> None:
    post_id = await publisher.schedule("Long ago")
    await publisher.run_due_jobs()
    (part,) = (await publisher.get_post(post_id)).parts
    assert part.sent_as is not None
    assert part.sent_at is not None
    public = {Metric.IMPRESSIONS: 9_000, Metric.LIKES: 50, Metric.REPLIES: 6, Metric.REPOSTS: 7}
    private = {Metric.ENGAGEMENTS: 4_321, Metric.LINK_CLICKS: 777}
    for age, metrics in ((29, public | private), (42, public | {Metric.IMPRESSIONS: 9_100})):
        at = part.sent_at + timedelta(days=age)
        snapshot = PostSnapshot(
            publisher.account.id, part.id, part.sent_as, part.sent_at, at, metrics
        )
        await store.snapshots.ensure_partitions(publisher.runtime.database, at)
        async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
            await store.snapshots.add_posts(transaction, publisher.tenant.id, [snapshot])
    await publisher.move_clock_to(part.sent_at + timedelta(days=43))
    settings = publisher.runtime.settings
    result = await run_roost(
        "metrics", "--days", str(days), "--json", settings=settings, folder=tmp_path
    )
    posts = result.answer["accounts"][0]["posts"]
    own = {"origin": web, "sec-fetch-site": "same-origin"}
    async with browser.post(f"{web}/reports", data={"period": f"{days}d"}, headers=own):
        _, page = await get(browser, f"{web}/reports/1/read")
    assert ("9,100" in page, "4,321" in page) == (days >= 43, days >= 43)
    if days < 43:  # The post is 43 days old, so a shorter period does not contain it.
        assert posts == []
        return
    (post,) = posts
    assert (post["metrics"]["impressions"], post["metrics"]["engagements"]) == (9_100, 4_321)
    assert post["metrics"]["link_clicks"] == 777


async def test_page_of_an_account_lists_the_posts_that_its_tile_counts(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    page = f"{web}/accounts/{publisher.account.id}"
    await publisher.schedule("Long ago")
    await publisher.run_due_jobs()
    at = publisher.runtime.clock.now() + timedelta(days=365)
    await publisher.emulator.jump(seconds=1)
    _, body = await get(browser, page)
    assert "<dt>Posts</dt><dd>1</dd>" in body
    when = f"{at.day} {at:%b} at {at:%H:%M} UTC"
    assert f"1 post was published; its metrics are read on {when}." in body
    await publisher.emulator.jump(days=1)
    await collect.collect_account(publisher.runtime, publisher.scope, publisher.account.id)
    await publisher.emulator.jump(seconds=1)
    _, body = await get(browser, page)
    assert "<dt>Posts</dt><dd>1</dd>" in body
    assert ("Long ago" in body, "metrics are read" in body) == (True, False)
    await publisher.emulator.jump(days=40)
    _, body = await get(browser, page)
    assert "<dt>Posts</dt><dd>0</dd>" in body
    assert "Long ago" not in body


async def test_page_of_an_account_shows_a_thread_as_one_post_with_the_sum_of_its_parts(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    post_id = await publisher.schedule("The beginning", "The end")
    await publisher.run_due_jobs()
    await publisher.emulator.jump(days=1)
    await collect.collect_account(publisher.runtime, publisher.scope, publisher.account.id)
    await publisher.emulator.jump(seconds=1)
    since = publisher.runtime.clock.now() - timedelta(days=3)
    (history,) = await report.gather_histories(
        publisher.runtime, publisher.scope, [publisher.account], since=since
    )
    total = sum(snapshot.metrics[Metric.IMPRESSIONS] or 0 for snapshot in history.posts)
    _, body = await get(browser, f"{web}/accounts/{publisher.account.id}")
    (row,) = re.findall(r"<tr>\n<th scope=\"row\">.*?</tr>", body, re.DOTALL)
    assert f'href="/posts/{post_id}?tenant=default">The beginning</a>' in row
    assert "thread of 2" in row
    assert f'data-name="Impressions">{total:,}<' in row


async def test_days_of_the_page_of_an_account_are_those_of_the_tenant(
    publisher: Publisher, admin_url: str, web: str, browser: aiohttp.ClientSession
) -> None:
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("UPDATE roost.tenants SET time_zone = 'Pacific/Auckland'")
    await publisher.emulator.move_to_time(time(20))
    await publisher.set_next_collection(publisher.runtime.clock.now())
    await publisher.run_due_jobs()
    today = publisher.runtime.clock.now().astimezone(ZoneInfo("Pacific/Auckland"))
    _, body = await get(browser, f"{web}/accounts/{publisher.account.id}")
    # It is 8 or 9 o'clock in the morning there, so the snapshot closes the day before.
    yesterday = today - timedelta(days=1)
    assert f'aria-label="{yesterday.day} {yesterday:%B %Y}: ' in body


async def test_posts_are_read_at_half_past_eleven__account_collected_at_once(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    await publisher.schedule("Hello")
    await publisher.run_due_jobs()
    now = publisher.runtime.clock.now()
    await publisher.set_next_collection(now)
    await publisher.emulator.jump(seconds=1)
    _, body = await get(browser, f"{web}/accounts/{publisher.account.id}")
    at = datetime.combine(now.date(), time(23, 30), UTC)
    at += timedelta(days=at <= now)
    assert f"1 post was published; its metrics are read on {at.day} {at:%b} at 23:30 UTC." in body
