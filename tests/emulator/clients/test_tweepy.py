"""Tests of the emulator with the unmodified client tweepy 4.17.

tweepy's hosts are constants, so HTTP adapters send tweepy's requests to the emulator.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import tweepy
from requests.adapters import HTTPAdapter
from requests_oauthlib import OAuth1Session

from x_emulator.pytest_plugin import SCOPES, EmulatedX


class ToEmulator(HTTPAdapter):
    """Adapter of `requests` that sends https requests for any host to the emulator."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def send(self, request: Any, *args: Any, **more: Any) -> Any:
        meant = urlsplit(request.url)
        query = f"?{meant.query}" if meant.query else ""
        request.url = f"{self.url}{meant.path}{query}"
        return super().send(request, *args, **more)


def turned(session: requests.Session, x_emulator: EmulatedX) -> requests.Session:
    session.mount("https://", ToEmulator(x_emulator.url))
    return session


@pytest.fixture
def client(x_emulator: EmulatedX, monkeypatch: pytest.MonkeyPatch) -> Iterator[tweepy.Client]:
    """An OAuth 2.0 client of tweepy that has logged in with tweepy's own functions."""
    # Without this variable, oauthlib refuses the callback, which uses http.
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    handler = tweepy.OAuth2UserHandler(
        client_id=x_emulator.app.client_id,
        client_secret=x_emulator.app.client_secret,
        redirect_uri=x_emulator.app.callback,
        scope=SCOPES.split(),
    )
    turned(handler, x_emulator)
    link = handler.get_authorization_url()
    token = handler.fetch_token(x_emulator.consent("tidewatcher", link))
    handler.close()
    client = tweepy.Client(token["access_token"])
    with turned(client.session, x_emulator):
        yield client


@pytest.fixture
def signing(
    x_emulator: EmulatedX, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[tweepy.API, tweepy.Client]]:
    """OAuth 1.0a clients for v1.1 and v2 that have logged in by the three-legged flow."""

    def session(*args: Any, **more: Any) -> requests.Session:
        return turned(OAuth1Session(*args, **more), x_emulator)

    monkeypatch.setattr(tweepy.auth, "OAuth1Session", session)
    app = x_emulator.app.registered
    auth = tweepy.OAuth1UserHandler(
        app["api_key"], app["api_secret"], callback=x_emulator.app.callback
    )
    back = urlsplit(x_emulator.consent("tidewatcher", auth.get_authorization_url()))
    auth.get_access_token(parse_qs(back.query)["oauth_verifier"][0])
    auth.oauth.close()
    api = tweepy.API(auth)
    client = tweepy.Client(
        consumer_key=auth.consumer_key,
        consumer_secret=auth.consumer_secret,
        access_token=auth.access_token,
        access_token_secret=auth.access_token_secret,
    )
    with turned(api.session, x_emulator), turned(client.session, x_emulator):
        yield api, client


def test_oauth1_create_read_and_delete(
    signing: tuple[tweepy.API, tweepy.Client], x_emulator: EmulatedX
) -> None:
    api, client = signing
    assert api.verify_credentials().screen_name == "tidewatcher"
    me = client.get_me().data
    post_id = client.create_tweet(text="Signed & sent").data["id"]
    x_emulator.jump(3600)
    fields = ["public_metrics", "non_public_metrics"]
    [post] = client.get_users_tweets(me.id, user_auth=True, tweet_fields=fields).data
    assert str(post.id) == post_id
    seen = post.public_metrics["impression_count"]
    assert seen == post.non_public_metrics["impression_count"] > 0
    assert client.delete_tweet(post_id).data == {"deleted": True}
    [post] = x_emulator.ground_truth()["posts"]
    assert post["text"] == "Signed & sent"
    assert post["deleted_at"] is not None


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # tweepy imports imghdr
@pytest.mark.parametrize("kind", ["image", "video"])
def test_v1_media_arrives_byte_for_byte(
    signing: tuple[tweepy.API, tweepy.Client],
    x_emulator: EmulatedX,
    png: bytes,
    mp4: bytes,
    kind: str,
    tmp_path: Path,
) -> None:
    api, client = signing
    content = png if kind == "image" else mp4
    path = tmp_path / ("tide.png" if kind == "image" else "tide.mp4")
    path.write_bytes(content)
    media = api.media_upload(str(path), chunked=True, media_category=f"tweet_{kind}")
    api.create_media_metadata(media.media_id_string, "A tide")
    client.create_tweet(text="Look", media_ids=[media.media_id])
    [post] = x_emulator.ground_truth()["posts"]
    [arrived] = post["media"]
    assert arrived["sha256"] == hashlib.sha256(content).hexdigest()
    assert arrived["alt_text"] == "A tide"


def test_create_thread_poll_read_delete(client: tweepy.Client, x_emulator: EmulatedX) -> None:
    me = client.get_me(user_auth=False).data
    root = client.create_tweet(text="High water at noon", user_auth=False).data["id"]
    for number in range(6):
        client.create_tweet(text=f"And {number}", in_reply_to_tweet_id=root, user_auth=False)
    client.create_tweet(
        text="Sail?", poll_options=["Yes", "No"], poll_duration_minutes=60, user_auth=False
    )
    pages = tweepy.Paginator(client.get_users_tweets, me.id, max_results=5)
    found = [str(post.id) for post in pages.flatten()]
    ground_truth = x_emulator.ground_truth()["posts"]
    assert me.username == "tidewatcher"
    assert found == [post["id"] for post in reversed(ground_truth)]
    assert [post["reply_to"] for post in ground_truth] == [None, *[root] * 6, None]
    assert client.delete_tweet(root, user_auth=False).data == {"deleted": True}
    assert x_emulator.ground_truth()["posts"][0]["deleted_at"] is not None


def test_metrics(client: tweepy.Client, x_emulator: EmulatedX) -> None:
    post_id = client.create_tweet(text="Springs and neaps", user_auth=False).data["id"]
    x_emulator.jump(3600)
    fields = ["public_metrics", "non_public_metrics", "organic_metrics"]
    [post] = client.get_tweets([post_id], tweet_fields=fields).data
    seen = post.public_metrics["impression_count"]
    assert seen > 0
    assert post.non_public_metrics["impression_count"] == seen
    assert post.organic_metrics["impression_count"] == seen


def test_partial_errors_are_separate(client: tweepy.Client) -> None:
    post_id = client.create_tweet(text="Here", user_auth=False).data["id"]
    response = client.get_tweets([post_id, "99"])
    assert [str(post.id) for post in response.data] == [post_id]
    assert [error["resource_id"] for error in response.errors] == ["99"]


def test_refusals_reach_the_caller(client: tweepy.Client, x_emulator: EmulatedX) -> None:
    client.create_tweet(text="Once", user_auth=False)
    with pytest.raises(tweepy.Forbidden, match="duplicate content"):
        client.create_tweet(text="Once", user_auth=False)
    x_emulator.fail("create_post", "before", "429")
    with pytest.raises(tweepy.TooManyRequests):
        client.create_tweet(text="Twice", user_auth=False)
    x_emulator.fail("create_post", "after", "503")
    with pytest.raises(tweepy.TwitterServerError):
        client.create_tweet(text="Thrice", user_auth=False)
    assert [post["text"] for post in x_emulator.ground_truth()["posts"]] == ["Once", "Thrice"]
