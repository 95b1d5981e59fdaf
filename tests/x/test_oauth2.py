"""OAuth 2.0: authorization, refresh, revocation, and errors that disconnect an account."""

import base64
from dataclasses import replace
from urllib.parse import parse_qs, parse_qsl, urlsplit

import aiohttp
import pytest

from fix_emulator import CALLBACK, Emulator
from roost import x

from .conftest import Account, SentRequest


async def code_for(emulator: Emulator, verifier: str) -> str:
    """Open the consent page by its URL, allow access, and return the code."""
    url = x.auth.oauth2.authorize_url(
        f"{emulator.url}/i/oauth2/authorize",
        emulator.app.client_id,
        CALLBACK,
        x.auth.DEFAULT_SCOPES,
        "state 1&2",
        x.auth.oauth2.make_challenge(verifier),
    )
    redirect = await emulator.consent("larkbooks", **dict(parse_qsl(urlsplit(url).query)))
    assert redirect["state"] == "state 1&2"
    return redirect["code"]


def app_of(emulator: Emulator, secret: str | None) -> x.XApp:
    """Return the test's app with the client secret `secret`."""
    app = emulator.x_app
    return app if secret is None else replace(app, client_secret=secret)


async def exchange(
    emulator: Emulator,
    session: aiohttp.ClientSession,
    code: str,
    verifier: str,
    *,
    secret: str | None = None,
) -> x.auth.TokenGrant:
    return await x.auth.oauth2.exchange_code(
        session,
        emulator.endpoint,
        app=app_of(emulator, secret),
        code=code,
        redirect_uri=CALLBACK,
        verifier=verifier,
    )


async def refresh(
    emulator: Emulator, session: aiohttp.ClientSession, token: str, secret: str | None = None
) -> x.auth.TokenGrant:
    return await x.auth.oauth2.refresh(
        session,
        emulator.endpoint,
        app=app_of(emulator, secret),
        refresh_token=token,
    )


def test_make_challenge_returns_the_published_vector() -> None:
    # Source: the example of RFC 7636, appendix B.
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert x.auth.oauth2.make_challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_make_verifier_returns_a_long_and_unique_secret() -> None:
    verifiers = {x.auth.oauth2.make_verifier() for _ in range(20)}
    assert len(verifiers) == 20
    assert all(43 <= len(verifier) <= 128 for verifier in verifiers)


def test_authorize_url_separates_scopes_by_spaces_and_names_s256() -> None:
    url = x.auth.oauth2.authorize_url(
        "https://x.com/i/oauth2/authorize", "id", CALLBACK, ("tweet.read", "media.write"), "s", "c"
    )
    assert "scope=tweet.read%20media.write" in url
    query = parse_qs(urlsplit(url).query)
    assert query["code_challenge_method"] == ["S256"]
    assert query["redirect_uri"] == [CALLBACK]


async def test_exchange_code_returns_a_grant(
    emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    verifier = x.auth.oauth2.make_verifier()
    grant = await exchange(emulator, session, await code_for(emulator, verifier), verifier)

    assert set(grant.scopes) == set(x.auth.DEFAULT_SCOPES)
    assert grant.expires_in.total_seconds() == 7200
    assert grant.refresh_token
    assert grant.access_token not in repr(grant)
    assert grant.refresh_token not in repr(grant)


async def test_token_request_sends_basic_authentication_and_the_client_id(
    emulator: Emulator, session: aiohttp.ClientSession, sent: list[SentRequest]
) -> None:
    verifier = x.auth.oauth2.make_verifier()
    await exchange(emulator, session, await code_for(emulator, verifier), verifier)

    scheme, _, encoded = sent[-1].headers["authorization"].partition(" ")
    assert scheme == "Basic"
    assert base64.b64decode(encoded).decode() == (
        f"{emulator.app.client_id}:{emulator.app.client_secret}"
    )
    form = dict(parse_qsl(sent[-1].body.decode()))
    assert form["client_id"] == emulator.app.client_id
    assert sent[-1].headers["content-type"] == "application/x-www-form-urlencoded"


async def test_exchange_code_of_a_public_client_sends_no_secret(
    emulator: Emulator, session: aiohttp.ClientSession, sent: list[SentRequest]
) -> None:
    app = await emulator.control("apps", callbacks=[CALLBACK], confidential=False)
    verifier = x.auth.oauth2.make_verifier()
    query = emulator.authorize_query(verifier, client_id=app["client_id"])
    redirect = await emulator.consent("larkbooks", **query)
    await x.auth.oauth2.exchange_code(
        session,
        emulator.endpoint,
        app=x.XApp(emulator.endpoint, app["client_id"]),
        code=redirect["code"],
        redirect_uri=CALLBACK,
        verifier=verifier,
    )
    assert "authorization" not in sent[-1].headers


async def test_exchange_code_rejects_a_used_code(
    emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    verifier = x.auth.oauth2.make_verifier()
    code = await code_for(emulator, verifier)
    await exchange(emulator, session, code, verifier)
    with pytest.raises(x.errors.AuthorizationCodeInvalid):
        await exchange(emulator, session, code, verifier)


async def test_exchange_code_rejects_an_expired_code(
    emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    verifier = x.auth.oauth2.make_verifier()
    code = await code_for(emulator, verifier)
    await emulator.jump(seconds=31)
    with pytest.raises(x.errors.AuthorizationCodeInvalid):
        await exchange(emulator, session, code, verifier)


async def test_refresh_reports_a_wrong_secret_as_misconfiguration(
    account: Account, emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    with pytest.raises(x.errors.AppMisconfigured) as raised:
        await refresh(emulator, session, account.tokens.refresh_token, secret="wrong")
    assert not isinstance(raised.value, x.errors.ReauthorizationRequired)
    assert "wrong" not in str(raised.value.as_dict())
    # A successful refresh shows that the account's grant is still valid.
    await refresh(emulator, session, account.tokens.refresh_token)


async def test_refresh_reports_an_unknown_app_as_misconfiguration(
    account: Account, emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    with pytest.raises(x.errors.AppMisconfigured):
        await x.auth.oauth2.refresh(
            session,
            emulator.endpoint,
            app=x.XApp(emulator.endpoint, "unknown"),
            refresh_token=account.tokens.refresh_token,
        )


async def test_refresh_returns_two_new_tokens(
    account: Account, emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    grant = await refresh(emulator, session, account.tokens.refresh_token)
    assert grant.refresh_token not in (None, account.tokens.refresh_token)
    assert grant.access_token != account.tokens.access_token


async def test_refresh_rejects_a_used_refresh_token(
    account: Account, emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    await refresh(emulator, session, account.tokens.refresh_token)
    with pytest.raises(x.errors.RefreshTokenInvalid):
        await refresh(emulator, session, account.tokens.refresh_token)


async def test_refresh_with_a_lost_response_is_outcome_unknown(
    account: Account, emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    await emulator.fail("refresh", "after", "drop")
    with pytest.raises(x.errors.OutcomeUnknown):
        await refresh(emulator, session, account.tokens.refresh_token)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("500", x.errors.OutcomeUnknown),
        ("503", x.errors.OutcomeUnknown),
        ("502text", x.errors.OutcomeUnknown),
        ("429", x.errors.XUnavailable),
        ("401", x.errors.AppMisconfigured),
    ],
)
async def test_refresh_keeps_the_account_connected_when_the_endpoint_fails(
    account: Account,
    emulator: Emulator,
    session: aiohttp.ClientSession,
    kind: str,
    error: type[x.errors.XError],
) -> None:
    await emulator.fail("refresh", "before", kind)
    with pytest.raises(error) as raised:
        await refresh(emulator, session, account.tokens.refresh_token)
    assert not isinstance(raised.value, x.errors.ReauthorizationRequired)
    await refresh(emulator, session, account.tokens.refresh_token)


async def test_refresh_rejects_a_revoked_grant(
    account: Account, emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    await x.auth.oauth2.revoke(
        session,
        emulator.endpoint,
        app=emulator.x_app,
        token=account.tokens.refresh_token,
    )
    with pytest.raises(x.errors.RefreshTokenInvalid):
        await refresh(emulator, session, account.tokens.refresh_token)
    assert (await emulator.ground_truth())["tokens"]["refresh"] == 0


async def test_refresh_blames_neither_account_nor_app_for_a_missing_parameter(
    emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    with pytest.raises(x.errors.XUnavailable, match="missing parameter"):
        await refresh(emulator, session, "")
