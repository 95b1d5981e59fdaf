"""`TwitterTool`: the tests check the bytes that the emulator receives."""

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
from roost.errors import PostRefused, SettingInvalid, UnsafeHost
from roost.models import TweetId
from roost.twitter import HistoryNotKept, TwitterTool
from x_emulator.auth.oauth1_signature import is_signed_by

from .conftest import Account, Connect
from .oauth1_keys import keys_of
from .proxy import RecordingProxy, open_proxy
from .recorder import ReceivedRequest, open_recorder

MIB = 1024 * 1024
UPLOAD = "/1.1/media/upload.json"


@pytest_asyncio.fixture
async def proxy(emulator: Emulator) -> AsyncIterator[RecordingProxy]:
    async with open_proxy(emulator.url) as proxy:
        yield proxy


@pytest_asyncio.fixture
async def tool(account: Account, proxy: RecordingProxy) -> AsyncIterator[TwitterTool]:
    async with TwitterTool(account.tokens.access_token, endpoint=x.XEndpoint(proxy.url)) as tool:
        yield tool


@pytest_asyncio.fixture
async def oauth1(emulator: Emulator, proxy: RecordingProxy) -> x.auth.OAuth1:
    return replace(await keys_of(emulator), endpoint=x.XEndpoint(proxy.url))


@pytest_asyncio.fixture
async def v1_tool(
    account: Account, proxy: RecordingProxy, oauth1: x.auth.OAuth1
) -> AsyncIterator[TwitterTool]:
    """The tool with media uploads through API v1.1."""
    token = account.tokens.access_token
    async with TwitterTool(
        token, oauth1, upload_api="v1.1", endpoint=x.XEndpoint(proxy.url)
    ) as tool:
        yield tool


def command_of(request: ReceivedRequest) -> str:
    """Return INIT, APPEND or FINALIZE."""
    if request.headers["content-type"].startswith("multipart/"):
        return field_of(request, "command")
    return dict(parse_qsl(request.body.decode()))["command"]


def field_of(request: ReceivedRequest, name: str) -> str:
    """Return the value of a text field in a multipart body."""
    _, _, rest = request.body.partition(f'name="{name}"\r\n\r\n'.encode())
    return rest.partition(b"\r\n")[0].decode()


def media_of(request: ReceivedRequest) -> bytes:
    """Return the bytes of the field `media` in a multipart body."""
    boundary = request.headers["content-type"].partition("boundary=")[2].encode()
    _, _, rest = request.body.partition(b'name="media"')
    return rest.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n--" + boundary + b"--\r\n")


def is_signed(request: ReceivedRequest, url: str, oauth1: x.auth.OAuth1) -> bool:
    """Verify the signature with code that is independent of the signer.

    The signature covers the parameters of a form, but no other body. `url` is the server's URL.
    """
    fields = request.oauth
    is_form = request.headers["content-type"] == "application/x-www-form-urlencoded"
    return is_signed_by(
        fields.pop("oauth_signature"),
        method=request.method,
        urls=[url + urlsplit(request.target).path],
        header=fields,
        parameters=parse_qsl(request.body.decode()) if is_form else [],
        secrets=(oauth1.api_secret, oauth1.token_secret or ""),
    )


async def test_create_tweet_posts_text_and_authorization(
    tool: TwitterTool, account: Account, emulator: Emulator, proxy: RecordingProxy
) -> None:
    await tool.create_tweet("Second-hand, first love.")

    (request,) = proxy.requests
    assert (request.method, request.target) == ("POST", "/2/tweets")
    assert request.headers["authorization"] == f"Bearer {account.tokens.access_token}"
    assert request.headers["content-type"] == "application/json"
    assert msgspec.json.decode(request.body) == {"text": "Second-hand, first love."}
    (post,) = (await emulator.ground_truth())["posts"]
    assert (post["text"], post["user"]) == ("Second-hand, first love.", account.user_id)


async def test_create_tweet_includes_media_ids(
    tool: TwitterTool, emulator: Emulator, proxy: RecordingProxy, png: bytes
) -> None:
    media_id = await tool.upload_media(png, "image/png")
    await tool.create_tweet("With a picture.", [media_id])

    created = next(each for each in proxy.requests if each.target == "/2/tweets")
    assert msgspec.json.decode(created.body)["media"] == {"media_ids": [media_id]}
    (post,) = (await emulator.ground_truth())["posts"]
    assert [media["id"] for media in post["media"]] == [media_id]


async def test_create_tweet_returns_id_and_url(tool: TwitterTool, emulator: Emulator) -> None:
    tweet_id, tweet_url = await tool.create_tweet("Where am I?")

    (post,) = (await emulator.ground_truth())["posts"]
    assert tweet_id == post["id"]
    assert tweet_url == f"https://x.com/i/web/status/{post['id']}"


async def test_upload_media_follows_init_append_finalize(
    v1_tool: TwitterTool,
    oauth1: x.auth.OAuth1,
    account: Account,
    emulator: Emulator,
    proxy: RecordingProxy,
    png: bytes,
    tmp_path: Path,
) -> None:
    path = tmp_path / "box.png"
    path.write_bytes(png)
    media_id = await v1_tool.upload_media(path, "image/png")

    requests = proxy.requests
    assert [(r.method, r.target, command_of(r)) for r in requests] == [
        ("POST", UPLOAD, "INIT"),
        ("POST", UPLOAD, "APPEND"),
        ("POST", UPLOAD, "FINALIZE"),
    ]
    assert [is_signed(each, proxy.url, oauth1) for each in requests] == [True] * 3
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
    (media,) = (await emulator.ground_truth())["media"]
    assert (media["id"], media["user"]) == (media_id, account.user_id)
    assert media["sha256"] == hashlib.sha256(png).hexdigest()


async def test_upload_media_chunks_into_5_mb(
    v1_tool: TwitterTool, emulator: Emulator, proxy: RecordingProxy, clip: Path, tmp_path: Path
) -> None:
    # A `free` box at the end makes a video as large as the test needs.
    free = bytes(range(256)) * (11 * MIB // 256)
    path = tmp_path / "long.mp4"
    path.write_bytes(clip.read_bytes() + (8 + len(free)).to_bytes(4, "big") + b"free" + free)
    size = path.stat().st_size
    await emulator.switch(processing_polls=0)
    media_id = await v1_tool.upload_media(path, "video/mp4", "tweet_video")

    appends = [r for r in proxy.requests if r.method == "POST" and command_of(r) == "APPEND"]
    appends.sort(key=lambda each: int(field_of(each, "segment_index")))
    assert [len(media_of(each)) for each in appends] == [5 * MIB, 5 * MIB, size - 10 * MIB]
    assert b"".join(map(media_of, appends)) == path.read_bytes()
    (media,) = (await emulator.ground_truth())["media"]
    assert (media["id"], media["state"]) == (media_id, "succeeded")
    assert media["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


async def test_get_tweet_metrics_prefers_organic() -> None:
    # The emulator has no promoted posts, so its organic counts equal the public ones.
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
    async with open_recorder() as recorder:
        recorder.responses.append(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\n\r\n%s" % (len(body), body)
        )
        async with TwitterTool("a token", endpoint=x.XEndpoint(recorder.url)) as tool:
            metrics = await tool.get_tweet_metrics("20")

    (request,) = recorder.requests
    assert parse_qs(urlsplit(unquote(request.target)).query) == {
        "ids": ["20"],
        "tweet.fields": ["public_metrics,non_public_metrics,organic_metrics"],
    }
    assert (metrics.impressions, metrics.engagements, metrics.profile_clicks) == (500, 321, 20)
    assert (metrics.likes, metrics.retweets, metrics.replies) == (50, 40, 30)


async def test_verify_raises_on_401(emulator: Emulator, proxy: RecordingProxy) -> None:
    async with TwitterTool("not a token", endpoint=x.XEndpoint(proxy.url)) as tool:
        with pytest.raises(x.errors.ReauthorizationRequired) as raised:
            await tool.verify()
    (request,) = proxy.requests
    assert request.target.startswith("/2/users/me")
    assert request.headers["authorization"] == "Bearer not a token"
    assert raised.value.request_id
    assert "not a token" not in str(raised.value.as_dict())


async def test_verify_returns_the_account(tool: TwitterTool, account: Account) -> None:
    user = await tool.verify()
    assert (user.id, user.username) == (account.user_id, account.username)


async def test_create_tweet_replies(tool: TwitterTool, emulator: Emulator) -> None:
    first, _ = await tool.create_tweet("One.")
    second, _ = await tool.create_tweet("Two.", reply_to=first)
    posts = {post["id"]: post for post in (await emulator.ground_truth())["posts"]}
    assert posts[second]["reply_to"] == first


async def test_create_tweet_quotes(tool: TwitterTool, emulator: Emulator) -> None:
    await emulator.switch(tier="enterprise")
    first, _ = await tool.create_tweet("One.")
    second, _ = await tool.create_tweet("Look.", quote_tweet_id=first)
    posts = {post["id"]: post for post in (await emulator.ground_truth())["posts"]}
    assert posts[second]["quote_of"] == first


async def test_upload_media_uses_v2_by_default(
    tool: TwitterTool, account: Account, emulator: Emulator, proxy: RecordingProxy, png: bytes
) -> None:
    media_id = await tool.upload_media(png, "image/png")

    assert [each.target.rpartition("/")[2] for each in proxy.requests] == [
        "initialize",
        "append",
        "finalize",
    ]
    token = f"Bearer {account.tokens.access_token}"
    assert {each.headers["authorization"] for each in proxy.requests} == {token}
    (media,) = (await emulator.ground_truth())["media"]
    assert (media["id"], media["sha256"]) == (media_id, hashlib.sha256(png).hexdigest())


async def test_upload_media_by_v1_raises_without_credentials(
    account: Account, proxy: RecordingProxy, png: bytes
) -> None:
    token = account.tokens.access_token
    async with TwitterTool(token, upload_api="v1.1", endpoint=x.XEndpoint(proxy.url)) as tool:
        with pytest.raises(x.errors.CredentialMissing, match=r"OAuth 1\.0a"):
            await tool.upload_media(png, "image/png")
    assert proxy.requests == []


def user_token(oauth1: x.auth.OAuth1) -> x.auth.OAuth1UserToken:
    """Return the user's access token and secret of a credential, without the app's keys."""
    assert oauth1.token is not None
    assert oauth1.token_secret is not None
    return x.auth.OAuth1UserToken(oauth1.token, oauth1.token_secret, oauth1.endpoint)


async def test_upload_media_by_v1_signs_with_the_apps_keys_of_the_settings(
    account: Account,
    emulator: Emulator,
    proxy: RecordingProxy,
    oauth1: x.auth.OAuth1,
    png: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ROOST_X_BASE_URL", proxy.url)
    monkeypatch.setenv("TWITTER_API_KEY", oauth1.api_key)
    monkeypatch.setenv("TWITTER_API_SECRET", oauth1.api_secret)
    async with TwitterTool(
        account.tokens.access_token,
        user_token(oauth1),
        upload_api="v1.1",
        endpoint=x.XEndpoint(proxy.url),
    ) as tool:
        media_id = await tool.upload_media(png, "image/png")

    assert [is_signed(each, proxy.url, oauth1) for each in proxy.requests] == [True] * 3
    assert {each.oauth["oauth_consumer_key"] for each in proxy.requests} == {oauth1.api_key}
    (media,) = (await emulator.ground_truth())["media"]
    assert (media["id"], media["user"]) == (media_id, account.user_id)


async def test_create_tweet_signs_with_the_apps_keys_of_the_settings(
    connect: Connect, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = await connect("larkbooks", "tweet.read users.read offline.access")
    keys = await keys_of(emulator)
    monkeypatch.setenv("ROOST_X_BASE_URL", emulator.url)
    monkeypatch.setenv("TWITTER_API_KEY", keys.api_key)
    monkeypatch.setenv("TWITTER_API_SECRET", keys.api_secret)
    token = reader.tokens.access_token
    async with TwitterTool(token, user_token(keys), endpoint=emulator.endpoint) as tool:
        tweet_id, _ = await tool.create_tweet("Signed.")
    (post,) = (await emulator.ground_truth())["posts"]
    assert (post["id"], post["user"]) == (tweet_id, reader.user_id)


@pytest.mark.parametrize("missing", ["TWITTER_API_KEY", "TWITTER_API_SECRET"])
async def test_twitter_tool_names_a_missing_key_of_the_settings(
    proxy: RecordingProxy,
    oauth1: x.auth.OAuth1,
    monkeypatch: pytest.MonkeyPatch,
    missing: str,
) -> None:
    monkeypatch.setenv("ROOST_X_BASE_URL", proxy.url)
    for name in ("TWITTER_API_KEY", "TWITTER_API_SECRET"):
        monkeypatch.setenv(name, "" if name == missing else "a-key")
    tool = TwitterTool("a token", user_token(oauth1), endpoint=x.XEndpoint(proxy.url))
    with pytest.raises(SettingInvalid) as raised:
        async with tool:
            pass
    assert raised.value.facts["setting"] == missing
    assert proxy.requests == []


async def test_twitter_tool_refuses_keys_of_another_endpoint(
    oauth1: x.auth.OAuth1, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROOST_X_BASE_URL", "https://api.x.com")
    monkeypatch.setenv("TWITTER_API_KEY", "a-key")
    monkeypatch.setenv("TWITTER_API_SECRET", "a-secret")
    with pytest.raises(UnsafeHost):
        async with TwitterTool("a token", user_token(oauth1), endpoint=oauth1.endpoint):
            pass


async def test_get_tweet_metrics_returns_everything_of_an_own_post(
    tool: TwitterTool, account: Account, emulator: Emulator
) -> None:
    tweet_id, _ = await tool.create_tweet("Count me.")
    await emulator.jump(hours=1)
    await emulator.freeze()
    metrics = await tool.get_tweet_metrics(tweet_id)

    async with emulator.http.get(
        f"{emulator.url}/2/tweets",
        params={
            "ids": tweet_id,
            "tweet.fields": "public_metrics,non_public_metrics,organic_metrics",
        },
        headers={"authorization": f"Bearer {account.tokens.access_token}"},
    ) as response:
        (post,) = (await response.json())["data"]
    assert metrics.impressions == post["organic_metrics"]["impression_count"]
    assert metrics.engagements == post["non_public_metrics"]["engagements"]
    assert metrics.profile_clicks == post["organic_metrics"]["user_profile_clicks"]
    assert (metrics.likes, metrics.retweets, metrics.replies) == (
        post["public_metrics"]["like_count"],
        post["public_metrics"]["retweet_count"],
        post["public_metrics"]["reply_count"],
    )


async def test_get_tweet_metrics_returns_none_for_private_metrics_of_an_old_post(
    tool: TwitterTool, account: Account, emulator: Emulator
) -> None:
    tweet_id, _ = await tool.create_tweet("Old.")
    await emulator.jump(days=31)
    tokens = await account.tokens.refresh(account.tokens.access_token)
    async with TwitterTool(tokens, endpoint=emulator.endpoint) as later:
        metrics = await later.get_tweet_metrics(tweet_id)
    assert (metrics.impressions or 0) > 0
    assert (metrics.engagements, metrics.profile_clicks) == (None, None)


async def test_get_tweet_metrics_raises_not_found_for_an_unknown_post(tool: TwitterTool) -> None:
    with pytest.raises(x.errors.NotFoundOnX):
        await tool.get_tweet_metrics(TweetId("1"))


async def test_get_user_metrics_returns_the_counts(tool: TwitterTool, account: Account) -> None:
    metrics = await tool.get_user_metrics(account.user_id)
    assert (metrics.followers_count, metrics.following_count, metrics.tweet_count) == (
        18_400,
        612,
        4_210,
    )


async def test_get_user_metrics_refuses_a_past_range(tool: TwitterTool, account: Account) -> None:
    with pytest.raises(HistoryNotKept):
        await tool.get_user_metrics(account.user_id, date(2026, 1, 1), date(2026, 1, 31))


async def test_refresh_twitter_token_uses_the_new_token(
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
    (media,) = (await emulator.ground_truth())["media"]
    assert (media["id"], media["state"]) == (media_id, "succeeded")
    assert media["media_key"].startswith(prefix)


async def test_create_tweet_allows_long_texts_after_verify(
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
    (post,) = (await emulator.ground_truth())["posts"]
    assert post["text"] == "x" * 281
