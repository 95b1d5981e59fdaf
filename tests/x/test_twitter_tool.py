"""The mission's provider, by its own seven tests on the bytes that the emulator receives."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

import msgspec
import pytest
import pytest_asyncio

from fix_emulator import Emulator
from fix_media import save_gif
from roost import x
from roost.errors import PostRefused
from roost.models import TweetId
from roost.twitter import HistoryNotKept, TwitterTool
from x_emulator.signatures import is_signed_by

from .conftest import Account, Connect
from .keys import keys_of
from .recorder import Arrived, recording
from .tap import Tap, tapping

MIB = 1024 * 1024
UPLOAD = "/1.1/media/upload.json"


@pytest_asyncio.fixture
async def tap(emulator: Emulator) -> AsyncIterator[Tap]:
    async with tapping(emulator.url) as tap:
        yield tap


@pytest_asyncio.fixture
async def tool(account: Account, tap: Tap) -> AsyncIterator[TwitterTool]:
    async with TwitterTool(account.tokens.access_token, endpoint=x.XEndpoint(tap.url)) as tool:
        yield tool


@pytest_asyncio.fixture
async def oauth1(emulator: Emulator, tap: Tap) -> x.auth.OAuth1:
    return replace(await keys_of(emulator), endpoint=x.XEndpoint(tap.url))


@pytest_asyncio.fixture
async def legacy(account: Account, tap: Tap, oauth1: x.auth.OAuth1) -> AsyncIterator[TwitterTool]:
    """The tool as the mission describes it: media by the API 1.1."""
    token = account.tokens.access_token
    async with TwitterTool(token, oauth1, upload_api="v1.1", endpoint=x.XEndpoint(tap.url)) as tool:
        yield tool


def command_of(request: Arrived) -> str:
    """INIT, APPEND or FINALIZE."""
    if request.headers["content-type"].startswith("multipart/"):
        return field_of(request, "command")
    return dict(parse_qsl(request.body.decode()))["command"]


def field_of(request: Arrived, name: str) -> str:
    """A small field of a multipart body."""
    _, _, rest = request.body.partition(f'name="{name}"\r\n\r\n'.encode())
    return rest.partition(b"\r\n")[0].decode()


def media_of(request: Arrived) -> bytes:
    """The bytes of a multipart body's `media`."""
    boundary = request.headers["content-type"].partition("boundary=")[2].encode()
    _, _, rest = request.body.partition(b'name="media"')
    return rest.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n--" + boundary + b"--\r\n")


def is_signed(request: Arrived, url: str, oauth1: x.auth.OAuth1) -> bool:
    """By a verifier that shares no line with the signer; a form's parameters count, no other body.

    `url` is that of the listener.
    """
    told = request.oauth
    is_form = request.headers["content-type"] == "application/x-www-form-urlencoded"
    return is_signed_by(
        told.pop("oauth_signature"),
        method=request.method,
        urls=[url + urlsplit(request.target).path],
        header=told,
        parameters=parse_qsl(request.body.decode()) if is_form else [],
        secrets=(oauth1.api_secret, oauth1.token_secret or ""),
    )


async def test_create_tweet_posts_text_and_authorization(
    tool: TwitterTool, account: Account, emulator: Emulator, tap: Tap
) -> None:
    await tool.create_tweet("Second-hand, first love.")

    (request,) = tap.requests
    assert (request.method, request.target) == ("POST", "/2/tweets")
    assert request.headers["authorization"] == f"Bearer {account.tokens.access_token}"
    assert request.headers["content-type"] == "application/json"
    assert msgspec.json.decode(request.body) == {"text": "Second-hand, first love."}
    (post,) = (await emulator.truth())["posts"]
    assert (post["text"], post["user"]) == ("Second-hand, first love.", account.user_id)


async def test_create_tweet_includes_media_ids(
    tool: TwitterTool, emulator: Emulator, tap: Tap, png: bytes
) -> None:
    media_id = await tool.upload_media(png, "image/png")
    await tool.create_tweet("With a picture.", [media_id])

    created = next(each for each in tap.requests if each.target == "/2/tweets")
    assert msgspec.json.decode(created.body)["media"] == {"media_ids": [media_id]}
    (post,) = (await emulator.truth())["posts"]
    assert [media["id"] for media in post["media"]] == [media_id]


async def test_create_tweet_returns_id_and_url(tool: TwitterTool, emulator: Emulator) -> None:
    tweet_id, tweet_url = await tool.create_tweet("Where am I?")

    (post,) = (await emulator.truth())["posts"]
    assert tweet_id == post["id"]
    assert tweet_url == f"https://x.com/i/web/status/{post['id']}"


async def test_upload_media_follows_init_append_finalize(
    legacy: TwitterTool,
    oauth1: x.auth.OAuth1,
    account: Account,
    emulator: Emulator,
    tap: Tap,
    png: bytes,
    tmp_path: Path,
) -> None:
    path = tmp_path / "box.png"
    path.write_bytes(png)
    media_id = await legacy.upload_media(path, "image/png")

    requests = tap.requests
    assert [(r.method, r.target, command_of(r)) for r in requests] == [
        ("POST", UPLOAD, "INIT"),
        ("POST", UPLOAD, "APPEND"),
        ("POST", UPLOAD, "FINALIZE"),
    ]
    assert [is_signed(each, tap.url, oauth1) for each in requests] == [True] * 3
    init, append, finalize = requests
    assert parse_qs(init.body.decode()) == {
        "command": ["INIT"],
        "total_bytes": [str(len(png))],
        "media_type": ["image/png"],
        "media_category": ["tweet_image"],
    }
    assert (field_of(append, "media_id"), field_of(append, "segment_index")) == (media_id, "0")
    assert media_of(append) == png
    assert parse_qs(finalize.body.decode())["media_id"] == [media_id]
    (media,) = (await emulator.truth())["media"]
    assert (media["id"], media["user"]) == (media_id, account.user_id)
    assert media["sha256"] == hashlib.sha256(png).hexdigest()


async def test_upload_media_chunks_into_5_mb(
    legacy: TwitterTool, emulator: Emulator, tap: Tap, clip: Path, tmp_path: Path
) -> None:
    # A box of nothing at its end makes a film as large as one likes.
    free = bytes(range(256)) * (11 * MIB // 256)
    path = tmp_path / "long.mp4"
    path.write_bytes(clip.read_bytes() + (8 + len(free)).to_bytes(4, "big") + b"free" + free)
    size = path.stat().st_size
    await emulator.switch(processing_polls=0)
    media_id = await legacy.upload_media(path, "video/mp4", "tweet_video")

    appends = [r for r in tap.requests if r.method == "POST" and command_of(r) == "APPEND"]
    appends.sort(key=lambda each: int(field_of(each, "segment_index")))
    assert [len(media_of(each)) for each in appends] == [5 * MIB, 5 * MIB, size - 10 * MIB]
    assert b"".join(map(media_of, appends)) == path.read_bytes()
    (media,) = (await emulator.truth())["media"]
    assert (media["id"], media["state"]) == (media_id, "succeeded")
    assert media["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


async def test_get_tweet_metrics_prefers_organic() -> None:
    # In the emulator nothing is advertised, so that organic counts are all there are.
    post = {
        "id": "20",
        "text": "Count me.",
        "public_metrics": {
            "impression_count": 900,
            "like_count": 90,
            "retweet_count": 80,
            "reply_count": 70,
        },
        "non_public_metrics": {
            "impression_count": 900,
            "engagements": 321,
            "user_profile_clicks": 60,
        },
        "organic_metrics": {
            "impression_count": 500,
            "like_count": 50,
            "retweet_count": 40,
            "reply_count": 30,
            "user_profile_clicks": 20,
        },
    }
    body = msgspec.json.encode({"data": [post]})
    async with recording() as recorder:
        recorder.answers.append(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\n\r\n%s" % (len(body), body)
        )
        async with TwitterTool("a token", endpoint=x.XEndpoint(recorder.url)) as tool:
            told = await tool.get_tweet_metrics("20")

    (request,) = recorder.arrived
    assert parse_qs(urlsplit(unquote(request.target)).query) == {
        "ids": ["20"],
        "tweet.fields": ["public_metrics,non_public_metrics,organic_metrics"],
    }
    assert (told.impressions, told.engagements, told.profile_clicks) == (500, 321, 20)
    assert (told.likes, told.retweets, told.replies) == (50, 40, 30)


async def test_verify_raises_on_401(emulator: Emulator, tap: Tap) -> None:
    async with TwitterTool("not a token", endpoint=x.XEndpoint(tap.url)) as tool:
        with pytest.raises(x.errors.Reauthorize) as raised:
            await tool.verify()
    (request,) = tap.requests
    assert request.target.startswith("/2/users/me")
    assert request.headers["authorization"] == "Bearer not a token"
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


async def test_upload_media_by_v2(
    tool: TwitterTool, account: Account, emulator: Emulator, tap: Tap, png: bytes
) -> None:
    media_id = await tool.upload_media(png, "image/png")

    assert [each.target.rpartition("/")[2] for each in tap.requests] == [
        "initialize",
        "append",
        "finalize",
    ]
    token = f"Bearer {account.tokens.access_token}"
    assert {each.headers["authorization"] for each in tap.requests} == {token}
    (media,) = (await emulator.truth())["media"]
    assert (media["id"], media["sha256"]) == (media_id, hashlib.sha256(png).hexdigest())


async def test_upload_media_by_v1_without_credentials_says_so(
    account: Account, tap: Tap, png: bytes
) -> None:
    token = account.tokens.access_token
    async with TwitterTool(token, upload_api="v1.1", endpoint=x.XEndpoint(tap.url)) as tool:
        with pytest.raises(x.errors.CredentialMissing, match=r"OAuth 1\.0a"):
            await tool.upload_media(png, "image/png")
    assert tap.requests == []


async def test_get_tweet_metrics_of_an_own_post_has_everything(
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


async def test_get_tweet_metrics_of_an_old_post_leaves_out_what_x_does_not_give(
    tool: TwitterTool, account: Account, emulator: Emulator
) -> None:
    tweet_id, _ = await tool.create_tweet("Old.")
    await emulator.jump(days=31)
    tokens = await account.tokens.refresh(account.tokens.access_token)
    async with TwitterTool(tokens, endpoint=emulator.endpoint) as later:
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
    monkeypatch.setenv("ROOST_X_BASE_URL", emulator.url)
    monkeypatch.setenv("TWITTER_CLIENT_ID", emulator.app.client_id)
    monkeypatch.setenv("TWITTER_CLIENT_SECRET", emulator.app.client_secret)
    async with TwitterTool("an old token", endpoint=emulator.endpoint) as tool:
        grant = await tool.refresh_twitter_token(account.tokens.refresh_token)
        user = await tool.verify()
    assert user.username == "tidewatcher"
    assert grant.refresh_token not in (None, account.tokens.refresh_token)


@pytest.mark.parametrize(
    ("kind", "mime_type", "prefix"),
    [("png", "image/png", "3_"), ("gif", "image/gif", "16_"), ("mp4", "video/mp4", "7_")],
)
async def test_upload_media_without_category_follows_the_type(
    tool: TwitterTool, emulator: Emulator, png: bytes, clip: Path, tmp_path: Path,
    kind: str, mime_type: str, prefix: str,
) -> None:  # fmt: skip
    await emulator.switch(processing_polls=0)
    sources: dict[str, bytes | Path] = {
        "png": png,
        "gif": save_gif(tmp_path / "a.gif"),
        "mp4": clip,
    }
    media_id = await tool.upload_media(sources[kind], mime_type)
    (media,) = (await emulator.truth())["media"]
    assert (media["id"], media["state"]) == (media_id, "succeeded")
    assert media["media_key"].startswith(prefix)


async def test_create_tweet_knows_long_texts_after_verify(
    connect: Connect, emulator: Emulator
) -> None:
    users = await emulator.users()
    premium = next(user for user in users if user["subscription_type"] == "Premium")
    account = await connect(premium["username"])
    async with TwitterTool(account.tokens.access_token, endpoint=x.XEndpoint(emulator.url)) as tool:
        with pytest.raises(PostRefused):
            await tool.create_tweet("x" * 281)
        await tool.verify()
        await tool.create_tweet("x" * 281)
    (post,) = (await emulator.truth())["posts"]
    assert post["text"] == "x" * 281
