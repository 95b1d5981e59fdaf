"""An HTTP proxy that injects faults between workers and X; each worker has its own port.

An action determines what happens to a create or a timeline read. The proxy forwards all other
requests, even those to the emulator's control API. If an action delays a request, X receives the
request even after the client has disconnected.
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

#: Headers that are not forwarded, because they concern one connection or are written by the HTTP
#: library.
_CONNECTION_HEADERS = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}
)
CREATE_PATH = "/2/tweets"


@dataclass(frozen=True, slots=True)
class CannedResponse:
    """A fixed response of a device between the worker and X."""

    name: str
    status: int
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)

    def make(self) -> web.Response:
        """Return a new aiohttp response with this content."""
        content_type = {"content-type": self.content_type} if self.body else {}
        return web.Response(
            status=self.status, body=self.body or None, headers={**content_type, **self.headers}
        )


class Exchange:
    """A request in the proxy. An action decides whether X receives the request."""

    def __init__(
        self, http: aiohttp.ClientSession, upstream: str, request: web.BaseRequest, body: bytes
    ) -> None:
        self._http = http
        self._upstream = upstream
        self._request = request
        self._body = body

    @property
    def request(self) -> web.BaseRequest:
        """The request of the client."""
        return self._request

    async def deliver(self) -> web.Response:
        """Send the request to X, and return X's response; each call sends the request again."""
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
        """Close the client's connection with a TCP reset."""
        transport = self._request.transport
        if transport is None:
            return
        raw = transport.get_extra_info("socket")
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()

    async def send_half(self, respond: web.Response) -> web.StreamResponse:
        """Announce the length of the whole response, send half of it and close the connection."""
        body = bytes(respond.body) if isinstance(respond.body, bytes) else b""
        half = await self._begin(respond, len(body))
        with contextlib.suppress(ConnectionError):
            await half.write(body[: len(body) // 2])
        self.reset()
        return half

    async def send_headers_only(self, respond: web.Response, seconds: float) -> web.StreamResponse:
        """Send the headers of a response, then nothing for `seconds` of wall time."""
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
    """A create request that the proxy has received."""

    at: float
    """The time at which the proxy received the create, on the monotonic clock."""
    worker_name: str
    """The name of the worker that sent the create."""
    text: str


class _Connection(web.RequestHandler):
    """Handles a request even if the client closes its side right after sending the request."""

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio's own signature
        return True


class _Server(web.Server):
    def __call__(self) -> _Connection:
        loop = asyncio.get_running_loop()
        return _Connection(self, loop=loop, keepalive_timeout=75)


class Proxy:
    """Listens for workers, and forwards their requests to an emulator.

    `find_create_action` returns the action for a create, given the text of the post.
    `find_read_action` returns the action for a timeline read, given the user's id. If a function
    returns None, the proxy forwards the request.
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
        """The number of creates that have arrived and whose action is not finished."""

    async def listen(self, worker_name: str, listening: socket.socket | None = None) -> str:
        """Listen on loopback for requests of a worker; return the base URL.

        `listening` can be a bound socket in another network namespace.
        """

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            try:
                body = await request.content.read()
            except ConnectionError:
                # The client disconnected before its whole request had arrived.
                return web.Response()
            # A separate task delivers the request even if the client disconnects.
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
        """Stop listening, and cancel pending requests."""
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
        # X does not respond, for example at the end of a benchmark. The client's connection is
        # closed, because there is no response to forward.
        exchange.reset()
        return web.Response()


def bind_loopback() -> socket.socket:
    """Open a listening socket on a free port of 127.0.0.1 in this thread's network namespace."""
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
    """Run a proxy in front of an emulator, and close the proxy at the end."""
    # Each request gets a new connection, because X could have closed an idle connection just before
    # a create.
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
