"""Fixtures: an account connected to the emulator, and a record of every request to X."""

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

import aiohttp
import msgspec
import pytest
import pytest_asyncio
from PIL import Image

from fix_emulator import SCOPES, Emulator
from roost import x
from roost.clock import open_clock
from roost.emulator_clock import EmulatorClock
from roost.models import XUserId

from . import openapi
from .media_samples import noise_png, save_clip


@dataclass
class SentRequest:
    """A request that a test has sent: method, path, headers and body."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)

    @property
    def json(self) -> Any:
        return msgspec.json.decode(bytes(self.body))

    def matches_openapi(self) -> bool:
        """Check the body by its schema in X's OpenAPI document; return False if there is none.

        Raises: jsonschema.ValidationError if the body does not match the schema.
        """
        kind = self.headers.get("content-type", "")
        return openapi.check_body(self.method, self.path, kind, bytes(self.body))


@dataclass
class AccountTokens:
    """A token source that works like that of a stored account, and counts its refreshes."""

    emulator: Emulator
    session: aiohttp.ClientSession
    access_token: str
    refresh_token: str
    refreshed: int = 0

    @property
    def endpoint(self) -> x.XEndpoint:
        return self.emulator.endpoint

    async def get(self) -> str:
        return self.access_token

    async def refresh(self, rejected: str) -> str:
        self.refreshed += 1
        grant = await x.auth.oauth2.refresh(
            self.session,
            self.emulator.endpoint,
            app=self.emulator.x_app,
            refresh_token=self.refresh_token,
        )
        assert grant.refresh_token is not None
        self.access_token, self.refresh_token = grant.access_token, grant.refresh_token
        return grant.access_token


@dataclass
class Account:
    """A connected account, its client, and the exchanges that the client has reported."""

    username: str
    user_id: XUserId
    tokens: AccountTokens
    client: x.Client
    exchanges: list[x.Exchange]


class Connect(Protocol):
    """Connects one of the emulator's accounts, by default with all scopes."""

    async def __call__(self, username: str, scope: str = SCOPES) -> Account: ...


@pytest.fixture
def sent() -> list[SentRequest]:
    """Every request that `session` has sent, in order."""
    return []


@pytest_asyncio.fixture
async def session(sent: list[SentRequest]) -> AsyncIterator[aiohttp.ClientSession]:
    """The HTTP session of the tests. The fixture `sent` records its requests."""
    trace = aiohttp.TraceConfig()

    async def on_start(_: Any, context: SimpleNamespace, event: Any) -> None:
        url = event.url
        context.request = SentRequest(event.method, url.path, dict(url.query))

    async def on_headers(_: Any, context: SimpleNamespace, event: Any) -> None:
        context.request.headers = {k.lower(): v for k, v in event.headers.items()}
        sent.append(context.request)

    async def on_chunk(_: Any, context: SimpleNamespace, event: Any) -> None:
        context.request.body += event.chunk

    trace.on_request_start.append(on_start)
    trace.on_request_headers_sent.append(on_headers)
    trace.on_request_chunk_sent.append(on_chunk)
    async with aiohttp.ClientSession(trace_configs=[trace]) as session:
        yield session
    for request in sent:
        request.matches_openapi()


@pytest_asyncio.fixture
async def clock(emulator: Emulator) -> AsyncIterator[EmulatorClock]:
    """A clock that follows the emulator's clock."""
    async with open_clock(emulator.clock_url, emulator.endpoint) as clock:
        assert isinstance(clock, EmulatorClock)
        yield clock


@pytest.fixture
def connect(emulator: Emulator, session: aiohttp.ClientSession, clock: EmulatorClock) -> Connect:
    """A function that connects an account of the emulator by username."""

    async def connect(username: str, scope: str = SCOPES) -> Account:
        issued = await emulator.connect(username, scope)
        tokens = AccountTokens(
            emulator, session, issued["access_token"], issued.get("refresh_token", "")
        )
        exchanges: list[x.Exchange] = []

        async def record(exchange: x.Exchange) -> None:
            exchanges.append(exchange)

        client = x.Client(tokens, session=session, on_exchange=record, clock=clock)
        user = next(u for u in await emulator.users() if u["username"] == username)
        return Account(username, user["id"], tokens, client, exchanges)

    return connect


@pytest_asyncio.fixture
async def account(connect: Connect) -> Account:
    """The account `larkbooks`, connected with all scopes that Roost requests."""
    return await connect("larkbooks")


@pytest.fixture
def png() -> bytes:
    """A small image."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An incompressible image of more than 4 MiB."""
    path = tmp_path_factory.mktemp("media") / "noise.png"
    path.write_bytes(noise_png(1250, 1250))
    return path


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One second of video."""
    return save_clip(tmp_path_factory.mktemp("media") / "clip.mp4")
