"""The emulator's HTTP server: on loopback, or elsewhere with a secret."""

import contextlib
import ipaddress
import signal
import socket
import threading
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

import uvicorn

from x_emulator import persistence
from x_emulator.access import Doorkeeper
from x_emulator.faults.fault_specs import Fault
from x_emulator.http_protocol import Protocol
from x_emulator.router import make_app
from x_emulator.state import World

#: How long requests under way may take to end when the server is told to stop.
_GRACE_SECONDS = 2
_KEEP_ALIVE_SECONDS = 60


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
            persistence.load(world, state)
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
            persistence.save(world, state)
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
