"""What posts and accounts count, read in batches, none lost."""

import pytest

from fix_emulator import Emulator
from roost import x
from roost.models import Metric, TweetId, XUserId
from roost.prices import Operation

from .conftest import Account, Connect, SentRequest

PRIVATE = {Metric.ENGAGEMENTS, Metric.LINK_CLICKS, Metric.PROFILE_CLICKS}


async def test_own_fresh_post_has_every_figure(account: Account, emulator: Emulator) -> None:
    post = await x.posts.create(account.client, text="Count me.")
    await emulator.jump(hours=6)

    read = await x.metrics.read_posts(account.client, [post.tweet_id], private_for=[post.tweet_id])
    figures = read[post.tweet_id]
    assert figures.has_private
    assert set(figures.metrics) >= PRIVATE
    assert all(value is not None for value in figures.metrics.values())
    assert (figures.metrics[Metric.IMPRESSIONS] or 0) > 0


async def test_private_figures_that_were_not_asked_for_are_none(account: Account) -> None:
    post = await x.posts.create(account.client, text="Count me.")

    read = await x.metrics.read_posts(account.client, [post.tweet_id], private_for=[])
    figures = read[post.tweet_id].metrics
    assert {metric for metric, value in figures.items() if value is None} == PRIVATE


async def test_foreign_and_old_posts_keep_their_public_figures(
    account: Account, connect: Connect, emulator: Emulator
) -> None:
    other = await connect("tidewatcher")
    old = await x.posts.create(account.client, text="Old.")
    await emulator.jump(days=31)
    foreign = await x.posts.create(other.client, text="Foreign.")
    fresh = await x.posts.create(account.client, text="Fresh.")
    ids = [old.tweet_id, foreign.tweet_id, fresh.tweet_id]

    read = await x.metrics.read_posts(account.client, ids, private_for=ids)
    assert {tweet_id: figures.has_private for tweet_id, figures in read.items()} == {
        old.tweet_id: False,
        foreign.tweet_id: False,
        fresh.tweet_id: True,
    }
    assert (read[old.tweet_id].metrics[Metric.LIKES] or 0) > 0


async def test_deleted_post_is_left_out_and_not_asked_for_twice(
    account: Account, sent: list[SentRequest]
) -> None:
    gone = await x.posts.create(account.client, text="Gone.")
    kept = await x.posts.create(account.client, text="Kept.")
    await x.posts.delete(account.client, gone.tweet_id)
    ids = [gone.tweet_id, kept.tweet_id]

    read = await x.metrics.read_posts(account.client, ids, private_for=ids)
    assert set(read) == {kept.tweet_id}
    assert sum(request.path == "/2/tweets" and request.method == "GET" for request in sent) == 1


async def test_posts_are_read_100_a_request(account: Account, sent: list[SentRequest]) -> None:
    ids = [TweetId(str(number)) for number in range(1, 251)]
    assert await x.metrics.read_posts(account.client, ids, private_for=[]) == {}

    asked = [request.query["ids"].split(",") for request in sent if "ids" in request.query]
    assert [len(batch) for batch in asked] == [100, 100, 50]


async def test_no_ids_ask_nothing(account: Account, sent: list[SentRequest]) -> None:
    before = len(sent)
    assert await x.metrics.read_posts(account.client, [], private_for=[]) == {}
    assert len(sent) == before


async def test_newer_spelling_gives_the_same_figures(account: Account, emulator: Emulator) -> None:
    post = await x.posts.create(account.client, text="Count me.")
    await emulator.jump(days=2)
    await emulator.freeze()
    ids = [post.tweet_id]
    asked = await x.metrics.read_posts(account.client, ids, private_for=ids)
    await emulator.switch(spelling="post")

    forced = await x.metrics.read_posts(account.client, ids, private_for=ids)
    assert forced[post.tweet_id].metrics == asked[post.tweet_id].metrics
    assert asked[post.tweet_id].metrics[Metric.REPOSTS] is not None


async def test_me_is_the_account_of_the_token(account: Account) -> None:
    me = await x.users.read_me(account.client)

    assert (me.id, me.username, me.subscription_type) == (account.user_id, "larkbooks", "None")
    assert me.metrics == {Metric.FOLLOWERS: 18_400, Metric.FOLLOWING: 612, Metric.POSTS: 4_210}
    assert account.exchanges[-1].users_read == (me.id,)
    assert account.exchanges[-1].operation is Operation.READ_USER


async def test_user_in_the_newer_spelling_has_its_posts(
    account: Account, emulator: Emulator
) -> None:
    await emulator.switch(spelling="post")
    me = await x.users.read_me(account.client)
    assert me.metrics[Metric.POSTS] == 4_210


async def test_unknown_user_is_not_found(account: Account) -> None:
    with pytest.raises(x.errors.NotFoundOnX):
        await x.users.read_user(account.client, XUserId("17"))
