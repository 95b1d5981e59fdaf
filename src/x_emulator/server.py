"""The emulator's HTTP server. On an address other than loopback, it needs a secret."""

import contextlib
import ipaddress
import signal
import socket
import threading
from collections.abc import Callable, Generator
from pathlib import Path

import uvicorn

from x_emulator import persistence
from x_emulator.access import SecretMiddleware
from x_emulator.http_protocol import Protocol
from x_emulator.router import make_app
from x_emulator.state import World

#: Seconds for which open requests may continue after the server has received a signal to stop.
_GRACE_SECONDS = 2
_KEEP_ALIVE_SECONDS = 60


def serve(
    host: str,
    port: int,
    world: World,
    *,
    on_listening: Callable[[str], None],
    secret: str | None = None,
    state: Path | None = None,
) -> None:
    """Serve an emulator, whose state is `world`, until SIGTERM or SIGINT; then close it.

    `on_listening` is called with the base URL as soon as the server accepts connections. `secret`
    protects the control API and the pages, and is required if `host` is not loopback. If the file
    `state` exists, the world is loaded from it. At the end, the world is saved to `state`.

    Raises: ValueError (no secret, or an invalid state file), OSError (the port is in use).
    """
    try:
        if not secret and host != "localhost" and not ipaddress.ip_address(host).is_loopback:
            raise ValueError(
                f"{host} is not a loopback address, so the control API needs a secret"
                " (X_EMULATOR_SECRET or --secret-file)."
            )
        if state is not None and state.exists():
            persistence.load(world, state)
        app = make_app(world, any_host=bool(secret))
        with _listen(host, port) as listener:
            url_host = f"[{host}]" if ":" in host else host
            url = f"http://{url_host}:{listener.getsockname()[1]}"
            config = uvicorn.Config(
                SecretMiddleware(app, secret) if secret else app,
                http=Protocol,
                lifespan="off",
                log_level="warning",
                access_log=False,
                date_header=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=_GRACE_SECONDS,
                # A client that pauses between requests keeps its connection for this time.
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            )
            server = _Server(config, world, lambda: on_listening(url))
            server.run(sockets=[listener])
        if state is not None:
            persistence.save(world, state)
    finally:
        world.close()


def _listen(host: str, port: int) -> socket.socket:
    """Open a listening socket.

    The socket is created with the protocol `IPPROTO_TCP`, because asyncio disables Nagle's
    algorithm only on sockets with this protocol.
    """
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
    """A uvicorn server that calls `on_listening`, and ends the clock's long polls on shutdown.

    After SIGTERM or SIGINT, uvicorn's own class stops and then raises the signal again, which would
    end the process before `serve` saves the state. This class does not raise the signal again.
    """

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
        signals = (signal.SIGTERM, signal.SIGINT)
        previous = {each: signal.signal(each, self.handle_exit) for each in signals}
        try:
            yield
        finally:
            for each, handler in previous.items():
                signal.signal(each, handler)
