"""The routes, and the server: on loopback or with a secret, stopped by SIGTERM or SIGINT."""

import contextlib
import ipaddress
import signal
import socket
import threading
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from x_emulator import (
    analytics,
    consent,
    doors,
    endpoints,
    keeping,
    legacy,
    page,
    pages,
    threelegged,
    uploads,
    uploads1,
)
from x_emulator.calls import operation
from x_emulator.doorkeeper import Doorkeeper
from x_emulator.front import Front
from x_emulator.orders import Fault
from x_emulator.protocol import Protocol
from x_emulator.state import World

#: How long requests under way may take to end when the server is told to stop.
_GRACE_SECONDS = 2
_KEEP_ALIVE_SECONDS = 60


def make_app(world: World, *, any_host: bool = False) -> ASGIApp:
    """The whole of X as far as it is played, over one world.

    `any_host`: the control API may be called by any host name, because a secret guards it.
    """
    app = Starlette(
        routes=list_routes(),
        exception_handlers={**doors.REFUSALS, HTTPException: _no_such_path},
    )
    app.state.world = world
    return Front(app, (*V2, *_V1), any_host=any_host)


def list_routes() -> list[Route]:
    """Every route: X's, the pages of consent, the control API and the pages."""
    return [
        *V2,
        Route("/i/oauth2/authorize", consent.show_authorize, methods=["GET"]),
        Route("/i/oauth2/authorize", consent.decide_authorize, methods=["POST"]),
        Route("/2/oauth2/token", consent.token, methods=["POST"]),
        Route("/2/oauth2/revoke", consent.revoke, methods=["POST"]),
        *_LEGACY_AUTH,
        *_V1,
        Route("/1.1/{path:path}", legacy.refuse_rest, methods=["GET", "POST", "DELETE", "PUT"]),
        *doors.ROUTES,
        *page.ROUTES,
    ]


def serve(
    host: str,
    port: int,
    *,
    scenario: str,
    seed: int,
    on_listening: Callable[[str], None],
    secret: str | None = None,
    state: Path | None = None,
    faults: Sequence[Fault] = (),
) -> None:
    """Serve until a signal comes. `on_listening` gets the base URL once connections are taken.

    `secret` guards doors and pages, and an address other than loopback needs one. `state` is a
    file that the world is taken from, where it exists, and written to at the end. `faults` hold
    from the start and after each reset.

    Raises: ValueError (no secret, or an unfit state file), OSError (the port is taken).
    """
    if not secret and host != "localhost" and not ipaddress.ip_address(host).is_loopback:
        raise ValueError(f"To listen on {host} the emulator needs a secret; loopback needs none.")
    world = World(scenario, seed, faults)
    try:
        if state is not None and state.exists():
            keeping.load(world, state)
        app = make_app(world, any_host=bool(secret))
        with _listen(host, port) as listener:
            shown = f"[{host}]" if ":" in host else host
            url = f"http://{shown}:{listener.getsockname()[1]}"
            config = uvicorn.Config(
                Doorkeeper(app, secret) if secret else app,
                http=Protocol,
                lifespan="off",
                log_level="warning",
                access_log=False,
                date_header=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=_GRACE_SECONDS,
                # A client that pauses for a while finds its connection still open.
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            )
            server = _Server(config, world, lambda: on_listening(url))
            server.run(sockets=[listener])
        if state is not None:
            keeping.save(world, state)
    finally:
        world.close()


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket that says it is TCP: only then does asyncio switch Nagle's wait off."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


class _Server(uvicorn.Server):
    """Says when it listens, lets long polls go when it stops, and ends without a signal's death."""

    def __init__(
        self, config: uvicorn.Config, world: World, on_listening: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._world = world
        self._on_listening = on_listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_listening()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._world.clock.close()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        kinds = (signal.SIGTERM, signal.SIGINT)
        before = {kind: signal.signal(kind, self.handle_exit) for kind in kinds}
        try:
            yield
        finally:
            for kind, handler in before.items():
                signal.signal(kind, handler)


V2 = [
    Route(path, operation(name, endpoint), methods=[method], name=name)
    for method, path, name, endpoint in (
        ("POST", "/2/tweets", "create_post", endpoints.create_post),
        ("GET", "/2/tweets", "read_posts", endpoints.read_posts),
        ("GET", "/2/tweets/analytics", "read_post_analytics", analytics.read_post_analytics),
        ("GET", "/2/media/analytics", "read_media_analytics", analytics.read_media_analytics),
        ("GET", "/2/usage/tweets", "read_usage", analytics.read_usage),
        ("GET", "/2/tweets/{id}", "read_post", endpoints.read_post),
        ("DELETE", "/2/tweets/{id}", "delete_post", endpoints.delete_post),
        ("GET", "/2/users/me", "read_me", endpoints.read_me),
        ("GET", "/2/users", "read_users", endpoints.read_users),
        ("GET", "/2/users/{id}", "read_user", endpoints.read_user),
        ("GET", "/2/users/{id}/tweets", "read_timeline", endpoints.read_timeline),
        ("POST", "/2/media/upload/initialize", "media_initialize", uploads.initialize),
        ("POST", "/2/media/upload/{id}/append", "media_append", uploads.append),
        ("POST", "/2/media/upload/{id}/finalize", "media_finalize", uploads.finalize),
        ("POST", "/2/media/upload", "media_upload", uploads.upload),
        ("GET", "/2/media/upload", "media_status", uploads.status),
        ("POST", "/2/media/subtitles", "media_subtitles", uploads.subtitles),
        ("DELETE", "/2/media/subtitles", "media_subtitles_delete", uploads.drop_subtitles),
        ("POST", "/2/media/metadata", "media_metadata", uploads.metadata),
    )
]


_V1 = [
    Route(path + ending, operation(name, endpoint), methods=[method])
    for method, path, name, endpoint in (
        (
            "GET",
            "/1.1/account/verify_credentials",
            "v1_verify_credentials",
            legacy.verify_credentials,
        ),
        ("POST", "/1.1/media/upload", "v1_media_upload", uploads1.upload),
        ("GET", "/1.1/media/upload", "v1_media_status", uploads1.status),
        ("POST", "/1.1/media/metadata/create", "v1_media_metadata", uploads1.metadata),
        ("POST", "/1.1/media/subtitles/create", "v1_media_subtitles", uploads1.subtitles),
    )
    for ending in (".json", "")
]
_LEGACY_AUTH = [
    Route(path, endpoint, methods=[method])
    for method, path, endpoint in (
        ("POST", "/oauth/request_token", threelegged.request_token),
        ("GET", "/oauth/authorize", threelegged.show_authorize),
        ("POST", "/oauth/authorize", threelegged.decide_authorize),
        ("GET", "/oauth/authenticate", threelegged.show_authorize),
        ("POST", "/oauth/authenticate", threelegged.decide_authorize),
        ("POST", "/oauth/access_token", threelegged.access_token),
        ("POST", "/1.1/oauth/invalidate_token.json", threelegged.invalidate_token),
        ("POST", "/1.1/oauth/invalidate_token", threelegged.invalidate_token),
        ("POST", "/oauth2/token", threelegged.app_token),
        ("POST", "/oauth2/invalidate_token", threelegged.invalidate_app_token),
    )
]


async def _no_such_path(request: Request, error: Exception) -> Response:
    """X answers paths of v2 that it does not know with 404 and not a single byte."""
    if request.url.path.removeprefix(pages.root_of(request)).startswith("/2/"):
        return Response(status_code=404)
    status = error.status_code if isinstance(error, HTTPException) else 500
    return PlainTextResponse("There is nothing here.", status)
