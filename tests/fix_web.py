"""The service on a free port, and browsers that keep their cookies to themselves."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from roost.runtime import Runtime
from roost.web import server


@contextlib.asynccontextmanager
async def serving(runtime: Runtime, port: int = 0) -> AsyncIterator[str]:
    """The service on this port, or a free one; its base URL."""
    listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(
        server.serve(runtime, "127.0.0.1", port, on_listening=listening.set_result)
    )
    first: set[asyncio.Future[Any]] = {task, listening}
    await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield listening.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def web(runtime: Runtime) -> AsyncIterator[str]:
    """The service's base URL."""
    async with serving(runtime) as url:
        yield url


def open_browser() -> aiohttp.ClientSession:
    """A browser with a cookie jar of its own; it follows no redirect by itself."""
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    """The browser in which connections are begun."""
    async with open_browser() as opened:
        yield opened


async def get(
    browser: aiohttp.ClientSession, url: str, **query: str
) -> tuple[aiohttp.ClientResponse, str]:
    """One answer with its body."""
    async with browser.get(url, params=query, allow_redirects=False) as answer:
        return answer, await answer.text()
