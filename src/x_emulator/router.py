"""The application: every route, with a shortcut for paths of X that have no parameters.

Starlette tries its routes in turn and wraps each response several times. On the most used paths,
this would take as long as the emulator's own work, so these paths are found in a dictionary.
"""

from collections.abc import Awaitable, Callable, Iterable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from x_emulator import access
from x_emulator.control import api
from x_emulator.pipeline import operation
from x_emulator.routes import analytics, media, media_v1, oauth1, oauth2, posts, v1
from x_emulator.state import World
from x_emulator.ui import dashboard, pages


def make_app(world: World, *, any_host: bool = False) -> ASGIApp:
    """Build the ASGI application that serves one emulator, whose state is `world`.

    With `any_host`, requests to the control API and the pages may use any host name. This is safe
    only if a secret protects the control API and the pages.
    """
    app = Starlette(
        routes=list_routes(),
        exception_handlers={**api.EXCEPTION_HANDLERS, HTTPException: _respond_not_found},
    )
    app.state.world = world
    return Router(app, (*V2_ROUTES, *_V1_ROUTES), any_host=any_host)


def list_routes() -> list[Route]:
    """List all routes: X's API, the consent screens, the control API and the dashboard."""
    return [
        *V2_ROUTES,
        Route("/i/oauth2/authorize", oauth2.show_authorize, methods=["GET"]),
        Route("/i/oauth2/authorize", oauth2.decide_authorize, methods=["POST"]),
        Route("/2/oauth2/token", oauth2.token, methods=["POST"]),
        Route("/2/oauth2/revoke", oauth2.revoke, methods=["POST"]),
        *_OAUTH1_ROUTES,
        *_V1_ROUTES,
        Route("/1.1/{path:path}", v1.refuse_other_paths, methods=["GET", "POST", "DELETE", "PUT"]),
        *api.ROUTES,
        *dashboard.ROUTES,
    ]


Endpoint = Callable[[Request], Awaitable[Response]]


class Router:
    """ASGI application that finds X's paths without parameters in a dictionary.

    Starlette handles all other paths.
    """

    def __init__(self, app: Starlette, routes: Iterable[Route], *, any_host: bool) -> None:
        self._app = app
        self._any_host = any_host
        self._endpoints = {
            (method, route.path): route.endpoint
            for route in routes
            if not route.param_convertors
            for method in route.methods or ()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        endpoint: Endpoint | None = self._endpoints.get((scope["method"], path))
        if endpoint is not None:
            scope["app"] = self._app
            response = await endpoint(_BufferedRequest(scope, receive, send))
            await response(scope, receive, send)
        elif access.is_protected(path) and (
            access.is_cross_site(scope) or (not self._any_host and access.has_foreign_host(scope))
        ):
            await access.refuse_cross_site(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class _BufferedRequest(Request):
    """A request that avoids Starlette's slower stream if the body arrives in one piece."""

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


V2_ROUTES = [
    Route(path, operation(name, endpoint), methods=[method], name=name)
    for method, path, name, endpoint in (
        ("POST", "/2/tweets", "create_post", posts.create_post),
        ("GET", "/2/tweets", "read_posts", posts.read_posts),
        ("GET", "/2/tweets/analytics", "read_post_analytics", analytics.read_post_analytics),
        ("GET", "/2/media/analytics", "read_media_analytics", analytics.read_media_analytics),
        ("GET", "/2/usage/tweets", "read_usage", analytics.read_usage),
        ("GET", "/2/tweets/{id}", "read_post", posts.read_post),
        ("DELETE", "/2/tweets/{id}", "delete_post", posts.delete_post),
        ("GET", "/2/users/me", "read_me", posts.read_me),
        ("GET", "/2/users", "read_users", posts.read_users),
        ("GET", "/2/users/{id}", "read_user", posts.read_user),
        ("GET", "/2/users/{id}/tweets", "read_timeline", posts.read_timeline),
        ("POST", "/2/media/upload/initialize", "media_initialize", media.initialize),
        ("POST", "/2/media/upload/{id}/append", "media_append", media.append),
        ("POST", "/2/media/upload/{id}/finalize", "media_finalize", media.finalize),
        ("POST", "/2/media/upload", "media_upload", media.upload),
        ("GET", "/2/media/upload", "media_status", media.status),
        ("POST", "/2/media/subtitles", "media_subtitles", media.subtitles),
        ("DELETE", "/2/media/subtitles", "media_subtitles_delete", media.delete_subtitles),
        ("POST", "/2/media/metadata", "media_metadata", media.metadata),
    )
]


_V1_ROUTES = [
    Route(path + ending, operation(name, endpoint), methods=[method])
    for method, path, name, endpoint in (
        (
            "GET",
            "/1.1/account/verify_credentials",
            "v1_verify_credentials",
            v1.verify_credentials,
        ),
        ("POST", "/1.1/media/upload", "v1_media_upload", media_v1.upload),
        ("GET", "/1.1/media/upload", "v1_media_status", media_v1.status),
        ("POST", "/1.1/media/metadata/create", "v1_media_metadata", media_v1.metadata),
        ("POST", "/1.1/media/subtitles/create", "v1_media_subtitles", media_v1.subtitles),
    )
    for ending in (".json", "")
]
_OAUTH1_ROUTES = [
    Route(path, endpoint, methods=[method])
    for method, path, endpoint in (
        ("POST", "/oauth/request_token", oauth1.request_token),
        ("GET", "/oauth/authorize", oauth1.show_authorize),
        ("POST", "/oauth/authorize", oauth1.decide_authorize),
        ("GET", "/oauth/authenticate", oauth1.show_authorize),
        ("POST", "/oauth/authenticate", oauth1.decide_authorize),
        ("POST", "/oauth/access_token", oauth1.access_token),
        ("POST", "/1.1/oauth/invalidate_token.json", oauth1.invalidate_token),
        ("POST", "/1.1/oauth/invalidate_token", oauth1.invalidate_token),
        ("POST", "/oauth2/token", oauth1.app_token),
        ("POST", "/oauth2/invalidate_token", oauth1.invalidate_app_token),
    )
]


async def _respond_not_found(request: Request, error: Exception) -> Response:
    """Respond to an unknown path: on v2, with 404 and an empty body, as X does."""
    if request.url.path.removeprefix(pages.root_of(request)).startswith("/2/"):
        return Response(status_code=404)
    status = error.status_code if isinstance(error, HTTPException) else 500
    return PlainTextResponse("Not found.", status)
