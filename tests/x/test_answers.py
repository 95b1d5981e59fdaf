"""Which successes are X's answers: everything else, however well-formed, was not read."""

from typing import Any

import msgspec
import pytest

from roost.x import answers

MISSING = {
    "title": "Not Found Error",
    "detail": "Could not find tweet with ids: [1].",
    "type": "https://api.x.com/2/problems/resource-not-found",
    "resource_id": "1",
}
POST = {"id": "1", "text": "Low tide at six"}
KINDS: dict[str, type[answers.Wire]] = {
    each.__name__: each
    for each in (
        answers.Posts,
        answers.Timeline,
        answers.PostAnalytics,
        answers.MediaAnalytics,
        answers.Usage,
        answers.Created,
        answers.Deleted,
        answers.User,
        answers.Media,
        answers.LegacyMedia,
        answers.Nothing,
    )
}
NOBODYS = [
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


@pytest.mark.parametrize("body", NOBODYS, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_json_without_what_x_answers_is_not_decoded(kind: str, body: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(body), type=KINDS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_says_so_may_be_empty(kind: str) -> None:
    assert bool(KINDS[kind].for_empty) is (kind == "Nothing")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (answers.Timeline, {"meta": {"result_count": 0}}),
        (answers.Timeline, {"data": [POST], "meta": {"result_count": 1, "next_token": "n"}}),
        (answers.Timeline, {"data": [POST], "errors": [MISSING], "meta": {"result_count": 1}}),
        (answers.Timeline, {"errors": [MISSING]}),
        (answers.Posts, {"data": [POST]}),
        (answers.Posts, {"errors": [MISSING]}),
        (answers.Posts, {"meta": {"result_count": 0}}),
        (answers.Posts, {"data": [POST], "meta": {"result_count": 1}}),
        (answers.Posts, {"data": [POST], "errors": [MISSING], "meta": {"result_count": 2}}),
        (answers.PostAnalytics, {"errors": [MISSING]}),
        (answers.User, {"errors": [MISSING]}),
        (answers.Nothing, {"data": {"expires_at": 1}}),
    ],
)
def test_answer_of_x_is_decoded(kind: type[answers.Wire], body: dict[str, Any]) -> None:
    msgspec.json.decode(msgspec.json.encode(body), type=kind)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (answers.Timeline, {"data": [POST]}),
        (answers.Timeline, {"data": [POST], "meta": {"result_count": 0}}),
        (answers.Timeline, {"data": [POST], "meta": {"result_count": 2}}),
        (answers.Timeline, {"meta": {"result_count": 5, "next_token": "n"}}),
        (answers.Timeline, {"data": [POST], "errors": [MISSING], "meta": {"result_count": 2}}),
        (answers.Timeline, {"data": [POST], "errors": [MISSING]}),
        (answers.Timeline, {"data": [], "meta": {"next_token": "n"}}),
        (answers.Posts, {"data": [POST], "meta": {"result_count": 2}}),
        (answers.Created, {"data": {"id": "", "text": "Low tide at six"}}),
        (answers.Created, {"data": {"id": "ok", "text": "Low tide at six"}}),
    ],
)
def test_answer_that_contradicts_itself_is_not_decoded(
    kind: type[answers.Wire], body: dict[str, Any]
) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(body), type=kind)
