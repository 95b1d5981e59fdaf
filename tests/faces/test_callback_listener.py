"""`roost connect` shows no address if a foreign program listens at the callback address."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fix_emulator import Emulator
from fix_publishing import run_roost
from fix_web import free_port, serving
from roost.cli.callback_listener import CallbackNotOurs, is_served
from roost.errors import UnsafeHost
from roost.models import Tenant
from roost.runtime import Runtime
from roost.store.vault import Vault, make_key_line, read_keyring


def with_settings(runtime: Runtime, **changed: Any) -> Runtime:
    return replace(runtime, settings=runtime.settings.model_copy(update=changed))


def with_callback_at(runtime: Runtime, port: int, host: str = "127.0.0.1") -> Runtime:
    callback = f"http://{host}:{port}/api/auth/callback/twitter"
    return with_settings(runtime, twitter_callback_url=callback)


@contextlib.asynccontextmanager
async def listening(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any],
    port: int,
    host: str = "127.0.0.1",
) -> AsyncIterator[None]:
    """Listen on the port during the block, and respond to each connection with `answer`."""
    server = await asyncio.start_server(answer, host, port)
    try:
        yield
    finally:
        server.close()


async def forge_proof(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Respond to any request with 64 hexadecimal digits, as a forged proof."""
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 64\r\n\r\n" + b"a" * 64)
        await writer.drain()
    writer.close()


async def test_is_served_is_false_if_nothing_listens(runtime: Runtime) -> None:
    assert not await is_served(with_callback_at(runtime, free_port()))


async def test_the_own_server_gives_the_proof(runtime: Runtime) -> None:
    port = free_port()
    ours = with_callback_at(runtime, port)
    async with serving(ours, port):
        assert await is_served(ours)


async def test_another_program_cannot_give_the_proof(runtime: Runtime) -> None:
    port = free_port()
    async with listening(forge_proof, port):
        with pytest.raises(CallbackNotOurs):
            await is_served(with_callback_at(runtime, port))


async def test_a_program_that_forwards_the_challenge_cannot_give_the_proof(
    runtime: Runtime,
) -> None:
    port, behind = free_port(), free_port()
    ours = with_callback_at(runtime, port)

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        back, onward = await asyncio.open_connection("127.0.0.1", behind)
        onward.write(head.replace(str(port).encode(), str(behind).encode()))
        writer.write(await back.readuntil(b"\r\n\r\n") + await back.readexactly(64))
        await writer.drain()
        onward.close()
        writer.close()

    async with serving(ours, behind), listening(forward, port):
        with pytest.raises(CallbackNotOurs):
            await is_served(ours)


@pytest.mark.parametrize(
    "change",
    [
        lambda runtime: replace(runtime, vault=Vault(read_keyring([make_key_line()], source="s"))),
        lambda runtime: with_settings(runtime, x_base_url="https://api.x.com"),
        lambda runtime: with_settings(runtime, x_base_url="http://127.0.0.1:1"),
        lambda runtime: with_settings(runtime, twitter_client_id="another"),
        lambda runtime: with_settings(runtime, twitter_callback_url="http://127.0.0.1:1/back"),
    ],
    ids=["key", "the_real_x", "emulator", "app", "callback"],
)
async def test_the_server_of_another_installation_cannot_give_the_proof(
    runtime: Runtime, change: Callable[[Runtime], Runtime]
) -> None:
    port = free_port()
    ours = with_callback_at(runtime, port)
    async with serving(change(ours), port):
        with pytest.raises(CallbackNotOurs):
            await is_served(ours)


async def test_every_address_of_the_host_has_to_give_the_proof(runtime: Runtime) -> None:
    known = socket.getaddrinfo("localhost", 1, type=socket.SOCK_STREAM)
    if not {"127.0.0.1", "::1"} <= {address[0] for *_, address in known}:
        pytest.skip("localhost has one address here")
    port = free_port()
    ours = with_callback_at(runtime, port, "localhost")
    async with serving(ours, port):
        assert await is_served(ours)
        async with listening(forge_proof, port, "::1"):
            with pytest.raises(CallbackNotOurs):
                await is_served(ours)


async def test_a_callback_on_another_machine_over_plain_http_is_refused(runtime: Runtime) -> None:
    remote = with_settings(runtime, twitter_callback_url="http://roost.example.org/back")
    with pytest.raises(UnsafeHost, match="plain HTTP"):
        await is_served(remote)


@pytest.mark.timing
async def test_connect_shows_no_address_if_another_program_listens(
    runtime: Runtime, tenant: Tenant, emulator: Emulator, tmp_path: Path
) -> None:
    port = free_port()
    settings = with_callback_at(runtime, port).settings
    async with listening(forge_proof, port):
        result = await run_roost("connect", "--no-browser", "--json", settings=settings,
                                folder=tmp_path)  # fmt: skip
    assert result.code != 0
    assert "callback_not_ours" in result.out + result.err
    assert "/api/auth/twitter/start" not in result.out + result.err
