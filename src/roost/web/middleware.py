"""What holds for every request: the Host it may name, safe headers, an answer to any failure."""

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from roost.endpoint import is_loopback
from roost.errors import Refused, UnsafeHost
from roost.runtime import wrap_unexpected
from roost.web import error_handlers

_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self';"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "content-security-policy": _POLICY,
    # To other sites none, as with `no-referrer`; but that would hide the origin of our own forms.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


#: Values of `Sec-Fetch-Site` for a request that another origin's page caused.
_OTHER_SITES: Final = frozenset({"cross-site", "same-site"})
#: Methods that change nothing.
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class CrossSiteRequest(Refused):
    """A request that changes something, or runs unseen, comes from another site's page."""

    default_next = "Open Roost's own page and press the button there, or use the command line."


def host_name(netloc: str) -> str:
    """The name in a Host header, in lower case, without port and brackets."""
    if netloc.startswith("["):
        return netloc[1:].partition("]")[0].lower()
    return netloc.partition(":")[0].lower()


class Guard:
    """Wraps the application. A route's own headers win over these."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def send_guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            headers = Headers(scope=scope)
            _require_own_host(headers.get("host", ""))
            if scope["method"] in _SAFE:
                _refuse_embedding(headers)
            else:
                _require_own_page(headers)
            await self._app(scope, receive, send_guarded)
        except Exception as error:
            told = wrap_unexpected(error)
            if not begun:
                await error_handlers.answer(scope["path"], told)(scope, receive, send_guarded)


def _require_own_host(host: str) -> None:
    """A foreign name that resolves to loopback is how other sites reach local services."""
    if not is_loopback(host_name(host)):
        raise UnsafeHost(
            "The request names a host that is not this machine.",
            next="Open Roost at 127.0.0.1 or localhost.",
        )


def is_from_other_site(headers: Headers) -> bool:
    """Whether a browser says that another site's page caused this request."""
    return headers.get("sec-fetch-site") in _OTHER_SITES


def _refuse_embedding(headers: Headers) -> None:
    """Another site's page may lead a person here, but not fetch, embed or frame anything.

    A report starts processes, and a person would not see who asked for it.
    """
    is_navigation = headers.get("sec-fetch-mode") == "navigate"
    is_page = headers.get("sec-fetch-dest") == "document"
    if is_from_other_site(headers) and not (is_navigation and is_page):
        raise CrossSiteRequest("Another site's page asked for this.")


def _require_own_page(headers: Headers) -> None:
    """Another site's page can send a form here; the browser says whose page it was."""
    fetched_from = headers.get("sec-fetch-site")
    origin = urlsplit(headers.get("origin", ""))
    is_own_origin = origin.scheme in {"http", "https"} and origin.netloc == headers.get("host")
    # Browsers that send both agree with themselves; older ones send the origin alone.
    if not is_own_origin or fetched_from not in {None, "same-origin"}:
        raise CrossSiteRequest("The request does not come from Roost's own page.")
