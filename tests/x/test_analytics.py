"""Analytics are split into requests that X accepts, and the app's usage is read."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import aiohttp
import pytest

from fix_emulator import Emulator
from fix_media import save_video
from roost import x
from roost.emulator_clock import EmulatorClock
from roost.models import Metric, TweetId
from roost.x.analytics import Granularity

from .conftest import Account, Connect, SentRequest
from .oauth1_keys import api_keys_of
from .recorder import open_recorder


async def test_post_analytics_buckets_add_up_to_the_counts(
    account: Account, emulator: Emulator, clock: EmulatorClock
) -> None:
    post = (await x.posts.create(account.client, text="Count me.")).tweet_id
    begun = clock.now()
    await emulator.jump(days=3)
    await emulator.freeze()
    metrics = await x.metrics.read_posts(account.client, [post], private_for=[post])
    start, end = begun - timedelta(days=1), clock.now() + timedelta(hours=1)

    for granularity, length in (
        (Granularity.HOUR, timedelta(hours=1)),
        (Granularity.DAY, timedelta(days=1)),
    ):
        analytics = await x.analytics.read_posts(
            account.client, [post], start=start, end=end, granularity=granularity
        )
        buckets = analytics[post]
        impressions = sum(bucket.counts["impressions"] for bucket in buckets)
        assert impressions == metrics[post].metrics[Metric.IMPRESSIONS]
        begins = [bucket.begins_at for bucket in buckets]
        assert {later - earlier for earlier, later in pairwise(begins)} == {length}
    assert str(analytics.price.high) == "0.005"


async def test_analytics_splits_a_long_period_at_midnight(
    account: Account, sent: list[SentRequest]
) -> None:
    start = datetime(2026, 1, 5, 13, 30, tzinfo=UTC)
    end = start + timedelta(days=60)
    ids = [TweetId(str(number)) for number in range(1, 102)]
    sent.clear()
    analytics = await x.analytics.read_posts(
        account.client, ids, start=start, end=end, granularity=Granularity.DAY
    )

    assert analytics == {}
    periods = [(r.query["start_time"], r.query["end_time"]) for r in sent]
    assert (
        periods[:3]
        == periods[3:]
        == [
            ("2026-01-05T13:30:00Z", "2026-02-02T00:00:00Z"),
            ("2026-02-02T00:00:00Z", "2026-03-02T00:00:00Z"),
            ("2026-03-02T00:00:00Z", "2026-03-06T13:30:00Z"),
        ]
    )
    assert [len(r.query["ids"].split(",")) for r in sent] == [100] * 3 + [1] * 3
    assert {r.query["granularity"] for r in sent} == {"daily"}


async def test_analytics_joins_the_buckets_of_a_long_period_in_order(
    account: Account, emulator: Emulator, clock: EmulatorClock
) -> None:
    post = (await x.posts.create(account.client, text="Count me long.")).tweet_id
    begun = clock.now()
    await emulator.jump(days=40)
    analytics = await x.analytics.read_posts(
        account.client,
        [post],
        start=begun,
        end=begun + timedelta(days=40),
        granularity=Granularity.DAY,
    )
    days = [bucket.begins_at.date() for bucket in analytics[post]]
    assert days == [begun.date() + timedelta(days=n) for n in range(len(days))]
    assert len(days) >= 40
    assert len(analytics.receipts) == 2


async def test_analytics_omits_a_foreign_post(
    account: Account, connect: Connect, clock: EmulatorClock
) -> None:
    other = await connect("tidewatcher")
    own = (await x.posts.create(account.client, text="Own.")).tweet_id
    foreign = (await x.posts.create(other.client, text="Foreign.")).tweet_id
    end = clock.now() + timedelta(hours=1)
    analytics = await x.analytics.read_posts(
        account.client,
        [foreign, own],
        start=end - timedelta(days=1),
        end=end,
        granularity=Granularity.HOUR,
    )
    assert list(analytics) == [own]


async def test_media_analytics_counts_the_views_of_a_video(
    account: Account, emulator: Emulator, clock: EmulatorClock, tmp_path: Path
) -> None:
    video = save_video(tmp_path / "video.mp4")
    media = await x.media.upload(
        account.client, video, mime_type="video/mp4", category="tweet_video"
    )
    await x.posts.create(account.client, text="Watch.", media_ids=[media.media_id])
    begun = clock.now()
    await emulator.jump(days=2)
    analytics = await x.analytics.read_media(
        account.client,
        [media.media_key, "7_1"],
        start=begun - timedelta(days=1),
        end=begun + timedelta(days=2),
        granularity=Granularity.DAY,
    )
    assert list(analytics) == [media.media_key]
    assert sum(bucket.counts["video_views"] for bucket in analytics[media.media_key]) > 0


async def test_usage_counts_the_posts_that_the_app_has_read(
    account: Account, emulator: Emulator, session: aiohttp.ClientSession, clock: EmulatorClock
) -> None:
    posts = [await x.posts.create(account.client, text=f"Number {n}.") for n in range(3)]
    await x.posts.read_posts(account.client, [post.tweet_id for post in posts])
    app = x.auth.OAuth1(*await api_keys_of(emulator), endpoint=emulator.endpoint)
    token = await x.auth.oauth2.get_app_token(session, app=app)
    client = x.Client(x.FixedToken(token, emulator.endpoint), session=session)
    usage = await x.usage.read(client, days=2)

    today = clock.now().date()
    assert (usage.cap, usage.used, usage.cap_reset_day) == (3_000_000, 3, 1)
    assert usage.by_day == {today - timedelta(days=1): 0, today: 3}
    assert str(usage.price.high) == "0"


async def test_usage_rejects_a_users_token(account: Account) -> None:
    with pytest.raises(x.errors.AppMisconfigured):
        await x.usage.read(account.client)


async def test_usage_is_never_signed(session: aiohttp.ClientSession) -> None:
    async with open_recorder() as recorder:
        keys = x.auth.OAuth1("k", "s", endpoint=x.XEndpoint(recorder.url))
        client = x.Client(None, oauth1=keys, session=session)
        with pytest.raises(x.errors.CredentialMissing):
            await x.usage.read(client)
        assert recorder.requests == []
