"""Private metrics, which X reports for only 30 days, keep their last known value."""

from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from fix_publishing import Publisher, run_roost
from fix_web import get
from roost import store
from roost.models import Metric, PostSnapshot


@pytest.mark.parametrize("days", [1, 30, 60])
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
    (post,) = result.answer["accounts"][0]["posts"]
    assert (post["metrics"]["impressions"], post["metrics"]["engagements"]) == (9_100, 4_321)
    assert post["metrics"]["link_clicks"] == 777
    _, page = await get(browser, f"{web}/accounts/{publisher.account.id}")
    assert "9,100" in page
    assert "4,321" in page
    if days >= 43:  # A report lists only the posts that were sent in its period.
        _, report = await get(browser, f"{web}/report?days={days}")
        assert "9,100" in report
        assert "4,321" in report
