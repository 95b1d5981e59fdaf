"""Tests of the app-only token. An app has one such token, which permits only reads."""

from typing import Any

import aiohttp
import pytest

from emulator.account import Account, Response
from emulator.signing import Method, Signed, register
from fix_emulator import Emulator


async def request_token(app: Signed, secret: str | None = None) -> tuple[int, Any]:
    basic = aiohttp.encode_basic_auth(app.app["api_key"], secret or app.app["api_secret"])
    async with app.emulator.http.post(
        f"{app.emulator.url}/oauth2/token",
        data={"grant_type": "client_credentials"},
        headers={"authorization": basic},
    ) as answer:
        return answer.status, await answer.json()


async def request_with(
    app: Signed, bearer: str, method: Method, path: str, **more: Any
) -> Response:
    headers = {"authorization": f"Bearer {bearer}"}
    return await app.request(method, path, headers=headers, **more)


async def test_token_is_the_same_until_invalidated(emulator: Emulator) -> None:
    app = await register(emulator)
    status, first = await request_token(app)
    assert (status, first["token_type"]) == (200, "bearer")
    assert first["access_token"].startswith("AAAA")
    assert "%2F" in first["access_token"]
    assert (await request_token(app))[1] == first
    basic = aiohttp.encode_basic_auth(app.app["api_key"], app.app["api_secret"])
    async with emulator.http.post(
        f"{emulator.url}/oauth2/invalidate_token",
        data={"access_token": first["access_token"]},
        headers={"authorization": basic},
    ) as answer:
        assert await answer.json() == {"access_token": first["access_token"]}
    assert (await request_with(app, first["access_token"], "GET", "/2/tweets?ids=1")).status == 401
    assert (await request_token(app))[1] != first


async def test_token_request_is_refused__too_often_or_wrong_secret(emulator: Emulator) -> None:
    app = await register(emulator)
    status, body = await request_token(app, "wrong")
    assert (status, body["errors"][0]["code"]) == (403, 99)
    for _ in range(100):
        assert (await request_token(app))[0] == 200
    status, body = await request_token(app)
    assert (status, body["errors"][0]["code"]) == (403, 99)


async def test_app_reads_posts_and_users(account: Account) -> None:
    post_id = await account.post("Public")
    app = await register(account.emulator)
    bearer = (await request_token(app))[1]["access_token"]
    response = await request_with(
        app, bearer, "GET", f"/2/tweets/{post_id}?tweet.fields=public_metrics"
    )
    assert response.data["text"] == "Public"
    assert response.headers["x-rate-limit-limit"] == "450"
    assert (await request_with(app, bearer, "GET", f"/2/users/{account.id}/tweets")).status == 200
    private = await request_with(
        app, bearer, "GET", f"/2/tweets?ids={post_id}&tweet.fields=non_public_metrics"
    )
    assert set(private.body) == {"errors"}


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/2/tweets"), ("GET", "/2/users/me"), ("POST", "/2/media/upload/initialize")],
)
async def test_operations_for_users_refuse_an_app_only_token(
    emulator: Emulator, method: Method, path: str
) -> None:
    app = await register(emulator)
    bearer = (await request_token(app))[1]["access_token"]
    response = await request_with(app, bearer, method, path)
    assert (response.status, response.body) == (
        403,
        {
            "title": "Unsupported Authentication",
            "detail": "Authenticating with OAuth 2.0 Application-Only is forbidden for this"
            " endpoint.  Supported authentication types are [OAuth 1.0a User Context, OAuth 2.0"
            " User Context].",
            "type": "https://api.twitter.com/2/problems/unsupported-authentication",
            "status": 403,
        },
    )
