"""The server closes connections whose requests are too slow or too large."""

import asyncio

import pytest

from roost.web import protocol

pytestmark = pytest.mark.timing


async def send_raw(web: str, *pieces: bytes) -> bytes:
    """Send bytes; return the response up to the end of the connection."""
    host, port = web.removeprefix("http://").rsplit(":", 1)
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


HEAD = b"POST /pause HTTP/1.1\r\nhost: 127.0.0.1\r\n"
FORM = b"content-type: application/x-www-form-urlencoded\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        [],
        [b"GE"],
        [HEAD],
        [HEAD + FORM + b"content-length: 9\r\n\r\n"],
        [b"GET /nowhere HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n", b"GET / HT"],
    ],
    ids=["nothing", "method", "headers", "body", "second"],
)
async def test_an_incomplete_request_times_out(
    web: str, monkeypatch: pytest.MonkeyPatch, sent: list[bytes]
) -> None:
    monkeypatch.setattr(protocol, "REQUEST_TIMEOUT_S", 0.2)
    answer = await asyncio.wait_for(send_raw(web, *sent), 30)
    assert b" 200 " not in answer


@pytest.mark.parametrize(
    "sent",
    [
        [HEAD, *[b"x: " + b"y" * 60_000 + b"\r\n"] * 30],
        [HEAD + FORM + b"content-length: 9000000000\r\n\r\n", *[b"a" * 60_000] * 30],
    ],
    ids=["headers", "form"],
)
async def test_a_request_that_is_too_large_is_not_read_to_its_end(
    web: str, sent: list[bytes]
) -> None:
    answer = await asyncio.wait_for(send_raw(web, *sent), 30)
    assert b" 200 " not in answer
