"""Every JSON body that leaves, against X's own description of its API."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from roost import x

from .conftest import Account, SentRequest

OPENAPI = Path(__file__).resolve().parents[2] / "../shared/x-api/openapi-2.167.json"


@pytest.fixture(scope="session")
def openapi() -> dict[str, Any]:
    if not OPENAPI.exists():
        pytest.skip(f"X's OpenAPI document is not at {OPENAPI}")
    document: dict[str, Any] = json.loads(OPENAPI.read_text())
    return document


def path_of(openapi: dict[str, Any], path: str) -> str:
    """The template that a path is an instance of; the literal one wins (`/users/me`)."""
    matching: list[str] = [
        template
        for template in openapi["paths"]
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
    ]
    assert matching, f"X has no path {path}"
    return min(matching, key=lambda template: template.count("{"))


async def test_every_request_is_one_that_x_describes(
    account: Account, png: bytes, sent: list[SentRequest], openapi: dict[str, Any]
) -> None:
    sent.clear()
    media = await x.media.upload(
        account.client, png, mime_type="image/png", category="tweet_image", alt_text="Teal"
    )
    first = await x.posts.create(account.client, text=None, media_ids=[media.media_id])
    second = await x.posts.create(account.client, text="Two.", reply_to=first.tweet_id)
    await x.metrics.read_posts(account.client, [first.tweet_id], private_for=[first.tweet_id])
    _ = [p async for p in x.posts.read_timeline(account.client, account.user_id)]
    await x.users.read_me(account.client)
    await x.posts.delete(account.client, second.tweet_id)

    checked = []
    for request in sent:
        template = path_of(openapi, request.path)
        described = openapi["paths"][template][request.method.lower()]
        content = described.get("requestBody", {}).get("content", {})
        if request.headers.get("content-type") == "application/json" and content:
            schema = content["application/json"]["schema"] | {"components": openapi["components"]}
            jsonschema.validate(request.json, schema)
            checked.append(template)
    assert checked == [
        "/2/media/upload/initialize",
        "/2/media/metadata",
        "/2/tweets",
        "/2/tweets",
    ]


async def test_finalize_sends_an_empty_object(
    account: Account, png: bytes, sent: list[SentRequest]
) -> None:
    # The description has no body here; live X refuses an empty one.
    await x.media.upload(account.client, png, mime_type="image/png", category="tweet_image")
    (finalize,) = [request for request in sent if request.path.endswith("/finalize")]
    assert finalize.json == {}


async def test_text_is_left_out_beside_media(
    account: Account, png: bytes, sent: list[SentRequest]
) -> None:
    media = await x.media.upload(account.client, png, mime_type="image/png", category="tweet_image")
    await x.posts.create(account.client, text="", media_ids=[media.media_id])
    assert sent[-1].json == {"media": {"media_ids": [media.media_id]}}
