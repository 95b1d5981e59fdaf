"""The application and the server it runs on, on loopback only."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Final

import uvicorn
from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from roost.endpoint import is_loopback
from roost.errors import Broken, UnsafeListenAddress
from roost.runtime import Runtime
from roost.web import actions, api, connect, error_handlers, metrics, pages
from roost.web.lateness_monitor import look_out
from roost.web.middleware import Guard
from roost.web.protocol import BoundedProtocol

#: Wall seconds for requests under way to end: a connection being finished is worth the wait.
_GRACE_S: Final = 10
_STATIC: Final = Path(__file__).parent / "static"


class PortTaken(Broken):
    """Something else listens at the address already."""

    default_next = "End it, or choose another port; `--port 0` takes any free one."


def require_loopback(host: str) -> None:
    """Without log-in whoever reaches the service owns it, so only this machine may.

    Raises: UnsafeListenAddress.
    """
    if not is_loopback(host):
        raise UnsafeListenAddress(
            f"Roost has no log-in yet, and {host} can be reached by others.",
            did="Roost did not start.",
            next="Use 127.0.0.1, ::1 or localhost; for remote use, forward the port by ssh.",
        )


def make_app(runtime: Runtime) -> FastAPI:
    """Every route over one open runtime."""
    app = FastAPI(
        title="Roost",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        middleware=[Middleware(Guard)],
    )
    app.state.runtime = runtime
    error_handlers.add_handlers(app)
    for module in (pages, actions, metrics, connect, api):
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=_STATIC))
    return app


async def serve(
    runtime: Runtime,
    host: str,
    port: int,
    *,
    on_listening: Callable[[str], None],
    on_answered: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve in the running event loop until cancelled; requests under way are finished first.

    Beside that, posts that do not go out in time are looked for.

    `on_listening` gets the base URL once connections are taken; port 0 takes any free one.
    `on_answered` gets the path of each request once its response has been sent.
    Raises: UnsafeListenAddress, PortTaken.
    """
    require_loopback(host)
    with _listen(host, port) as listener:
        shown_host = f"[{host}]" if ":" in host else host
        url = f"http://{shown_host}:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            _reporting(make_app(runtime), on_answered),
            http=BoundedProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            # A line a request would hold its query, and the callback's query is a secret.
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
        server = _Server(config, lambda: on_listening(url))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        looking = asyncio.create_task(look_out(runtime))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            server.should_exit = True
            await serving
            raise
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)


def _reporting(app: ASGIApp, on_answered: Callable[[str], None]) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)
        if scope["type"] == "http":
            on_answered(scope["path"])

    return answer


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise PortTaken(
            f"Roost cannot listen on port {port} of {host}: {error.strerror}.",
            did="Roost did not start.",
        ) from None


class _Server(uvicorn.Server):
    """Says when it listens, and leaves signals to those who opened the runtime."""

    def __init__(self, config: uvicorn.Config, on_listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_listening = on_listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_listening()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        # A signal ends the whole command, which cancels this task and closes what else is open.
        yield
