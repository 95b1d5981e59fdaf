"""Exchanges with a plain socket server, which records the bytes that it receives."""

import asyncio
import contextlib
import socket
import sys
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp
import pytest
import pytest_asyncio

from fix_processes import until
from roost.boot_clock import boot_seconds
from roost.endpoint import XEndpoint
from roost.http_body import MAX_BODY_BYTES
from roost.x.transport import DeadlineBody, NoResponse, Response, Timeouts, exchange

pytestmark = pytest.mark.timing

#: A timeout that no test reaches, even on a busy machine.
AMPLE = Timeouts(total=timedelta(seconds=20))


@dataclass
class Listener:
    """Accepts connections, records the received bytes, and responds with `response`."""

    response: bytes = b""
    received: bytearray = field(default_factory=bytearray)
    connections: int = 0
    url: str = ""
    silent: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def has_connections(self) -> bool:
        return self.connections > 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while chunk := await reader.read(65536):
            self.received += chunk
            if self.silent and self.received.endswith(b"{}"):
                await self.ended.wait()
            elif self.received.endswith(b"{}"):
                writer.write(self.response)
                break
        writer.close()


@pytest_asyncio.fixture
async def listener() -> AsyncIterator[Listener]:
    listener = Listener()
    server = await asyncio.start_server(listener.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    listener.url = f"http://{host}:{port}/"
    async with server:
        yield listener
        listener.ended.set()


async def send(
    url: str,
    *,
    body_deadline: float | None = None,
    deadline: float | None = None,
    timeouts: Timeouts = AMPLE,
) -> Response | NoResponse:
    body = DeadlineBody(b"{}", "application/json", body_deadline)
    async with aiohttp.ClientSession() as session:
        return await exchange(
            session,
            "POST",
            XEndpoint(url).url("/"),
            headers={},
            body=body,
            timeouts=timeouts,
            deadline=deadline,
        )


async def test_exchange_sends_no_byte_of_a_body_past_its_deadline(listener: Listener) -> None:
    # Only the body has a deadline, which has passed. The client therefore opens a connection, but
    # sends nothing.
    outcome = await send(listener.url, body_deadline=boot_seconds() - 1)

    assert outcome == NoResponse(maybe_sent=False, reason="its deadline passed while connecting")
    await until(listener.has_connections)
    assert listener.connections == 1
    assert listener.received == b""


async def test_exchange_does_not_connect_past_its_deadline(listener: Listener) -> None:
    outcome = await send(listener.url, deadline=boot_seconds() - 1)
    assert isinstance(outcome, NoResponse)
    assert not outcome.maybe_sent
    assert listener.connections == 0


async def test_exchange_returns_the_response(listener: Listener) -> None:
    listener.response = b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nok"
    outcome = await send(listener.url, deadline=boot_seconds() + 5)
    assert isinstance(outcome, Response)
    assert (outcome.status, outcome.body, outcome.is_success) == (201, b"ok", True)


async def test_exchange_reports_no_response_for_a_truncated_body(listener: Listener) -> None:
    listener.response = b"HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{"
    outcome = await send(listener.url)
    assert isinstance(outcome, NoResponse)
    assert outcome.maybe_sent


async def test_exchange_reports_no_response_for_a_closed_connection(listener: Listener) -> None:
    outcome = await send(listener.url)
    assert isinstance(outcome, NoResponse)
    assert outcome.maybe_sent


async def test_exchange_reports_no_response_for_invalid_http(listener: Listener) -> None:
    listener.response = b"SSH-2.0-OpenSSH\r\n\r\n"
    outcome = await send(listener.url)
    assert isinstance(outcome, NoResponse)
    assert outcome.maybe_sent


async def test_exchange_does_not_follow_a_redirect(listener: Listener) -> None:
    target = listener.url.encode()
    listener.response = b"HTTP/1.1 307 Go\r\nlocation: " + target + b"\r\ncontent-length: 0\r\n\r\n"
    outcome = await send(listener.url)
    assert isinstance(outcome, Response)
    assert outcome.status == 307
    assert listener.connections == 1


async def test_exchange_reports_maybe_sent_after_a_read_timeout(listener: Listener) -> None:
    listener.silent = True
    outcome = await send(listener.url, timeouts=Timeouts(read=timedelta(milliseconds=50)))
    assert outcome == NoResponse(maybe_sent=True, reason="no response in time")
    assert listener.received.endswith(b"{}")


@pytest.mark.skipif(sys.platform != "linux", reason="a full queue drops connections on Linux")
async def test_exchange_reports_not_sent_after_a_connect_timeout() -> None:
    with contextlib.ExitStack() as opened:
        full = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(2):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        outcome = await send(
            f"http://127.0.0.1:{full.getsockname()[1]}/",
            timeouts=Timeouts(connect=timedelta(milliseconds=50)),
        )
    assert outcome == NoResponse(maybe_sent=False, reason="connecting took too long")


def gzip_spaces(size: int) -> bytes:
    """Return `size` spaces as a gzip stream, which has about a thousandth of this size."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    chunks = [compressor.compress(b" " * (1 << 20)) for _ in range(size >> 20)]
    return b"".join([*chunks, compressor.flush()])


@pytest.mark.parametrize("coding", ["", "content-encoding: gzip\r\n"], ids=["plain", "gzip"])
async def test_exchange_stops_reading_a_body_over_the_limit(
    listener: Listener, coding: str
) -> None:
    body = gzip_spaces(1 << 30) if coding else b" " * (MAX_BODY_BYTES + 1)
    listener.response = (
        f"HTTP/1.1 200 OK\r\n{coding}content-length: {len(body)}\r\n\r\n".encode() + body
    )
    tracemalloc.start()
    outcome = await send(listener.url)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert outcome == NoResponse(maybe_sent=True, reason="the response is larger than 32 MiB")
    assert peak < 4 * MAX_BODY_BYTES


async def test_exchange_returns_a_body_of_the_maximum_size(listener: Listener) -> None:
    body = b" " * MAX_BODY_BYTES
    listener.response = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body
    outcome = await send(listener.url)
    assert isinstance(outcome, Response)
    assert len(outcome.body) == MAX_BODY_BYTES
