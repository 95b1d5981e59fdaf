"""The server's HTTP protocol: closes connections whose requests are too slow or too large.

uvicorn itself waits forever for the rest of a request, and buffers headers and forms of any size.
"""

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: Wall seconds within which the first request must begin on a new connection. Each request must
#: arrive completely within the same time after its beginning.
REQUEST_TIMEOUT_S: Final = 30.0
#: The maximum size of a request (request line, headers and form) in bytes. The longest form
#: contains a text of 25,000 characters.
MAX_REQUEST_BYTES: Final = 1 << 20


class BoundedProtocol(HttpToolsProtocol):
    """Closes the connection of a request that is not complete in time or is too large."""

    _timer: asyncio.TimerHandle | None = None
    _received = 0
    _is_arriving = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the timer for the first request."""
        super().connection_made(transport)
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Pass received bytes to uvicorn; close the connection if the request is too large."""
        self._received += len(data)
        if self._received > MAX_REQUEST_BYTES:
            self.transport.close()
            return
        super().data_received(data)
        if not self._is_arriving:
            self._received = 0

    def on_message_begin(self) -> None:
        """Start the timer for the rest of this request."""
        super().on_message_begin()
        self._is_arriving = True
        self._start_timer()

    def on_message_complete(self) -> None:
        """Stop the timer, because the time for the response is not limited."""
        super().on_message_complete()
        self._is_arriving = False
        self._stop_timer()

    def _start_timer(self) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(REQUEST_TIMEOUT_S, self.transport.close)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
