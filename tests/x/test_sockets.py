"""The sockets of requests to X: their options, and how their connections end."""

import asyncio
import socket
import struct
import warnings
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from fix_emulator import Emulator
from roost import x
from roost.boot_clock import boot_seconds
from roost.clock import SystemClock
from roost.x import errors
from roost.x.sockets import open_connector
from roost.x.transport import DeadlineBody, NoResponse, Response, Timeouts, exchange

pytestmark = pytest.mark.timing

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
#: A body that is larger than the socket buffers of both sides.
LARGE = 64 * 1024 * 1024
#: Seconds after which a test that still waits fails.
TIMEOUT_S = 30


@dataclass
class Peer:
    """A server that accepts connections; the test itself reads from the sockets."""

    listening: socket.socket
    accepted: list[socket.socket] = field(default_factory=list)

    @property
    def url(self) -> str:
        host, port = self.listening.getsockname()
        return f"http://{host}:{port}"

    async def accept(self) -> socket.socket:
        async with asyncio.timeout(TIMEOUT_S):
            connection, _ = await asyncio.get_running_loop().sock_accept(self.listening)
        connection.setblocking(False)
        self.accepted.append(connection)
        return connection


@pytest_asyncio.fixture
async def peer() -> AsyncIterator[Peer]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        peer = Peer(listening)
        yield peer
        for each in peer.accepted:
            each.close()


@pytest_asyncio.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    connector = open_connector(timedelta(seconds=10))
    async with aiohttp.ClientSession(connector=connector) as session:
        yield session


async def receive(connection: socket.socket) -> bytes:
    async with asyncio.timeout(TIMEOUT_S):
        return await asyncio.get_running_loop().sock_recv(connection, 1 << 20)


async def read_request(connection: socket.socket) -> None:
    """Read the head and the two bytes of body that the tests send."""
    received = b""
    while not received.endswith(b"{}"):
        chunk = await receive(connection)
        assert chunk, received
        received += chunk


async def read_until_reset(connection: socket.socket) -> int:
    """Return the number of bytes before the reset; fail if the connection ends without one."""
    received = 0
    try:
        while chunk := await receive(connection):
            received += len(chunk)
    except ConnectionResetError:
        return received
    raise AssertionError("the connection was closed, not reset")


async def send(
    session: aiohttp.ClientSession, url: str, body: bytes, total: timedelta
) -> Response | NoResponse:
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        payload = DeadlineBody(body, "application/json", None)  # aiohttp warns about large bodies
    return await exchange(
        session,
        "POST",
        x.XEndpoint(url).url("/"),
        headers={},
        body=payload,
        timeouts=Timeouts(total=total),
    )


async def test_socket_drops_unacknowledged_bytes(emulator: Emulator) -> None:
    opened_sockets: list[socket.socket] = []
    trace = aiohttp.TraceConfig()

    async def collect(session: aiohttp.ClientSession, _: SimpleNamespace, __: Any) -> None:
        assert session.connector is not None
        opened_sockets.extend(
            each.transport.get_extra_info("socket")
            for each in session.connector._acquired
            if each.transport is not None
        )

    trace.on_request_headers_sent.append(collect)
    async with (
        aiohttp.ClientSession(
            connector=open_connector(timedelta(seconds=7.5)), trace_configs=[trace]
        ) as session,
        session.get(f"{emulator.url}/2/users/me") as response,
    ):
        assert response.status == 401
        (opened,) = opened_sockets
        linger = opened.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)
        assert struct.unpack("ii", linger) == (1, 0)
        assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 7500


async def test_timed_out_create_resets_the_connection(
    session: aiohttp.ClientSession, peer: Peer
) -> None:
    client = x.Client(
        x.FixedToken("token", x.XEndpoint(peer.url)), session=session, clock=SystemClock()
    )
    creating = asyncio.ensure_future(
        x.posts.create(client, text="Low tide at six", deadline=boot_seconds() + 0.3)
    )
    connection = await peer.accept()
    with pytest.raises(errors.OutcomeUnknown):
        await creating
    await read_until_reset(connection)


async def test_unwritten_bytes_are_not_delivered_later(
    session: aiohttp.ClientSession, peer: Peer
) -> None:
    sending = asyncio.ensure_future(
        send(session, peer.url, bytes(LARGE), timedelta(milliseconds=300))
    )
    connection = await peer.accept()
    assert isinstance(await sending, NoResponse)
    # The peer starts to read only now, so it gets only the bytes that the kernel has sent.
    assert await read_until_reset(connection) < LARGE


async def test_cancelled_exchange_resets_the_connection(
    session: aiohttp.ClientSession, peer: Peer
) -> None:
    sending = asyncio.ensure_future(send(session, peer.url, b"{}", timedelta(seconds=30)))
    connection = await peer.accept()
    await read_request(connection)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert await read_until_reset(connection) == 0


async def test_successful_exchanges_share_a_connection(
    session: aiohttp.ClientSession, peer: Peer
) -> None:
    loop = asyncio.get_running_loop()
    first = asyncio.ensure_future(send(session, peer.url, b"{}", timedelta(seconds=30)))
    connection = await peer.accept()
    for _ in range(3):
        await read_request(connection)
        await loop.sock_sendall(connection, ANSWER)
        response = await first
        assert isinstance(response, Response)
        assert response.body == b"{}"
        first = asyncio.ensure_future(send(session, peer.url, b"{}", timedelta(seconds=30)))
    await read_request(connection)
    first.cancel()
