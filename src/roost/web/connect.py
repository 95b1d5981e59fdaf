"""A connection over HTTP: out to X's page of consent, back from it, and proof of who listens."""

from typing import Annotated, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from fastapi import APIRouter, Query, Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response

from roost import store
from roost.endpoint import is_loopback
from roost.errors import RoostError
from roost.models import Integration, Tenant
from roost.services import connect, prove_service
from roost.web import error_handlers, templating
from roost.web.dependencies import OpenRuntime, TenantName
from roost.web.middleware import host_name, is_from_other_site

router = APIRouter(prefix="/api/auth")

#: As long as the connection itself waits, and some more: the service says when it is too late.
_COOKIE_LIVES_S: Final = 20 * 60
_COOKIE_PATH: Final = "/api/auth"


def _cookie_name(state: str) -> str:
    """A cookie a connection: two begun in two tabs do not disturb each other."""
    return f"roost_connect_{store.oauth_flows.fingerprint(state)[:16]}"


@router.get("/twitter/start")
async def start(request: Request, runtime: OpenRuntime, tenant: TenantName = "default") -> Response:
    """Send the browser to X, with a cookie that only this browser can bring back."""
    home = urlsplit(runtime.settings.twitter_callback_url).hostname or ""
    if is_loopback(home) and host_name(request.url.netloc) != home:
        # A cookie set for `localhost` does not come back to `127.0.0.1`: begin where it will end.
        host = f"[{home}]" if ":" in home else home
        return RedirectResponse(str(request.url.replace(hostname=host)), 302)
    if is_from_other_site(request.headers):
        # A link on another site leads here: a person's click, not the link, writes the first row.
        query = urlencode({"tenant": tenant})
        return templating.page(
            "connect.html.j2", tenant_name=tenant, start=f"{request.url.path}?{query}"
        )
    departure = await connect.start(runtime, tenant)
    state = parse_qs(urlsplit(departure.url).query)["state"][0]
    answer = RedirectResponse(departure.url, 302)
    answer.set_cookie(
        _cookie_name(state),
        departure.browser,
        max_age=_COOKIE_LIVES_S,
        path=_COOKIE_PATH,
        httponly=True,
        secure=urlsplit(runtime.settings.twitter_callback_url).scheme == "https",
        samesite="lax",
    )
    return answer


@router.get("/proof")
async def prove(request: Request, runtime: OpenRuntime, challenge: str = "") -> Response:
    """Prove to `roost connect` that this is its home's service, at the address it was asked at."""
    host, port = request.scope["server"]
    return PlainTextResponse(await prove_service.prove(runtime, challenge, (host, port)))


@router.get("/callback/twitter")
@router.get("/callback/twitter/", include_in_schema=False)
async def come_back(
    request: Request,
    runtime: OpenRuntime,
    state: Annotated[str, Query()] = "",
    code: Annotated[str | None, Query()] = None,
    error: Annotated[str | None, Query()] = None,
) -> Response:
    """Finish the connection and show the account, or say why there is none.

    The page may be loaded again: while the browser keeps the cookie, it is shown the account.
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
            return _to_account(*connected, already_connected="1")
        title = "The account was not connected"
        answer = error_handlers.answer(request.url.path, failure, title=title)
        answer.delete_cookie(name, path=_COOKIE_PATH)
        return answer
    return _to_account(tenant, account)


def _to_account(tenant: Tenant, account: Integration, **query: str) -> Response:
    query = {"tenant": tenant.name} | query
    return RedirectResponse(f"/accounts/{account.id}?{urlencode(query)}", 303)
