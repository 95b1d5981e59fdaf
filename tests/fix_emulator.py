"""Fixture `emulator`: an emulator process on a free port, reset before each test.

With `ROOST_TEST_CLOCK=23:58`, the emulated clock of each test starts at that time of day (UTC)
instead of the machine's, so that the whole suite can run across midnight.
"""

import base64
import ctypes
import hashlib
import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
import pytest_asyncio

from roost.endpoint import XApp, XEndpoint

CALLBACK = "http://127.0.0.1:8080/api/auth/callback/twitter"
SCOPES = "tweet.read tweet.write users.read media.write offline.access"

_start_time = os.environ.get("ROOST_TEST_CLOCK")
#: The time of day (UTC) at which each test's emulated clock starts; None for the machine's.
START_TIME = time.fromisoformat(_start_time) if _start_time else None


@dataclass(frozen=True)
class RegisteredApp:
    """The X app that is registered for each test."""

    client_id: str
    client_secret: str
    callback: str

    @property
    def basic(self) -> str:
        """The `Authorization` header of a confidential client."""
        return aiohttp.encode_basic_auth(self.client_id, self.client_secret)


class Emulator:
    """A client for a running emulator and its control API."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self.url = url
        self.http = http
        self.app = RegisteredApp("", "", CALLBACK)

    @property
    def endpoint(self) -> XEndpoint:
        """The emulator's URL as an `XEndpoint`, to which X clients are bound."""
        return XEndpoint(self.url)

    @property
    def x_app(self) -> XApp:
        """The test's X app, bound to the emulator's endpoint."""
        return XApp(self.endpoint, self.app.client_id, self.app.client_secret)

    @property
    def clock_url(self) -> str:
        """The value for `ROOST_CLOCK_URL`."""
        return f"{self.url}/_emulator/clock"

    async def reset(self, start_time: time | None = START_TIME) -> None:
        """Reset all state, start the clock at a time of day, and register the test's app.

        With None, the clock starts at the machine's time.
        """
        await self.control("reset")
        if start_time is not None:
            await self.move_to_time(start_time)
        app = await self.control("apps", callbacks=[CALLBACK], name="Roost under test")
        self.app = RegisteredApp(app["client_id"], app["client_secret"], CALLBACK)

    async def control(self, path: str, /, **body: Any) -> Any:
        """POST to `/_emulator/{path}`, and return the decoded response."""
        async with self.http.post(f"{self.url}/_emulator/{path}", json=body) as answer:
            assert answer.status in (200, 201), await answer.text()
            return await answer.json()

    async def ground_truth(self, client_id: str | None = None, only: str = "") -> dict[str, Any]:
        """Return the ground truth of one app or of all apps; `only` selects one of its sections."""
        params = ({"app": client_id} if client_id else {}) | ({"only": only} if only else {})
        async with self.http.get(f"{self.url}/_emulator/ground-truth", params=params) as answer:
            ground_truth: dict[str, Any] = await answer.json()
            return ground_truth

    async def jump(self, *, days: float = 0, hours: float = 0, seconds: float = 0) -> None:
        """Move the clock forward; return once its clients have been notified."""
        await self.control("clock", jump_seconds=days * 86_400 + hours * 3600 + seconds)

    async def now(self) -> datetime:
        """Return the emulated time."""
        async with self.http.get(self.clock_url) as answer:
            return datetime.fromisoformat((await answer.json())["emulated"])

    async def move_to_time(self, at: time) -> datetime:
        """Move the clock to a time of day (UTC) on the next emulated day; return the instant."""
        instant = datetime.combine((await self.now()).date() + timedelta(days=1), at, UTC)
        await self.control("clock", to=instant.isoformat())
        return instant

    async def freeze_at_time(self, at: time) -> datetime:
        """Freeze the clock at a time of day (UTC) on the next emulated day; return the instant."""
        await self.freeze()
        return await self.move_to_time(at)

    async def freeze(self) -> None:
        """Freeze the clock until the next reset."""
        await self.control("clock", rate=0)

    async def switch(self, **switches: Any) -> None:
        """Change switches of the emulator until the next reset."""
        await self.control("switches", **switches)

    async def act(self, action: str, /, **more: Any) -> dict[str, Any]:
        """Run a user's action on X; return the post that it created or changed."""
        done: dict[str, Any] = await self.control("actions", action=action, **more)
        return done

    async def fail(self, operation: str, when: str, kind: str, **more: Any) -> None:
        """Inject a fault into the next request of an operation.

        `when` is `before` or `after`: whether the fault occurs before or after the emulator carries
        out the request.
        """
        await self.control("faults", operation=operation, when=when, kind=kind, **more)

    async def clear_faults(self) -> None:
        """Remove all faults."""
        async with self.http.delete(f"{self.url}/_emulator/faults") as answer:
            assert answer.status == 204

    async def users(self) -> list[dict[str, Any]]:
        """Return the accounts, in order of creation."""
        async with self.http.get(f"{self.url}/_emulator/users") as answer:
            listed: list[dict[str, Any]] = await answer.json()
            return listed

    async def list_apps(self) -> list[dict[str, Any]]:
        """Return the registered apps, in order of registration."""
        async with self.http.get(f"{self.url}/_emulator/apps") as answer:
            listed: list[dict[str, Any]] = await answer.json()
            return listed

    async def consent(self, username: str, decision: str = "allow", **query: str) -> dict[str, str]:
        """Decide on the consent page as a user; return the callback's query parameters."""
        async with self.http.post(
            f"{self.url}/i/oauth2/authorize",
            data=query | {"user": username, "decision": decision},
            allow_redirects=False,
        ) as answer:
            assert answer.status == 302, await answer.text()
            back = parse_qs(urlsplit(answer.headers["location"]).query)
        return {name: values[0] for name, values in back.items()}

    async def connect(self, username: str, scope: str = SCOPES) -> dict[str, Any]:
        """Connect an account by OAuth; return the response of the token endpoint."""
        verifier = secrets.token_urlsafe(48)
        back = await self.consent(username, **self.authorize_query(verifier, scope=scope))
        async with self.http.post(
            f"{self.url}/2/oauth2/token",
            data={
                "grant_type": "authorization_code",
                "code": back["code"],
                "redirect_uri": CALLBACK,
                "code_verifier": verifier,
                "client_id": self.app.client_id,
            },
            headers={"authorization": self.app.basic},
        ) as answer:
            assert answer.status == 200, await answer.text()
            tokens: dict[str, Any] = await answer.json()
            return tokens

    def authorize_query(self, verifier: str, **changed: str) -> dict[str, str]:
        """Return a valid query of the consent page in which `changed` replaces some values."""
        digest = hashlib.sha256(verifier.encode()).digest()
        return {
            "response_type": "code",
            "client_id": self.app.client_id,
            "redirect_uri": CALLBACK,
            "scope": SCOPES,
            "state": "a state",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        } | changed


def _end_with_parent() -> None:
    """Make the kernel end this process when the test run ends, even if the run is killed."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


@pytest.fixture(scope="session")
def emulator_url() -> Iterator[str]:
    """The URL of an emulator process that runs until the session ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "x_emulator", "--port", "0", "--seed", "7", "--json"],
        stdout=subprocess.PIPE,
        preexec_fn=_end_with_parent if sys.platform == "linux" else None,
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()


@pytest_asyncio.fixture
async def emulator(emulator_url: str) -> AsyncIterator[Emulator]:
    """A reset emulator with one registered app and three accounts."""
    async with aiohttp.ClientSession() as http:
        emulator = Emulator(emulator_url, http)
        await emulator.reset()
        yield emulator
