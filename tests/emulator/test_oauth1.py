"""Tests of OAuth 1.0a: oauthlib's signatures, three-legged flow, PINs, invalidation."""

import re
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import oauthlib.oauth1
import pytest
from oauthlib.oauth1.rfc5849.signature import sign_hmac_sha1_with_client

from emulator.account import Response
from emulator.signing import OTHER_CALLBACK, Signed, register, signed_in
from fix_emulator import Emulator
from x_emulator.auth.oauth1_signature import is_signed_by

NOT_AUTHENTICATED = {"errors": [{"code": 32, "message": "Could not authenticate you."}]}
BAD_TOKEN = {"errors": [{"code": 89, "message": "Invalid or expired token."}]}
CREDENTIALS = "/1.1/account/verify_credentials.json"


def test_signature_of_xs_published_example() -> None:
    header = {
        "oauth_consumer_key": "xvz1evFS4wEEPTGEFPHBog",
        "oauth_nonce": "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg",
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": "1318622958",
        "oauth_token": "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb",
        "oauth_version": "1.0",
    }
    example: dict[str, Any] = {
        "method": "POST",
        "urls": ["https://api.x.com/1.1/statuses/update.json"],
        "header": header,
        "parameters": [
            ("include_entities", "true"),
            ("status", "Hello Ladies + Gentlemen, a signed OAuth request!"),
        ],
        "secrets": (
            "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
            "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
        ),
    }
    assert is_signed_by("Ls93hJiZbQ3akF3HF3x1Bz8/zU4=", **example)
    assert not is_signed_by("Ls93hJiZbQ3akF3HF3x1Bz8/zU5=", **example)


def test_signature_counts_a_parameter_of_header_and_form_once_or_twice() -> None:
    header = {"oauth_consumer_key": "k", "oauth_token": "t"}
    request: dict[str, Any] = {
        "method": "POST",
        "urls": ["https://api.x.com/oauth/access_token"],
        "header": header,
        "secrets": ("s", "u"),
    }
    once, twice = (
        sign_hmac_sha1_with_client(
            "&".join(
                (
                    "POST",
                    quote("https://api.x.com/oauth/access_token", safe=""),
                    quote("oauth_consumer_key=k" + "&oauth_token=t" * times, safe=""),
                )
            ),
            oauthlib.oauth1.Client("k", client_secret="s", resource_owner_secret="u"),
        )
        for times in (1, 2)
    )
    for signature in (once, twice):
        assert is_signed_by(signature, parameters=[("oauth_token", "t")], **request)
    assert not is_signed_by(twice, parameters=[], **request)
    assert not is_signed_by(once, parameters=[("oauth_token", "other")], **request)


async def get_request_token(
    app: Signed, callback: str | None = OTHER_CALLBACK, **form: str
) -> Response:
    app.more = {"callback_uri": callback} if callback else {}
    response = await app.request("POST", "/oauth/request_token", form=form or None)
    app.more = {}
    return response


async def decide(app: Signed, token: str, decision: str = "allow") -> Response:
    async with app.emulator.http.post(
        app.emulator.url + "/oauth/authorize",
        data={"oauth_token": token, "user": "tidewatcher", "decision": decision},
        allow_redirects=False,
    ) as answer:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status, await answer.text(), headers)


def query_of(response: Response) -> dict[str, str]:
    location = response.headers["location"]
    assert location.startswith(OTHER_CALLBACK)
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


async def redeem(app: Signed, credentials: dict[str, str], verifier: str) -> Response:
    holder = Signed(
        app.emulator, app.app, credentials["oauth_token"], credentials["oauth_token_secret"]
    )
    holder.more = {"verifier": verifier}
    return await holder.request("POST", "/oauth/access_token")


async def test_three_legged_flow_issues_valid_keys(emulator: Emulator) -> None:
    app = await register(emulator)
    credentials = (await get_request_token(app)).body
    assert credentials.keys() == {"oauth_token", "oauth_token_secret", "oauth_callback_confirmed"}
    assert credentials["oauth_callback_confirmed"] == "true"
    back = query_of(await decide(app, credentials["oauth_token"]))
    assert back.keys() == {"oauth_token", "oauth_verifier"}
    response = await redeem(app, credentials, back["oauth_verifier"])
    user = (await emulator.users())[1]
    assert (response.status, response.body["user_id"]) == (200, user["id"])
    assert response.body["screen_name"] == "tidewatcher"
    assert response.body["oauth_token"].startswith(f"{user['id']}-")
    keys = Signed(
        emulator, app.app, response.body["oauth_token"], response.body["oauth_token_secret"]
    )
    assert (await keys.request("GET", "/2/users/me")).data["username"] == "tidewatcher"
    again = await redeem(app, credentials, back["oauth_verifier"])
    assert (again.status, again.body) == (401, BAD_TOKEN)


@pytest.mark.parametrize("where", ["body", "query"])
async def test_access_token_needs_only_token_and_verifier(emulator: Emulator, where: str) -> None:
    app = await register(emulator)
    credentials = (await get_request_token(app)).body
    back = query_of(await decide(app, credentials["oauth_token"]))
    url = f"{emulator.url}/oauth/access_token"
    wrong = back | {"oauth_verifier": "x"}
    for fields, status in ((wrong, 401), ({}, 401), (back, 200), (back, 401)):
        arguments: dict[str, Any] = {"data" if where == "body" else "params": fields}
        async with emulator.http.post(url, **arguments) as answer:
            assert answer.status == status
            body = parse_qs(await answer.text())
    assert "oauth_token" not in body


async def test_access_token_is_issued_to_the_requesting_app_only(emulator: Emulator) -> None:
    app, other = await register(emulator), await register(emulator)
    credentials = (await get_request_token(app)).body
    back = query_of(await decide(app, credentials["oauth_token"]))
    assert (await redeem(other, credentials, back["oauth_verifier"])).status == 401
    assert (await redeem(app, credentials, back["oauth_verifier"])).status == 200


async def test_pin_replaces_a_callback(emulator: Emulator) -> None:
    app = await register(emulator, callbacks=[])
    credentials = (await get_request_token(app, "oob")).body
    page = (await decide(app, credentials["oauth_token"])).body
    found = re.search(r"<code>(\d{7})</code>", page)
    assert found
    assert (await redeem(app, credentials, "1")).body == NOT_AUTHENTICATED
    assert (await redeem(app, credentials, found.group(1))).status == 200


async def test_denial_redirects_with_the_request_token(emulator: Emulator) -> None:
    app = await register(emulator)
    credentials = (await get_request_token(app)).body
    back = query_of(await decide(app, credentials["oauth_token"], "deny"))
    assert back == {"denied": credentials["oauth_token"]}
    assert (await redeem(app, credentials, "any")).status == 401


async def test_callback_is_required_and_registered(emulator: Emulator) -> None:
    app = await register(emulator)
    response = await get_request_token(app, None)
    assert (response.status, response.body) == (401, NOT_AUTHENTICATED)
    response = await get_request_token(app, "http://127.0.0.1:9999/other")
    assert response.status == 403
    assert response.body["errors"][0]["message"] == (
        "Callback URL not approved for this client application. Approved callback URLs can be"
        " adjusted in your application settings"
    )


async def test_authorize_always_asks_and_authenticate_only_the_first_time(
    emulator: Emulator,
) -> None:
    app = await register(emulator)

    async def page(path: str, **more: str) -> int:
        credentials = (await get_request_token(app)).body
        async with emulator.http.get(
            emulator.url + path,
            params={"oauth_token": credentials["oauth_token"]} | more,
            allow_redirects=False,
        ) as answer:
            return answer.status

    assert await page("/oauth/authenticate") == 200
    await emulator.control("oauth1-tokens", client_id=app.app["client_id"], username="larkbooks")
    assert await page("/oauth/authenticate") == 302
    assert await page("/oauth/authenticate", screen_name="tidewatcher") == 200
    assert await page("/oauth/authenticate", force_login="true") == 200
    assert await page("/oauth/authorize") == 200


async def test_unknown_request_token_shows_the_error_page(emulator: Emulator) -> None:
    async with emulator.http.get(f"{emulator.url}/oauth/authorize?oauth_token=x") as answer:
        assert "Something went wrong" in await answer.text()


async def test_access_type_read_issues_read_only_keys(emulator: Emulator) -> None:
    app = await register(emulator)
    credentials = (await get_request_token(app, x_auth_access_type="read")).body
    back = query_of(await decide(app, credentials["oauth_token"]))
    token = (await redeem(app, credentials, back["oauth_verifier"])).body
    keys = Signed(emulator, app.app, token["oauth_token"], token["oauth_token_secret"])
    assert (await keys.request("GET", "/2/users/me")).headers["x-access-level"] == "read"
    assert (await keys.request("POST", "/2/tweets", json={"text": "No"})).status == 403


async def test_read_only_app_may_not_post(emulator: Emulator) -> None:
    keys = await signed_in(emulator, access="read")
    response = await keys.request("POST", "/2/tweets", json={"text": "No"})
    assert (response.status, response.body) == (
        403,
        {
            "title": "Forbidden",
            "status": 403,
            "detail": "Your client app is not configured with the appropriate oauth1 app"
            " permissions for this endpoint.",
            "type": "https://api.twitter.com/2/problems/oauth1-permissions",
        },
    )


async def test_json_bodies_are_not_signed(emulator: Emulator) -> None:
    keys = await signed_in(emulator)
    response = await keys.request("POST", "/2/tweets", json={"text": "Signed, sealed"})
    assert response.status == 201
    assert response.headers["x-access-level"] == "read-write"
    [post] = (await emulator.ground_truth())["posts"]
    assert post["app"] == keys.app["client_id"]


@pytest.mark.parametrize("host", ["api.x.com", "api.twitter.com", "upload.twitter.com"])
async def test_signature_may_be_for_a_host_of_x(emulator: Emulator, host: str) -> None:
    keys = await signed_in(emulator)
    response = await keys.request("GET", CREDENTIALS, signed_for=f"https://{host}{CREDENTIALS}")
    assert response.status == 200


@pytest.mark.parametrize(
    "signed_for",
    [
        "https://api.x.com/1.1/account/settings.json",
        f"https://example.com{CREDENTIALS}",
        f"https://api.x.com{CREDENTIALS}?include_email=true",
    ],
    ids=["path", "host", "query"],
)
async def test_signature_for_another_request_is_refused(
    emulator: Emulator, signed_for: str
) -> None:
    keys = await signed_in(emulator)
    response = await keys.request("GET", CREDENTIALS, signed_for=signed_for)
    assert (response.status, response.body) == (401, NOT_AUTHENTICATED)


async def test_query_and_form_are_signed(emulator: Emulator) -> None:
    keys = await signed_in(emulator)
    path = f"{CREDENTIALS}?include_entities=false&name={quote('a b+c~é&')}"
    assert (await keys.request("GET", path)).status == 200
    form = {"command": "INIT", "media_type": "image/png", "total_bytes": "10"}
    signed = keys.headers("POST", f"{emulator.url}/1.1/media/upload.json", form)
    changed = form | {"total_bytes": "11"}
    response = await keys.request("POST", "/1.1/media/upload.json", form=changed, headers=signed)
    assert (response.status, response.body) == (401, NOT_AUTHENTICATED)


async def test_nonce_works_once(emulator: Emulator) -> None:
    keys = await signed_in(emulator)
    header = keys.headers("GET", emulator.url + CREDENTIALS)
    assert (await keys.request("GET", CREDENTIALS, headers=header)).status == 200
    response = await keys.request("GET", CREDENTIALS, headers=header)
    assert (response.status, response.body) == (401, NOT_AUTHENTICATED)


@pytest.mark.parametrize("seconds", [-310, 310], ids=["past", "future"])
async def test_timestamp_must_be_current(emulator: Emulator, seconds: int) -> None:
    keys = await signed_in(emulator)
    # The timestamp is off by more than 300 s even if a busy machine sends the request later.
    keys.more = {"timestamp": str(int((await emulator.now()).timestamp()) + seconds)}
    response = await keys.request("GET", CREDENTIALS)
    assert (response.status, response.body) == (401, NOT_AUTHENTICATED)


async def test_timestamp_may_be_of_the_machine_or_the_emulated_clock(emulator: Emulator) -> None:
    keys = await signed_in(emulator)
    await emulator.jump(days=30)
    assert (await keys.request("GET", CREDENTIALS)).status == 200
    keys.more = {"timestamp": str(int((await emulator.now()).timestamp()))}
    assert (await keys.request("GET", CREDENTIALS)).status == 200


@pytest.mark.parametrize("wrong", ["key", "app secret", "token secret"])
async def test_wrong_keys_are_refused(emulator: Emulator, wrong: str) -> None:
    keys = await signed_in(emulator)
    if wrong == "token secret":
        keys.secret = "wrong"
    else:
        keys.app = keys.app | {"api_key" if wrong == "key" else "api_secret": "wrong"}
    response = await keys.request("GET", CREDENTIALS)
    assert (response.status, response.body) == (401, NOT_AUTHENTICATED)


async def test_v2_refuses_signatures_with_a_plain_401(emulator: Emulator) -> None:
    keys = await signed_in(emulator)
    keys.secret = "wrong"
    response = await keys.request("GET", "/2/users/me")
    assert response.status == 401
    assert response.body == {
        "title": "Unauthorized",
        "type": "about:blank",
        "status": 401,
        "detail": "Unauthorized",
    }


async def test_v1_without_credentials_is_code_215(emulator: Emulator) -> None:
    async with emulator.http.get(emulator.url + CREDENTIALS) as answer:
        assert answer.status == 400
        assert (await answer.json())["errors"] == [
            {"code": 215, "message": "Bad Authentication data."}
        ]


async def test_invalidated_token_is_refused(emulator: Emulator) -> None:
    keys = await signed_in(emulator)
    response = await keys.request("POST", "/1.1/oauth/invalidate_token.json")
    assert (response.status, response.body) == (200, {"access_token": keys.token})
    response = await keys.request("GET", CREDENTIALS)
    assert (response.status, response.body) == (401, BAD_TOKEN)
    assert (await keys.request("GET", "/2/users/me")).status == 401


async def test_keys_do_not_expire(emulator: Emulator) -> None:
    keys = await signed_in(emulator)
    await emulator.jump(days=400)
    assert (await keys.request("GET", "/2/users/me")).status == 200


async def test_verify_credentials_returns_the_user(emulator: Emulator) -> None:
    keys = await signed_in(emulator)
    response = await keys.request("GET", CREDENTIALS)
    user = (await emulator.users())[0]
    assert response.status == 200
    assert (response.body["id_str"], response.body["id"]) == (user["id"], int(user["id"]))
    assert response.body["screen_name"] == "larkbooks"
    assert response.body["followers_count"] > 0


async def test_other_v1_paths_are_code_453(emulator: Emulator) -> None:
    keys = await signed_in(emulator)
    response = await keys.request("POST", "/1.1/statuses/update.json", form={"status": "Hello"})
    assert response.status == 403
    [error] = response.body["errors"]
    assert error["code"] == 453
    assert "You currently have access to a subset of X API V2 endpoints" in error["message"]
