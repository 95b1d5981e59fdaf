"""A TCP proxy in front of the emulator, which records the bytes that clients send."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .recorder import ReceivedRequest


@dataclass
class RecordingProxy:
    """Forwards the bytes of every connection unchanged, and records those of the client."""

    target: str
    url: str = ""
    streams: list[bytearray] = field(default_factory=list)
    """The bytes that the client sent on each connection, in the order of the connections."""

    @property
    def requests(self) -> list[ReceivedRequest]:
        """The requests so far, connection by connection."""
        return [request for stream in self.streams for request in _requests(bytes(stream))]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one connection."""
        target = urlsplit(self.target)
        upstream_reader, upstream_writer = await asyncio.open_connection(
            target.hostname, target.port
        )
        received = bytearray()
        self.streams.append(received)
        await asyncio.gather(
            _forward(reader, upstream_writer, received),
            _forward(upstream_reader, writer, bytearray()),
        )


async def _forward(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, received: bytearray
) -> None:
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(64 * 1024):
            received += chunk
            writer.write(chunk)
            await writer.drain()
    writer.close()


def _requests(stream: bytes) -> list[ReceivedRequest]:
    found = []
    while stream:
        head, _, rest = stream.partition(b"\r\n\r\n")
        length = int(
            ReceivedRequest(head.decode("latin-1"), b"").headers.get("content-length", "0")
        )
        found.append(ReceivedRequest(head.decode("latin-1"), rest[:length]))
        stream = rest[length:]
    return found


@contextlib.asynccontextmanager
async def open_proxy(target: str) -> AsyncIterator[RecordingProxy]:
    """Open a recording proxy of `target` on a free loopback port."""
    proxy = RecordingProxy(target)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    proxy.url = f"http://{host}:{port}"
    async with server:
        yield proxy
