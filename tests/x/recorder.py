"""A minimal HTTP server that records requests and sends the responses of the test."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import unquote

import msgspec

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


@dataclass(frozen=True)
class ReceivedRequest:
    """A request that the server has received: method, path, headers and body."""

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
        """The fields of the request's OAuth 1.0a header."""
        scheme, _, fields = self.headers["authorization"].partition(" ")
        assert scheme == "OAuth"
        pairs = (each.partition("=") for each in fields.split(", "))
        return {name: unquote(value.strip('"')) for name, _, value in pairs}


@dataclass
class Recorder:
    """Records requests, and responds to each request with the next of `responses`."""

    url: str = ""
    requests: list[ReceivedRequest] = field(default_factory=list)
    responses: list[bytes] = field(default_factory=list)
    """The responses in order. When all have been sent, the response is `OK`."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                length = ReceivedRequest(head, b"").headers.get("content-length", "0")
                self.requests.append(ReceivedRequest(head, await reader.readexactly(int(length))))
                writer.write(self.responses.pop(0) if self.responses else OK)
        writer.close()


def json_response(status: int, body: object) -> bytes:
    """Return a JSON response."""
    encoded = msgspec.json.encode(body)
    return b"HTTP/1.1 %d Reason\r\ncontent-length: %d\r\n\r\n%s" % (status, len(encoded), encoded)


@contextlib.asynccontextmanager
async def open_recorder() -> AsyncIterator[Recorder]:
    """Open a recorder on a free loopback port."""
    recorder = Recorder()
    server = await asyncio.start_server(recorder.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    recorder.url = f"http://{host}:{port}"
    async with server:
        yield recorder
