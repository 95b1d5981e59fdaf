"""The routes of OAuth 1.0a, with the page on which a person decides, and of app-only tokens.

Answers of the token endpoints are forms, as they were in 2009; refusals are JSON.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from x_emulator import billing
from x_emulator.auth import app_only, identify, oauth1, oauth1_signature
from x_emulator.pipeline import play
from x_emulator.responses import FORM, Answer
from x_emulator.routes.oauth2 import back_to, read_form
from x_emulator.rules.refusals import Refusal
from x_emulator.state import App, RequestEntry, RequestToken, User, World
from x_emulator.ui import pages


async def request_token(request: Request) -> Response:
    """`POST /oauth/request_token`."""

    async def act(world: World) -> tuple[App, Answer]:
        at = world.now()
        signer = await identify.signer_of(world, request, at)
        given = await _parameters(request)
        callback = signer.header.get("oauth_callback", given.get("oauth_callback"))
        access = given.get("x_auth_access_type")
        asked = oauth1.ask_token(world, signer, callback, access, at)
        return signer.app, _form_answer(
            oauth_token=asked.token,
            oauth_token_secret=asked.secret,
            oauth_callback_confirmed="true",
        )

    return await _play(request, "request_token", act)


async def show_authorize(request: Request) -> Response:
    """`GET /oauth/authorize`, which always asks, and `/oauth/authenticate`, which may not."""
    world: World = request.app.state.world
    query = request.query_params
    asked = oauth1.find_asked(world, query.get("oauth_token", ""), world.now())
    if asked is None:
        return HTMLResponse(pages.regret(pages.root_of(request)), 400)
    hint = query.get("screen_name", "")
    forced = query.get("force_login", "false") == "true"
    root = pages.root_of(request)
    path = request.url.path.removeprefix(root)
    if path == "/oauth/authenticate" and not forced:
        user = oauth1.already_granted(world, asked, hint)
        if user is not None:
            return _allow(request, asked, user)
    return HTMLResponse(pages.legacy_consent(world, asked, path, hint, root))


async def decide_authorize(request: Request) -> Response:
    """`POST` of the same page: what the person decided."""
    world: World = request.app.state.world
    given = await read_form(request)
    asked = oauth1.find_asked(world, given.get("oauth_token", ""), world.now())
    user = world.find_user(given.get("user", ""))
    if asked is None or user is None:
        return HTMLResponse(pages.regret(pages.root_of(request)), 400)
    if given.get("decision") == "allow":
        return _allow(request, asked, user)
    del world.request_tokens[asked.token]
    if asked.callback == oauth1.OUT_OF_BAND:
        return HTMLResponse(pages.denied(world.apps[asked.client_id].name, pages.root_of(request)))
    return back_to(asked.callback, {"denied": asked.token})


async def access_token(request: Request) -> Response:
    """`POST /oauth/access_token`."""

    async def act(world: World) -> tuple[App, Answer]:
        header = oauth1_signature.read_header(request.headers.get("authorization")) or {}
        given = await _parameters(request) | header
        app, pair = oauth1.redeem(world, given, world.now())
        user = world.users[pair.grant.user_id]
        return app, _form_answer(
            oauth_token=pair.token,
            oauth_token_secret=pair.secret,
            user_id=user.id,
            screen_name=user.username,
        )

    return await _play(request, "access_token", act)


async def invalidate_token(request: Request) -> Response:
    """`POST /1.1/oauth/invalidate_token.json`, signed with the token that shall die."""

    async def act(world: World) -> tuple[App, Answer]:
        signer = await identify.signer_of(world, request, world.now())
        if signer.pair is None:
            raise oauth1.bad_token()
        signer.pair.grant.alive = False
        return signer.app, Answer(200, {"access_token": signer.pair.token})

    return await _play(request, "invalidate_token", act)


async def app_token(request: Request) -> Response:
    """`POST /oauth2/token`: the app's own token."""

    async def act(world: World) -> tuple[App, Answer]:
        app = app_only.authenticated(world, request.headers.get("authorization"))
        kind = (await read_form(request)).get("grant_type", "")
        value = app_only.give_bearer(world, app, kind, world.now())
        return app, Answer(200, {"token_type": "bearer", "access_token": value})

    return await _play(request, "app_token", act)


async def invalidate_app_token(request: Request) -> Response:
    """`POST /oauth2/invalidate_token`."""

    async def act(world: World) -> tuple[App, Answer]:
        app = app_only.authenticated(world, request.headers.get("authorization"))
        value = (await _parameters(request)).get("access_token", "")
        app_only.invalidate(world, app, value)
        return app, Answer(200, {"access_token": value})

    return await _play(request, "invalidate_app_token", act)


def _allow(request: Request, asked: RequestToken, user: User) -> Response:
    world: World = request.app.state.world
    verifier = oauth1.allow(asked, user)
    if asked.callback == oauth1.OUT_OF_BAND:
        name = world.apps[asked.client_id].name
        return HTMLResponse(pages.pin(name, verifier, pages.root_of(request)))
    return back_to(asked.callback, {"oauth_token": asked.token, "oauth_verifier": verifier})


async def _play(
    request: Request, name: str, act: Callable[[World], Awaitable[tuple[App, Answer]]]
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

    async def answer() -> Answer:
        try:
            app, made = await act(world)
        except Refusal as refusal:
            return Answer(refusal.status, refusal.body)
        entry.client_id = app.client_id
        return made

    return await play(world, request, entry, answer, [])


async def _parameters(request: Request) -> dict[str, str]:
    return {**request.query_params, **await read_form(request)}


def _form_answer(**fields: Any) -> Answer:
    return Answer(200, urlencode(fields), kind=FORM)
