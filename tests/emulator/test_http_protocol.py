"""Tests that the server closes the connection of a request that stays incomplete."""

import asyncio
import socket

import pytest
import uvicorn
from starlette.applications import Starlette

from x_emulator import http_protocol

pytestmark = pytest.mark.timing


@pytest.mark.parametrize(
    "sent",
    [b"", b"GE", b"POST /2/tweets HTTP/1.1\r\ncontent-length: 9\r\n\r\n{"],
    ids=["nothing", "method", "body"],
)
async def test_incomplete_request_is_closed_after_the_idle_timeout(
    monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(http_protocol, "IDLE_TIMEOUT_S", 0.2)
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        Starlette(), http=http_protocol.Protocol, lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    writer.write(sent)
    assert b" 200 " not in await asyncio.wait_for(reader.read(), 30)
    writer.close()
    server.should_exit = True
    await serving
