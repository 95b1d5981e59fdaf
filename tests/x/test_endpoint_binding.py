"""Every call of `roost.x` sends requests only to the endpoint of its token, keys and app."""

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
from roost.x import server_time
from roost.x.auth import TokenGrant, oauth1_flow
from roost.x.media import UploadState

#: An endpoint at which no server listens.
EMULATOR = x.XEndpoint("http://127.0.0.1:9")
LIVE = x.LIVE_X
ONE = TweetId("20")


@dataclass(frozen=True)
class Credentials:
    """The secrets of one endpoint, and a session that records hosts but cannot connect."""

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
    """Resolves no host name."""

    async def resolve(self, *_: Any, **__: Any) -> Any:
        raise OSError("no such host")

    async def close(self) -> None:
        pass


@pytest.fixture
async def recording() -> AsyncIterator[tuple[aiohttp.ClientSession, set[str]]]:
    """A session that cannot connect, and the hosts to which requests were made."""
    hosts: set[str] = set()

    async def on_start(_: Any, __: SimpleNamespace, event: Any) -> None:
        hosts.add(event.url.host)

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(on_start)
    connector = aiohttp.TCPConnector(resolver=NoHost())
    async with aiohttp.ClientSession(connector=connector, trace_configs=[trace]) as session:
        yield session, hosts


async def _timeline(client: x.Client) -> None:
    async for _ in x.posts.read_timeline(client, XUserId("1"), since_id=ONE):
        pass


PERIOD: Mapping[str, Any] = {
    "start": datetime(2026, 11, 1, tzinfo=UTC),
    "end": datetime(2026, 11, 2, tzinfo=UTC),
    "granularity": x.analytics.Granularity.DAY,
}
STATE = UploadState(
    media_id=XMediaId("1"),
    media_key=None,
    total_bytes=1,
    segment_bytes=1,
    fingerprint="",
    expires_at=datetime(2100, 1, 1, tzinfo=UTC),
)
FILE: Mapping[str, Any] = {"mime_type": "image/png", "category": "tweet_image"}

#: A call of each public function, by module and name, with the credentials of one endpoint.
CALLS: Mapping[str, Callable[[Credentials], Awaitable[object]]] = {
    "posts.create": lambda w: x.posts.create(w.client, text="Hello"),
    "posts.delete": lambda w: x.posts.delete(w.client, ONE),
    "posts.read_posts": lambda w: x.posts.read_posts(w.client, [ONE]),
    "posts.read_timeline": lambda w: _timeline(w.client),
    "metrics.read_posts": lambda w: x.metrics.read_posts(w.client, [ONE], private_for=[ONE]),
    "users.read_me": lambda w: x.users.read_me(w.client),
    "users.read_user": lambda w: x.users.read_user(w.client, XUserId("1")),
    "usage.read": lambda w: x.usage.read(w.client),
    "analytics.read_posts": lambda w: x.analytics.read_posts(w.client, [ONE], **PERIOD),
    "analytics.read_media": lambda w: x.analytics.read_media(w.client, ["3_1"], **PERIOD),
    "media.upload": lambda w: x.media.upload(w.client, b"a", **FILE),
    "media.transfer": lambda w: x.media.transfer(w.client, b"a", **FILE),
    "media.read_processing": lambda w: x.media.read_processing(w.client, STATE),
    "oauth2.exchange_code": lambda w: x.auth.oauth2.exchange_code(
        w.session, w.endpoint, app=w.app, code="c", redirect_uri="u", verifier="v"
    ),
    "oauth2.refresh": lambda w: x.auth.oauth2.refresh(
        w.session, w.endpoint, app=w.app, refresh_token="r"
    ),
    "oauth2.revoke": lambda w: x.auth.oauth2.revoke(w.session, w.endpoint, app=w.app, token="r"),
    "oauth2.get_app_token": lambda w: x.auth.oauth2.get_app_token(w.session, app=w.keys),
    "oauth1_flow.get_request_token": lambda w: oauth1_flow.get_request_token(w.session, app=w.keys),
    "oauth1_flow.exchange": lambda w: oauth1_flow.exchange(
        w.session,
        app=w.keys,
        request_token=oauth1_flow.RequestToken("a", "s", w.endpoint),
        verifier="v",
    ),
    "oauth1_flow.invalidate": lambda w: oauth1_flow.invalidate(w.session, credential=w.keys),
    "server_time.fetch": lambda w: server_time.fetch(
        w.session, w.endpoint, server_time.ServerTime()
    ),
}
#: Further calls of functions in `CALLS`. Each sends another request than the call in `CALLS`.
MORE: Mapping[str, Callable[[Credentials], Awaitable[object]]] = {
    "an upload through API v1.1": lambda w: x.media.upload(
        w.client, b"a", **FILE, upload_api="v1.1"
    ),
    "a signed create": lambda w: x.posts.create(
        x.Client(None, oauth1=w.keys, session=w.session), text="Hello"
    ),
    "a refresh before expiry": lambda w: w.memory().get(),
}
EVERY = {**CALLS, **MORE}


def public_calls() -> set[str]:
    """Return every public function of `roost.x` with a client or session parameter."""
    found = set()
    modules = [
        f"{package.__name__}.{info.name}"
        for package in (roost.x, roost.x.auth)
        for info in pkgutil.iter_modules(package.__path__)
    ]
    for module_name in modules:
        module = importlib.import_module(module_name)
        for name, value in vars(module).items():
            is_call = inspect.iscoroutinefunction(value) or inspect.isasyncgenfunction(value)
            home = getattr(value, "__module__", "")
            if name.startswith("_") or not is_call or not home.startswith(module.__name__):
                continue
            if {"client", "session"} & set(inspect.signature(value).parameters):
                found.add(f"{module_name.rpartition('.')[2]}.{name}")
    return found - {"transport.exchange"}


def test_cases_cover_every_public_call() -> None:
    assert public_calls() == CALLS.keys()


@pytest.mark.parametrize("call", EVERY.values(), ids=EVERY.keys())
@pytest.mark.parametrize(
    ("endpoint", "allowed"),
    [(LIVE, {"api.x.com", "upload.twitter.com"}), (EMULATOR, {"127.0.0.1"})],
    ids=["live", "emulator"],
)
async def test_call_requests_only_hosts_of_its_endpoint(
    recording: tuple[aiohttp.ClientSession, set[str]],
    endpoint: x.XEndpoint,
    allowed: set[str],
    call: Callable[[Credentials], Awaitable[object]],
) -> None:
    session, hosts = recording
    with contextlib.suppress(x.errors.XError):
        await call(Credentials(session, hosts, endpoint))
    assert hosts, "no request was sent"
    assert hosts <= allowed


#: Calls with secrets of two endpoints.
MIXED: Mapping[str, Callable[[Credentials, x.XEndpoint], Awaitable[object]]] = {
    "code": lambda w, other: x.auth.oauth2.exchange_code(
        w.session, other, app=w.app, code="c", redirect_uri="u", verifier="v"
    ),
    "refresh": lambda w, other: x.auth.oauth2.refresh(
        w.session, other, app=w.app, refresh_token="r"
    ),
    "revoke": lambda w, other: x.auth.oauth2.revoke(w.session, other, app=w.app, token="r"),
    "memory": lambda w, other: x.MemoryTokens(
        replace(w.grant(), endpoint=other), app=w.app, session=w.session
    ).get(),
    "client": lambda w, other: x.users.read_me(
        x.Client(x.FixedToken("t", other), oauth1=w.keys, session=w.session)
    ),
    "oauth1 exchange": lambda w, other: oauth1_flow.exchange(
        w.session, app=w.keys, request_token=oauth1_flow.RequestToken("a", "s", other), verifier="v"
    ),
}


@pytest.mark.parametrize("call", MIXED.values(), ids=MIXED.keys())
@pytest.mark.parametrize(
    ("one", "other"),
    [(LIVE, EMULATOR), (EMULATOR, LIVE), (EMULATOR, x.XEndpoint("http://127.0.0.1:10"))],
    ids=["live_to_emulator", "emulator_to_live", "two_emulators"],
)
async def test_call_refuses_secrets_of_two_endpoints(
    recording: tuple[aiohttp.ClientSession, set[str]],
    one: x.XEndpoint,
    other: x.XEndpoint,
    call: Callable[[Credentials, x.XEndpoint], Awaitable[object]],
) -> None:
    session, hosts = recording
    with pytest.raises(UnsafeHost):
        await call(Credentials(session, hosts, one), other)
    assert hosts == set()


@pytest.mark.parametrize("base_url", ["https://api.x.com", "http://127.0.0.1:10"])
async def test_twitter_tool_sends_the_apps_secret_to_no_other_endpoint(
    monkeypatch: pytest.MonkeyPatch, base_url: str
) -> None:
    monkeypatch.setenv("ROOST_X_BASE_URL", base_url)
    monkeypatch.setenv("TWITTER_CLIENT_ID", "an-app")
    monkeypatch.setenv("TWITTER_CLIENT_SECRET", "a-client-secret")
    async with TwitterTool("a token", endpoint=EMULATOR) as tool:
        with pytest.raises(UnsafeHost):
            await tool.refresh_twitter_token("r")


def test_urls_of_x_are_created_and_requested_in_one_module_each() -> None:
    source = Path(roost.x.__file__).parents[1]
    requesting, creating = set(), set()
    for path in source.rglob("*.py"):
        name = path.relative_to(source).as_posix()
        text = path.read_text("utf-8")
        if re.search(r"\bXUrl\(", text):
            creating.add(name)
        if re.search(r"[sS]ession\.(request|get|post|put|delete|ws_connect)\(|urlopen\(", text):
            requesting.add(name)
    assert creating == {"endpoint.py"}
    assert requesting == {
        "x/transport.py",
        # The following files send requests, but no secret.
        "emulator_clock.py",
        "services/health/installation.py",
        "cli/callback_listener.py",
        "cli/connect.py",
        "cli/demo/emulator.py",
    }
