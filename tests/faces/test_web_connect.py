"""Tests of connecting an account over HTTP, and of the requests that are refused."""

import asyncio
import json
import re
import signal
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from fix_emulator import Emulator
from fix_processes import environment_of
from fix_web import get, open_browser, serving
from roost import store
from roost.errors import UnsafeListenAddress
from roost.models import Integration, Tenant
from roost.ports import PortTaken
from roost.runtime import Runtime
from roost.settings import Settings
from roost.web import server

ACCOUNT = "larkbooks"


async def start(browser: aiohttp.ClientSession, web: str) -> dict[str, str]:
    """Start an OAuth flow; return the query parameters that X's consent screen receives."""
    answer, body = await get(browser, f"{web}/api/auth/twitter/start", tenant="default")
    assert answer.status == 302, body
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    return {name: values[0] for name, values in query.items()}


async def call_back(
    browser: aiohttp.ClientSession, web: str, query: dict[str, str]
) -> tuple[aiohttp.ClientResponse, str]:
    """Load the callback address, as the browser does when X redirects it there."""
    return await get(browser, f"{web}/api/auth/callback/twitter", **query)


async def accounts_of(runtime: Runtime, tenant: Tenant) -> list[Integration]:
    """Return the tenant's accounts."""
    async with runtime.database.for_tenant(tenant.id) as transaction:
        return await store.integrations.list_all(transaction)


async def test_callback_redirects_to_the_accounts_page(
    web: str, browser: aiohttp.ClientSession, runtime: Runtime, tenant: Tenant, emulator: Emulator
) -> None:
    back = await emulator.consent(ACCOUNT, **await start(browser, web))
    answer, _ = await call_back(browser, web, back)
    (account,) = await accounts_of(runtime, tenant)
    assert answer.status == 303
    assert answer.headers["location"] == f"/accounts/{account.id}?tenant=default"
    page, body = await get(browser, web + answer.headers["location"])
    assert page.status == 200
    assert f"@{ACCOUNT}" in body


async def test_start_sets_a_cookie_that_scripts_cannot_read(
    web: str, browser: aiohttp.ClientSession, tenant: Tenant
) -> None:
    answer, _ = await get(browser, f"{web}/api/auth/twitter/start", tenant=tenant.name)
    (cookie,) = answer.cookies.values()
    assert cookie["httponly"]
    assert cookie["samesite"] == "lax"
    assert cookie["path"] == "/api/auth"
    assert 0 < int(cookie["max-age"]) <= 3600
    assert cookie.value not in answer.headers["location"]


async def test_callback_refuses_another_browser_and_ends_the_connection(
    web: str, browser: aiohttp.ClientSession, runtime: Runtime, tenant: Tenant, emulator: Emulator
) -> None:
    back = await emulator.consent(ACCOUNT, **await start(browser, web))
    async with open_browser() as thief:
        await start(thief, web)  # The thief's cookie belongs to another OAuth flow.
        answer, body = await call_back(thief, web, back)
    assert answer.status == 403
    assert "started in another browser" in body
    answer, body = await call_back(browser, web, back)
    assert answer.status == 403
    assert "connect_flow_invalid" in body
    assert await accounts_of(runtime, tenant) == []


async def test_callback_page_that_is_loaded_again_shows_the_account(
    web: str, browser: aiohttp.ClientSession, runtime: Runtime, tenant: Tenant, emulator: Emulator
) -> None:
    back = await emulator.consent(ACCOUNT, **await start(browser, web))
    first, _ = await call_back(browser, web, back)
    (account,) = await accounts_of(runtime, tenant)
    requests = len((await emulator.ground_truth())["requests"])
    for query in (back, back, {"state": back["state"], "code": "stale"}, {"state": back["state"]}):
        again, _ = await call_back(browser, web, query)
        assert (first.status, again.status) == (303, 303)
        assert again.headers["location"] == f"{first.headers['location']}&already_connected=1"
    _, body = await get(browser, web + again.headers["location"])
    assert "already connected" in body
    _, body = await get(browser, web + first.headers["location"])
    assert "already connected" not in body
    assert await accounts_of(runtime, tenant) == [account]
    assert len((await emulator.ground_truth())["requests"]) == requests


async def test_callback_that_another_browser_loads_again_is_refused(
    web: str, browser: aiohttp.ClientSession, tenant: Tenant, emulator: Emulator
) -> None:
    back = await emulator.consent(ACCOUNT, **await start(browser, web))
    await call_back(browser, web, back)
    async with open_browser() as thief, open_browser() as with_cookie:
        await start(with_cookie, web)
        for other in (thief, with_cookie):
            again, body = await call_back(other, web, back)
            assert again.status == 403
            assert "already completed" in body
            assert ACCOUNT not in body


async def test_callback_can_be_loaded_again_for_15_minutes(
    web: str, browser: aiohttp.ClientSession, runtime: Runtime, tenant: Tenant, emulator: Emulator
) -> None:
    await emulator.freeze()
    back = await emulator.consent(ACCOUNT, **await start(browser, web))
    await call_back(browser, web, back)
    await emulator.jump(seconds=15 * 60)
    again, _ = await call_back(browser, web, back)
    assert again.status == 303
    await emulator.jump(seconds=1)
    again, body = await call_back(browser, web, back)
    assert again.status == 403
    assert "connect_flow_invalid" in body


async def test_callback_with_a_trailing_slash_is_served(
    web: str, browser: aiohttp.ClientSession, tenant: Tenant, emulator: Emulator
) -> None:
    back = await emulator.consent(ACCOUNT, **await start(browser, web))
    answer, _ = await get(browser, f"{web}/api/auth/callback/twitter/", **back)
    assert answer.status == 303
    assert answer.headers["location"].startswith("/accounts/")


async def test_callback_reports_a_denial(
    web: str, browser: aiohttp.ClientSession, runtime: Runtime, tenant: Tenant, emulator: Emulator
) -> None:
    back = await emulator.consent(ACCOUNT, "deny", **await start(browser, web))
    answer, body = await call_back(browser, web, back)
    assert answer.status == 403
    assert answer.content_type == "text/html"
    assert "consent_denied" in body
    assert "without consent" in body
    assert await accounts_of(runtime, tenant) == []


async def test_two_connections_in_two_tabs_both_succeed(
    web: str, browser: aiohttp.ClientSession, tenant: Tenant, emulator: Emulator
) -> None:
    one, two = await start(browser, web), await start(browser, web)
    for username, query in ((ACCOUNT, one), ("tidewatcher", two)):
        answer, body = await call_back(browser, web, await emulator.consent(username, **query))
        assert answer.status == 303, body


async def test_start_redirects_to_the_callbacks_host(
    web: str, browser: aiohttp.ClientSession, tenant: Tenant
) -> None:
    port = urlsplit(web).port
    async with browser.get(
        f"{web}/api/auth/twitter/start?tenant=default",
        headers={"host": f"localhost:{port}"},
        allow_redirects=False,
    ) as answer:
        assert answer.status == 302
        assert answer.headers["location"] == f"{web}/api/auth/twitter/start?tenant=default"
        assert not answer.cookies


OTHER_SITES = ("cross-site", "same-site")


@pytest.mark.parametrize("site", OTHER_SITES)
async def test_a_link_on_another_site_needs_a_click_to_start_a_connection(
    runtime: Runtime, tenant: Tenant, browser: aiohttp.ClientSession, web: str, site: str
) -> None:
    headers = {"sec-fetch-site": site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    url = f"{web}/api/auth/twitter/start"
    async with browser.get(url, headers=headers, allow_redirects=False) as answer:
        assert answer.status == 200
        body = await answer.text()
        assert "set-cookie" not in answer.headers
    assert 'href="/api/auth/twitter/start?tenant=default"' in body
    async with runtime.database.for_tenant(tenant.id) as transaction:
        rows = await transaction.raw.execute("SELECT state_hash FROM oauth_flows")
        assert await rows.fetchall() == []


@pytest.mark.parametrize("site", OTHER_SITES)
@pytest.mark.parametrize(
    ("mode", "kind"),
    [("no-cors", "image"), ("cors", "empty"), ("navigate", "iframe"), ("navigate", "object")],
)
async def test_no_route_can_be_embedded_by_another_site(
    runtime: Runtime, browser: aiohttp.ClientSession, web: str, site: str, mode: str, kind: str
) -> None:
    headers = {"sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": kind}
    for route in server.make_app(runtime).routes:
        path = re.sub(r"\{\w+\}", "1", getattr(route, "path", "/"))
        async with browser.get(web + path, headers=headers, allow_redirects=False) as answer:
            assert (path, answer.status) == (path, 403)


async def test_another_site_can_link_to_the_pages(browser: aiohttp.ClientSession, web: str) -> None:
    headers = {
        "sec-fetch-site": "cross-site",
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "document",
    }
    for path in ("/", "/posts", "/api/auth/callback/twitter?state=x&code=y"):
        async with browser.get(web + path, headers=headers, allow_redirects=False) as answer:
            assert "cross_site_request" not in await answer.text()


@pytest.mark.parametrize("path", ["/", "/api/posts", "/api/auth/twitter/start", "/healthz"])
async def test_a_host_that_is_not_this_machine_is_refused(
    web: str, browser: aiohttp.ClientSession, tenant: Tenant, path: str
) -> None:
    hosts = (
        "roost.example", "127.0.0.1.roost.example:80", "10.0.0.1", "",
        "[::1]roost.example", "127.0.0.1:roost.example", "127.0.0.1@roost.example",
    )  # fmt: skip
    for host in hosts:
        async with browser.get(web + path, headers={"host": host}, allow_redirects=False) as answer:
            assert answer.status == 403, host
            assert "unsafe_host" in await answer.text(), host


async def test_two_host_headers_are_refused(web: str, tenant: Tenant) -> None:
    address = urlsplit(web)
    assert address.hostname
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: roost.example\r\nConnection: close\r\n\r\n"
        )
        assert b"unsafe_host" in await reader.read()
    finally:
        writer.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "roost.example", "127.1", ""])
def test_other_addresses_than_loopback_are_refused(host: str) -> None:
    with pytest.raises(UnsafeListenAddress):
        server.require_loopback(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1", "localhost"])
def test_loopback_addresses_are_accepted(host: str) -> None:
    server.require_loopback(host)


async def test_a_taken_port_is_reported(runtime: Runtime, web: str) -> None:
    port = urlsplit(web).port or 0
    with pytest.raises(PortTaken, match=f"^Another program listens on port {port} of 127.0.0.1.$"):
        await server.serve(runtime, "127.0.0.1", port, on_listening=lambda _: None)


async def test_a_cancelled_server_frees_its_port(
    runtime: Runtime, browser: aiohttp.ClientSession
) -> None:
    async with serving(runtime) as url:
        answer, _ = await get(browser, f"{url}/healthz")
        assert answer.status == 200
    with pytest.raises(aiohttp.ClientConnectorError):
        await get(browser, f"{url}/healthz")


@pytest.mark.parametrize("path", ["/", "/posts?tenant=missing", "/static/roost.css", "/api/posts"])
async def test_every_response_has_safe_headers(
    web: str, browser: aiohttp.ClientSession, tenant: Tenant, path: str
) -> None:
    answer, _ = await get(browser, web + path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.timing
async def test_no_secret_is_in_any_response_or_log(
    settings: Settings, runtime: Runtime, tenant: Tenant, emulator: Emulator, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "roost", "serve", "--port", "0", "--json"),
            env=environment_of(settings),
            stdout=asyncio.subprocess.PIPE,
            stderr=file,
        )
    assert process.stdout is not None
    url = json.loads(await process.stdout.readline())["url"]
    outputs: list[str] = []
    async with open_browser() as browser:
        query = await start(browser, url)
        secrets = {cookie.value for cookie in browser.cookie_jar}
        back = await emulator.consent(ACCOUNT, **query)
        secrets |= {back["code"], back["state"]}
        for attempt in (back, back, {"state": back["state"], "code": "stale"}):
            answer, body = await call_back(browser, url, attempt)
            outputs += [body, *answer.headers.values()]
        for path in ("/", "/posts", "/accounts/1", "/api/accounts", "/api/posts", "/healthz"):
            outputs.append((await get(browser, url + path))[1])
    process.send_signal(signal.SIGTERM)
    assert await process.wait() >= 0  # The server exited by itself; the signal did not kill it.
    async with runtime.database.for_tenant(tenant.id) as transaction:
        (account,) = await store.integrations.list_all(transaction)
        vault = await runtime.vault.for_tenant(transaction, tenant.id)
        tokens = await store.integrations.decrypt_tokens(transaction, vault, account.id)
    secrets |= {tokens.access_token, tokens.refresh_token, emulator.app.client_secret}
    outputs.append(log.read_text())
    assert not [secret for secret in secrets for text in outputs if secret in text]
