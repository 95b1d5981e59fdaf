"""What is known when an exchange goes wrong, against a bare socket that counts bytes."""

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
from roost.endpoint import XEndpoint
from roost.http_body import MAX_BODY_BYTES
from roost.x.wire import Answer, GuardedBody, Patience, Silence, boot_seconds, exchange

pytestmark = pytest.mark.timing

#: Longer than a busy machine takes; no test waits for its end.
AMPLE = Patience(total=timedelta(seconds=20))


@dataclass
class Listener:
    """Takes connections, keeps what comes, and answers each with the bytes it is given."""

    answer: bytes = b""
    received: bytearray = field(default_factory=bytearray)
    connections: int = 0
    url: str = ""
    silent: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def has_connections(self) -> bool:
        return self.connections > 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while piece := await reader.read(65536):
            self.received += piece
            if self.silent and self.received.endswith(b"{}"):
                await self.over.wait()
            elif self.received.endswith(b"{}"):
                writer.write(self.answer)
                break
        writer.close()


@pytest_asyncio.fixture
async def listener() -> AsyncIterator[Listener]:
    listening = Listener()
    server = await asyncio.start_server(listening.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    listening.url = f"http://{host}:{port}/"
    async with server:
        yield listening
        listening.over.set()


async def send(
    url: str,
    *,
    body_deadline: float | None = None,
    deadline: float | None = None,
    patience: Patience = AMPLE,
) -> Answer | Silence:
    body = GuardedBody(b"{}", "application/json", body_deadline)
    async with aiohttp.ClientSession() as session:
        return await exchange(
            session,
            "POST",
            XEndpoint(url).url("/"),
            headers={},
            body=body,
            patience=patience,
            deadline=deadline,
        )


async def test_body_past_its_deadline_sends_not_one_byte(listener: Listener) -> None:
    # The connection stands, and only the body knows that its time is over.
    told = await send(listener.url, body_deadline=boot_seconds() - 1)

    assert told == Silence(maybe_sent=False, reason="its deadline passed while connecting")
    await until(listener.has_connections)
    assert listener.connections == 1
    assert listener.received == b""


async def test_request_past_its_deadline_does_not_even_connect(listener: Listener) -> None:
    told = await send(listener.url, deadline=boot_seconds() - 1)
    assert isinstance(told, Silence)
    assert not told.maybe_sent
    assert listener.connections == 0


async def test_whole_answer_is_handed_out(listener: Listener) -> None:
    listener.answer = b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nok"
    told = await send(listener.url, deadline=boot_seconds() + 5)
    assert isinstance(told, Answer)
    assert (told.status, told.body, told.is_success) == (201, b"ok", True)


async def test_answer_cut_in_its_body_is_silence_after_sending(listener: Listener) -> None:
    listener.answer = b"HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{"
    told = await send(listener.url)
    assert isinstance(told, Silence)
    assert told.maybe_sent


async def test_closed_connection_is_silence_after_sending(listener: Listener) -> None:
    told = await send(listener.url)
    assert isinstance(told, Silence)
    assert told.maybe_sent


async def test_no_http_is_silence_after_sending(listener: Listener) -> None:
    listener.answer = b"SSH-2.0-OpenSSH\r\n\r\n"
    told = await send(listener.url)
    assert isinstance(told, Silence)
    assert told.maybe_sent


async def test_redirect_is_an_answer_and_not_followed(listener: Listener) -> None:
    target = listener.url.encode()
    listener.answer = b"HTTP/1.1 307 Go\r\nlocation: " + target + b"\r\ncontent-length: 0\r\n\r\n"
    told = await send(listener.url)
    assert isinstance(told, Answer)
    assert told.status == 307
    assert listener.connections == 1


async def test_read_time_out_is_silence_after_sending(listener: Listener) -> None:
    listener.silent = True
    told = await send(listener.url, patience=Patience(read=timedelta(milliseconds=50)))
    assert told == Silence(maybe_sent=True, reason="no answer in time")
    assert listener.received.endswith(b"{}")


@pytest.mark.skipif(sys.platform != "linux", reason="a full queue drops connections on Linux")
async def test_connect_time_out_is_silence_before_sending() -> None:
    with contextlib.ExitStack() as opened:
        full = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(2):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        told = await send(
            f"http://127.0.0.1:{full.getsockname()[1]}/",
            patience=Patience(connect=timedelta(milliseconds=50)),
        )
    assert told == Silence(maybe_sent=False, reason="connecting took too long")


def packed(size: int) -> bytes:
    """A gzip stream of `size` spaces: about a thousandth as long."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    pieces = [packer.compress(b" " * (1 << 20)) for _ in range(size >> 20)]
    return b"".join([*pieces, packer.flush()])


@pytest.mark.parametrize("coding", ["", "content-encoding: gzip\r\n"], ids=["plain", "gzip"])
async def test_an_answer_beyond_the_limit_is_not_read_to_its_end(
    listener: Listener, coding: str
) -> None:
    body = packed(1 << 30) if coding else b" " * (MAX_BODY_BYTES + 1)
    listener.answer = (
        f"HTTP/1.1 200 OK\r\n{coding}content-length: {len(body)}\r\n\r\n".encode() + body
    )
    tracemalloc.start()
    told = await send(listener.url)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert told == Silence(maybe_sent=True, reason="the answer is larger than 32 MiB")
    assert peak < 4 * MAX_BODY_BYTES


async def test_an_answer_of_the_largest_size_is_handed_out(listener: Listener) -> None:
    body = b" " * MAX_BODY_BYTES
    listener.answer = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body
    told = await send(listener.url)
    assert isinstance(told, Answer)
    assert len(told.body) == MAX_BODY_BYTES
