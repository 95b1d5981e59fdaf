"""The service's HTTP protocol: a request that does not arrive whole in time, or is too large, ends.

uvicorn itself waits without end for the rest of a request, and keeps headers and forms of any size.
"""

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: Wall seconds for a whole request, from the connection or its first byte on.
ARRIVAL_S: Final = 30.0
#: For a request line, its headers and its form; the longest form holds one text of 25,000 letters.
MAX_REQUEST_BYTES: Final = 1 << 20


class BoundedProtocol(HttpToolsProtocol):
    """Closes the connection of a request that is not complete in time or exceeds the size."""

    _arrival: asyncio.TimerHandle | None = None
    _received = 0
    _is_arriving = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start waiting for the first request."""
        super().connection_made(transport)
        self._start_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take some bytes of a request, unless they are too many."""
        self._received += len(data)
        if self._received > MAX_REQUEST_BYTES:
            self.transport.close()
            return
        super().data_received(data)
        if not self._is_arriving:
            self._received = 0

    def on_message_begin(self) -> None:
        """Start waiting for the rest of this request."""
        super().on_message_begin()
        self._is_arriving = True
        self._start_waiting()

    def on_message_complete(self) -> None:
        """Stop waiting: from here on the answer may take its time."""
        super().on_message_complete()
        self._is_arriving = False
        self._stop_waiting()

    def _start_waiting(self) -> None:
        self._stop_waiting()
        self._arrival = self.loop.call_later(ARRIVAL_S, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._arrival is not None:
            self._arrival.cancel()
            self._arrival = None
