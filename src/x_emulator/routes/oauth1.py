"""The routes of OAuth 1.0a and of app-only tokens, and the OAuth 1.0a consent screen.

The OAuth 1.0a token endpoints respond with urlencoded forms. Their refusals are JSON.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from x_emulator import billing
from x_emulator.auth import app_only, identify, oauth1, oauth1_signature
from x_emulator.pipeline import run
from x_emulator.responses import FORM, ApiResponse
from x_emulator.routes.oauth2 import read_form, redirect
from x_emulator.rules.refusals import Refusal
from x_emulator.state import App, RequestEntry, RequestToken, User, World
from x_emulator.ui import pages


async def request_token(request: Request) -> Response:
    """Handle `POST /oauth/request_token`."""

    async def respond(world: World) -> tuple[App, ApiResponse]:
        at = world.now()
        signer = await identify.verify_signer(world, request, at)
        parameters = await _parameters(request)
        callback = signer.header.get("oauth_callback", parameters.get("oauth_callback"))
        access = parameters.get("x_auth_access_type")
        token = oauth1.issue_request_token(world, signer, callback, access, at)
        return signer.app, _form_response(
            oauth_token=token.token,
            oauth_token_secret=token.secret,
            oauth_callback_confirmed="true",
        )

    return await _run(request, "request_token", respond)


async def show_authorize(request: Request) -> Response:
    """Show the consent screen (`GET /oauth/authorize`, `/oauth/authenticate`).

    `authenticate` does not ask a user who has already granted this access to the app.
    """
    world: World = request.app.state.world
    query, root = request.query_params, pages.root_of(request)
    token = oauth1.find_request_token(world, query.get("oauth_token", ""), world.now())
    if token is None:
        return HTMLResponse(pages.authorization_error(root), 400)
    hint = query.get("screen_name", "")
    is_forced = query.get("force_login", "false") == "true"
    path = request.url.path.removeprefix(root)
    if path == "/oauth/authenticate" and not is_forced:
        user = oauth1.find_previous_user(world, token, hint)
        if user is not None:
            return _allow(request, token, user)
    return HTMLResponse(pages.oauth1_consent(world, token, path, hint, root))


async def decide_authorize(request: Request) -> Response:
    """Handle the form of the consent screen: redirect to the app with the user's decision."""
    world: World = request.app.state.world
    form = await read_form(request)
    token = oauth1.find_request_token(world, form.get("oauth_token", ""), world.now())
    user = world.find_user(form.get("user", ""))
    if token is None or user is None:
        return HTMLResponse(pages.authorization_error(pages.root_of(request)), 400)
    if form.get("decision") == "allow":
        return _allow(request, token, user)
    del world.request_tokens[token.token]
    if token.callback == oauth1.OUT_OF_BAND:
        return HTMLResponse(pages.denied(world.apps[token.client_id].name, pages.root_of(request)))
    return redirect(token.callback, {"denied": token.token})


async def access_token(request: Request) -> Response:
    """Handle `POST /oauth/access_token`."""

    async def respond(world: World) -> tuple[App, ApiResponse]:
        header = oauth1_signature.read_header(request.headers.get("authorization")) or {}
        parameters = await _parameters(request) | header
        app, token = oauth1.exchange(world, parameters, world.now())
        user = world.users[token.grant.user_id]
        return app, _form_response(
            oauth_token=token.token,
            oauth_token_secret=token.secret,
            user_id=user.id,
            screen_name=user.username,
        )

    return await _run(request, "access_token", respond)


async def invalidate_token(request: Request) -> Response:
    """`POST /1.1/oauth/invalidate_token.json`: invalidates the token that signs the request."""

    async def respond(world: World) -> tuple[App, ApiResponse]:
        signer = await identify.verify_signer(world, request, world.now())
        if signer.token is None:
            raise oauth1.invalid_token()
        signer.token.grant.alive = False
        return signer.app, ApiResponse(200, {"access_token": signer.token.token})

    return await _run(request, "invalidate_token", respond)


async def app_token(request: Request) -> Response:
    """`POST /oauth2/token`: returns the app-only token."""

    async def respond(world: World) -> tuple[App, ApiResponse]:
        app = app_only.authenticate_app(world, request.headers.get("authorization"))
        grant_type = (await read_form(request)).get("grant_type", "")
        value = app_only.issue_token(world, app, grant_type, world.now())
        return app, ApiResponse(200, {"token_type": "bearer", "access_token": value})

    return await _run(request, "app_token", respond)


async def invalidate_app_token(request: Request) -> Response:
    """`POST /oauth2/invalidate_token`: invalidates the app-only token."""

    async def respond(world: World) -> tuple[App, ApiResponse]:
        app = app_only.authenticate_app(world, request.headers.get("authorization"))
        value = (await _parameters(request)).get("access_token", "")
        app_only.invalidate_token(world, app, value)
        return app, ApiResponse(200, {"access_token": value})

    return await _run(request, "invalidate_app_token", respond)


def _allow(request: Request, token: RequestToken, user: User) -> Response:
    world: World = request.app.state.world
    verifier = oauth1.allow(token, user)
    if token.callback == oauth1.OUT_OF_BAND:
        name = world.apps[token.client_id].name
        return HTMLResponse(pages.pin(name, verifier, pages.root_of(request)))
    return redirect(token.callback, {"oauth_token": token.token, "oauth_verifier": verifier})


async def _run(
    request: Request, name: str, respond: Callable[[World], Awaitable[tuple[App, ApiResponse]]]
) -> Response:
    world: World = request.app.state.world
    entry = RequestEntry(
        at=world.now(),
        client_id=None,
        user_id=None,
        operation=name,
        status=None,
        usd=billing.FREE,
    )

    async def respond_or_refuse() -> ApiResponse:
        try:
            app, response = await respond(world)
        except Refusal as refusal:
            return ApiResponse(refusal.status, refusal.body)
        entry.client_id = app.client_id
        return response

    return await run(world, request, entry, respond_or_refuse, [])


async def _parameters(request: Request) -> dict[str, str]:
    return {**request.query_params, **await read_form(request)}


def _form_response(**fields: Any) -> ApiResponse:
    return ApiResponse(200, urlencode(fields), content_type=FORM)
