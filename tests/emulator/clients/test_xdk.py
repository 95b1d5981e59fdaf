"""Tests of the emulator with X's official client `xdk` 0.10.6.

The client's code is unmodified; only its base URL is set to the emulator.
"""

import base64
import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import requests
from xdk import Client

from x_emulator.pytest_plugin import SCOPES, EmulatedX

SEGMENT = 1024 * 1024


@pytest.fixture
def client(x_emulator: EmulatedX, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client of xdk that has logged in as xdk's documentation shows."""
    # Without this variable, oauthlib accepts only https addresses.
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    client = Client(
        base_url=x_emulator.url,
        authorization_base_url=f"{x_emulator.url}/i",
        client_id=x_emulator.app.client_id,
        client_secret=x_emulator.app.client_secret,
        redirect_uri=x_emulator.app.callback,
        scope=SCOPES,
    )
    back = x_emulator.consent("tidewatcher", client.get_authorization_url())
    client.fetch_token(back)
    with client.session:
        yield client
        oauth = client.oauth2_session
        if oauth is not None:
            oauth.close()


def upload(client: Client, content: bytes, media_type: str, category: str) -> str:
    begun = client.media.initialize_upload(
        {"media_type": media_type, "total_bytes": len(content), "media_category": category}
    )
    media_id: str = begun.data.id
    for index, start in enumerate(range(0, len(content), SEGMENT)):
        segment = base64.b64encode(content[start : start + SEGMENT]).decode()
        client.media.append_upload(media_id, {"media": segment, "segment_index": index})
    client.media.finalize_upload(media_id)
    return media_id


def texts(x_emulator: EmulatedX) -> list[str]:
    return [
        post["text"] for post in x_emulator.ground_truth()["posts"] if post["deleted_at"] is None
    ]


def test_login_refresh_and_a_refresh_token_that_works_once(
    client: Client, x_emulator: EmulatedX
) -> None:
    first = dict(client.token)
    second = client.refresh_token()
    assert second["refresh_token"] != first["refresh_token"]
    assert client.users.get_me().data.username == "tidewatcher"
    assert x_emulator.ground_truth()["tokens"] == {"access": 2, "refresh": 1, "grants": 1}


def test_create_thread_read_timeline_delete(client: Client, x_emulator: EmulatedX) -> None:
    me = client.users.get_me().data.id
    root = client.posts.create({"text": "High water at noon"}).data.id
    for number in range(6):
        client.posts.create({"text": f"And {number}", "reply": {"in_reply_to_tweet_id": root}})
    pages = list(client.users.get_posts(me, max_results=5))
    found = [post.id for page in pages for post in page.data]
    ground_truth = x_emulator.ground_truth()["posts"]
    assert [len(page.data) for page in pages] == [5, 2]
    assert found == [post["id"] for post in reversed(ground_truth)]
    assert {post["reply_to"] for post in ground_truth} == {None, root}
    assert client.posts.delete(root).data.deleted is True
    assert "High water at noon" not in texts(x_emulator)


def test_poll(client: Client, x_emulator: EmulatedX) -> None:
    client.posts.create(
        {"text": "Sail today?", "poll": {"options": ["Yes", "No"], "duration_minutes": 60}}
    )
    assert texts(x_emulator) == ["Sail today?"]


def test_metrics_are_read_with_the_new_names(client: Client, x_emulator: EmulatedX) -> None:
    post_id = client.posts.create({"text": "Springs and neaps"}).data.id
    x_emulator.jump(3600)
    fields = ["public_metrics", "non_public_metrics", "organic_metrics"]
    response = client.posts.get_by_ids([post_id], post_fields=fields).data[0]
    assert response.public_metrics.impression_count > 0
    assert response.public_metrics.repost_count >= 0
    assert (
        response.non_public_metrics["impression_count"] == response.public_metrics.impression_count
    )


def test_analytics_add_up_to_the_metrics(client: Client, x_emulator: EmulatedX) -> None:
    post_id = client.posts.create({"text": "Springs and neaps"}).data.id
    x_emulator.jump(3600)
    x_emulator.control("clock", rate=0)
    now = datetime.fromisoformat(x_emulator.ground_truth()["now"])
    response = client.posts.get_analytics(
        ids=[post_id],
        start_time=(now - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        end_time=(now + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        granularity="hourly",
    )
    buckets = response.data[0].timestamped_metrics
    [read] = client.posts.get_by_ids([post_id], post_fields=["public_metrics"]).data
    assert len(buckets) in (2, 3)
    gained = sum(bucket.metrics.impressions for bucket in buckets)
    assert gained == read.public_metrics.impression_count > 0


@pytest.mark.parametrize("kind", ["image", "video"])
def test_media_arrives_byte_for_byte(
    client: Client, x_emulator: EmulatedX, png: bytes, mp4: bytes, kind: str
) -> None:
    content = png if kind == "image" else mp4
    media_type = "image/png" if kind == "image" else "video/mp4"
    media_id = upload(client, content, media_type, f"tweet_{kind}")
    if kind == "video":
        while client.media.get_upload_status(media_id).data.processing_info.state != "succeeded":
            pass
    client.media.create_metadata({"id": media_id, "metadata": {"alt_text": {"text": "A tide"}}})
    client.posts.create({"text": "Look", "media": {"media_ids": [media_id]}})
    [post] = x_emulator.ground_truth()["posts"]
    [media] = post["media"]
    assert (media["sha256"], media["alt_text"]) == (hashlib.sha256(content).hexdigest(), "A tide")


def test_append_without_a_body_breaks_xdk(
    client: Client, x_emulator: EmulatedX, png: bytes
) -> None:
    x_emulator.switch(append_status=204)
    with pytest.raises(requests.JSONDecodeError):
        upload(client, png, "image/png", "tweet_image")


def test_refusal_reaches_the_caller(client: Client, x_emulator: EmulatedX) -> None:
    client.posts.create({"text": "Once"})
    with pytest.raises(requests.HTTPError) as refused:
        client.posts.create({"text": "Once"})
    answer = refused.value.response
    assert answer is not None
    assert (
        answer.json()["detail"] == "You are not allowed to create a Tweet with duplicate content."
    )
    assert texts(x_emulator) == ["Once"]
