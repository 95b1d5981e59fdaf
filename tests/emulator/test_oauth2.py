"""Tests of OAuth 2.0: the consent screen, codes, tokens, and the text of each refusal."""

import base64
import re
from typing import Any

import aiohttp
import pytest

from emulator.account import Account, connect
from fix_emulator import CALLBACK, Emulator

VERIFIER = "v" * 50
BAD_CODE = "Value passed for the authorization code was invalid."
BAD_TOKEN = "Value passed for the token was invalid."


async def post_form(
    emulator: Emulator, path: str, basic: str | None = None, **form: str
) -> tuple[int, Any]:
    headers = {"authorization": basic} if basic else {}
    async with emulator.http.post(emulator.url + path, data=form, headers=headers) as answer:
        return answer.status, await answer.json()


async def exchange(emulator: Emulator, **form: str) -> tuple[int, Any]:
    app = emulator.app
    right = {
        "grant_type": "authorization_code",
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
        "client_id": app.client_id,
    }
    return await post_form(emulator, "/2/oauth2/token", app.basic, **(right | form))


async def refresh(emulator: Emulator, token: str) -> tuple[int, Any]:
    app = emulator.app
    return await post_form(
        emulator,
        "/2/oauth2/token",
        app.basic,
        grant_type="refresh_token",
        refresh_token=token,
        client_id=app.client_id,
    )


async def code_for(emulator: Emulator, **changed: str) -> str:
    back = await emulator.consent("larkbooks", **emulator.authorize_query(VERIFIER, **changed))
    return back["code"]


def invalid_request(description: str) -> tuple[int, dict[str, str]]:
    return 400, {"error": "invalid_request", "error_description": description}


async def test_consent_screen_lists_accounts_and_preselects_the_hint(emulator: Emulator) -> None:
    query = emulator.authorize_query(VERIFIER, login_hint="tidewatcher")
    async with emulator.http.get(f"{emulator.url}/i/oauth2/authorize", params=query) as answer:
        page = await answer.text()
    assert answer.status == 200
    assert 'value="tidewatcher" checked' in page
    assert 'value="larkbooks" required' in page
    assert "Roost under test wants to use your X account" in page


@pytest.mark.parametrize(
    "changed",
    [
        {"code_challenge_method": "s256"},
        {"code_challenge_method": "plain", "code_challenge": "challenge"},
    ],
    ids=["lower case", "short and plain"],
)
async def test_other_spellings_of_a_challenge_method_are_accepted(
    emulator: Emulator, changed: dict[str, str]
) -> None:
    query = emulator.authorize_query(VERIFIER, **changed)
    async with emulator.http.get(f"{emulator.url}/i/oauth2/authorize", params=query) as answer:
        assert (answer.status, "Something went wrong" in await answer.text()) == (200, False)


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "unknown"},
        {"redirect_uri": CALLBACK + "/"},
        {"response_type": "token"},
        {"code_challenge_method": "S512"},
        {"code_challenge": "", "code_challenge_method": "plain"},
        {"scope": "tweet.read,tweet.write"},
        {"scope": "tweet.read tweet.fly"},
        {"scope": "tweet.read offline access"},
        {"state": ""},
        {"state": "s" * 501},
        {"code_challenge": "short"},
    ],
    ids=lambda changed: "-".join(changed),
)
async def test_invalid_authorize_shows_the_error_page_and_never_redirects(
    emulator: Emulator, changed: dict[str, str]
) -> None:
    query = emulator.authorize_query(VERIFIER, **changed)
    async with emulator.http.get(f"{emulator.url}/i/oauth2/authorize", params=query) as answer:
        assert "Something went wrong" in await answer.text()
        assert "location" not in answer.headers


async def test_denial_redirects_with_access_denied(emulator: Emulator) -> None:
    back = await emulator.consent("larkbooks", "deny", **emulator.authorize_query(VERIFIER))
    assert back == {"error": "access_denied", "state": "a state"}


async def test_code_is_exchanged_once(emulator: Emulator) -> None:
    code = await code_for(emulator)
    status, tokens = await exchange(emulator, code=code)
    assert status == 200
    assert (tokens["token_type"], tokens["expires_in"]) == ("bearer", 7200)
    assert set(tokens["scope"].split(" ")) == {
        *("tweet.read", "tweet.write", "users.read", "media.write", "offline.access")
    }
    assert await exchange(emulator, code=code) == invalid_request(BAD_CODE)


async def test_code_expires_after_thirty_seconds(emulator: Emulator) -> None:
    await emulator.freeze()
    early, late = await code_for(emulator), await code_for(emulator)
    await emulator.jump(seconds=29.9)
    assert (await exchange(emulator, code=early))[0] == 200
    await emulator.jump(seconds=0.1)
    assert await exchange(emulator, code=late) == invalid_request(BAD_CODE)


async def test_wrong_verifier_is_refused_and_invalidates_the_code(emulator: Emulator) -> None:
    code = await code_for(emulator)
    assert await exchange(emulator, code=code, code_verifier="w" * 50) == invalid_request(
        "Value passed for the code verifier did not match the code challenge."
    )
    assert await exchange(emulator, code=code) == invalid_request(BAD_CODE)


async def test_plain_challenge_equals_its_verifier(emulator: Emulator) -> None:
    code = await code_for(emulator, code_challenge="p" * 43, code_challenge_method="plain")
    assert (await exchange(emulator, code=code, code_verifier="p" * 43))[0] == 200


async def test_exchange_with_another_redirect_uri_is_refused(emulator: Emulator) -> None:
    code = await code_for(emulator)
    status, body = await exchange(emulator, code=code, redirect_uri=CALLBACK + "x")
    assert (status, body) == invalid_request(BAD_CODE)


@pytest.mark.parametrize("secret", [None, "wrong"], ids=["missing", "wrong"])
async def test_confidential_app_needs_its_secret(emulator: Emulator, secret: str | None) -> None:
    status, body = await post_form(
        emulator,
        "/2/oauth2/token",
        aiohttp.encode_basic_auth(emulator.app.client_id, secret) if secret else None,
        grant_type="refresh_token",
        refresh_token="any",
        client_id=emulator.app.client_id,
    )
    assert (status, body) == (
        401,
        {
            "error": "unauthorized_client",
            "error_description": "Missing valid authorization header",
        },
    )


async def test_unknown_or_missing_client_id_is_refused(emulator: Emulator) -> None:
    status, body = await exchange(emulator, client_id="unknown", code="any")
    assert (status, body["error"]) == (400, "invalid_client")
    status, body = await post_form(emulator, "/2/oauth2/token", grant_type="refresh_token")
    assert (status, body) == invalid_request("Missing required parameter [client_id].")


async def test_public_app_needs_no_secret(emulator: Emulator) -> None:
    app = await emulator.control("apps", callbacks=[CALLBACK], confidential=False)
    assert app["client_secret"] is None
    code = await code_for(emulator, client_id=app["client_id"])
    status, tokens = await post_form(
        emulator,
        "/2/oauth2/token",
        grant_type="authorization_code",
        code=code,
        redirect_uri=CALLBACK,
        code_verifier=VERIFIER,
        client_id=app["client_id"],
    )
    assert status == 200
    assert tokens["refresh_token"]


async def test_no_refresh_token_without_offline_access(emulator: Emulator) -> None:
    code = await code_for(emulator, scope="tweet.read users.read")
    _, tokens = await exchange(emulator, code=code)
    assert "refresh_token" not in tokens


async def test_refresh_token_is_valid_once(account: Account) -> None:
    first = account.tokens["refresh_token"]
    status, second = await refresh(account.emulator, first)
    assert status == 200
    assert second["refresh_token"] != first
    assert (await refresh(account.emulator, second["refresh_token"]))[0] == 200


async def test_client_id_may_be_in_basic_auth_only(account: Account) -> None:
    app = account.emulator.app
    status, _ = await post_form(
        account.emulator,
        "/2/oauth2/token",
        app.basic,
        grant_type="refresh_token",
        refresh_token=account.tokens["refresh_token"],
    )
    assert status == 200


@pytest.mark.parametrize(("days", "status"), [(179.9, 200), (180.1, 400)], ids=["alive", "idle"])
async def test_refresh_token_expires_after_180_idle_days(
    account: Account, days: float, status: int
) -> None:
    await account.emulator.jump(days=days)
    assert (await refresh(account.emulator, account.tokens["refresh_token"]))[0] == status


async def test_tokens_have_the_format_of_the_documentation(account: Account) -> None:
    for name, kind in (("access_token", "at"), ("refresh_token", "rt")):
        value = account.tokens[name]
        text = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode()
        assert re.fullmatch(rf".{{45}}:\d{{13}}:1:1:{kind}:1", text)
    client_id = account.emulator.app.client_id
    text = base64.urlsafe_b64decode(client_id + "=" * (-len(client_id) % 4)).decode()
    assert re.fullmatch(r".{20}:1:ci", text)


async def test_app_has_at_most_ten_callbacks(emulator: Emulator) -> None:
    eleven = [f"{CALLBACK}/{number}" for number in range(11)]
    assert await emulator.control("apps", callbacks=eleven[:10])
    async with emulator.http.post(
        f"{emulator.url}/_emulator/apps", json={"callbacks": eleven}
    ) as answer:
        assert answer.status == 400


async def test_refresh_token_reuse_revokes_the_grant(account: Account) -> None:
    first = account.tokens["refresh_token"]
    _, second = await refresh(account.emulator, first)
    assert await refresh(account.emulator, first) == invalid_request(BAD_TOKEN)
    assert await refresh(account.emulator, second["refresh_token"]) == invalid_request(BAD_TOKEN)
    account.tokens = second
    assert (await account.get("/2/users/me")).status == 401


async def test_refresh_token_reuse_keeps_the_grant_by_switch(
    account: Account,
) -> None:
    await account.emulator.switch(revoke_on_refresh_reuse=False)
    first = account.tokens["refresh_token"]
    _, second = await refresh(account.emulator, first)
    assert await refresh(account.emulator, first) == invalid_request(BAD_TOKEN)
    assert (await refresh(account.emulator, second["refresh_token"]))[0] == 200


async def test_access_token_expires_after_two_emulated_hours(account: Account) -> None:
    await account.emulator.jump(hours=1.99)
    assert (await account.get("/2/users/me")).status == 200
    await account.emulator.jump(hours=0.02)
    response = await account.get("/2/users/me")
    assert (response.status, response.body) == (
        401,
        {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"},
    )


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_revoked_tokens_are_refused(account: Account, kind: str) -> None:
    app = account.emulator.app
    status, body = await post_form(
        account.emulator,
        "/2/oauth2/revoke",
        app.basic,
        token=account.tokens[kind],
        client_id=app.client_id,
    )
    assert (status, body) == (200, {"revoked": True})
    assert (await account.get("/2/users/me")).status == 401


async def test_ground_truth_lists_valid_tokens_without_their_values(account: Account) -> None:
    emulator = account.emulator
    app = emulator.app

    async def alive() -> list[tuple[str, list[str]]]:
        grants = (await emulator.ground_truth())["grants"]
        for each in account.tokens.values():
            assert not (isinstance(each, str) and len(each) > 50 and each in str(grants))
        return [(each["user"], [token["kind"] for token in each["tokens"]]) for each in grants]

    async def revoke(kind: str) -> None:
        form = {"token": account.tokens[kind], "token_type_hint": kind, "client_id": app.client_id}
        response = await post_form(emulator, "/2/oauth2/revoke", app.basic, **form)
        assert response == (200, {"revoked": True})

    assert await alive() == [(account.id, ["access", "refresh"])]
    await revoke("access_token")
    assert await alive() == [(account.id, ["refresh"])]
    await revoke("refresh_token")
    assert await alive() == []


async def test_every_documented_scope_is_accepted(emulator: Emulator) -> None:
    scopes = (
        "tweet.read tweet.write tweet.moderate.write users.email users.read follows.read"
        " follows.write offline.access space.read mute.read mute.write like.read like.write"
        " list.read list.write block.read block.write bookmark.read bookmark.write dm.read"
        " dm.write media.write broadcast.read broadcast.write timeline.read"
    )
    tokens = await emulator.connect("larkbooks", scope=scopes)
    assert set(tokens["scope"].split()) == set(scopes.split())


@pytest.mark.parametrize(
    "authorization", ["Bearer nonsense", "OAuth oauth_token=x", "", "Basic eDp5"]
)
async def test_unknown_credentials_are_401(emulator: Emulator, authorization: str) -> None:
    async with emulator.http.get(
        f"{emulator.url}/2/users/me", headers={"authorization": authorization}
    ) as answer:
        assert answer.status == 401
        assert (await answer.json())["title"] == "Unauthorized"


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        ("tweet.read users.read", "POST", "/2/tweets"),
        ("tweet.read users.read tweet.write", "POST", "/2/media/upload/initialize"),
        ("tweet.read", "GET", "/2/users/me"),
    ],
    ids=["posting", "media", "me"],
)
async def test_missing_scope_is_forbidden(
    emulator: Emulator, scope: str, method: str, path: str
) -> None:
    account = await connect(emulator, 0, scope=scope)
    response = await account.request(method, path, json={} if method == "POST" else None)
    assert (response.status, response.body["title"]) == (403, "Forbidden")
