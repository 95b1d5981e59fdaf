"""The web application and its server, on loopback addresses only."""

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
from roost.errors import UnsafeListenAddress
from roost.ports import describe_listen_failure
from roost.runtime import Runtime
from roost.services import health
from roost.web import (
    actions,
    api,
    connect,
    draft_actions,
    draft_pages,
    error_handlers,
    metrics,
    pages,
    report_actions,
    report_pages,
)
from roost.web.attempts import Attempts
from roost.web.draft_runs import DraftRuns
from roost.web.middleware import RequestGuard
from roost.web.protocol import BoundedProtocol

#: At shutdown, requests in progress get these wall seconds to complete, because one of them may be
#: connecting an account.
_SHUTDOWN_TIMEOUT_S: Final = 10
#: At shutdown, runs that write drafts get these wall seconds to complete.
_RUNS_TIMEOUT_S: Final = 7
#: Maximum number of reports that are made or rendered at the same time. Further reports wait, so
#: that their processes do not slow down the service.
_MAX_RENDERING: Final = 1
_STATIC: Final = Path(__file__).parent / "static"


def require_loopback(host: str) -> None:
    """Refuse an address that other machines can reach, because there is no login yet.

    Raises: UnsafeListenAddress.
    """
    if not is_loopback(host):
        raise UnsafeListenAddress(
            f"Roost has no login yet, and other machines can reach {host}.",
            did="Roost did not start.",
            next="Use 127.0.0.1, ::1 or localhost; for remote use, forward the port by ssh.",
        )


def make_app(runtime: Runtime) -> FastAPI:
    """Return the web application. Its routes use `runtime`, which must stay open."""
    app = FastAPI(
        title="Roost",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        middleware=[Middleware(RequestGuard)],
    )
    app.state.runtime = runtime
    app.state.attempts = Attempts()
    app.state.runs = DraftRuns()
    app.state.rendering = asyncio.Semaphore(_MAX_RENDERING)
    error_handlers.add_handlers(app)
    for module in (
        *(pages, actions, draft_pages, draft_actions, report_pages, report_actions),
        *(metrics, connect, api),
    ):
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
    """Serve HTTP until this task is cancelled; then let requests in progress complete.

    The server also opens the alert about late posts, because all workers may have stopped.

    `on_listening` gets the base URL once connections are accepted; port 0 uses any free port.
    `on_answered` gets the path of each request once the response is sent.
    Raises: UnsafeListenAddress, PortTaken.
    """
    require_loopback(host)
    with _listen(host, port) as listener:
        shown_host = f"[{host}]" if ":" in host else host
        url = f"http://{shown_host}:{listener.getsockname()[1]}"
        app = make_app(runtime)
        config = uvicorn.Config(
            _with_callback(app, on_answered),
            http=BoundedProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            # A line per request would contain the request's query, and the query of the OAuth
            # callback is secret.
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_SHUTDOWN_TIMEOUT_S,
        )
        server = _Server(config, lambda: on_listening(url))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        watching = asyncio.create_task(health.watch_lateness(runtime))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            server.should_exit = True
            # The page that shows a run of the draft writer is a response that ends only with the
            # run. So the runs end first, before uvicorn's shutdown timeout.
            await app.state.runs.close(grace_s=_RUNS_TIMEOUT_S)
            await serving
            raise
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


def _with_callback(app: ASGIApp, on_answered: Callable[[str], None]) -> ASGIApp:
    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)
        if scope["type"] == "http":
            on_answered(scope["path"])

    return call


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise describe_listen_failure(error, host, port, server="Roost") from None


class _Server(uvicorn.Server):
    """A uvicorn server that calls back once it listens, and installs no signal handlers."""

    def __init__(self, config: uvicorn.Config, on_listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_listening = on_listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_listening()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        # uvicorn would handle signals here. Instead, a signal ends the whole command, which cancels
        # this task.
        yield
