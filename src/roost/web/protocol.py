"""The server's HTTP protocol: closes connections whose requests are too slow or too large.

uvicorn itself waits forever for the rest of a request, and buffers headers and forms of any size.
"""

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: Wall seconds within which the first byte of a connection must arrive, and then within which a
#: request must arrive completely.
REQUEST_TIMEOUT_S: Final = 30.0
#: Limit of request line, headers and form together; the longest form has a text of 25,000
#: characters.
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
        """Pass on the bytes of a request; close the connection if the request is too large."""
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
        """Stop the timer: the response may take any time."""
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
