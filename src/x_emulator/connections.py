"""Access to a request's connection, so that a fault can cut it.

Only the emulator's own server (`server.serve`) provides the connection. Under another server it
can be identified, but not cut.
"""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

#: The key of the connection in the extensions of a request's ASGI scope.
CONNECTION = "x_emulator.connection"


def connection_of(request: Request) -> asyncio.Transport:
    """Return the connection that a request came in on."""
    extension = (request.scope.get("extensions") or {}).get(CONNECTION)
    if extension is None:
        return _UncuttableConnection(request.client)
    transport: asyncio.Transport = extension["transport"]
    return transport


async def cut(request: Request) -> Response:
    """Close the connection without sending a byte."""
    connection_of(request).abort()
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return Response()  # never sent: the client is disconnected


class _UncuttableConnection(asyncio.Transport):
    """A connection held by another server, identified by the client's address."""

    def __init__(self, address: object) -> None:
        super().__init__()
        self._address = address

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _UncuttableConnection) and other._address == self._address

    def __hash__(self) -> int:
        return hash(self._address)

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        raise RuntimeError("Only `x_emulator.server.serve` can cut a connection.")

    abort = close
