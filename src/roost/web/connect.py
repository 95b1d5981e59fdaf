"""Connects an account: redirects to X, handles the callback, proves the server's identity."""

import hashlib
from typing import Annotated, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from fastapi import APIRouter, Query, Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response

from roost.endpoint import is_loopback
from roost.errors import RoostError
from roost.models import Integration, Tenant
from roost.services import connect, prove_service, queries
from roost.web import error_handlers, templating
from roost.web.attempts import AttemptId
from roost.web.dependencies import KnownAttempts, OpenRuntime, TenantName, scope_of
from roost.web.middleware import host_name, is_from_other_site

router = APIRouter(prefix="/api/auth")

#: The lifetime of an OAuth flow's cookie. It is longer than the flow may take, so that Roost can
#: still report that the flow took too long.
_COOKIE_LIFETIME_S: Final = 20 * 60
_COOKIE_PATH: Final = "/api/auth"


def _cookie_name(state: str) -> str:
    """Return a cookie name for one OAuth flow, so that two tabs can connect at the same time."""
    return f"roost_connect_{hashlib.sha256(state.encode()).hexdigest()[:16]}"


@router.get("/twitter/start")
async def start(
    request: Request,
    runtime: OpenRuntime,
    attempts: KnownAttempts,
    tenant: TenantName = "default",
    attempt: AttemptId = "",
) -> Response:
    """Redirect the browser to X, with a cookie that binds the OAuth flow to this browser.

    `attempt` is the id with which `roost connect` asks for the error that ended the flow.
    """
    home = urlsplit(runtime.settings.twitter_callback_url).hostname or ""
    if is_loopback(home) and host_name(request.url.netloc) != home:
        # A cookie set for `localhost` is not sent to `127.0.0.1`, so start at the callback's host.
        host = f"[{home}]" if ":" in home else home
        return RedirectResponse(str(request.url.replace(hostname=host)), 302)
    if is_from_other_site(request.headers):
        # The browser followed a link on another site. Starting an OAuth flow writes a row, so first
        # ask for a click on our own page.
        query = urlencode({"tenant": tenant})
        return templating.page(
            "connect.html.j2", tenant_name=tenant, start=f"{request.url.path}?{query}"
        )
    owner = await queries.get_tenant(runtime, tenant)
    departure = await connect.start(runtime, scope_of(owner))
    state = parse_qs(urlsplit(departure.url).query)["state"][0]
    if attempt:
        attempts.start(attempt, state)
    response = RedirectResponse(departure.url, 302)
    response.set_cookie(
        _cookie_name(state),
        departure.browser,
        max_age=_COOKIE_LIFETIME_S,
        path=_COOKIE_PATH,
        httponly=True,
        secure=urlsplit(runtime.settings.twitter_callback_url).scheme == "https",
        samesite="lax",
    )
    return response


@router.get("/proof")
async def prove(request: Request, runtime: OpenRuntime, challenge: str = "") -> Response:
    """Prove to `roost connect` that this server uses the same installation as the command."""
    host, port = request.scope["server"]
    return PlainTextResponse(await prove_service.prove(runtime, challenge, (host, port)))


@router.get("/attempts/{attempt}")
async def find_failure(attempts: KnownAttempts, attempt: str) -> Response:
    """Return the error that ended an attempt of `roost connect`; null if there is no error."""
    return error_handlers.SafeJSON({"error": attempts.find_failure(attempt)})


@router.get("/callback/twitter")
@router.get("/callback/twitter/", include_in_schema=False)
async def complete(
    request: Request,
    runtime: OpenRuntime,
    attempts: KnownAttempts,
    state: Annotated[str, Query()] = "",
    code: Annotated[str | None, Query()] = None,
    error: Annotated[str | None, Query()] = None,
) -> Response:
    """Complete the OAuth flow: redirect to the account's page, or show the error.

    If the browser loads the callback address again, it gets the account's page as long as it has
    the flow's cookie.
    """
    name = _cookie_name(state)
    browser = request.cookies.get(name)
    try:
        tenant, account = await connect.complete(
            runtime, state=state, code=code, error=error, browser=browser
        )
    except RoostError as failure:
        connected = await connect.find_connected(runtime, state=state, browser=browser)
        if connected is not None:
            return _redirect_to_account(*connected, already_connected="1")
        failure.set_default_did("No account was connected.")
        attempts.fail(state, failure)
        title = "The account was not connected"
        response = error_handlers.error_response(request.url.path, failure, title=title)
        response.delete_cookie(name, path=_COOKIE_PATH)
        return response
    return _redirect_to_account(tenant, account)


def _redirect_to_account(tenant: Tenant, account: Integration, **query: str) -> Response:
    query = {"tenant": tenant.name} | query
    return RedirectResponse(f"/accounts/{account.id}?{urlencode(query)}", 303)
