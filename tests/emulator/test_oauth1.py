"""OAuth 1.0a as X plays it: signatures that oauthlib makes, three legs, a PIN, and an end."""

import re
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import oauthlib.oauth1
import pytest
from oauthlib.oauth1.rfc5849.signature import sign_hmac_sha1_with_client

from emulator.account import Told
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


def test_parameter_of_header_and_form_counts_once_or_twice() -> None:
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


async def ask_token(app: Signed, callback: str | None = OTHER_CALLBACK, **form: str) -> Told:
    app.more = {"callback_uri": callback} if callback else {}
    told = await app.ask("POST", "/oauth/request_token", form=form or None)
    app.more = {}
    return told


async def decide(app: Signed, token: str, decision: str = "allow") -> Told:
    async with app.emulator.http.post(
        app.emulator.url + "/oauth/authorize",
        data={"oauth_token": token, "user": "tidewatcher", "decision": decision},
        allow_redirects=False,
    ) as answer:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Told(answer.status, await answer.text(), headers)


def query_of(told: Told) -> dict[str, str]:
    location = told.headers["location"]
    assert location.startswith(OTHER_CALLBACK)
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


async def redeem(app: Signed, asked: dict[str, str], verifier: str) -> Told:
    holder = Signed(app.emulator, app.app, asked["oauth_token"], asked["oauth_token_secret"])
    holder.more = {"verifier": verifier}
    return await holder.ask("POST", "/oauth/access_token")


async def test_three_legs_lead_to_keys_that_work(emulator: Emulator) -> None:
    app = await register(emulator)
    asked = (await ask_token(app)).body
    assert asked.keys() == {"oauth_token", "oauth_token_secret", "oauth_callback_confirmed"}
    assert asked["oauth_callback_confirmed"] == "true"
    back = query_of(await decide(app, asked["oauth_token"]))
    assert back.keys() == {"oauth_token", "oauth_verifier"}
    told = await redeem(app, asked, back["oauth_verifier"])
    user = (await emulator.users())[1]
    assert (told.status, told.body["user_id"]) == (200, user["id"])
    assert told.body["screen_name"] == "tidewatcher"
    assert told.body["oauth_token"].startswith(f"{user['id']}-")
    keys = Signed(emulator, app.app, told.body["oauth_token"], told.body["oauth_token_secret"])
    assert (await keys.ask("GET", "/2/users/me")).data["username"] == "tidewatcher"
    again = await redeem(app, asked, back["oauth_verifier"])
    assert (again.status, again.body) == (401, BAD_TOKEN)


@pytest.mark.parametrize("where", ["body", "query"])
async def test_token_and_verifier_suffice_for_keys(emulator: Emulator, where: str) -> None:
    app = await register(emulator)
    asked = (await ask_token(app)).body
    back = query_of(await decide(app, asked["oauth_token"]))
    url = f"{emulator.url}/oauth/access_token"
    wrong = back | {"oauth_verifier": "x"}
    for fields, status in ((wrong, 401), ({}, 401), (back, 200), (back, 401)):
        given: dict[str, Any] = {"data" if where == "body" else "params": fields}
        async with emulator.http.post(url, **given) as answer:
            assert answer.status == status
            told = dict(parse_qs(await answer.text()))
    assert "oauth_token" not in told


async def test_keys_are_given_to_the_app_that_asked_alone(emulator: Emulator) -> None:
    app, other = await register(emulator), await register(emulator)
    asked = (await ask_token(app)).body
    back = query_of(await decide(app, asked["oauth_token"]))
    assert (await redeem(other, asked, back["oauth_verifier"])).status == 401
    assert (await redeem(app, asked, back["oauth_verifier"])).status == 200


async def test_pin_takes_the_place_of_a_callback(emulator: Emulator) -> None:
    app = await register(emulator, callbacks=[])
    asked = (await ask_token(app, "oob")).body
    page = (await decide(app, asked["oauth_token"])).body
    found = re.search(r"<code>(\d{7})</code>", page)
    assert found
    assert (await redeem(app, asked, "1")).body == NOT_AUTHENTICATED
    assert (await redeem(app, asked, found.group(1))).status == 200


async def test_denied_goes_back_with_the_request_token(emulator: Emulator) -> None:
    app = await register(emulator)
    asked = (await ask_token(app)).body
    back = query_of(await decide(app, asked["oauth_token"], "deny"))
    assert back == {"denied": asked["oauth_token"]}
    assert (await redeem(app, asked, "any")).status == 401


async def test_callback_is_required_and_registered(emulator: Emulator) -> None:
    app = await register(emulator)
    told = await ask_token(app, None)
    assert (told.status, told.body) == (401, NOT_AUTHENTICATED)
    told = await ask_token(app, "http://127.0.0.1:9999/other")
    assert told.status == 403
    assert told.body["errors"][0]["message"] == (
        "Callback URL not approved for this client application. Approved callback URLs can be"
        " adjusted in your application settings"
    )


async def test_authorize_always_asks_and_authenticate_only_the_first_time(
    emulator: Emulator,
) -> None:
    app = await register(emulator)

    async def page(path: str, **more: str) -> int:
        asked = (await ask_token(app)).body
        async with emulator.http.get(
            emulator.url + path,
            params={"oauth_token": asked["oauth_token"]} | more,
            allow_redirects=False,
        ) as answer:
            return answer.status

    assert await page("/oauth/authenticate") == 200
    await emulator.control("oauth1-tokens", client_id=app.app["client_id"], username="larkbooks")
    assert await page("/oauth/authenticate") == 302
    assert await page("/oauth/authenticate", screen_name="tidewatcher") == 200
    assert await page("/oauth/authenticate", force_login="true") == 200
    assert await page("/oauth/authorize") == 200


async def test_unknown_request_token_shows_regret(emulator: Emulator) -> None:
    async with emulator.http.get(f"{emulator.url}/oauth/authorize?oauth_token=x") as answer:
        assert "Something went wrong" in await answer.text()


async def test_access_type_read_gives_keys_that_only_read(emulator: Emulator) -> None:
    app = await register(emulator)
    asked = (await ask_token(app, x_auth_access_type="read")).body
    back = query_of(await decide(app, asked["oauth_token"]))
    given = (await redeem(app, asked, back["oauth_verifier"])).body
    keys = Signed(emulator, app.app, given["oauth_token"], given["oauth_token_secret"])
    assert (await keys.ask("GET", "/2/users/me")).headers["x-access-level"] == "read"
    assert (await keys.ask("POST", "/2/tweets", json={"text": "No"})).status == 403


async def test_read_only_app_may_not_post(emulator: Emulator) -> None:
    keys = await signed_in(emulator, access="read")
    told = await keys.ask("POST", "/2/tweets", json={"text": "No"})
    assert (told.status, told.body) == (
        403,
        {
            "title": "Forbidden",
            "status": 403,
            "detail": "Your client app is not configured with the appropriate oauth1 app"
            " permissions for this endpoint.",
            "type": "https://api.twitter.com/2/problems/oauth1-permissions",
        },
    )


async def test_json_bodies_are_not_signed_and_posts_are_made(emulator: Emulator) -> None:
    keys = await signed_in(emulator)
    told = await keys.ask("POST", "/2/tweets", json={"text": "Signed, sealed"})
    assert told.status == 201
    assert told.headers["x-access-level"] == "read-write"
    [post] = (await emulator.ground_truth())["posts"]
    assert post["app"] == keys.app["client_id"]


@pytest.mark.parametrize("host", ["api.x.com", "api.twitter.com", "upload.twitter.com"])
async def test_signature_may_be_for_xs_own_host(emulator: Emulator, host: str) -> None:
    keys = await signed_in(emulator)
    told = await keys.ask("GET", CREDENTIALS, signed_for=f"https://{host}{CREDENTIALS}")
    assert told.status == 200


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
    told = await keys.ask("GET", CREDENTIALS, signed_for=signed_for)
    assert (told.status, told.body) == (401, NOT_AUTHENTICATED)


async def test_query_and_form_are_signed(emulator: Emulator) -> None:
    keys = await signed_in(emulator)
    path = f"{CREDENTIALS}?include_entities=false&name={quote('a b+c~é&')}"
    assert (await keys.ask("GET", path)).status == 200
    form = {"command": "INIT", "media_type": "image/png", "total_bytes": "10"}
    signed = keys.headers("POST", f"{emulator.url}/1.1/media/upload.json", form)
    changed = form | {"total_bytes": "11"}
    told = await keys.ask("POST", "/1.1/media/upload.json", form=changed, headers=signed)
    assert (told.status, told.body) == (401, NOT_AUTHENTICATED)


async def test_nonce_works_once(emulator: Emulator) -> None:
    keys = await signed_in(emulator)
    header = keys.headers("GET", emulator.url + CREDENTIALS)
    assert (await keys.ask("GET", CREDENTIALS, headers=header)).status == 200
    told = await keys.ask("GET", CREDENTIALS, headers=header)
    assert (told.status, told.body) == (401, NOT_AUTHENTICATED)


@pytest.mark.parametrize("seconds", [-310, 310], ids=["past", "future"])
async def test_timestamp_must_be_of_now(emulator: Emulator, seconds: int) -> None:
    keys = await signed_in(emulator)
    # Further off than 300 s also when a busy machine answers some seconds later.
    keys.more = {"timestamp": str(int((await emulator.now()).timestamp()) + seconds)}
    told = await keys.ask("GET", CREDENTIALS)
    assert (told.status, told.body) == (401, NOT_AUTHENTICATED)


async def test_timestamp_of_the_machine_or_of_the_emulated_clock(emulator: Emulator) -> None:
    keys = await signed_in(emulator)
    await emulator.jump(days=30)
    assert (await keys.ask("GET", CREDENTIALS)).status == 200
    keys.more = {"timestamp": str(int((await emulator.now()).timestamp()))}
    assert (await keys.ask("GET", CREDENTIALS)).status == 200


@pytest.mark.parametrize("wrong", ["key", "app secret", "token secret"])
async def test_wrong_keys_are_refused(emulator: Emulator, wrong: str) -> None:
    keys = await signed_in(emulator)
    if wrong == "token secret":
        keys.secret = "wrong"
    else:
        keys.app = keys.app | {"api_key" if wrong == "key" else "api_secret": "wrong"}
    told = await keys.ask("GET", CREDENTIALS)
    assert (told.status, told.body) == (401, NOT_AUTHENTICATED)


async def test_v2_says_only_unauthorized(emulator: Emulator) -> None:
    keys = await signed_in(emulator)
    keys.secret = "wrong"
    told = await keys.ask("GET", "/2/users/me")
    assert told.status == 401
    assert told.body == {
        "title": "Unauthorized",
        "type": "about:blank",
        "status": 401,
        "detail": "Unauthorized",
    }


async def test_no_credentials_on_v1(emulator: Emulator) -> None:
    async with emulator.http.get(emulator.url + CREDENTIALS) as answer:
        assert answer.status == 400
        assert (await answer.json())["errors"] == [
            {"code": 215, "message": "Bad Authentication data."}
        ]


async def test_invalidated_token_is_dead(emulator: Emulator) -> None:
    keys = await signed_in(emulator)
    told = await keys.ask("POST", "/1.1/oauth/invalidate_token.json")
    assert (told.status, told.body) == (200, {"access_token": keys.token})
    told = await keys.ask("GET", CREDENTIALS)
    assert (told.status, told.body) == (401, BAD_TOKEN)
    assert (await keys.ask("GET", "/2/users/me")).status == 401


async def test_keys_do_not_expire(emulator: Emulator) -> None:
    keys = await signed_in(emulator)
    await emulator.jump(days=400)
    assert (await keys.ask("GET", "/2/users/me")).status == 200


async def test_credentials_tell_who_it_is(emulator: Emulator) -> None:
    keys = await signed_in(emulator)
    told = await keys.ask("GET", CREDENTIALS)
    user = (await emulator.users())[0]
    assert told.status == 200
    assert (told.body["id_str"], told.body["id"]) == (user["id"], int(user["id"]))
    assert told.body["screen_name"] == "larkbooks"
    assert told.body["followers_count"] > 0


async def test_rest_of_v1_is_not_in_the_plan(emulator: Emulator) -> None:
    keys = await signed_in(emulator)
    told = await keys.ask("POST", "/1.1/statuses/update.json", form={"status": "Hello"})
    assert told.status == 403
    [error] = told.body["errors"]
    assert error["code"] == 453
    assert "You currently have access to a subset of X API V2 endpoints" in error["message"]
