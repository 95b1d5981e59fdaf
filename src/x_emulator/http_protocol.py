"""The server's HTTP protocol: exposes each connection, and closes idle connections."""

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from x_emulator.connections import CONNECTION

#: If an incomplete request sends no byte for this long, in wall seconds, its connection is closed.
IDLE_TIMEOUT_S: Final = 120.0


class Protocol(HttpToolsProtocol):
    """Adds the connection to each request's scope, and closes a connection that is idle."""

    _idle_timer: asyncio.TimerHandle | None = None
    _is_arriving = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the idle timer for the first request."""
        super().connection_made(transport)
        self._restart_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the idle timer."""
        self._is_arriving = False
        self._restart_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse received bytes, and restart the idle timer if the request is not complete."""
        super().data_received(data)
        self._restart_timer()

    def on_message_begin(self) -> None:
        """Record that a request has begun, and add the connection to its scope."""
        super().on_message_begin()
        self._is_arriving = True
        self.scope["extensions"] = {CONNECTION: {"transport": self.transport}}

    def on_message_complete(self) -> None:
        """Record that the request is complete, so that the idle timer stops."""
        super().on_message_complete()
        self._is_arriving = False

    def _restart_timer(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None
        if self._is_arriving:
            self._idle_timer = self.loop.call_later(IDLE_TIMEOUT_S, self.transport.close)
