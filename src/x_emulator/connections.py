"""Gives access to the connection of a request, so that a fault can cut the connection.

Only the emulator's own server (`server.serve`) gives access to connections. Under another server,
the emulator can identify a connection but cannot cut it.
"""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

#: A request's ASGI scope has `extensions`, which hold the connection under this key.
CONNECTION = "x_emulator.connection"


def connection_of(request: Request) -> asyncio.Transport:
    """Return the connection on which a request arrived."""
    extension = (request.scope.get("extensions") or {}).get(CONNECTION)
    if extension is None:
        return _UncuttableConnection(request.client)
    transport: asyncio.Transport = extension["transport"]
    return transport


async def cut(request: Request) -> Response:
    """Close the request's connection without sending a response."""
    connection_of(request).abort()
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return Response()  # A handler must return a response, but the client receives none of it.


class _UncuttableConnection(asyncio.Transport):
    """Represents a connection of a server that gives no access to its connections.

    Two objects are equal if they have the same client address. Cutting the connection raises
    RuntimeError.
    """

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
