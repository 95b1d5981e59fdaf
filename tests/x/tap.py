"""A listener in front of the emulator that keeps the bytes which the emulator then receives."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .recorder import Arrived


@dataclass
class Tap:
    """Passes every connection on, byte for byte."""

    target: str
    url: str = ""
    streams: list[bytearray] = field(default_factory=list)
    """What each connection sent, in order of connecting."""

    @property
    def requests(self) -> list[Arrived]:
        """The requests so far, those of one connection after those of the one before."""
        return [request for stream in self.streams for request in _requests(bytes(stream))]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Be one connection."""
        at = urlsplit(self.target)
        back, onward = await asyncio.open_connection(at.hostname, at.port)
        heard = bytearray()
        self.streams.append(heard)
        await asyncio.gather(_pass(reader, onward, heard), _pass(back, writer, bytearray()))


async def _pass(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: bytearray
) -> None:
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(64 * 1024):
            heard += piece
            writer.write(piece)
            await writer.drain()
    writer.close()


def _requests(stream: bytes) -> list[Arrived]:
    found = []
    while stream:
        head, _, rest = stream.partition(b"\r\n\r\n")
        length = int(Arrived(head.decode("latin-1"), b"").headers.get("content-length", "0"))
        found.append(Arrived(head.decode("latin-1"), rest[:length]))
        stream = rest[length:]
    return found


@contextlib.asynccontextmanager
async def tapping(target: str) -> AsyncIterator[Tap]:
    """A tap of `target` on a free port of loopback."""
    tap = Tap(target)
    server = await asyncio.start_server(tap.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    tap.url = f"http://{host}:{port}"
    async with server:
        yield tap
