"""Fixtures: the web server on a free port, and browsers with separate cookies."""

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from roost.runtime import Runtime
from roost.web import server


def free_port() -> int:
    """Return a free port below the range that the system assigns to other processes."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextlib.asynccontextmanager
async def serving(runtime: Runtime, port: int = 0) -> AsyncIterator[str]:
    """Run the web server on a port (0: any free port) during the block; yield its base URL."""
    listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(
        server.serve(runtime, "127.0.0.1", port, on_listening=listening.set_result)
    )
    started: set[asyncio.Future[Any]] = {task, listening}
    await asyncio.wait(started, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield listening.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def web(runtime: Runtime) -> AsyncIterator[str]:
    """The base URL of the web server."""
    async with serving(runtime) as url:
        yield url


def open_browser() -> aiohttp.ClientSession:
    """Return a browser with its own cookie jar."""
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    """The browser in which connections are started."""
    async with open_browser() as opened:
        yield opened


async def get(
    browser: aiohttp.ClientSession, url: str, **query: str
) -> tuple[aiohttp.ClientResponse, str]:
    """Send a GET request; return the response and its body."""
    async with browser.get(url, params=query, allow_redirects=False) as answer:
        return answer, await answer.text()
