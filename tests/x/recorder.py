"""A bare HTTP listener: what really came through the socket, and an answer of the test's choice."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import unquote

import msgspec

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


@dataclass(frozen=True)
class Arrived:
    """One request, byte for byte."""

    head: str
    body: bytes

    @property
    def method(self) -> str:
        return self.head.split(" ", 2)[0]

    @property
    def target(self) -> str:
        return self.head.split(" ", 2)[1]

    @property
    def headers(self) -> dict[str, str]:
        lines = (line.partition(": ") for line in self.head.split("\r\n")[1:] if line)
        return {name.lower(): value for name, _, value in lines}

    @property
    def oauth(self) -> dict[str, str]:
        """The fields of an OAuth 1.0a header."""
        scheme, _, fields = self.headers["authorization"].partition(" ")
        assert scheme == "OAuth"
        pairs = (each.partition("=") for each in fields.split(", "))
        return {name: unquote(value.strip('"')) for name, _, value in pairs}


@dataclass
class Recorder:
    """Keeps what arrives, and answers each request with the next of its answers."""

    url: str = ""
    arrived: list[Arrived] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)
    """One after the other; when they are through, `OK`."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                length = Arrived(head, b"").headers.get("content-length", "0")
                self.arrived.append(Arrived(head, await reader.readexactly(int(length))))
                writer.write(self.answers.pop(0) if self.answers else OK)
        writer.close()


def answering(status: int, body: object) -> bytes:
    """An answer in JSON."""
    encoded = msgspec.json.encode(body)
    return b"HTTP/1.1 %d Told\r\ncontent-length: %d\r\n\r\n%s" % (status, len(encoded), encoded)


@contextlib.asynccontextmanager
async def recording() -> AsyncIterator[Recorder]:
    """A recorder on a free port of loopback."""
    recorder = Recorder()
    server = await asyncio.start_server(recorder.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    recorder.url = f"http://{host}:{port}"
    async with server:
        yield recorder
