"""`roost connect` ends with the browser's error, and names the addresses that it uses."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from fix_emulator import Emulator
from fix_processes import environment_of
from fix_publishing import Publisher, piped_python, run_roost, wait_for_result
from fix_runtime import connect_account, make_tenant, scope_of
from fix_web import free_port, get, open_browser, serving
from roost.cli.demo.browser import give_consent
from roost.models import Tenant
from roost.runtime import Runtime
from roost.services import queries
from roost.settings import Settings

START = "/api/auth/twitter/start"


@pytest.fixture
async def local(settings: Settings, emulator: Emulator) -> Settings:
    """Settings with an X app whose callback is a free port of this machine."""
    callback = f"http://127.0.0.1:{free_port()}/api/auth/callback/twitter"
    app = await emulator.control("apps", callbacks=[callback])
    return settings.model_copy(
        update={
            "twitter_client_id": app["client_id"],
            "twitter_client_secret": app["client_secret"],
            "twitter_callback_url": callback,
        }
    )


@contextlib.asynccontextmanager
async def connecting(
    settings: Settings, folder: Path, *options: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str, str]]:
    """Run `roost connect`; yield its process, the start address and the lines before it."""
    command = ("-m", "roost", "connect", "--no-browser", "--json", *options)
    async with (
        piped_python(*command, environment=environment_of(settings), folder=folder) as process,
        asyncio.timeout(120),
    ):
        assert process.stderr is not None
        notes = line = ""
        while START not in line:
            notes += line
            line = (await process.stderr.readline()).decode()
            assert line, f"the command ended before it printed an address: {notes}"
        yield process, line.strip(), notes


async def decide(emulator: Emulator, start: str, decision: str) -> tuple[int, str]:
    """Open the start page, decide on X's consent screen; return the last status and page."""
    async with open_browser() as browser:
        answer, _ = await get(browser, start)
        query = {k: v[0] for k, v in parse_qs(urlsplit(answer.headers["location"]).query).items()}
        back = await emulator.consent("larkbooks", decision, **query)
        callback = urlsplit(start)._replace(path="/api/auth/callback/twitter", query="").geturl()
        answer, body = await get(browser, callback, **back)
        return answer.status, body


@pytest.mark.timing
async def test_connect_ends_if_consent_is_denied(
    local: Settings, tenant: Tenant, emulator: Emulator, tmp_path: Path
) -> None:
    async with connecting(local, tmp_path) as (process, start, notes):
        status, body = await decide(emulator, start, "deny")
        result = await wait_for_result(process)
    assert "No web server of Roost runs at http://127.0.0.1:" in notes
    assert (status, "consent_denied" in body) == (403, True)
    assert (result.code, result.error) == (1, "consent_denied")
    assert result.answer["error"]["did"] == "No account was connected."


@pytest.mark.timing
async def test_connect_ends_if_x_refuses_the_app__with_a_running_server(
    runtime: Runtime, local: Settings, tenant: Tenant, emulator: Emulator, tmp_path: Path
) -> None:
    wrong = local.model_copy(update={"twitter_client_secret": "wrong"})
    port = urlsplit(wrong.twitter_callback_url).port or 0
    async with (
        serving(replace(runtime, settings=wrong), port),
        connecting(wrong, tmp_path) as (process, start, notes),
    ):
        _, body = await decide(emulator, start, "allow")
        result = await wait_for_result(process)
    assert "No web server" not in notes
    assert (result.code, result.error) == (1, "app_misconfigured")
    assert "TWITTER_CLIENT_SECRET" in result.answer["error"]["next"]
    assert "app_misconfigured" in body


@pytest.mark.timing
async def test_connect_says_that_the_server_has_ended(
    runtime: Runtime, local: Settings, tenant: Tenant, tmp_path: Path
) -> None:
    port = urlsplit(local.twitter_callback_url).port or 0
    async with contextlib.AsyncExitStack() as server:
        await server.enter_async_context(serving(replace(runtime, settings=local), port))
        async with connecting(local, tmp_path) as (process, _, _):
            assert process.stderr is not None
            await server.aclose()
            line = b""
            while b"any more" not in line:
                line = await process.stderr.readline()
                assert line
    assert f"Nothing listens at http://127.0.0.1:{port} any more" in line.decode()


async def test_connect_refuses_a_callback_where_it_cannot_listen(
    settings: Settings, tenant: Tenant, tmp_path: Path
) -> None:
    away = settings.model_copy(update={"twitter_callback_url": "https://127.0.0.1:1/back"})
    result = await run_roost("connect", "--no-browser", "--json", settings=away, folder=tmp_path)
    assert (result.code, result.error) == (1, "callback_not_served")
    assert "https://127.0.0.1:1" in result.answer["error"]["message"]


@pytest.mark.timing
async def test_connect_refuses_the_account_of_another_tenant(
    publisher: Publisher, local: Settings, emulator: Emulator, tmp_path: Path
) -> None:
    await make_tenant(publisher.runtime, "acme")
    async with connecting(local, tmp_path, "--tenant", "acme") as (process, start, _):
        await decide(emulator, start, "allow")
        result = await wait_for_result(process)
    assert (result.code, result.error) == (1, "account_connected_elsewhere")


@pytest.mark.timing
async def test_connect_says_that_another_tenant_has_the_account(
    publisher: Publisher, local: Settings, tmp_path: Path
) -> None:
    await make_tenant(publisher.runtime, "acme")
    shared = local.model_copy(update={"shared_accounts": True})
    environment = environment_of(shared) | {"ROOST_SHARED_ACCOUNTS": "true"}
    command = ("-m", "roost", "connect", "--no-browser", "--tenant", "acme")
    async with (
        piped_python(*command, environment=environment, folder=tmp_path) as process,
        asyncio.timeout(120),
    ):
        assert process.stderr is not None
        line = ""
        while START not in line:
            line = (await process.stderr.readline()).decode()
            assert line
        await give_consent(line.strip(), "larkbooks")
        result = await wait_for_result(process)
    assert result.code == 0
    assert "Another tenant has connected @larkbooks too" in result.out


async def test_page_of_an_account_says_that_another_tenant_has_it(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession, emulator: Emulator
) -> None:
    runtime = publisher.runtime
    _, alone = await get(browser, f"{web}/accounts/{publisher.account.id}")
    other = await make_tenant(runtime, "acme")
    await connect_account(runtime, other, emulator, "larkbooks")
    _, shared = await get(browser, f"{web}/accounts/{publisher.account.id}")
    assert ("Another tenant" in alone, "Another tenant" in shared) == (False, True)
    (account,) = await queries.list_accounts(runtime, scope_of(other))
    assert await queries.is_shared_account(runtime, scope_of(other), account)


@pytest.mark.timing
@pytest.mark.parametrize("is_same", [True, False], ids=["same port", "other port"])
async def test_serve_warns_if_the_callback_has_another_port(
    local: Settings, tenant: Tenant, tmp_path: Path, is_same: bool
) -> None:
    port = urlsplit(local.twitter_callback_url).port if is_same else 0
    command = ("-m", "roost", "serve", "--port", str(port), "--json")
    async with (
        piped_python(*command, environment=environment_of(local), folder=tmp_path) as process,
        asyncio.timeout(120),
    ):
        assert process.stdout is not None
        assert json.loads(await process.stdout.readline())["url"]
        process.terminate()
        result = await wait_for_result(process)
    assert ("TWITTER_CALLBACK_URL" in result.err) is not is_same
