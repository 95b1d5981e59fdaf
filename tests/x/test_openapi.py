"""JSON bodies match X's OpenAPI document.

The fixture `session` checks the requests of all tests in this folder; these tests check details.
"""

from typing import Any

import jsonschema
import pytest

from roost import x
from roost.x import create_post
from roost.x.create_post import PostFields

from . import openapi
from .conftest import Account, SentRequest
from .test_create_post import ALL_FIELDS


@pytest.fixture(autouse=True)
def require_document() -> None:
    if openapi.openapi() is None:
        pytest.skip(f"X's OpenAPI document is not at {openapi.OPENAPI}")


@pytest.mark.parametrize("post", [post for post, _ in ALL_FIELDS])
def test_openapi_describes_every_field_of_a_create(post: PostFields) -> None:
    schema = openapi.schema_of("POST", "/2/tweets")
    assert schema is not None
    jsonschema.validate(create_post.to_json(create_post.without_empty(post)), schema)


def test_create_supports_every_field_that_openapi_describes() -> None:
    document = openapi.openapi()
    assert document is not None
    described = set(document["components"]["schemas"]["CreatePostsRequest"]["properties"])
    supported = {
        name
        for post, _ in ALL_FIELDS
        for name in create_post.to_json(create_post.without_empty(post))
    }
    assert supported == described


def test_openapi_rejects_an_unknown_field() -> None:
    body: dict[str, Any] = {"text": "a", "aura": 9}
    schema = openapi.schema_of("POST", "/2/tweets")
    assert schema is not None
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(body, schema)


async def test_openapi_checks_ordinary_requests(
    account: Account, png: bytes, sent: list[SentRequest]
) -> None:
    sent.clear()
    media = await x.media.upload(
        account.client, png, mime_type="image/png", category="tweet_image", alt_text="Teal"
    )
    first = await x.posts.create(account.client, text=None, media_ids=[media.media_id])
    await x.posts.create(account.client, text="Two.", reply_to=first.tweet_id)
    await x.users.read_me(account.client)

    checked = [request.path for request in sent if request.matches_openapi()]
    assert checked == [
        "/2/media/upload/initialize",
        "/2/media/metadata",
        "/2/tweets",
        "/2/tweets",
    ]


async def test_finalize_sends_an_empty_object(
    account: Account, png: bytes, sent: list[SentRequest]
) -> None:
    # The document describes no body for finalize, but X itself refuses an empty body.
    await x.media.upload(account.client, png, mime_type="image/png", category="tweet_image")
    (finalize,) = [request for request in sent if request.path.endswith("/finalize")]
    assert finalize.json == {}


async def test_create_leaves_out_an_empty_text_with_media(
    account: Account, png: bytes, sent: list[SentRequest]
) -> None:
    media = await x.media.upload(account.client, png, mime_type="image/png", category="tweet_image")
    await x.posts.create(account.client, text="", media_ids=[media.media_id])
    assert sent[-1].json == {"media": {"media_ids": [media.media_id]}}
