"""OAuth 1.0a in three legs against the emulator's pages, and the app's own token."""

import re
from dataclasses import replace
from urllib.parse import parse_qs, parse_qsl, urlsplit

import aiohttp
import pytest

from fix_emulator import CALLBACK, Emulator
from roost import x
from roost.x import threelegs

from .keys import api_keys_of, keys_of


async def keys(emulator: Emulator) -> x.auth.OAuth1:
    return x.auth.OAuth1(*await api_keys_of(emulator), endpoint=emulator.endpoint)


async def decide(emulator: Emulator, page: str, decision: str = "allow") -> aiohttp.ClientResponse:
    """Decide on X's page as `tidewatcher` would."""
    form = dict(parse_qsl(urlsplit(page).query)) | {"user": "tidewatcher", "decision": decision}
    url = page.partition("?")[0]
    async with emulator.http.post(url, data=form, allow_redirects=False) as answer:
        await answer.read()
        return answer


async def test_three_legs_end_in_a_credential_that_works(
    emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    app = await keys(emulator)
    asked = await threelegs.ask_token(session, app=app, callback=CALLBACK)
    answer = await decide(emulator, threelegs.authorize_url(asked))
    back = parse_qs(urlsplit(answer.headers["location"]).query)
    assert back["oauth_token"] == [asked.token]
    granted = await threelegs.redeem(
        session, app=app, asked=asked, verifier=back["oauth_verifier"][0]
    )

    assert granted.username == "tidewatcher"
    client = x.Client(None, oauth1=granted.credential, session=session)
    me = await x.users.read_me(client)
    assert (me.id, me.username) == (granted.user_id, "tidewatcher")


async def test_pin_takes_the_place_of_a_callback(
    emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    app = await keys(emulator)
    asked = await threelegs.ask_token(session, app=app)
    answer = await decide(emulator, threelegs.authorize_url(asked))
    pin = re.search(r"\b[0-9]{7}\b", await answer.text())
    assert pin is not None
    granted = await threelegs.redeem(session, app=app, asked=asked, verifier=pin.group())
    assert granted.username == "tidewatcher"


async def test_read_only_access_cannot_post(
    emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    app = await keys(emulator)
    asked = await threelegs.ask_token(session, app=app, callback=CALLBACK, access="read")
    answer = await decide(emulator, threelegs.authorize_url(asked))
    verifier = parse_qs(urlsplit(answer.headers["location"]).query)["oauth_verifier"][0]
    granted = await threelegs.redeem(session, app=app, asked=asked, verifier=verifier)
    client = x.Client(None, oauth1=granted.credential, session=session)
    with pytest.raises(x.errors.AppMisconfigured):
        await x.posts.create(client, text="Not allowed.")


def test_authorize_page_takes_its_wishes() -> None:
    asked = threelegs.AskedToken("a token", "hush", x.LIVE_X)
    url = threelegs.authorize_url(asked, ask_again=False, force_login=True, screen_name="larkbooks")
    assert url == (
        "https://api.x.com/oauth/authenticate"
        "?oauth_token=a%20token&force_login=true&screen_name=larkbooks"
    )
    assert "hush" not in repr(asked)


async def test_wrong_verifier_is_refused(
    emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    app = await keys(emulator)
    asked = await threelegs.ask_token(session, app=app)
    await decide(emulator, threelegs.authorize_url(asked))
    with pytest.raises(x.errors.CodeRefused):
        await threelegs.redeem(session, app=app, asked=asked, verifier="0")


async def test_unregistered_callback_is_the_apps_fault(
    emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    app = await keys(emulator)
    with pytest.raises(x.errors.AppMisconfigured, match="callback") as raised:
        await threelegs.ask_token(session, app=app, callback="https://elsewhere.example/back")
    assert "TWITTER_CALLBACK_URL" in raised.value.next


async def test_wrong_keys_are_the_apps_fault_and_no_secret_is_told(
    emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    app = x.auth.OAuth1("no-such-key", "a-secret-of-nobody", endpoint=emulator.endpoint)
    with pytest.raises(x.errors.AppMisconfigured) as raised:
        await threelegs.ask_token(session, app=app)
    assert "a-secret-of-nobody" not in f"{raised.value!r} {raised.value.as_dict()}"


async def test_invalidated_credential_is_dead_and_may_be_invalidated_again(
    emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    credential = await keys_of(emulator)
    await threelegs.invalidate(session, credential=credential)
    await threelegs.invalidate(session, credential=credential)
    client = x.Client(None, oauth1=credential, session=session)
    with pytest.raises(x.errors.Reauthorize):
        await x.users.read_me(client)


async def test_apps_own_token_reads_what_is_public(
    emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    token = await x.auth.app_token(session, app=await keys(emulator))
    client = x.Client(x.FixedToken(token, emulator.endpoint), session=session)
    (first, *_) = await emulator.users()
    assert (await x.users.read_user(client, first["id"])).username == "larkbooks"
    with pytest.raises(x.errors.AppMisconfigured):
        await x.posts.create(client, text="Not for apps.")


async def test_app_token_for_a_wrong_secret_is_the_apps_fault(
    emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    app = replace(await keys(emulator), api_secret="wrong")
    with pytest.raises(x.errors.AppMisconfigured):
        await x.auth.app_token(session, app=app)
