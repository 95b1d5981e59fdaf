"""The connection that a request came by, so that a fault can cut it.

Only our own server shows it (`server.serve`); under another one it can be named, not cut.
"""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

#: Under this name among a request's extensions lies its connection.
CONNECTION = "x_emulator.connection"


def connection_of(request: Request) -> asyncio.Transport:
    """The connection that a request came by; under another server it can be named only."""
    known = (request.scope.get("extensions") or {}).get(CONNECTION)
    if known is None:
        return _Peer(request.client)
    transport: asyncio.Transport = known["transport"]
    return transport


async def cut(request: Request) -> Response:
    """Close the connection without a byte of answer."""
    connection_of(request).abort()
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return Response()  # goes nowhere: nobody is there any more


class _Peer(asyncio.Transport):
    """A connection that nobody can cut, because another server than ours holds it."""

    def __init__(self, address: object) -> None:
        super().__init__()
        self._address = address

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Peer) and other._address == self._address

    def __hash__(self) -> int:
        return hash(self._address)

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        raise RuntimeError("Only `x_emulator.server.serve` can cut a connection.")

    abort = close
