"""An HTTP proxy between workers and X that misbehaves by rule: one listener for each worker.

Everything without a rule passes through unharmed, the emulator's own pages and long polls included.
A request that the rules hold is delivered to X even when the client has gone meanwhile.
"""

import asyncio
import contextlib
import json
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

#: Headers that concern one connection, and those that the other side writes itself.
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host"})
CREATE_PATH = "/2/tweets"


@dataclass(frozen=True, slots=True)
class Canned:
    """An answer that does not come from X."""

    name: str
    status: int
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> web.Response:
        """A new response with this content."""
        kind = {"content-type": self.content_type} if self.body else {}
        return web.Response(
            status=self.status, body=self.body or None, headers={**kind, **self.headers}
        )


class Exchange:
    """One request on its way through the proxy; delivering it to X is up to the rule."""

    def __init__(
        self, http: aiohttp.ClientSession, upstream: str, request: web.BaseRequest, body: bytes
    ) -> None:
        self._http = http
        self._upstream = upstream
        self._request = request
        self._body = body

    @property
    def request(self) -> web.BaseRequest:
        """The client's request."""
        return self._request

    async def deliver(self) -> web.Response:
        """Send the request to X, once for each call; X's answer as the client would see it."""
        url = URL(self._upstream + self._request.raw_path, encoded=True)
        headers = [
            (name, value)
            for name, value in self._request.headers.items()
            if name.lower() not in _HOP
        ]
        async with self._http.request(
            self._request.method, url, headers=headers, data=self._body, allow_redirects=False
        ) as answer:
            body = await answer.read()
            passed = web.Response(status=answer.status, body=body or None)
            passed.headers.clear()
            for name, value in answer.headers.items():
                if name.lower() not in _HOP:
                    passed.headers.add(name, value)
            return passed

    def reset(self) -> None:
        """End the client's connection with a TCP reset."""
        transport = self._request.transport
        if transport is None:
            return
        raw = transport.get_extra_info("socket")
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()

    async def send_half(self, answer: web.Response) -> web.StreamResponse:
        """Promise the whole answer, send half of it and end the connection."""
        body = bytes(answer.body) if isinstance(answer.body, bytes) else b""
        half = await self._begin(answer, len(body))
        with contextlib.suppress(ConnectionError):
            await half.write(body[: len(body) // 2])
        self.reset()
        return half

    async def send_headers_only(self, answer: web.Response, seconds: float) -> web.StreamResponse:
        """Send the headers of an answer, then nothing for so many wall seconds."""
        body = bytes(answer.body) if isinstance(answer.body, bytes) else b"{}"
        stalled = await self._begin(answer, len(body))
        await asyncio.sleep(seconds)
        self.reset()
        return stalled

    async def _begin(self, answer: web.Response, length: int) -> web.StreamResponse:
        begun = web.StreamResponse(status=answer.status, headers=answer.headers)
        begun.content_length = length
        with contextlib.suppress(ConnectionError):
            await begun.prepare(self._request)
        return begun


Act = Callable[[Exchange], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class SeenCreate:
    """A create as it came to the proxy."""

    at: float
    """A reading of the monotonic clock."""
    via: str
    """The name of the listener, which is that of the worker."""
    text: str


class _Connection(web.RequestHandler):
    """Takes a request also from a client that closes its side right behind it."""

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio's own signature
        return True


class _Server(web.Server):
    def __call__(self) -> _Connection:
        loop = asyncio.get_running_loop()
        return _Connection(self, loop=loop, keepalive_timeout=75)


class Proxy:
    """Listens for workers and forwards to one emulator.

    `choose` decides for each create (by its text) and each timeline read (by the user's id) what
    is done with it; None passes it through.
    """

    def __init__(
        self,
        upstream: str,
        http: aiohttp.ClientSession,
        choose_create: Callable[[str], Act | None],
        choose_read: Callable[[str], Act | None],
    ) -> None:
        self._upstream = upstream
        self._http = http
        self._choose_create = choose_create
        self._choose_read = choose_read
        self._servers: list[tuple[asyncio.Server, web.Server]] = []
        self._tasks: set[asyncio.Task[web.StreamResponse]] = set()
        self.creates: list[SeenCreate] = []
        self.creates_under_way = 0
        """Creates that came in and are not finished with."""

    async def listen(self, via: str, listening: socket.socket | None = None) -> str:
        """Listen on loopback for the worker of this name; the base URL.

        `listening` is a bound socket, such as one of another network namespace.
        """

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            try:
                body = await request.content.read()
            except ConnectionError:
                # The client left before all of its request was here.
                return web.Response()
            # A task of its own: a client that leaves does not end what is under way.
            task = asyncio.create_task(self._handle(request, body, via))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return await asyncio.shield(task)

        server = _Server(handle)
        if listening is None:
            listening = bind_loopback()
        port = listening.getsockname()[1]
        running = await asyncio.get_running_loop().create_server(server, sock=listening)
        self._servers.append((running, server))
        return f"http://127.0.0.1:{port}"

    async def _handle(self, request: web.BaseRequest, body: bytes, via: str) -> web.StreamResponse:
        exchange = Exchange(self._http, self._upstream, request, body)
        if request.method == "POST" and request.path == CREATE_PATH:
            text = _text_of(body)
            self.creates.append(SeenCreate(time.monotonic(), via, text))
            self.creates_under_way += 1
            try:
                return await _play(self._choose_create(text), exchange)
            finally:
                self.creates_under_way -= 1
        if request.method == "GET" and (user := _timeline_of(request.path)) is not None:
            return await _play(self._choose_read(user), exchange)
        return await _play(None, exchange)

    async def close(self) -> None:
        """Stop listening and end what is under way."""
        for running, server in self._servers:
            running.close()
            await server.shutdown(0.1)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _play(act: Act | None, exchange: Exchange) -> web.StreamResponse:
    try:
        return await (act or Exchange.deliver)(exchange)
    except (aiohttp.ClientError, OSError):
        # X is gone, as when the bench ends: so is the client's connection.
        exchange.reset()
        return web.Response()


def bind_loopback() -> socket.socket:
    """A listening socket on a free port of 127.0.0.1, in the calling thread's namespace."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)
    listening.setblocking(False)
    return listening


def _text_of(body: bytes) -> str:
    try:
        asked: Any = json.loads(body)
    except ValueError:
        return ""
    text = asked.get("text") if isinstance(asked, dict) else None
    return text if isinstance(text, str) else ""


def _timeline_of(path: str) -> str | None:
    parts = path.strip("/").split("/")
    is_timeline = len(parts) == 4 and parts[:2] == ["2", "users"] and parts[3] == "tweets"
    return parts[2] if is_timeline else None


@contextlib.asynccontextmanager
async def open_proxy(
    upstream: str,
    choose_create: Callable[[str], Act | None],
    choose_read: Callable[[str], Act | None],
) -> AsyncIterator[Proxy]:
    """A proxy before an emulator; nothing of it outlives the block."""
    # A connection of its own for each request: none can have been closed just before a create.
    connector = aiohttp.TCPConnector(force_close=True, limit=0)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, auto_decompress=False
    ) as http:
        proxy = Proxy(upstream, http, choose_create, choose_read)
        try:
            yield proxy
        finally:
            await proxy.close()
