"""An HTTP proxy between workers and X with faults by rule; each worker has its own port.

Requests without a rule are forwarded, the emulator's own routes and long polls included. A request
that a rule delays is delivered to X even if the client has gone meanwhile.
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

#: Headers of a single connection, and headers that the other side writes itself.
_CONNECTION_HEADERS = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}
)
CREATE_PATH = "/2/tweets"


@dataclass(frozen=True, slots=True)
class CannedResponse:
    """A fixed response that does not come from X."""

    name: str
    status: int
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)

    def make(self) -> web.Response:
        """Return a new response with this content."""
        content_type = {"content-type": self.content_type} if self.body else {}
        return web.Response(
            status=self.status, body=self.body or None, headers={**content_type, **self.headers}
        )


class Exchange:
    """One request in the proxy; the rule decides whether it is delivered to X."""

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
        """Send the request to X, once for each call; return X's response for the client."""
        url = URL(self._upstream + self._request.raw_path, encoded=True)
        headers = [
            (name, value)
            for name, value in self._request.headers.items()
            if name.lower() not in _CONNECTION_HEADERS
        ]
        async with self._http.request(
            self._request.method, url, headers=headers, data=self._body, allow_redirects=False
        ) as respond:
            body = await respond.read()
            passed = web.Response(status=respond.status, body=body or None)
            passed.headers.clear()
            for name, value in respond.headers.items():
                if name.lower() not in _CONNECTION_HEADERS:
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

    async def send_half(self, respond: web.Response) -> web.StreamResponse:
        """Announce the whole response, send half of it and end the connection."""
        body = bytes(respond.body) if isinstance(respond.body, bytes) else b""
        half = await self._begin(respond, len(body))
        with contextlib.suppress(ConnectionError):
            await half.write(body[: len(body) // 2])
        self.reset()
        return half

    async def send_headers_only(self, respond: web.Response, seconds: float) -> web.StreamResponse:
        """Send the headers of a response, then nothing for this many wall seconds."""
        body = bytes(respond.body) if isinstance(respond.body, bytes) else b"{}"
        stalled = await self._begin(respond, len(body))
        await asyncio.sleep(seconds)
        self.reset()
        return stalled

    async def _begin(self, respond: web.Response, length: int) -> web.StreamResponse:
        begun = web.StreamResponse(status=respond.status, headers=respond.headers)
        begun.content_length = length
        with contextlib.suppress(ConnectionError):
            await begun.prepare(self._request)
        return begun


Action = Callable[[Exchange], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class CreateRequest:
    """A create as the proxy received it."""

    at: float
    """Time on the monotonic clock."""
    worker_name: str
    """The name of the worker that sent it."""
    text: str


class _Connection(web.RequestHandler):
    """Accepts a request from a client that closes its side right after it."""

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio's own signature
        return True


class _Server(web.Server):
    def __call__(self) -> _Connection:
        loop = asyncio.get_running_loop()
        return _Connection(self, loop=loop, keepalive_timeout=75)


class Proxy:
    """Listens for workers and forwards to one emulator.

    `find_create_action` and `find_read_action` return what to do with a create (by its text) and
    with a timeline read (by the user's id); None forwards it.
    """

    def __init__(
        self,
        upstream: str,
        http: aiohttp.ClientSession,
        find_create_action: Callable[[str], Action | None],
        find_read_action: Callable[[str], Action | None],
    ) -> None:
        self._upstream = upstream
        self._http = http
        self._find_create_action = find_create_action
        self._find_read_action = find_read_action
        self._servers: list[tuple[asyncio.Server, web.Server]] = []
        self._tasks: set[asyncio.Task[web.StreamResponse]] = set()
        self.creates: list[CreateRequest] = []
        self.pending_creates = 0
        """Creates that have arrived and are not finished."""

    async def listen(self, worker_name: str, listening: socket.socket | None = None) -> str:
        """Listen on loopback for the worker with this name; return the base URL.

        `listening` is a bound socket, such as one of another network namespace.
        """

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            try:
                body = await request.content.read()
            except ConnectionError:
                # The client left before all of its request had arrived.
                return web.Response()
            # A separate task, so that a client that leaves does not cancel a delivery.
            task = asyncio.create_task(self._handle(request, body, worker_name))
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

    async def _handle(
        self, request: web.BaseRequest, body: bytes, worker_name: str
    ) -> web.StreamResponse:
        exchange = Exchange(self._http, self._upstream, request, body)
        if request.method == "POST" and request.path == CREATE_PATH:
            text = _text_of(body)
            self.creates.append(CreateRequest(time.monotonic(), worker_name, text))
            self.pending_creates += 1
            try:
                return await _apply(self._find_create_action(text), exchange)
            finally:
                self.pending_creates -= 1
        if request.method == "GET" and (user := _timeline_of(request.path)) is not None:
            return await _apply(self._find_read_action(user), exchange)
        return await _apply(None, exchange)

    async def close(self) -> None:
        """Stop listening and cancel pending requests."""
        for running, server in self._servers:
            running.close()
            await server.shutdown(0.1)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _apply(action: Action | None, exchange: Exchange) -> web.StreamResponse:
    try:
        return await (action or Exchange.deliver)(exchange)
    except (aiohttp.ClientError, OSError):
        # X is gone, as at the end of a benchmark, so the client's connection ends too.
        exchange.reset()
        return web.Response()


def bind_loopback() -> socket.socket:
    """Open a listening socket on a free port of 127.0.0.1, in the thread's network namespace."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)
    listening.setblocking(False)
    return listening


def _text_of(body: bytes) -> str:
    try:
        create: Any = json.loads(body)
    except ValueError:
        return ""
    text = create.get("text") if isinstance(create, dict) else None
    return text if isinstance(text, str) else ""


def _timeline_of(path: str) -> str | None:
    parts = path.strip("/").split("/")
    is_timeline = len(parts) == 4 and parts[:2] == ["2", "users"] and parts[3] == "tweets"
    return parts[2] if is_timeline else None


@contextlib.asynccontextmanager
async def open_proxy(
    upstream: str,
    find_create_action: Callable[[str], Action | None],
    find_read_action: Callable[[str], Action | None],
) -> AsyncIterator[Proxy]:
    """Run a proxy in front of an emulator; it is closed at the end."""
    # A new connection for each request, so that none was closed just before a create.
    connector = aiohttp.TCPConnector(force_close=True, limit=0)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, auto_decompress=False
    ) as http:
        proxy = Proxy(upstream, http, find_create_action, find_read_action)
        try:
            yield proxy
        finally:
            await proxy.close()
