"""The HTTP protocol: requests know their connection, and one that falls silent is ended."""

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from x_emulator.connections import CONNECTION

#: Wall seconds without a byte after which the rest of a request is not waited for any more.
SILENCE_S: Final = 120.0


class Protocol(HttpToolsProtocol):
    """Puts the connection into each request, so that a fault can cut it, and ends silent ones."""

    _silence: asyncio.TimerHandle | None = None
    _is_arriving = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start waiting for the first request."""
        super().connection_made(transport)
        self._await_bytes()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._is_arriving = False
        self._await_bytes()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take some bytes of a request, and wait for more if it is not complete."""
        super().data_received(data)
        self._await_bytes()

    def on_message_begin(self) -> None:
        """Note that a request has begun."""
        super().on_message_begin()
        self._is_arriving = True
        self.scope["extensions"] = {CONNECTION: {"transport": self.transport}}

    def on_message_complete(self) -> None:
        """Note that a request is complete."""
        super().on_message_complete()
        self._is_arriving = False

    def _await_bytes(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
        if self._is_arriving:
            self._silence = self.loop.call_later(SILENCE_S, self.transport.close)
