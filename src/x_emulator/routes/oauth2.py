"""The routes of OAuth 2.0: the consent screen and the token endpoints."""

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
from x_emulator.pipeline import run
from x_emulator.responses import DECODE_ERRORS, ApiResponse
from x_emulator.state import RequestEntry, World
from x_emulator.ui import pages


async def show_authorize(request: Request) -> Response:
    """`GET /i/oauth2/authorize`: the consent screen, or X's error page."""
    world: World = request.app.state.world
    root = pages.root_of(request)
    authorization = oauth2.read_authorization_request(world, request.query_params)
    if authorization is None:
        return HTMLResponse(pages.authorization_error(root), 400)
    query = dict(request.query_params)
    hint = query.get("login_hint", "")
    return HTMLResponse(pages.oauth2_consent(world, authorization, query, hint, root))


async def decide_authorize(request: Request) -> Response:
    """`POST /i/oauth2/authorize`: redirects to the app with the user's decision."""
    world: World = request.app.state.world
    form = await read_form(request)
    authorization = oauth2.read_authorization_request(world, form)
    user = world.find_user(form.get("user", ""))
    if authorization is None or user is None:
        return HTMLResponse(pages.authorization_error(pages.root_of(request)), 400)
    state = authorization.state
    if form.get("decision") != "allow":
        return redirect(authorization.redirect_uri, {"error": "access_denied", "state": state})
    code = oauth2.issue_code(world, authorization, user, world.now())
    return redirect(authorization.redirect_uri, {"state": state, "code": code})


async def token(request: Request) -> Response:
    """Handle `POST /2/oauth2/token`."""
    world: World = request.app.state.world
    form = await read_form(request)
    name = "refresh" if form.get("grant_type") == "refresh_token" else "token"
    authorization = request.headers.get("authorization")

    def respond() -> dict[str, Any]:
        return oauth2.exchange(world, form, authorization, world.now())

    return await _run(request, name, form, respond)


async def revoke(request: Request) -> Response:
    """Handle `POST /2/oauth2/revoke`."""
    world: World = request.app.state.world
    form = await read_form(request)

    def respond() -> dict[str, Any]:
        return oauth2.revoke(world, form, request.headers.get("authorization"))

    return await _run(request, "revoke", form, respond)


async def _run(
    request: Request, name: str, form: dict[str, str], respond: Callable[[], dict[str, Any]]
) -> Response:
    world: World = request.app.state.world
    client_id = form.get("client_id", "")
    entry = RequestEntry(
        at=world.now(),
        client_id=client_id if client_id in world.apps else None,
        user_id=None,
        operation=name,
        status=None,
        usd=billing.FREE,
    )

    async def respond_or_refuse() -> ApiResponse:
        try:
            return ApiResponse(200, respond())
        except TokenRefusal as refusal:
            return ApiResponse(refusal.status, refusal.body)

    return await run(world, request, entry, respond_or_refuse, [])


async def read_form(request: Request) -> dict[str, str]:
    """Return the text fields of a form. Files are ignored.

    A JSON object is accepted too, because the client twitter-api-v2 requests tokens with JSON. A
    malformed body counts as an empty form.
    """
    body = await request.body()  # Starlette keeps the body, so `form()` can read it again.
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            payload = msgspec.json.decode(body, type=dict[str, Any])
        except DECODE_ERRORS:
            return {}
        return {name: value for name, value in payload.items() if isinstance(value, str)}
    try:
        async with request.form() as form:
            return {name: value for name, value in form.items() if isinstance(value, str)}
    except (HTTPException, MultiPartException, FormParserError, UnicodeDecodeError, LookupError):
        return {}


def redirect(url: str, parameters: dict[str, str]) -> Response:
    """Redirect the browser to a URL of the app, with parameters added to the URL's query."""
    separator = "&" if "?" in url else "?"
    return RedirectResponse(f"{url}{separator}{urlencode(parameters)}", 302)
