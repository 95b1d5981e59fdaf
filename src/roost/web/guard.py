"""What holds for every request: the Host it may name, safe headers, an answer to any failure."""

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from roost.endpoint import is_loopback
from roost.errors import Refused, RoostError, UnsafeHost
from roost.house import from_outside
from roost.web import failures

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


#: Methods that change nothing.
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class CrossSiteRequest(Refused):
    """Something is to be changed by a request that does not come from Roost's own page."""

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
            if scope["method"] not in _SAFE:
                _require_own_page(headers)
            await self._app(scope, receive, send_guarded)
        except Exception as error:
            told = error if isinstance(error, RoostError) else from_outside(error)
            if not begun:
                await failures.answer(scope["path"], told)(scope, receive, send_guarded)


def _require_own_host(host: str) -> None:
    """A foreign name that resolves to loopback is how other sites reach local services."""
    if not is_loopback(host_name(host)):
        raise UnsafeHost(
            "The request names a host that is not this machine.",
            next="Open Roost at 127.0.0.1 or localhost.",
        )


def _require_own_page(headers: Headers) -> None:
    """Another site's page can send a form here; the browser says whose page it was."""
    fetched_from = headers.get("sec-fetch-site")
    origin = urlsplit(headers.get("origin", ""))
    is_own_origin = origin.scheme in {"http", "https"} and origin.netloc == headers.get("host")
    # Browsers that send both agree with themselves; older ones send the origin alone.
    if not is_own_origin or fetched_from not in {None, "same-origin"}:
        raise CrossSiteRequest("The request does not come from Roost's own page.")
