"""The way in: X's fixed paths are found in a dictionary, all else is left to Starlette.

Starlette tries its routes in turn and wraps each answer several times; on the paths that are asked
most this costs as much as X's own rules do.
"""

from collections.abc import Awaitable, Callable, Iterable

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from x_emulator import doorkeeper

Endpoint = Callable[[Request], Awaitable[Response]]


class Front:
    """An ASGI application: the routes without parameters at once, the others by Starlette."""

    def __init__(self, app: Starlette, routes: Iterable[Route], *, any_host: bool) -> None:
        self._app = app
        self._any_host = any_host
        self._fixed = {
            (method, route.path): route.endpoint
            for route in routes
            if not route.param_convertors
            for method in route.methods or ()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        endpoint: Endpoint | None = self._fixed.get((scope["method"], path))
        if endpoint is not None:
            scope["app"] = self._app
            response = await endpoint(_Asked(scope, receive, send))
            await response(scope, receive, send)
        elif doorkeeper.is_kept(path) and (
            doorkeeper.is_foreign(scope) or (not self._any_host and doorkeeper.is_rebound(scope))
        ):
            await doorkeeper.refuse_foreign(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class _Asked(Request):
    """A request whose body, where it came in one piece, is read without ceremony."""

    async def body(self) -> bytes:
        if not hasattr(self, "_body") and not self._stream_consumed:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._is_disconnected = True
                raise ClientDisconnect
            first: bytes = message.get("body", b"")
            if message.get("more_body", False):
                first += b"".join([piece async for piece in self.stream()])
            self._body = first
        return await super().body()
