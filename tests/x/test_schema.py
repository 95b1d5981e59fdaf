"""Every JSON body that leaves, against X's own description of its API.

The fixture `session` holds each request of every test here against it; these look closer.
"""

from typing import Any

import jsonschema
import pytest

from roost import x
from roost.x import newpost
from roost.x.newpost import PostFields

from . import described
from .conftest import Account, SentRequest
from .test_newpost import WHOLE


@pytest.fixture(autouse=True)
def at_hand() -> None:
    if described.openapi() is None:
        pytest.skip(f"X's OpenAPI document is not at {described.OPENAPI}")


@pytest.mark.parametrize("post", [post for post, _ in WHOLE])
def test_every_field_of_a_create_is_one_that_x_describes(post: PostFields) -> None:
    schema = described.schema_of("POST", "/2/tweets")
    assert schema is not None
    jsonschema.validate(newpost.body_of(newpost.given(post)), schema)


def test_every_field_that_x_describes_can_be_said() -> None:
    document = described.openapi()
    assert document is not None
    described_names = set(document["components"]["schemas"]["CreatePostsRequest"]["properties"])
    said = {name for post, _ in WHOLE for name in newpost.body_of(newpost.given(post))}
    assert said == described_names


def test_description_refuses_what_it_does_not_know() -> None:
    body: dict[str, Any] = {"text": "a", "aura": 9}
    schema = described.schema_of("POST", "/2/tweets")
    assert schema is not None
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(body, schema)


async def test_ordinary_requests_are_held_against_it(
    account: Account, png: bytes, sent: list[SentRequest]
) -> None:
    sent.clear()
    media = await x.media.upload(
        account.client, png, mime_type="image/png", category="tweet_image", alt_text="Teal"
    )
    first = await x.posts.create(account.client, text=None, media_ids=[media.media_id])
    await x.posts.create(account.client, text="Two.", reply_to=first.tweet_id)
    await x.users.read_me(account.client)

    checked = [request.path for request in sent if request.is_as_described()]
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
