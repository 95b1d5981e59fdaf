"""An account connected to the emulator, and a record of every request that leaves for X."""

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
from roost.clock import EmulatorClock, open_clock
from roost.models import XUserId

from . import described
from .drawn import noise_png, save_clip


@dataclass
class SentRequest:
    """One request as its bytes left."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)

    @property
    def json(self) -> Any:
        return msgspec.json.decode(bytes(self.body))

    def is_as_described(self) -> bool:
        """Whether X describes its body, and this one so; fails where it is another."""
        kind = self.headers.get("content-type", "")
        return described.check(self.method, self.path, kind, bytes(self.body))


@dataclass
class HeldTokens:
    """A token source that refreshes as an account's own would, and counts how often."""

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
        grant = await x.auth.refresh(
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
    """One connected account and what it did."""

    username: str
    user_id: XUserId
    tokens: HeldTokens
    client: x.Client
    exchanges: list[x.Exchange]


class Connect(Protocol):
    """Connects one of the emulator's accounts, with all scopes unless told otherwise."""

    async def __call__(self, username: str, scope: str = SCOPES) -> Account: ...


@pytest.fixture
def sent() -> list[SentRequest]:
    """Every request that `session` has sent, in order."""
    return []


@pytest_asyncio.fixture
async def session(sent: list[SentRequest]) -> AsyncIterator[aiohttp.ClientSession]:
    """The HTTP session of the tests, with its requests written down as they leave."""
    trace = aiohttp.TraceConfig()

    async def on_start(_: Any, context: SimpleNamespace, told: Any) -> None:
        url = told.url
        context.request = SentRequest(told.method, url.path, dict(url.query))

    async def on_headers(_: Any, context: SimpleNamespace, told: Any) -> None:
        context.request.headers = {k.lower(): v for k, v in told.headers.items()}
        sent.append(context.request)

    async def on_chunk(_: Any, context: SimpleNamespace, told: Any) -> None:
        context.request.body += told.chunk

    trace.on_request_start.append(on_start)
    trace.on_request_headers_sent.append(on_headers)
    trace.on_request_chunk_sent.append(on_chunk)
    async with aiohttp.ClientSession(trace_configs=[trace]) as session:
        yield session
    for request in sent:
        request.is_as_described()


@pytest_asyncio.fixture
async def clock(emulator: Emulator) -> AsyncIterator[EmulatorClock]:
    """The emulator's clock, followed."""
    async with open_clock(emulator.clock_url, emulator.endpoint) as clock:
        assert isinstance(clock, EmulatorClock)
        yield clock


@pytest.fixture
def connect(emulator: Emulator, session: aiohttp.ClientSession, clock: EmulatorClock) -> Connect:
    """A function that connects an account of the emulator by its username."""

    async def connect(username: str, scope: str = SCOPES) -> Account:
        told = await emulator.connect(username, scope)
        tokens = HeldTokens(emulator, session, told["access_token"], told.get("refresh_token", ""))
        exchanges: list[x.Exchange] = []

        async def keep(exchange: x.Exchange) -> None:
            exchanges.append(exchange)

        client = x.Client(tokens, session=session, on_exchange=keep, clock=clock)
        user = next(u for u in await emulator.users() if u["username"] == username)
        return Account(username, user["id"], tokens, client, exchanges)

    return connect


@pytest_asyncio.fixture
async def account(connect: Connect) -> Account:
    """The account `larkbooks`, connected with every scope that Roost asks for."""
    return await connect("larkbooks")


@pytest.fixture
def png() -> bytes:
    """A small picture."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of more than 4 MiB that nothing compresses."""
    path = tmp_path_factory.mktemp("media") / "noise.png"
    path.write_bytes(noise_png(1250, 1250))
    return path


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One second of video."""
    return save_clip(tmp_path_factory.mktemp("media") / "clip.mp4")
