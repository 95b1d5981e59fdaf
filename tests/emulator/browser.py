"""A minimal client of the Chrome DevTools Protocol. Tests open pages in a real browser."""

import asyncio
import contextlib
import itertools
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--remote-debugging-port=0", "--remote-allow-origins=*"),
)


class Browser:
    """A browser tab; `complaints` lists its log entries and its uncaught exceptions."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.complaints: list[str] = []

    async def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command of the Chrome DevTools Protocol, and return its result."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        async for message in self._socket:
            received = json.loads(message.data)
            if received.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown"):
                self.complaints.append(json.dumps(received["params"]))
            if received.get("id") == number:
                assert "error" not in received, received
                result: dict[str, Any] = received["result"]
                return result
        raise ConnectionError("the browser has disconnected")

    async def run(self, script: str) -> Any:
        """Evaluate an expression on the page. If the value is a promise, await the promise."""
        response = await self.send(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in response, response
        return response["result"].get("value")

    async def until(self, condition: str) -> None:
        """Wait until a JavaScript expression is true on the page."""
        async with asyncio.timeout(30):
            while not await self.run(f"Boolean({condition})"):
                await asyncio.sleep(0.05)

    async def open(self, url: str, width: int = 1280, height: int = 900) -> None:
        """Open a page in a window of the given size."""
        await self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        await self.send("Page.navigate", url=url)
        await self.until(
            f"location.href === {json.dumps(url)} && document.readyState === 'complete'"
        )

    async def type(self, text: str) -> None:
        """Type into the focused element."""
        await self.send("Input.insertText", text=text)


@contextlib.asynccontextmanager
async def browsing(profile: Path) -> AsyncIterator[Browser]:
    """Run a browser with a new profile. Yields its first tab."""
    assert CHROMIUM is not None
    process = await asyncio.create_subprocess_exec(
        CHROMIUM,
        *_QUIET,
        f"--user-data-dir={profile}",
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stderr is not None
        address = ""
        async for line in process.stderr:
            if b"DevTools listening on ws://" in line:
                address = line.decode().partition("ws://")[2].partition("/")[0]
                break
        async with aiohttp.ClientSession() as http:
            tabs: list[dict[str, Any]] = []
            async with asyncio.timeout(30):
                while not tabs:  # The browser reports its address before its first tab exists.
                    async with http.get(f"http://{address}/json/list") as answer:
                        tabs = [each for each in await answer.json() if each["type"] == "page"]
            async with http.ws_connect(tabs[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                browser = Browser(socket)
                for domain in ("Page", "Log", "Runtime"):
                    await browser.send(f"{domain}.enable")
                yield browser
    finally:
        process.kill()
        await process.wait()
        # Close the pipe from the process here; otherwise it would stay open after the event loop
        # has closed.
        process._transport.close()  # type: ignore[attr-defined]
