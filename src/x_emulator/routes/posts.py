"""The routes of posts and users."""

import base64
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from x_emulator import billing
from x_emulator.pipeline import Call, read_body
from x_emulator.responses import ApiResponse
from x_emulator.routes import serializers
from x_emulator.routes.serializers import FieldSelection
from x_emulator.rules import posts, refusals
from x_emulator.rules.posts import Cursor, TimelineQuery
from x_emulator.rules.request_bodies import CreateBody
from x_emulator.state import Post, User

_ID = re.compile(r"[0-9]{1,19}")
_CURSOR = re.compile(r"(older|newer):([0-9]{1,19})")


async def create_post(call: Call) -> ApiResponse:
    """Handle `POST /2/tweets`."""
    body = read_body(call.world, await call.request.body(), CreateBody)
    created = posts.create(call.world, call.user, call.client_id, body, call.at)
    post = created.post
    uses_new_names = call.world.switches.field_names == "post"
    history = "edit_history_post_ids" if uses_new_names else "edit_history_tweet_ids"
    return ApiResponse(
        201,
        {"data": {"id": post.id, "text": post.returned_text, history: post.history}},
        usd=billing.price_of_create(has_link=post.has_link, summoned=created.summoned),
        headers=((b"location", f"https://api.twitter.com/2/tweets/{post.id}".encode()),),
    )


async def delete_post(call: Call) -> ApiResponse:
    """Handle `DELETE /2/tweets/{id}`."""
    posts.delete(call.world, call.user, call.client_id, _path_id(call), call.at)
    return ApiResponse(200, {"data": {"deleted": True}}, usd=billing.DELETE)


async def read_posts(call: Call) -> ApiResponse:
    """Handle `GET /2/tweets?ids=`."""
    selection = serializers.read_field_selection(call.world, call.query)
    found: list[Post] = []
    errors: list[dict[str, Any]] = []
    for each in _ids(call):
        post = call.world.find_post(each)
        if post is None:
            missing = refusals.not_found(call.world.switches, "tweet", each, "ids", many=True)
            errors.append(missing)
        elif not posts.is_visible(call.world, post, call.user_id):
            errors.append(refusals.not_visible(call.world.switches, "Tweet", each, "ids"))
        else:
            found.append(post)
    visible, denied = serializers.split_by_permission(
        call.world, found, selection, call.user_id, "ids", call.at
    )
    return _posts_response(call, visible, errors + denied, selection)


async def read_post(call: Call) -> ApiResponse:
    """Handle `GET /2/tweets/{id}`."""
    selection = serializers.read_field_selection(call.world, call.query)
    post_id = _path_id(call)
    post = call.world.find_post(post_id)
    if post is None:
        missing = refusals.not_found(call.world.switches, "tweet", post_id, "id")
        return ApiResponse(200, {"errors": [missing]})
    if not posts.is_visible(call.world, post, call.user_id):
        hidden = refusals.not_visible(call.world.switches, "Tweet", post_id, "id")
        return ApiResponse(200, {"errors": [hidden]})
    visible, denied = serializers.split_by_permission(
        call.world, [post], selection, call.user_id, "id", call.at
    )
    response = _posts_response(call, visible, denied, selection)
    if visible:
        response.body["data"] = response.body["data"][0]
    return response


async def read_timeline(call: Call) -> ApiResponse:
    """Handle `GET /2/users/{id}/tweets`."""
    selection = serializers.read_field_selection(call.world, call.query)
    query = _timeline_query(call)
    author = call.world.users.get(_path_id(call))
    if author is None:
        return _user_not_found(call, _path_id(call), "id")
    if author.suspended or (author.protected and author.id != call.user_id):
        hidden = refusals.not_visible(call.world.switches, "User", author.id, "id")
        return ApiResponse(200, {"errors": [hidden]})
    page = posts.read_timeline(call.world, author, query)
    visible, denied = serializers.split_by_permission(
        call.world, page.posts, selection, call.user_id, "id", call.at
    )
    response = _posts_response(call, visible, denied, selection, owned=call.is_owned(author.id))
    meta: dict[str, Any] = {"result_count": len(visible)}
    if visible:
        meta |= {"newest_id": visible[0].id, "oldest_id": visible[-1].id}
    if page.next is not None:
        meta["next_token"] = _page_token(page.next)
    if page.previous is not None:
        meta["previous_token"] = _page_token(page.previous)
    response.body["meta"] = meta
    return response


async def read_me(call: Call) -> ApiResponse:
    """Handle `GET /2/users/me`."""
    selection = serializers.read_field_selection(call.world, call.query)
    owned = call.is_owned(call.user_id)
    return _users_response(call, [call.user], [], selection, many=False, owned=owned)


async def read_user(call: Call) -> ApiResponse:
    """Handle `GET /2/users/{id}`."""
    selection = serializers.read_field_selection(call.world, call.query)
    user = call.world.users.get(_path_id(call))
    if user is None:
        return _user_not_found(call, _path_id(call), "id")
    return _users_response(call, [user], [], selection, many=False)


async def read_users(call: Call) -> ApiResponse:
    """Handle `GET /2/users?ids=`."""
    selection = serializers.read_field_selection(call.world, call.query)
    ids = _ids(call)
    found = [call.world.users[each] for each in ids if each in call.world.users]
    errors = [
        refusals.not_found(call.world.switches, "user", each, "ids", many=True)
        for each in ids
        if each not in call.world.users
    ]
    return _users_response(call, found, errors, selection, many=True)


def _posts_response(
    call: Call,
    visible: Sequence[Post],
    errors: list[dict[str, Any]],
    selection: FieldSelection,
    *,
    owned: bool = False,
) -> ApiResponse:
    body: dict[str, Any] = {}
    if visible:
        body["data"] = [serializers.post_object(call.world, p, selection, call.at) for p in visible]
        included = serializers.includes(call.world, list(visible), selection, call.at)
        body |= {"includes": included} if included else {}
    if errors:
        body["errors"] = errors
    billing.count_posts_read(call.caller.app, len(visible), call.at)
    ids = (post.id for post in visible)
    usd = billing.charge_reads(call.world, call.client_id, "post", ids, call.at, owned=owned)
    return ApiResponse(200, selection.rename_fields(body), usd=usd)


def _users_response(
    call: Call,
    users: list[User],
    errors: list[dict[str, Any]],
    selection: FieldSelection,
    *,
    many: bool,
    owned: bool = False,
) -> ApiResponse:
    data = [serializers.user_object(call.world, user, selection, call.at) for user in users]
    body: dict[str, Any] = {}
    if data:
        body["data"] = data if many else data[0]
    if errors:
        body["errors"] = errors
    ids = (user.id for user in users)
    usd = billing.charge_reads(call.world, call.client_id, "user", ids, call.at, owned=owned)
    return ApiResponse(200, selection.rename_fields(body), usd=usd)


def _user_not_found(call: Call, user_id: str, parameter: str) -> ApiResponse:
    missing = refusals.not_found(call.world.switches, "user", user_id, parameter)
    return ApiResponse(200, {"errors": [missing]})


def _path_id(call: Call) -> str:
    value: str = call.request.path_params["id"]
    if not _ID.fullmatch(value):
        raise _invalid(call, "id", value, "is not valid")
    return value


def _ids(call: Call) -> list[str]:
    value = call.query.get("ids", "")
    ids = value.split(",")
    if not all(_ID.fullmatch(each) for each in ids):
        raise _invalid(call, "ids", value, "is not valid")
    if len(ids) > 100:
        raise _invalid(call, "ids", value, "has more than 100 values")
    return list(dict.fromkeys(ids))


def _timeline_query(call: Call) -> TimelineQuery:
    query = call.query
    excluded = set(filter(None, query.get("exclude", "").split(",")))
    if not excluded <= {"replies", "retweets"}:
        raise _invalid(call, "exclude", query["exclude"], "is not one of [replies,retweets]")
    max_results = _number(call, "max_results") or 10
    if not 5 <= max_results <= 100:
        raise _invalid(call, "max_results", str(max_results), "is not between 5 and 100")
    end = _time(call, "end_time")
    if call.lag:
        end = min(end or call.at, call.at - call.lag)
    return TimelineQuery(
        max_results=max_results,
        since_id=_number(call, "since_id"),
        until_id=_number(call, "until_id"),
        start=_time(call, "start_time"),
        end=end,
        without_replies="replies" in excluded,
        cursor=_cursor(call),
    )


def _number(call: Call, name: str) -> int | None:
    value = call.query.get(name)
    if value is None:
        return None
    if not _ID.fullmatch(value):
        raise _invalid(call, name, value, "is not valid")
    return int(value)


def _time(call: Call, name: str) -> datetime | None:
    value = call.query.get(name)
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise _invalid(call, name, value, "is not a valid RFC 3339 time")


def _page_token(cursor: Cursor) -> str:
    plain = f"{cursor.direction}:{cursor.post_id}".encode()
    return base64.b32hexencode(plain).decode().rstrip("=").lower()


def _cursor(call: Call) -> Cursor | None:
    token = call.query.get("pagination_token")
    if token is None:
        return None
    try:
        plain = base64.b32hexdecode(token.upper() + "=" * (-len(token) % 8)).decode()
    except ValueError:
        plain = ""
    match = _CURSOR.fullmatch(plain)
    if match is None:
        raise _invalid(call, "pagination_token", token, "is not valid")
    return Cursor("older" if match[1] == "older" else "newer", int(match[2]))


def _invalid(call: Call, name: str, value: str, reason: str) -> refusals.Refusal:
    message = f"The `{name}` query parameter value [{value}] {reason}"
    return refusals.invalid_request(call.world.switches, name, value, message)
