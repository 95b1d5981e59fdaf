"""Every call of `roost.x` asks only hosts of the X that its token, keys and app belong to."""

import contextlib
import importlib
import inspect
import pkgutil
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

import roost.x
from roost import x
from roost.errors import UnsafeHost
from roost.models import TweetId, XMediaId, XUserId
from roost.twitter import TwitterTool
from roost.x import server_time, threelegs
from roost.x.auth import TokenGrant
from roost.x.media import UploadState

#: Nothing listens there.
EMULATOR = x.XEndpoint("http://127.0.0.1:9")
LIVE = x.LIVE_X
ONE = TweetId("20")


@dataclass(frozen=True)
class World:
    """A session that reaches nothing and tells which hosts it was to reach, and one X's secrets."""

    session: aiohttp.ClientSession
    hosts: set[str]
    endpoint: x.XEndpoint

    @property
    def app(self) -> x.XApp:
        return x.XApp(self.endpoint, "an app", "a client secret")

    @property
    def keys(self) -> x.auth.OAuth1:
        return x.auth.OAuth1("k", "s", "t", "ts", self.endpoint)

    @property
    def client(self) -> x.Client:
        tokens = x.FixedToken("a token", self.endpoint)
        return x.Client(tokens, oauth1=self.keys, session=self.session)

    def grant(self) -> TokenGrant:
        return TokenGrant("a", "r", timedelta(0), (), self.endpoint)

    def memory(self) -> x.MemoryTokens:
        return x.MemoryTokens(self.grant(), app=self.app, session=self.session)


class NoHost(aiohttp.abc.AbstractResolver):
    """Knows no host."""

    async def resolve(self, *_: Any, **__: Any) -> Any:
        raise OSError("no such host")

    async def close(self) -> None:
        pass


@pytest.fixture
async def reaching() -> AsyncIterator[tuple[aiohttp.ClientSession, set[str]]]:
    """A session without a way out, and the hosts that its requests were for."""
    hosts: set[str] = set()

    async def on_start(_: Any, __: SimpleNamespace, told: Any) -> None:
        hosts.add(told.url.host)

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(on_start)
    connector = aiohttp.TCPConnector(resolver=NoHost())
    async with aiohttp.ClientSession(connector=connector, trace_configs=[trace]) as session:
        yield session, hosts


async def _timeline(client: x.Client) -> None:
    async for _ in x.posts.read_timeline(client, XUserId("1"), since_id=ONE):
        pass


SPAN: Mapping[str, Any] = {
    "start": datetime(2026, 11, 1, tzinfo=UTC),
    "end": datetime(2026, 11, 2, tzinfo=UTC),
    "step": x.analytics.Step.DAY,
}
STATE = UploadState(
    media_id=XMediaId("1"),
    media_key=None,
    total_bytes=1,
    segment_bytes=1,
    content_mark="",
    expires_at=datetime(2100, 1, 1, tzinfo=UTC),
)
FILE: Mapping[str, Any] = {"mime_type": "image/png", "category": "tweet_image"}

#: Each public call, by module and name, as one X's own.
CALLS: Mapping[str, Callable[[World], Awaitable[object]]] = {
    "posts.create": lambda w: x.posts.create(w.client, text="Hello"),
    "posts.delete": lambda w: x.posts.delete(w.client, ONE),
    "posts.read_posts": lambda w: x.posts.read_posts(w.client, [ONE]),
    "posts.read_timeline": lambda w: _timeline(w.client),
    "metrics.read_posts": lambda w: x.metrics.read_posts(w.client, [ONE], private_for=[ONE]),
    "users.read_me": lambda w: x.users.read_me(w.client),
    "users.read_user": lambda w: x.users.read_user(w.client, XUserId("1")),
    "usage.read": lambda w: x.usage.read(w.client),
    "analytics.read_posts": lambda w: x.analytics.read_posts(w.client, [ONE], **SPAN),
    "analytics.read_media": lambda w: x.analytics.read_media(w.client, ["3_1"], **SPAN),
    "media.upload": lambda w: x.media.upload(w.client, b"a", **FILE),
    "media.transfer": lambda w: x.media.transfer(w.client, b"a", **FILE),
    "media.read_processing": lambda w: x.media.read_processing(w.client, STATE),
    "auth.exchange_code": lambda w: x.auth.exchange_code(
        w.session, w.endpoint, app=w.app, code="c", redirect_uri="u", verifier="v"
    ),
    "auth.refresh": lambda w: x.auth.refresh(w.session, w.endpoint, app=w.app, refresh_token="r"),
    "auth.revoke": lambda w: x.auth.revoke(w.session, w.endpoint, app=w.app, token="r"),
    "auth.app_token": lambda w: x.auth.app_token(w.session, app=w.keys),
    "threelegs.ask_token": lambda w: threelegs.ask_token(w.session, app=w.keys),
    "threelegs.redeem": lambda w: threelegs.redeem(
        w.session,
        app=w.keys,
        asked=threelegs.AskedToken("a", "s", w.endpoint),
        verifier="v",
    ),
    "threelegs.invalidate": lambda w: threelegs.invalidate(w.session, credential=w.keys),
    "server_time.ask": lambda w: server_time.ask(w.session, w.endpoint, server_time.ServerTime()),
}
#: The same modules' other ways to a request.
MORE: Mapping[str, Callable[[World], Awaitable[object]]] = {
    "an upload by the API 1.1": lambda w: x.media.upload(w.client, b"a", **FILE, upload_api="v1.1"),
    "a signed create": lambda w: x.posts.create(
        x.Client(None, oauth1=w.keys, session=w.session), text="Hello"
    ),
    "a refresh before the end": lambda w: w.memory().get(),
}
EVERY = {**CALLS, **MORE}


def public_calls() -> set[str]:
    """Every public function of `roost.x` that is given a client or a session."""
    found = set()
    for info in pkgutil.iter_modules(roost.x.__path__):
        module = importlib.import_module(f"roost.x.{info.name}")
        for name, value in vars(module).items():
            is_call = inspect.iscoroutinefunction(value) or inspect.isasyncgenfunction(value)
            home = getattr(value, "__module__", "")
            if name.startswith("_") or not is_call or not home.startswith(module.__name__):
                continue
            if {"client", "session"} & set(inspect.signature(value).parameters):
                found.add(f"{info.name}.{name}")
    return found - {"wire.exchange"}


def test_every_public_call_is_among_these() -> None:
    assert public_calls() == CALLS.keys()


@pytest.mark.parametrize("call", EVERY.values(), ids=EVERY.keys())
@pytest.mark.parametrize(
    ("endpoint", "allowed"),
    [(LIVE, {"api.x.com", "upload.twitter.com"}), (EMULATOR, {"127.0.0.1"})],
    ids=["live", "emulator"],
)
async def test_a_call_reaches_only_the_x_of_its_secrets(
    reaching: tuple[aiohttp.ClientSession, set[str]],
    endpoint: x.XEndpoint,
    allowed: set[str],
    call: Callable[[World], Awaitable[object]],
) -> None:
    session, hosts = reaching
    with contextlib.suppress(x.errors.XFailure):
        await call(World(session, hosts, endpoint))
    assert hosts, "it asked nobody"
    assert hosts <= allowed


#: One secret belongs to one X, the other to another.
MIXED: Mapping[str, Callable[[World, x.XEndpoint], Awaitable[object]]] = {
    "code": lambda w, other: x.auth.exchange_code(
        w.session, other, app=w.app, code="c", redirect_uri="u", verifier="v"
    ),
    "refresh": lambda w, other: x.auth.refresh(w.session, other, app=w.app, refresh_token="r"),
    "revoke": lambda w, other: x.auth.revoke(w.session, other, app=w.app, token="r"),
    "memory": lambda w, other: x.MemoryTokens(
        replace(w.grant(), endpoint=other), app=w.app, session=w.session
    ).get(),
    "client": lambda w, other: x.users.read_me(
        x.Client(x.FixedToken("t", other), oauth1=w.keys, session=w.session)
    ),
    "third leg": lambda w, other: threelegs.redeem(
        w.session, app=w.keys, asked=threelegs.AskedToken("a", "s", other), verifier="v"
    ),
}


@pytest.mark.parametrize("call", MIXED.values(), ids=MIXED.keys())
@pytest.mark.parametrize(
    ("one", "other"),
    [(LIVE, EMULATOR), (EMULATOR, LIVE), (EMULATOR, x.XEndpoint("http://127.0.0.1:10"))],
    ids=["live_to_emulator", "emulator_to_live", "two_emulators"],
)
async def test_secrets_of_two_xs_are_never_sent_together(
    reaching: tuple[aiohttp.ClientSession, set[str]],
    one: x.XEndpoint,
    other: x.XEndpoint,
    call: Callable[[World, x.XEndpoint], Awaitable[object]],
) -> None:
    session, hosts = reaching
    with pytest.raises(UnsafeHost):
        await call(World(session, hosts, one), other)
    assert hosts == set()


@pytest.mark.parametrize("base_url", ["https://api.x.com", "http://127.0.0.1:10"])
async def test_the_tool_gives_the_apps_secret_to_no_other_x(
    monkeypatch: pytest.MonkeyPatch, base_url: str
) -> None:
    monkeypatch.setenv("ROOST_X_BASE_URL", base_url)
    monkeypatch.setenv("TWITTER_CLIENT_ID", "an-app")
    monkeypatch.setenv("TWITTER_CLIENT_SECRET", "a-client-secret")
    async with TwitterTool("a token", endpoint=EMULATOR) as tool:
        with pytest.raises(UnsafeHost):
            await tool.refresh_twitter_token("r")


def test_addresses_of_x_are_made_and_asked_in_one_place() -> None:
    source = Path(roost.x.__file__).parents[1]
    asking, making = set(), set()
    for path in source.rglob("*.py"):
        name = path.relative_to(source).as_posix()
        text = path.read_text("utf-8")
        if re.search(r"\bXUrl\(", text):
            making.add(name)
        if re.search(r"[sS]ession\.(request|get|post|put|delete|ws_connect)\(|urlopen\(", text):
            asking.add(name)
    assert making == {"endpoint.py"}
    assert asking == {
        "x/wire.py",
        # These send no secret: the emulator's clock, the doctor's look, our own service and demo.
        "clock.py",
        "cli/doctor.py",
        "cli/callback_listener.py",
        "cli/demo.py",
    }
