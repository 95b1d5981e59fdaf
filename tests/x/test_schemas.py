"""The schemas decode the JSON bodies that X sends, and reject any other JSON."""

from typing import Any

import msgspec
import pytest

from roost.x import schemas

MISSING = {
    "title": "Not Found Error",
    "detail": "Could not find tweet with ids: [1].",
    "type": "https://api.x.com/2/problems/resource-not-found",
    "resource_id": "1",
}
POST = {"id": "1", "text": "Low tide at six"}
KINDS: dict[str, type[schemas.ResponseBody]] = {
    each.__name__: each
    for each in (
        schemas.PostsResponse,
        schemas.TimelineResponse,
        schemas.PostAnalyticsResponse,
        schemas.MediaAnalyticsResponse,
        schemas.UsageResponse,
        schemas.CreateResponse,
        schemas.DeleteResponse,
        schemas.UserResponse,
        schemas.MediaResponse,
        schemas.MediaResponseV1,
        schemas.NoContent,
    )
}
FOREIGN = [
    {},
    {"status": "ok"},
    {"message": "OK"},
    {"errors": []},
    {"errors": [{}]},
    {"errors": [{"code": 1020, "message": "Denied"}], "success": False},
    {"meta": {}},
    {"meta": {"result_count": "0"}},
    {"meta": {"result_count": False}},
    {"meta": {"result_count": None}},
]


@pytest.mark.parametrize("body", FOREIGN, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_schema_rejects_json_without_the_content_of_a_response(
    kind: str, body: dict[str, Any]
) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(body), type=KINDS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_only_no_content_may_be_empty(kind: str) -> None:
    assert bool(KINDS[kind].empty_body) is (kind == "NoContent")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (schemas.TimelineResponse, {"meta": {"result_count": 0}}),
        (
            schemas.TimelineResponse,
            {"data": [POST], "meta": {"result_count": 1, "next_token": "n"}},
        ),
        (
            schemas.TimelineResponse,
            {"data": [POST], "errors": [MISSING], "meta": {"result_count": 1}},
        ),
        (schemas.TimelineResponse, {"errors": [MISSING]}),
        (schemas.PostsResponse, {"data": [POST]}),
        (schemas.PostsResponse, {"errors": [MISSING]}),
        (schemas.PostsResponse, {"meta": {"result_count": 0}}),
        (schemas.PostsResponse, {"data": [POST], "meta": {"result_count": 1}}),
        (schemas.PostsResponse, {"data": [POST], "errors": [MISSING], "meta": {"result_count": 2}}),
        (schemas.PostAnalyticsResponse, {"errors": [MISSING]}),
        (schemas.UserResponse, {"errors": [MISSING]}),
        (schemas.NoContent, {"data": {"expires_at": 1}}),
    ],
)
def test_schema_decodes_a_response(kind: type[schemas.ResponseBody], body: dict[str, Any]) -> None:
    msgspec.json.decode(msgspec.json.encode(body), type=kind)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (schemas.TimelineResponse, {"data": [POST]}),
        (schemas.TimelineResponse, {"data": [POST], "meta": {"result_count": 0}}),
        (schemas.TimelineResponse, {"data": [POST], "meta": {"result_count": 2}}),
        (schemas.TimelineResponse, {"meta": {"result_count": 5, "next_token": "n"}}),
        (
            schemas.TimelineResponse,
            {"data": [POST], "errors": [MISSING], "meta": {"result_count": 2}},
        ),
        (schemas.TimelineResponse, {"data": [POST], "errors": [MISSING]}),
        (schemas.TimelineResponse, {"data": [], "meta": {"next_token": "n"}}),
        (schemas.PostsResponse, {"data": [POST], "meta": {"result_count": 2}}),
        (schemas.CreateResponse, {"data": {"id": "", "text": "Low tide at six"}}),
        (schemas.CreateResponse, {"data": {"id": "ok", "text": "Low tide at six"}}),
    ],
)
def test_schema_rejects_an_inconsistent_response(
    kind: type[schemas.ResponseBody], body: dict[str, Any]
) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(body), type=kind)
