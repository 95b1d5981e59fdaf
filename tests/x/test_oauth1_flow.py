"""Three-legged OAuth 1.0a against the emulator's consent page, and the app's own token."""

import re
from dataclasses import replace
from urllib.parse import parse_qs, parse_qsl, urlsplit

import aiohttp
import pytest

from fix_emulator import CALLBACK, Emulator
from roost import x
from roost.x.auth import oauth1_flow

from .oauth1_keys import api_keys_of, keys_of


async def app_keys(emulator: Emulator) -> x.auth.OAuth1:
    return x.auth.OAuth1(*await api_keys_of(emulator), endpoint=emulator.endpoint)


async def decide(emulator: Emulator, page: str, decision: str = "allow") -> aiohttp.ClientResponse:
    """Submit the consent page as `tidewatcher`."""
    form = dict(parse_qsl(urlsplit(page).query)) | {"user": "tidewatcher", "decision": decision}
    url = page.partition("?")[0]
    async with emulator.http.post(url, data=form, allow_redirects=False) as response:
        await response.read()
        return response


async def test_flow_returns_a_working_credential(
    emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    app = await app_keys(emulator)
    request_token = await oauth1_flow.get_request_token(session, app=app, callback=CALLBACK)
    response = await decide(emulator, oauth1_flow.authorize_url(request_token))
    redirect = parse_qs(urlsplit(response.headers["location"]).query)
    assert redirect["oauth_token"] == [request_token.token]
    grant = await oauth1_flow.exchange(
        session, app=app, request_token=request_token, verifier=redirect["oauth_verifier"][0]
    )

    assert grant.username == "tidewatcher"
    client = x.Client(None, oauth1=grant.credential, session=session)
    me = await x.users.read_me(client)
    assert (me.id, me.username) == (grant.user_id, "tidewatcher")


async def test_flow_accepts_a_pin_without_a_callback(
    emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    app = await app_keys(emulator)
    request_token = await oauth1_flow.get_request_token(session, app=app)
    response = await decide(emulator, oauth1_flow.authorize_url(request_token))
    pin = re.search(r"\b[0-9]{7}\b", await response.text())
    assert pin is not None
    grant = await oauth1_flow.exchange(
        session, app=app, request_token=request_token, verifier=pin.group()
    )
    assert grant.username == "tidewatcher"


async def test_flow_with_read_access_cannot_post(
    emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    app = await app_keys(emulator)
    request_token = await oauth1_flow.get_request_token(
        session, app=app, callback=CALLBACK, access="read"
    )
    response = await decide(emulator, oauth1_flow.authorize_url(request_token))
    verifier = parse_qs(urlsplit(response.headers["location"]).query)["oauth_verifier"][0]
    grant = await oauth1_flow.exchange(
        session, app=app, request_token=request_token, verifier=verifier
    )
    client = x.Client(None, oauth1=grant.credential, session=session)
    with pytest.raises(x.errors.AppMisconfigured):
        await x.posts.create(client, text="Not allowed.")


def test_authorize_url_contains_its_options() -> None:
    request_token = oauth1_flow.RequestToken("a token", "hush", x.LIVE_X)
    url = oauth1_flow.authorize_url(
        request_token, force_consent=False, force_login=True, screen_name="larkbooks"
    )
    assert url == (
        "https://api.x.com/oauth/authenticate"
        "?oauth_token=a%20token&force_login=true&screen_name=larkbooks"
    )
    assert "hush" not in repr(request_token)


async def test_exchange_rejects_a_wrong_verifier(
    emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    app = await app_keys(emulator)
    request_token = await oauth1_flow.get_request_token(session, app=app)
    await decide(emulator, oauth1_flow.authorize_url(request_token))
    with pytest.raises(x.errors.AuthorizationCodeInvalid):
        await oauth1_flow.exchange(session, app=app, request_token=request_token, verifier="0")


async def test_request_token_reports_an_unregistered_callback_as_misconfiguration(
    emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    app = await app_keys(emulator)
    with pytest.raises(x.errors.AppMisconfigured, match="callback") as raised:
        await oauth1_flow.get_request_token(
            session, app=app, callback="https://elsewhere.example/back"
        )
    assert "TWITTER_CALLBACK_URL" in raised.value.next


async def test_request_token_reports_wrong_keys_as_misconfiguration_without_the_secret(
    emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    app = x.auth.OAuth1("no-such-key", "an-unused-secret", endpoint=emulator.endpoint)
    with pytest.raises(x.errors.AppMisconfigured) as raised:
        await oauth1_flow.get_request_token(session, app=app)
    assert "an-unused-secret" not in f"{raised.value!r} {raised.value.as_dict()}"


async def test_invalidate_ends_a_credential_and_may_be_repeated(
    emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    credential = await keys_of(emulator)
    await oauth1_flow.invalidate(session, credential=credential)
    await oauth1_flow.invalidate(session, credential=credential)
    client = x.Client(None, oauth1=credential, session=session)
    with pytest.raises(x.errors.ReauthorizationRequired):
        await x.users.read_me(client)


async def test_app_token_reads_public_data(
    emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    token = await x.auth.oauth2.get_app_token(session, app=await app_keys(emulator))
    client = x.Client(x.FixedToken(token, emulator.endpoint), session=session)
    (first, *_) = await emulator.users()
    assert (await x.users.read_user(client, first["id"])).username == "larkbooks"
    with pytest.raises(x.errors.AppMisconfigured):
        await x.posts.create(client, text="Not for apps.")


async def test_app_token_reports_a_wrong_secret_as_misconfiguration(
    emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    app = replace(await app_keys(emulator), api_secret="wrong")
    with pytest.raises(x.errors.AppMisconfigured):
        await x.auth.oauth2.get_app_token(session, app=app)
