"""The mission's provider, by its own seven tests; uploads by X's v2 (v1.1 is not built yet)."""

import hashlib
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image

from fix_emulator import Emulator
from roost import x
from roost.models import TweetId
from roost.twitter import HistoryNotKept, TwitterTool

from .conftest import Account, Connect

MIB = 1024 * 1024


@pytest_asyncio.fixture
async def tool(account: Account, emulator: Emulator) -> AsyncIterator[TwitterTool]:
    async with TwitterTool(account.tokens.access_token, base_url=emulator.url) as tool:
        yield tool


async def test_create_tweet_posts_text_and_authorization(
    tool: TwitterTool, account: Account, emulator: Emulator
) -> None:
    await tool.create_tweet("Second-hand, first love.")

    told = await emulator.truth()
    (post,) = told["posts"]
    assert (post["text"], post["user"]) == ("Second-hand, first love.", account.user_id)
    # Who the post belongs to, the emulator knows from the Authorization header alone.
    assert [r["user"] for r in told["requests"] if r["operation"] == "create_post"] == [
        account.user_id
    ]


async def test_create_tweet_includes_media_ids(
    tool: TwitterTool, emulator: Emulator, png: bytes
) -> None:
    media_id = await tool.upload_media(png, "image/png")
    await tool.create_tweet("With a picture.", [media_id])

    (post,) = (await emulator.truth())["posts"]
    assert [media["id"] for media in post["media"]] == [media_id]


async def test_create_tweet_returns_id_and_url(tool: TwitterTool, emulator: Emulator) -> None:
    tweet_id, tweet_url = await tool.create_tweet("Where am I?")

    (post,) = (await emulator.truth())["posts"]
    assert tweet_id == post["id"]
    assert tweet_url == f"https://x.com/i/web/status/{post['id']}"


async def test_upload_media_follows_init_append_finalize__v2(
    tool: TwitterTool, account: Account, emulator: Emulator, png: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "box.png"
    path.write_bytes(png)
    media_id = await tool.upload_media(path, "image/png")

    told = await emulator.truth()
    (media,) = told["media"]
    assert (media["id"], media["category"]) == (media_id, "tweet_image")
    assert media["sha256"] == hashlib.sha256(png).hexdigest()
    uploads = [r for r in told["requests"] if r["operation"].startswith("media_")]
    assert [r["operation"] for r in uploads] == [
        "media_initialize",
        "media_append",
        "media_finalize",
    ]
    assert {r["user"] for r in uploads} == {account.user_id}


async def test_upload_media_chunks_into_5_mb__v2_takes_4_mib(
    tool: TwitterTool, emulator: Emulator, tmp_path: Path
) -> None:
    path = tmp_path / "noise.png"
    pixels = np.random.default_rng(1).integers(0, 255, (1250, 1250, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, "PNG", compress_level=0)
    assert 4 * MIB < path.stat().st_size < 8 * MIB
    await tool.upload_media(path, "image/png")

    told = await emulator.truth()
    assert [r["operation"] for r in told["requests"]].count("media_append") == 2
    (media,) = told["media"]
    assert media["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


async def test_get_tweet_metrics_prefers_organic(
    tool: TwitterTool, account: Account, emulator: Emulator
) -> None:
    tweet_id, _ = await tool.create_tweet("Count me.")
    await emulator.jump(hours=1)
    await emulator.freeze()
    told = await tool.get_tweet_metrics(tweet_id)

    async with emulator.http.get(
        f"{emulator.url}/2/tweets",
        params={
            "ids": tweet_id,
            "tweet.fields": "public_metrics,non_public_metrics,organic_metrics",
        },
        headers={"authorization": f"Bearer {account.tokens.access_token}"},
    ) as answer:
        (post,) = (await answer.json())["data"]
    assert told.impressions == post["organic_metrics"]["impression_count"]
    assert told.engagements == post["non_public_metrics"]["engagements"]
    assert told.profile_clicks == post["organic_metrics"]["user_profile_clicks"]
    assert (told.likes, told.retweets, told.replies) == (
        post["public_metrics"]["like_count"],
        post["public_metrics"]["retweet_count"],
        post["public_metrics"]["reply_count"],
    )


async def test_verify_raises_on_401(emulator: Emulator) -> None:
    async with TwitterTool("not a token", base_url=emulator.url) as tool:
        with pytest.raises(x.errors.Reauthorize) as raised:
            await tool.verify()
    assert raised.value.request_id
    assert "not a token" not in str(raised.value.as_dict())


async def test_verify_gives_the_account(tool: TwitterTool, account: Account) -> None:
    user = await tool.verify()
    assert (user.id, user.username) == (account.user_id, account.username)


async def test_create_tweet_replies(tool: TwitterTool, emulator: Emulator) -> None:
    first, _ = await tool.create_tweet("One.")
    second, _ = await tool.create_tweet("Two.", reply_to=first)
    posts = {post["id"]: post for post in (await emulator.truth())["posts"]}
    assert posts[second]["reply_to"] == first


async def test_create_tweet_quotes(tool: TwitterTool, emulator: Emulator) -> None:
    await emulator.switch(tier="enterprise")
    first, _ = await tool.create_tweet("One.")
    second, _ = await tool.create_tweet("Look.", quote_tweet_id=first)
    posts = {post["id"]: post for post in (await emulator.truth())["posts"]}
    assert posts[second]["quote_of"] == first


async def test_get_tweet_metrics_of_an_old_post_leaves_out_what_x_does_not_give(
    tool: TwitterTool, account: Account, emulator: Emulator
) -> None:
    tweet_id, _ = await tool.create_tweet("Old.")
    await emulator.jump(days=31)
    tokens = await account.tokens.refresh(account.tokens.access_token)
    async with TwitterTool(tokens, base_url=emulator.url) as later:
        told = await later.get_tweet_metrics(tweet_id)
    assert (told.impressions or 0) > 0
    assert (told.engagements, told.profile_clicks) == (None, None)


async def test_get_tweet_metrics_of_nothing_is_not_found(tool: TwitterTool) -> None:
    with pytest.raises(x.errors.NotFoundOnX):
        await tool.get_tweet_metrics(TweetId("1"))


async def test_get_user_metrics_counts(tool: TwitterTool, account: Account) -> None:
    told = await tool.get_user_metrics(account.user_id)
    assert (told.followers_count, told.following_count, told.tweet_count) == (18_400, 612, 4_210)


async def test_get_user_metrics_refuses_a_past_range(tool: TwitterTool, account: Account) -> None:
    with pytest.raises(HistoryNotKept):
        await tool.get_user_metrics(account.user_id, date(2026, 1, 1), date(2026, 1, 31))


async def test_refresh_twitter_token_goes_on_with_the_new_one(
    emulator: Emulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await connect("tidewatcher")
    monkeypatch.setenv("TWITTER_CLIENT_ID", emulator.app.client_id)
    monkeypatch.setenv("TWITTER_CLIENT_SECRET", emulator.app.client_secret)
    async with TwitterTool("an old token", base_url=emulator.url) as tool:
        grant = await tool.refresh_twitter_token(account.tokens.refresh_token)
        user = await tool.verify()
    assert user.username == "tidewatcher"
    assert grant.refresh_token not in (None, account.tokens.refresh_token)
