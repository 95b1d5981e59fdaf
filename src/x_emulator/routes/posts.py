"""The routes of posts and users: read the question, ask the rule, spell the answer, price it."""

import base64
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from x_emulator import billing
from x_emulator.pipeline import Call, read_body
from x_emulator.responses import Answer
from x_emulator.routes import serializers
from x_emulator.routes.serializers import Wanted
from x_emulator.rules import posts, refusals
from x_emulator.rules.posts import Cursor, TimelineQuery
from x_emulator.rules.request_bodies import CreateBody
from x_emulator.state import Post, User

_ID = re.compile(r"[0-9]{1,19}")
_CURSOR = re.compile(r"(older|newer):([0-9]{1,19})")


async def create_post(call: Call) -> Answer:
    """`POST /2/tweets`."""
    body = read_body(call.world, await call.request.body(), CreateBody)
    created = posts.create(call.world, call.user, call.client_id, body, call.at)
    post = created.post
    newer = call.world.switches.spelling == "post"
    history = "edit_history_post_ids" if newer else "edit_history_tweet_ids"
    return Answer(
        201,
        {"data": {"id": post.id, "text": post.shown, history: post.history}},
        usd=billing.price_of_create(has_link=post.has_link, summoned=created.summoned),
        headers=((b"location", f"https://api.twitter.com/2/tweets/{post.id}".encode()),),
    )


async def delete_post(call: Call) -> Answer:
    """`DELETE /2/tweets/{id}`."""
    posts.delete(call.world, call.user, call.client_id, _path_id(call), call.at)
    return Answer(200, {"data": {"deleted": True}}, usd=billing.DELETE)


async def read_posts(call: Call) -> Answer:
    """`GET /2/tweets?ids=`."""
    wanted = serializers.read_wanted(call.world, call.query)
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
    shown, denied = serializers.split_by_right(
        call.world, found, wanted, call.user_id, "ids", call.at
    )
    return _posts_answer(call, shown, errors + denied, wanted)


async def read_post(call: Call) -> Answer:
    """`GET /2/tweets/{id}`."""
    wanted = serializers.read_wanted(call.world, call.query)
    post_id = _path_id(call)
    post = call.world.find_post(post_id)
    if post is None:
        missing = refusals.not_found(call.world.switches, "tweet", post_id, "id")
        return Answer(200, {"errors": [missing]})
    if not posts.is_visible(call.world, post, call.user_id):
        hidden = refusals.not_visible(call.world.switches, "Tweet", post_id, "id")
        return Answer(200, {"errors": [hidden]})
    shown, denied = serializers.split_by_right(
        call.world, [post], wanted, call.user_id, "id", call.at
    )
    answer = _posts_answer(call, shown, denied, wanted)
    if shown:
        answer.body["data"] = answer.body["data"][0]
    return answer


async def read_timeline(call: Call) -> Answer:
    """`GET /2/users/{id}/tweets`."""
    wanted = serializers.read_wanted(call.world, call.query)
    query = _timeline_query(call)
    author = call.world.users.get(_path_id(call))
    if author is None:
        return _no_user(call, _path_id(call), "id")
    if author.suspended or (author.protected and author.id != call.user_id):
        hidden = refusals.not_visible(call.world.switches, "User", author.id, "id")
        return Answer(200, {"errors": [hidden]})
    page = posts.read_timeline(call.world, author, query)
    shown, denied = serializers.split_by_right(
        call.world, page.posts, wanted, call.user_id, "id", call.at
    )
    answer = _posts_answer(call, shown, denied, wanted, owned=call.is_owned(author.id))
    meta: dict[str, Any] = {"result_count": len(shown)}
    if shown:
        meta |= {"newest_id": shown[0].id, "oldest_id": shown[-1].id}
    if page.next is not None:
        meta["next_token"] = _page_token(page.next)
    if page.previous is not None:
        meta["previous_token"] = _page_token(page.previous)
    answer.body["meta"] = meta
    return answer


async def read_me(call: Call) -> Answer:
    """`GET /2/users/me`."""
    wanted = serializers.read_wanted(call.world, call.query)
    owned = call.is_owned(call.user_id)
    return _users_answer(call, [call.user], [], wanted, many=False, owned=owned)


async def read_user(call: Call) -> Answer:
    """`GET /2/users/{id}`."""
    wanted = serializers.read_wanted(call.world, call.query)
    user = call.world.users.get(_path_id(call))
    if user is None:
        return _no_user(call, _path_id(call), "id")
    return _users_answer(call, [user], [], wanted, many=False)


async def read_users(call: Call) -> Answer:
    """`GET /2/users?ids=`."""
    wanted = serializers.read_wanted(call.world, call.query)
    ids = _ids(call)
    found = [call.world.users[each] for each in ids if each in call.world.users]
    errors = [
        refusals.not_found(call.world.switches, "user", each, "ids", many=True)
        for each in ids
        if each not in call.world.users
    ]
    return _users_answer(call, found, errors, wanted, many=True)


def _posts_answer(
    call: Call,
    shown: Sequence[Post],
    errors: list[dict[str, Any]],
    wanted: Wanted,
    *,
    owned: bool = False,
) -> Answer:
    body: dict[str, Any] = {}
    if shown:
        body["data"] = [serializers.post_object(call.world, p, wanted, call.at) for p in shown]
        included = serializers.includes(call.world, list(shown), wanted, call.at)
        body |= {"includes": included} if included else {}
    if errors:
        body["errors"] = errors
    billing.count_posts_read(call.caller.app, len(shown), call.at)
    ids = (post.id for post in shown)
    usd = billing.charge_reads(call.world, call.client_id, "post", ids, call.at, owned=owned)
    return Answer(200, wanted.spell(body), usd=usd)


def _users_answer(
    call: Call,
    users: list[User],
    errors: list[dict[str, Any]],
    wanted: Wanted,
    *,
    many: bool,
    owned: bool = False,
) -> Answer:
    shown = [serializers.user_object(call.world, user, wanted, call.at) for user in users]
    body: dict[str, Any] = {}
    if shown:
        body["data"] = shown if many else shown[0]
    if errors:
        body["errors"] = errors
    ids = (user.id for user in users)
    usd = billing.charge_reads(call.world, call.client_id, "user", ids, call.at, owned=owned)
    return Answer(200, wanted.spell(body), usd=usd)


def _no_user(call: Call, user_id: str, parameter: str) -> Answer:
    missing = refusals.not_found(call.world.switches, "user", user_id, parameter)
    return Answer(200, {"errors": [missing]})


def _path_id(call: Call) -> str:
    value: str = call.request.path_params["id"]
    if not _ID.fullmatch(value):
        raise _invalid(call, "id", value, "is not valid")
    return value


def _ids(call: Call) -> list[str]:
    given = call.query.get("ids", "")
    ids = given.split(",")
    if not all(_ID.fullmatch(each) for each in ids):
        raise _invalid(call, "ids", given, "is not valid")
    if len(ids) > 100:
        raise _invalid(call, "ids", given, "has more than 100 values")
    return list(dict.fromkeys(ids))


def _timeline_query(call: Call) -> TimelineQuery:
    query = call.query
    excluded = set(filter(None, query.get("exclude", "").split(",")))
    if not excluded <= {"replies", "retweets"}:
        raise _invalid(call, "exclude", query["exclude"], "is not one of [replies,retweets]")
    most = _number(call, "max_results") or 10
    if not 5 <= most <= 100:
        raise _invalid(call, "max_results", str(most), "is not between 5 and 100")
    end = _time(call, "end_time")
    if call.lag:
        end = min(end or call.at, call.at - call.lag)
    return TimelineQuery(
        most=most,
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
    whole = f"{cursor.direction}:{cursor.post_id}".encode()
    return base64.b32hexencode(whole).decode().rstrip("=").lower()


def _cursor(call: Call) -> Cursor | None:
    token = call.query.get("pagination_token")
    if token is None:
        return None
    try:
        whole = base64.b32hexdecode(token.upper() + "=" * (-len(token) % 8)).decode()
    except ValueError:
        whole = ""
    match = _CURSOR.fullmatch(whole)
    if match is None:
        raise _invalid(call, "pagination_token", token, "is not valid")
    return Cursor("older" if match[1] == "older" else "newer", int(match[2]))


def _invalid(call: Call, name: str, value: str, why: str) -> refusals.Refusal:
    message = f"The `{name}` query parameter value [{value}] {why}"
    return refusals.invalid(call.world.switches, name, value, message)
