"""Checks each request's Host and origin, adds safe headers, and responds to any error."""

import re
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from roost import changes
from roost.endpoint import is_loopback
from roost.errors import Refused, UnsafeHost
from roost.unexpected import to_roost_error
from roost.web import error_handlers

_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self';"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "content-security-policy": _POLICY,
    # With this policy, other sites get no referrer. The policy `no-referrer` would also hide the
    # origin of our own forms.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


#: Values of `Sec-Fetch-Site` for a request that another origin's page made.
_OTHER_SITES: Final = frozenset({"cross-site", "same-site"})
#: Methods that change nothing.
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class CrossSiteRequest(Refused):
    """Another site's page tried to submit a form to Roost, or to fetch or embed Roost's pages."""

    default_next = "Open Roost's own page and use the button there, or the command line."


#: Matches a Host header: a name or an IPv6 address in brackets, then an optional port. Source: RFC
#: 9110, section 7.2.
_HOST: Final = re.compile(
    r"(?:\[(?P<address>[0-9a-f:.]+)\]|(?P<name>[^\[\]:@/]+))(?::\d{1,5})?", re.IGNORECASE
)


def host_name(netloc: str) -> str:
    """Return the name in a Host header, in lower case, without port and brackets.

    A malformed header has no name: the result is empty.
    """
    matched = _HOST.fullmatch(netloc)
    return (matched["address"] or matched["name"]).lower() if matched else ""


class RequestGuard:
    """Refuses unsafe requests and adds safe headers; a route's own headers have priority."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with changes.recording():
            await self._handle(scope, receive, send)

    async def _handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_started = False

        async def send_guarded(message: Message) -> None:
            nonlocal has_started
            if message["type"] == "http.response.start":
                has_started = True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            headers = Headers(scope=scope)
            _require_own_host(headers.getlist("host"))
            if scope["method"] in _SAFE:
                _refuse_embedding(headers)
            else:
                _require_own_page(headers)
            await self._app(scope, receive, send_guarded)
        except Exception as error:
            wrapped = to_roost_error(error)
            if not has_started:
                response = error_handlers.error_response(scope["path"], wrapped)
                await response(scope, receive, send_guarded)


def _require_own_host(hosts: list[str]) -> None:
    """Refuse a request whose Host is not a loopback host.

    Otherwise another site could let its own name resolve to a loopback address (DNS rebinding), and
    read Roost's pages.
    """
    if len(hosts) != 1 or not is_loopback(host_name(hosts[0])):
        raise UnsafeHost(
            "The request names a host that is not this machine.",
            next="Open Roost at 127.0.0.1 or localhost.",
        )


def is_from_other_site(headers: Headers) -> bool:
    """Return whether the browser reports that another site's page made this request."""
    return headers.get("sec-fetch-site") in _OTHER_SITES


def _refuse_embedding(headers: Headers) -> None:
    """Let other sites link to Roost's pages, but not fetch, embed or frame them.

    Otherwise another site could, unseen by the user, make Roost build a report, which starts
    processes.
    """
    is_navigation = headers.get("sec-fetch-mode") == "navigate"
    is_page = headers.get("sec-fetch-dest") == "document"
    if is_from_other_site(headers) and not (is_navigation and is_page):
        raise CrossSiteRequest("Another site's page made this request.")


def _require_own_page(headers: Headers) -> None:
    """Refuse forms of other sites' pages; the browser reports which page sent a form."""
    fetched_from = headers.get("sec-fetch-site")
    origin = urlsplit(headers.get("origin", ""))
    is_own_origin = origin.scheme in {"http", "https"} and origin.netloc == headers.get("host")
    # Older browsers send only `Origin`; if `Sec-Fetch-Site` is sent as well, both must match.
    if not is_own_origin or fetched_from not in {None, "same-origin"}:
        raise CrossSiteRequest("The request does not come from Roost's own page.")
