"""Tests that responses with X's new field names match X's OpenAPI document 2.167."""

from typing import Any

import pytest
import pytest_asyncio
from starlette.routing import Route

from emulator.account import Account, Response
from emulator.schema import OPENAPI, complaints, read_openapi, with_new_names
from x_emulator.auth.scopes import REQUIREMENTS
from x_emulator.router import V2_ROUTES
from x_emulator.routes.serializers import EXPANSIONS, MEDIA_FIELDS, POST_FIELDS, USER_FIELDS
from x_emulator.rules.media import InitializeBody
from x_emulator.rules.request_bodies import CreateBody, MediaBody, PollBody, ReplyBody


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    read = read_openapi()
    if read is None:
        pytest.skip(f"no official OpenAPI at {OPENAPI}")
    return read


@pytest_asyncio.fixture
async def newest(account: Account) -> Account:
    """An account on an emulator that responds in the format of X's OpenAPI document."""
    await account.emulator.switch(field_names="post", problem_host="api.x.com", error_format="flat")
    return account


def check(openapi: dict[str, Any], response: Response, method: str, path: str) -> None:
    assert path in openapi["paths"]
    assert with_new_names(response.body) == response.body
    assert complaints(method, path, response.status, response.body) == []


ALL = {
    "post.fields": "author_id,attachments,conversation_id,created_at,entities,note_post,"
    "public_metrics,non_public_metrics,organic_metrics,referenced_posts,edit_controls,"
    "in_reply_to_user_id,reply_settings,display_text_range,possibly_sensitive,lang",
    "expansions": "attachments.media_keys,author_id,referenced_posts",
    "media.fields": "type,url,width,height,alt_text,duration_ms,public_metrics",
    "user.fields": "public_metrics,subscription_type,verified,verified_type,created_at",
}


async def test_posts_fit_the_schema(newest: Account, openapi: dict[str, Any], png: bytes) -> None:
    media_id = await newest.upload_image(png)
    response = await newest.create(
        "See roost.dev #a $B @mira_builds", media={"media_ids": [media_id]}
    )
    check(openapi, response, "post", "/2/tweets")
    root = response.data["id"]
    reply = await newest.post("And", reply={"in_reply_to_tweet_id": root})
    response = await newest.get("/2/tweets", ids=f"{root},{reply},99", **ALL)
    assert len(response.data) == 2
    assert {"posts", "media", "users"} == response.body["includes"].keys()
    check(openapi, response, "get", "/2/tweets")
    check(openapi, await newest.get(f"/2/tweets/{root}", **ALL), "get", "/2/tweets/{id}")
    response = await newest.get(f"/2/users/{newest.id}/tweets", max_results="5", **ALL)
    check(openapi, response, "get", "/2/users/{id}/tweets")
    response = await newest.request("DELETE", f"/2/tweets/{root}")
    check(openapi, response, "delete", "/2/tweets/{id}")


async def test_users_fit_the_schema(newest: Account, openapi: dict[str, Any]) -> None:
    fields = {"user.fields": ALL["user.fields"]}
    check(openapi, await newest.get("/2/users/me", **fields), "get", "/2/users/me")
    check(openapi, await newest.get("/2/users", ids=f"{newest.id},5", **fields), "get", "/2/users")
    check(openapi, await newest.get(f"/2/users/{newest.id}"), "get", "/2/users/{id}")


async def test_media_fits_the_schema(newest: Account, openapi: dict[str, Any], mp4: bytes) -> None:
    response = await newest.request(
        "POST",
        "/2/media/upload/initialize",
        json={
            "media_category": "tweet_video",
            "media_type": "video/mp4",
            "total_bytes": len(mp4),
        },
    )
    check(openapi, response, "post", "/2/media/upload/initialize")
    media_id = response.data["id"]
    response = await newest.append(media_id, 0, mp4)
    check(openapi, response, "post", "/2/media/upload/{id}/append")
    response = await newest.finalize(media_id)
    check(openapi, response, "post", "/2/media/upload/{id}/finalize")
    response = await newest.get("/2/media/upload", command="STATUS", media_id=media_id)
    check(openapi, response, "get", "/2/media/upload")
    response = await newest.request(
        "POST",
        "/2/media/metadata",
        json={"id": media_id, "metadata": {"alt_text": {"text": "Noise"}}},
    )
    check(openapi, response, "post", "/2/media/metadata")


async def test_problems_fit_the_schema(newest: Account, openapi: dict[str, Any]) -> None:
    check(openapi, await newest.create(colour="red"), "post", "/2/tweets")
    check(openapi, await newest.get("/2/tweets", ids="a"), "get", "/2/tweets")
    bad_media = await newest.create("Look", media={"media_ids": ["1"]})
    check(openapi, bad_media, "post", "/2/tweets")
    old = await newest.post("Old")
    await newest.emulator.jump(days=31)
    newest.tokens = await newest.emulator.connect(newest.username)
    response = await newest.get("/2/tweets", ids=old, **ALL)
    assert set(response.body) == {"errors"}
    check(openapi, response, "get", "/2/tweets")


@pytest.mark.parametrize(
    ("body", "schema"),
    [
        (CreateBody, "CreatePostsRequest"),
        (MediaBody, "CreatePostsMedia"),
        (PollBody, "CreatePostsPoll"),
        (ReplyBody, "CreatePostsReply"),
        (InitializeBody, "InitializeMediaUploadRequest"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_bodies_have_the_properties_of_the_schema(
    openapi: dict[str, Any], body: Any, schema: str
) -> None:
    known = openapi["components"]["schemas"][schema]
    assert set(body.__struct_fields__) == known["properties"].keys()
    assert known["additionalProperties"] is False


@pytest.mark.parametrize(
    ("parameter", "known"),
    [
        ("PostFieldsParameter", POST_FIELDS),
        ("UserFieldsParameter", USER_FIELDS),
        ("MediaFieldsParameter", MEDIA_FIELDS),
        ("PostExpansionsParameter", EXPANSIONS),
    ],
    ids=["post", "user", "media", "expansions"],
)
def test_every_official_field_is_known(
    openapi: dict[str, Any], parameter: str, known: frozenset[str]
) -> None:
    official = set(openapi["components"]["parameters"][parameter]["schema"]["items"]["enum"])
    renamed = {
        name.replace("note_post", "note_tweet")
        .replace("referenced_posts", "referenced_tweets")
        .replace("edit_history_post_ids", "edit_history_tweet_ids")
        for name in official
    }
    assert renamed - known == set()


@pytest.mark.parametrize("route", V2_ROUTES, ids=lambda each: f"{min(each.methods)} {each.path}")
def test_every_operation_requires_the_scopes_of_the_schema(
    openapi: dict[str, Any], route: Route
) -> None:
    [method] = (route.methods or set()) - {"HEAD"}
    asked: dict[str, list[str]] = {}
    for each in openapi["paths"][route.path][method.lower()]["security"]:
        asked |= each
    need = REQUIREMENTS[route.name]
    assert need.scopes == set(asked.get("OAuth2UserToken", ()))
    assert need.user is ("UserToken" in asked)
    assert need.app_only is ("BearerToken" in asked)
