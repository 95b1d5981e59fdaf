"""Metrics of posts and accounts, read in batches without losing a post."""

import pytest

from fix_emulator import Emulator
from roost import x
from roost.models import Metric, TweetId, XUserId
from roost.prices import Operation

from .conftest import Account, Connect, SentRequest

PRIVATE = {Metric.ENGAGEMENTS, Metric.LINK_CLICKS, Metric.PROFILE_CLICKS}


async def test_read_posts_returns_every_metric_of_a_recent_own_post(
    account: Account, emulator: Emulator
) -> None:
    post = await x.posts.create(account.client, text="Count me.")
    await emulator.jump(hours=6)

    found = await x.metrics.read_posts(account.client, [post.tweet_id], private_for=[post.tweet_id])
    metrics = found[post.tweet_id]
    assert metrics.has_private
    assert set(metrics.metrics) >= PRIVATE
    assert all(value is not None for value in metrics.metrics.values())
    assert (metrics.metrics[Metric.IMPRESSIONS] or 0) > 0


async def test_read_posts_returns_none_for_private_metrics_not_requested(account: Account) -> None:
    post = await x.posts.create(account.client, text="Count me.")

    found = await x.metrics.read_posts(account.client, [post.tweet_id], private_for=[])
    metrics = found[post.tweet_id].metrics
    assert {metric for metric, value in metrics.items() if value is None} == PRIVATE


async def test_read_posts_returns_public_metrics_of_foreign_and_old_posts(
    account: Account, connect: Connect, emulator: Emulator
) -> None:
    other = await connect("tidewatcher")
    old = await x.posts.create(account.client, text="Old.")
    await emulator.jump(days=31)
    foreign = await x.posts.create(other.client, text="Foreign.")
    fresh = await x.posts.create(account.client, text="Fresh.")
    ids = [old.tweet_id, foreign.tweet_id, fresh.tweet_id]

    found = await x.metrics.read_posts(account.client, ids, private_for=ids)
    assert {tweet_id: metrics.has_private for tweet_id, metrics in found.items()} == {
        old.tweet_id: False,
        foreign.tweet_id: False,
        fresh.tweet_id: True,
    }
    assert (found[old.tweet_id].metrics[Metric.LIKES] or 0) > 0


async def test_read_posts_omits_a_deleted_post_without_a_second_request(
    account: Account, sent: list[SentRequest]
) -> None:
    deleted = await x.posts.create(account.client, text="Gone.")
    kept = await x.posts.create(account.client, text="Kept.")
    await x.posts.delete(account.client, deleted.tweet_id)
    ids = [deleted.tweet_id, kept.tweet_id]

    found = await x.metrics.read_posts(account.client, ids, private_for=ids)
    assert set(found) == {kept.tweet_id}
    assert sum(request.path == "/2/tweets" and request.method == "GET" for request in sent) == 1


async def test_read_posts_sends_100_ids_per_request(
    account: Account, sent: list[SentRequest]
) -> None:
    ids = [TweetId(str(number)) for number in range(1, 251)]
    assert await x.metrics.read_posts(account.client, ids, private_for=[]) == {}

    batches = [request.query["ids"].split(",") for request in sent if "ids" in request.query]
    assert [len(batch) for batch in batches] == [100, 100, 50]


async def test_read_posts_sends_nothing_without_ids(
    account: Account, sent: list[SentRequest]
) -> None:
    before = len(sent)
    assert await x.metrics.read_posts(account.client, [], private_for=[]) == {}
    assert len(sent) == before


async def test_read_posts_reads_both_spellings(account: Account, emulator: Emulator) -> None:
    post = await x.posts.create(account.client, text="Count me.")
    await emulator.jump(days=2)
    await emulator.freeze()
    ids = [post.tweet_id]
    older_spelling = await x.metrics.read_posts(account.client, ids, private_for=ids)
    await emulator.switch(field_names="post")

    newer_spelling = await x.metrics.read_posts(account.client, ids, private_for=ids)
    assert newer_spelling[post.tweet_id].metrics == older_spelling[post.tweet_id].metrics
    assert older_spelling[post.tweet_id].metrics[Metric.REPOSTS] is not None


async def test_read_me_returns_the_account_of_the_token(account: Account) -> None:
    me = await x.users.read_me(account.client)

    assert (me.id, me.username, me.subscription_type) == (account.user_id, "larkbooks", "None")
    assert me.metrics == {Metric.FOLLOWERS: 18_400, Metric.FOLLOWING: 612, Metric.POSTS: 4_210}
    assert account.exchanges[-1].users_read == (me.id,)
    assert account.exchanges[-1].operation is Operation.READ_USER


async def test_read_me_reads_the_newer_spelling(account: Account, emulator: Emulator) -> None:
    await emulator.switch(field_names="post")
    me = await x.users.read_me(account.client)
    assert me.metrics[Metric.POSTS] == 4_210


async def test_read_user_raises_not_found_for_an_unknown_user(account: Account) -> None:
    with pytest.raises(x.errors.NotFoundOnX):
        await x.users.read_user(account.client, XUserId("17"))
