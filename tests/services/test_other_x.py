"""No use case sends data of an account to another environment than the account's own.

The process works with one environment (live or emulator), and the account belongs to the other. A
listener in place of the process's X records all requests. To check the listener, the tests also
make calls for an account of the process's own environment, which the listener must receive.
"""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

import roost
from fix_processes import python_process, until
from fix_publishing import Publisher
from fix_runtime import ACTOR
from roost import store, x
from roost.account_client import StoredTokenSource, open_account
from roost.errors import ConnectFlowInvalid, UnsafeHost
from roost.models import Environment, Integration, PostId, PostState
from roost.services import collect, connect, dispatch, health, publish, resolve, resume
from roost.services.clock_check import ClockCheck
from roost.store.integrations import Identity, Tokens

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
OTHER: Mapping[Environment, Environment] = {
    Environment.LIVE: Environment.EMULATOR,
    Environment.EMULATOR: Environment.LIVE,
}


@dataclass
class Counter:
    """Counts connections, stores the bytes that it receives, and closes the connections."""

    port: int = 0
    connections: int = 0
    received: bytes = b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError):
            self.received += await reader.read(64 * 1024)
        writer.close()


class ToCounter(aiohttp.abc.AbstractResolver):
    """Resolves every host name to the listener."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> Any:
        return [
            {
                "hostname": host, "host": "127.0.0.1", "port": self._counter.port,
                "family": family, "proto": 0, "flags": 0,
            }
        ]  # fmt: skip

    async def close(self) -> None:
        pass


@pytest.fixture
async def counter() -> AsyncIterator[Counter]:
    """A listener that the tests use in place of X."""
    counter = Counter()
    server = await asyncio.start_server(counter.serve, "127.0.0.1", 0)
    counter.port = server.sockets[0].getsockname()[1]
    yield counter
    server.close()


@pytest.fixture(params=list(Environment))
async def process(
    request: pytest.FixtureRequest, publisher: Publisher, counter: Counter
) -> AsyncIterator[Publisher]:
    """A publisher in a process of one environment, which sends to the listener instead of X."""
    is_live = request.param is Environment.LIVE
    base_url = "https://api.x.com" if is_live else f"http://127.0.0.1:{counter.port}"
    settings = publisher.runtime.settings.model_copy(update={"x_base_url": base_url})
    connector = aiohttp.TCPConnector(resolver=ToCounter(counter))
    async with aiohttp.ClientSession(connector=connector) as http:
        yield replace(
            publisher, runtime=replace(publisher.runtime, settings=settings, http=lambda: http)
        )


async def account_of(publisher: Publisher, environment: Environment) -> Integration:
    """Store an account of an environment, with an expired access token."""
    identity = Identity(
        x_user_id=publisher.account.x_user_id,
        username=publisher.account.username,
        name=publisher.account.name,
        subscription_type=None,
        environment=environment,
        client_id=publisher.account.client_id,
        scopes=publisher.account.scopes,
    )
    tokens = Tokens("an access token", "a refresh token", LONG_AGO)
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        vault = await publisher.runtime.vault.for_tenant(transaction, publisher.tenant.id)
        return await store.integrations.upsert(
            transaction,
            vault,
            publisher.tenant.id,
            identity,
            tokens,
            now=publisher.runtime.clock.now(),
        )


async def schedule_publishing(
    publisher: Publisher, *texts: str, media: Path | None = None
) -> PostId:
    """Schedule a post, and make it `publishing` as the dispatcher of its environment does."""
    post_id = await publisher.schedule(*texts, media=media)
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        await transaction.raw.execute(
            "UPDATE posts SET state = 'publishing', prepare_at = NULL WHERE id = %s", [post_id]
        )
    return post_id


async def partly_published(publisher: Publisher) -> PostId:
    """Store a thread whose first part is on X and whose second part was refused."""
    post_id = await schedule_publishing(publisher, "One", "Two")
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        for change in (
            "UPDATE parts SET state = 'sending' WHERE post_id = %s AND position = 1",
            "UPDATE parts SET state = 'sent', sent_as = '20', sent_at = now()"
            " WHERE post_id = %s AND position = 1",
            "UPDATE parts SET state = 'failed' WHERE post_id = %s AND position = 2",
            "UPDATE posts SET state = 'partly_published' WHERE id = %s",
        ):
            await transaction.raw.execute(change, [post_id])
    return post_id


async def get_token(publisher: Publisher, _: Path) -> None:
    with contextlib.suppress(roost.RoostError):
        await StoredTokenSource(publisher.runtime, publisher.account).get()


async def refresh_token(publisher: Publisher, _: Path) -> None:
    with contextlib.suppress(roost.RoostError):
        await StoredTokenSource(publisher.runtime, publisher.account).refresh("an access token")


async def read_account(publisher: Publisher, _: Path) -> None:
    with contextlib.suppress(roost.RoostError):
        client = open_account(publisher.runtime, publisher.account)
        await x.users.read_me(client)


async def publish_a_post(publisher: Publisher, _: Path) -> None:
    post_id = await schedule_publishing(publisher, "Hello")
    await publish.publish_post(
        publisher.runtime, publisher.scope, publisher.locks, publisher.account.id, post_id
    )


async def prepare_a_post(publisher: Publisher, teal: Path) -> None:
    post_id = await schedule_publishing(publisher, "Hello", media=teal)
    await publish.prepare_post(
        publisher.runtime, publisher.scope, publisher.locks, publisher.account.id, post_id
    )


async def collect_metrics(publisher: Publisher, _: Path) -> None:
    await collect.collect_account(publisher.runtime, publisher.scope, publisher.account.id)


async def delete_a_thread(publisher: Publisher, _: Path) -> None:
    post_id = await partly_published(publisher)
    own = publisher.account.environment is publisher.runtime.settings.environment
    with contextlib.suppress(roost.RoostError):
        await resolve.delete_sent(publisher.runtime, publisher.scope, post_id)
    state = (await publisher.get_post(post_id)).state
    assert state is (PostState.CANCELLED if own else PostState.PARTLY_PUBLISHED)


async def search_after_a_restore(publisher: Publisher, _: Path) -> None:
    post_id = await publisher.schedule("Hello", after_s=3600)
    resumed = resume.Resumed()
    search = resume._Search(
        publisher.runtime, ACTOR, publisher.account, publisher.runtime.clock.now(), resumed
    )
    with contextlib.suppress(roost.RoostError):
        await search.run([post_id])


async def look_at_accounts(publisher: Publisher, _: Path) -> None:
    await health.check_account(publisher.runtime, publisher.account, live=True)


async def finish_a_connection(publisher: Publisher, _: Path) -> None:
    environment = publisher.account.environment
    base_url = {Environment.LIVE: "https://api.x.com"}.get(environment, "http://127.0.0.1:9")
    if environment is publisher.runtime.settings.environment:
        base_url = publisher.runtime.settings.x_base_url
    settings = publisher.runtime.settings.model_copy(update={"x_base_url": base_url})
    departure = await connect.start(replace(publisher.runtime, settings=settings), publisher.scope)
    state = parse_qs(urlsplit(departure.url).query)["state"][0]
    with contextlib.suppress(roost.RoostError):
        await connect.complete(
            publisher.runtime, state=state, code="a code", error=None, browser=departure.browser
        )


#: Every use case that sends data of an account to X: its module, and a function that calls it.
CALLS: Mapping[str, tuple[str, Callable[[Publisher, Path], Awaitable[None]]]] = {
    "get a token": ("account_client", get_token),
    "refresh": ("account_client", refresh_token),
    "read the account": ("account_client", read_account),
    "publish": ("services.publish", publish_a_post),
    "upload": ("services.publish", prepare_a_post),
    "collect": ("services.collect", collect_metrics),
    "delete": ("services.resolve", delete_a_thread),
    "search after a restore": ("services.resume", search_after_a_restore),
    "doctor --live": ("services.health", look_at_accounts),
    "connect": ("services.connect", finish_a_connection),
}
#: Modules that send requests to X without an account: this one reads X's time without a token.
WITHOUT_ACCOUNT = {"services.clock_check"}


def test_cases_include_every_module_that_calls_x() -> None:
    source = Path(roost.__file__).parent
    found = set()
    for path in source.rglob("*.py"):
        module = ".".join(path.relative_to(source).with_suffix("").parts)
        reaches = re.search(
            r"\b(open_account|open_client|StoredTokenSource)\(|\bruntime\.http\b",
            path.read_text("utf-8"),
        )
        if reaches and not module.startswith("x."):
            package = ".".join(module.split(".")[:2])
            found.add(package.removesuffix(".__init__"))
    assert found == {module for module, _ in CALLS.values()} | WITHOUT_ACCOUNT


@pytest.mark.parametrize("call", [call for _, call in CALLS.values()], ids=CALLS.keys())
async def test_use_case_sends_nothing__account_of_another_x(
    process: Publisher,
    counter: Counter,
    teal: Path,
    call: Callable[[Publisher, Path], Awaitable[None]],
) -> None:
    other = OTHER[process.runtime.settings.environment]
    foreign = replace(process, account=await account_of(process, other))
    before = await rows_of(foreign)
    await call(foreign, teal)
    assert (counter.connections, counter.received) == (0, b"")
    assert await rows_of(foreign) == before


@pytest.mark.parametrize("call", [call for _, call in CALLS.values()], ids=CALLS.keys())
async def test_use_case_reaches_x__account_of_this_x(
    process: Publisher,
    counter: Counter,
    teal: Path,
    call: Callable[[Publisher, Path], Awaitable[None]],
) -> None:
    own = await account_of(process, process.runtime.settings.environment)
    await call(replace(process, account=own), teal)
    assert counter.received


async def rows_of(publisher: Publisher) -> list[Any]:
    """Return the account's columns that a process of another environment must not change."""
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        rows = await transaction.raw.execute(
            "SELECT status, health, backoff_until, consecutive_refusals, api_key"
            " FROM integrations WHERE id = %s",
            [publisher.account.id],
        )
        return await rows.fetchall()


async def test_clock_check_asks_x_without_a_token(process: Publisher, counter: Counter) -> None:
    await ClockCheck(process.runtime)._ask_x()
    assert b"authorization" not in counter.received.lower()
    for secret in ("an access token", "a refresh token", process.emulator.app.client_secret):
        assert secret.encode() not in counter.received


async def test_error_names_the_account_and_its_environment(process: Publisher) -> None:
    other = OTHER[process.runtime.settings.environment]
    account = await account_of(process, other)
    with pytest.raises(UnsafeHost, match=f"@{account.username} belongs to"):
        await StoredTokenSource(process.runtime, account).get()


async def test_complete_refuses_a_flow_started_for_another_app(
    process: Publisher, counter: Counter
) -> None:
    departure = await connect.start(process.runtime, process.scope)
    state = parse_qs(urlsplit(departure.url).query)["state"][0]
    another = process.with_settings(twitter_client_id="another").runtime
    with pytest.raises(ConnectFlowInvalid, match="environment or X app"):
        await connect.complete(
            another, state=state, code="c", error=None, browser=departure.browser
        )
    assert counter.received == b""


@pytest.mark.timing
async def test_worker_gets_no_job_of_another_x(publisher: Publisher, tmp_path: Path) -> None:
    live = replace(publisher, account=await account_of(publisher, Environment.LIVE))
    await live.set_next_collection(publisher.runtime.clock.now() + timedelta(days=365))
    theirs, ours = await live.schedule("Of the real X"), await publisher.schedule("Of the emulator")
    settings = publisher.runtime.settings.model_copy(update={"x_base_url": "https://api.x.com"})
    assert (await dispatch.dispatch_due(replace(publisher.runtime, settings=settings))).queued == 1

    async def is_out() -> bool:
        return (await publisher.get_post(ours)).state is PostState.PUBLISHED

    log = tmp_path / "worker.log"
    async with python_process(
        "-m", "roost", "worker", settings=publisher.runtime.settings, log=log
    ):
        await until(is_out, within=60)
    async with publisher.runtime.database.unscoped() as transaction:
        rows = await transaction.raw.execute(
            "SELECT queue_name, status::text, attempts, args FROM procrastinate_jobs"
            " WHERE task_name = 'publish'"
        )
        (job,) = await rows.fetchall()
    assert (*job[:3], job[3]["post_id"]) == ("publish.live", "todo", 0, theirs)
    assert [event for event in await publisher.list_history(theirs) if "waits" in event] == []
    assert json.dumps(await publisher.published_texts()) == '["Of the emulator"]'
