"""The routes of OAuth 2.0: the page on which a person decides, and the token endpoints."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import msgspec
from python_multipart.exceptions import FormParserError
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from x_emulator import billing
from x_emulator.auth import oauth2
from x_emulator.auth.oauth2 import TokenRefusal
from x_emulator.pipeline import play
from x_emulator.responses import NOT_DECODABLE, Answer
from x_emulator.state import RequestEntry, World
from x_emulator.ui import pages


async def show_authorize(request: Request) -> Response:
    """`GET /i/oauth2/authorize`: the page of consent, or X's page of regret."""
    world: World = request.app.state.world
    consent = oauth2.find_consent(world, request.query_params)
    if consent is None:
        return HTMLResponse(pages.regret(pages.root_of(request)), 400)
    hint = request.query_params.get("login_hint", "")
    asked, root = dict(request.query_params), pages.root_of(request)
    return HTMLResponse(pages.consent(world, consent, asked, hint, root))


async def decide_authorize(request: Request) -> Response:
    """`POST /i/oauth2/authorize`: what the person decided, back to the app."""
    world: World = request.app.state.world
    given = await read_form(request)
    consent = oauth2.find_consent(world, given)
    user = world.find_user(given.get("user", ""))
    if consent is None or user is None:
        return HTMLResponse(pages.regret(pages.root_of(request)), 400)
    if given.get("decision") != "allow":
        return back_to(consent.redirect_uri, {"error": "access_denied", "state": consent.state})
    code = oauth2.grant_code(world, consent, user, world.now())
    return back_to(consent.redirect_uri, {"state": consent.state, "code": code})


async def token(request: Request) -> Response:
    """`POST /2/oauth2/token`."""
    world: World = request.app.state.world
    given = await read_form(request)
    name = "refresh" if given.get("grant_type") == "refresh_token" else "token"
    authorization = request.headers.get("authorization")

    def act() -> dict[str, Any]:
        return oauth2.exchange(world, given, authorization, world.now())

    return await _play(request, name, given, act)


async def revoke(request: Request) -> Response:
    """`POST /2/oauth2/revoke`."""
    world: World = request.app.state.world
    given = await read_form(request)

    def act() -> dict[str, Any]:
        return oauth2.revoke(world, given, request.headers.get("authorization"))

    return await _play(request, "revoke", given, act)


async def _play(
    request: Request, name: str, given: dict[str, str], act: Callable[[], dict[str, Any]]
) -> Response:
    world: World = request.app.state.world
    known = given.get("client_id", "")
    entry = RequestEntry(
        at=world.now(),
        client_id=known if known in world.apps else None,
        user_id=None,
        operation=name,
        status=None,
        usd=billing.FREE,
    )

    async def answer() -> Answer:
        try:
            return Answer(200, act())
        except TokenRefusal as refusal:
            return Answer(refusal.status, refusal.body)

    return await play(world, request, entry, answer, [])


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form, without files.

    A JSON object is taken as well: twitter-api-v2 asks for tokens with one, and works. Of a
    malformed body nothing is read, as if the fields were missing.
    """
    body = await request.body()  # read whole, so that it can be read again
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            told = msgspec.json.decode(body, type=dict[str, Any])
        except NOT_DECODABLE:
            return {}
        return {name: value for name, value in told.items() if isinstance(value, str)}
    try:
        async with request.form() as form:
            return {name: value for name, value in form.items() if isinstance(value, str)}
    except (HTTPException, MultiPartException, FormParserError, UnicodeDecodeError, LookupError):
        return {}


def back_to(address: str, answer: dict[str, str]) -> Response:
    """Send the browser back to the app, with an answer in the query."""
    joint = "&" if "?" in address else "?"
    return RedirectResponse(f"{address}{joint}{urlencode(answer)}", 302)
