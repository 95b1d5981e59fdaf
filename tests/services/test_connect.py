"""OAuth flows work once, for one browser and one environment; tokens are encrypted."""

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from fix_emulator import Emulator
from fix_publishing import Publisher, wait_for_lock_conflict
from fix_runtime import scope_of
from roost import store
from roost.account_client import open_account
from roost.errors import (
    ConnectFlowInvalid,
    ConsentDenied,
    SettingInvalid,
    TenantNotFound,
    UnsafeHost,
    VaultKeyMissing,
)
from roost.models import Environment, Integration, IntegrationStatus, Tenant, XUserId
from roost.runtime import Runtime
from roost.services import connect, queries
from roost.services.connect import AuthorizationRedirect
from roost.store.integrations import Identity, Tokens
from roost.store.vault import Vault

ACCOUNT = "larkbooks"
LARK = Identity(XUserId("1"), ACCOUNT, "Lark", None, Environment.EMULATOR, "app", ("tweet.read",))


async def consent(
    emulator: Emulator, redirect: AuthorizationRedirect, decision: str = "allow"
) -> dict[str, Any]:
    """Answer X's consent screen; return the redirect's parameters for `complete`."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(redirect.url).query).items()}
    back = await emulator.consent(ACCOUNT, decision, **query)
    return {"state": back["state"], "code": back.get("code"), "error": back.get("error")}


async def connect_once(runtime: Runtime, tenant: Tenant, emulator: Emulator) -> Integration:
    """Connect the account by a whole OAuth flow."""
    redirect = await connect.start(runtime, scope_of(tenant))
    back = await consent(emulator, redirect)
    _, account = await connect.complete(runtime, **back, browser=redirect.browser)
    return account


async def accounts_of(runtime: Runtime, tenant: Tenant) -> list[Integration]:
    async with runtime.database.for_tenant(tenant.id) as transaction:
        return await store.integrations.list_all(transaction)


async def test_complete_stores_the_account(
    runtime: Runtime, tenant: Tenant, emulator: Emulator
) -> None:
    account = await connect_once(runtime, tenant, emulator)
    assert (account.username, account.name) == ("larkbooks", "Lark Books")
    assert account.environment is Environment.EMULATOR
    assert account.status is IntegrationStatus.CONNECTED
    assert set(account.scopes) >= {"tweet.write", "media.write", "offline.access"}
    life = account.token_expires_at - account.connected_at
    assert life == timedelta(hours=2)
    assert await accounts_of(runtime, tenant) == [account]


async def test_complete_accepts_a_state_once(
    runtime: Runtime, tenant: Tenant, emulator: Emulator
) -> None:
    redirect = await connect.start(runtime, scope_of(tenant))
    back = await consent(emulator, redirect)
    await connect.complete(runtime, **back, browser=redirect.browser)
    with pytest.raises(ConnectFlowInvalid):
        await connect.complete(runtime, **back, browser=redirect.browser)
    assert len(await accounts_of(runtime, tenant)) == 1


@pytest.mark.timing
async def test_complete_accepts_a_state_once__four_concurrent_requests(
    runtime: Runtime, tenant: Tenant, emulator: Emulator
) -> None:
    redirect = await connect.start(runtime, scope_of(tenant))
    back = await consent(emulator, redirect)
    ends = await asyncio.gather(
        *(connect.complete(runtime, **back, browser=redirect.browser) for _ in range(4)),
        return_exceptions=True,
    )
    assert sorted(type(end).__name__ for end in ends) == [*["ConnectFlowInvalid"] * 3, "tuple"]


async def test_complete_refuses_an_unknown_state(runtime: Runtime, tenant: Tenant) -> None:
    with pytest.raises(ConnectFlowInvalid):
        await connect.complete(runtime, state="made up", code="c", error=None, browser="b")


@pytest.mark.parametrize("browser", [None, "", "another"])
async def test_complete_refuses_another_browser(
    runtime: Runtime, tenant: Tenant, emulator: Emulator, browser: str | None
) -> None:
    redirect = await connect.start(runtime, scope_of(tenant))
    back = await consent(emulator, redirect)
    with pytest.raises(ConnectFlowInvalid, match="another browser"):
        await connect.complete(runtime, **back, browser=browser)
    assert await accounts_of(runtime, tenant) == []
    assert (await emulator.ground_truth())["requests"] == []


async def test_complete_accepts_a_state_for_fifteen_minutes(
    runtime: Runtime, tenant: Tenant, emulator: Emulator
) -> None:
    await emulator.freeze()
    redirect = await connect.start(runtime, scope_of(tenant))
    await emulator.jump(seconds=15 * 60)
    back = await consent(emulator, redirect)
    _, account = await connect.complete(runtime, **back, browser=redirect.browser)
    assert account.username == ACCOUNT


async def test_complete_refuses_an_expired_state(
    runtime: Runtime, tenant: Tenant, emulator: Emulator
) -> None:
    await emulator.freeze()
    redirect = await connect.start(runtime, scope_of(tenant))
    await emulator.jump(seconds=15 * 60 + 1)
    back = await consent(emulator, redirect)
    with pytest.raises(ConnectFlowInvalid, match="has expired"):
        await connect.complete(runtime, **back, browser=redirect.browser)
    assert await accounts_of(runtime, tenant) == []


async def test_complete_reports_a_denial_and_uses_the_state(
    runtime: Runtime, tenant: Tenant, emulator: Emulator
) -> None:
    redirect = await connect.start(runtime, scope_of(tenant))
    back = await consent(emulator, redirect, "deny")
    with pytest.raises(ConsentDenied):
        await connect.complete(runtime, **back, browser=redirect.browser)
    with pytest.raises(ConnectFlowInvalid):
        await connect.complete(runtime, **back, browser=redirect.browser)
    assert await accounts_of(runtime, tenant) == []


async def test_complete_refuses_a_stale_code(
    runtime: Runtime, tenant: Tenant, emulator: Emulator
) -> None:
    redirect = await connect.start(runtime, scope_of(tenant))
    back = await consent(emulator, redirect)
    await emulator.jump(seconds=31)
    with pytest.raises(ConnectFlowInvalid):
        await connect.complete(runtime, **back, browser=redirect.browser)
    assert await accounts_of(runtime, tenant) == []


async def test_reconnect_keeps_the_id_and_replaces_the_tokens(
    runtime: Runtime, tenant: Tenant, emulator: Emulator
) -> None:
    first = await connect_once(runtime, tenant, emulator)
    async with runtime.database.for_tenant(tenant.id) as transaction:
        await store.integrations.mark_needs_reconnect(transaction, first)
        vault = await runtime.vault.for_tenant(transaction, tenant.id)
        old = await store.integrations.decrypt_tokens(transaction, vault, first.id)
    again = await connect_once(runtime, tenant, emulator)
    assert (again.id, again.status) == (first.id, IntegrationStatus.CONNECTED)
    async with runtime.database.for_tenant(tenant.id) as transaction:
        vault = await runtime.vault.for_tenant(transaction, tenant.id)
        new = await store.integrations.decrypt_tokens(transaction, vault, first.id)
    assert new.access_token != old.access_token
    assert new.refresh_token != old.refresh_token


@pytest.mark.timing
async def test_concurrent_first_connections_create_one_integration(
    runtime: Runtime, tenant: Tenant
) -> None:
    tokens = Tokens("access", "refresh", runtime.clock.now())

    async def keep() -> Integration:
        async with runtime.database.for_tenant(tenant.id) as other:
            vault = await runtime.vault.for_tenant(other, tenant.id)
            now = runtime.clock.now()
            return await store.integrations.upsert(other, vault, tenant.id, LARK, tokens, now=now)

    async with runtime.database.for_tenant(tenant.id) as transaction:
        vault = await runtime.vault.for_tenant(transaction, tenant.id)
    async with runtime.database.for_tenant(tenant.id) as transaction:
        now = runtime.clock.now()
        one = await store.integrations.upsert(transaction, vault, tenant.id, LARK, tokens, now=now)
        second = asyncio.create_task(keep())
        await wait_for_lock_conflict(runtime)
    assert (await second).id == one.id


async def test_database_has_no_plain_secret(
    runtime: Runtime, tenant: Tenant, emulator: Emulator, admin_url: str
) -> None:
    redirect = await connect.start(runtime, scope_of(tenant))
    query = parse_qs(urlsplit(redirect.url).query)
    account = await connect_once(runtime, tenant, emulator)
    async with runtime.database.for_tenant(tenant.id) as transaction:
        vault = await runtime.vault.for_tenant(transaction, tenant.id)
        tokens = await store.integrations.decrypt_tokens(transaction, vault, account.id)
        flow = await store.oauth_flows.take(transaction, vault, query["state"][0])
        await transaction.raw.rollback()
    assert flow is not None
    kept = _everything(admin_url)
    assert account.x_user_id in kept  # The search finds values that are stored in plain text.
    for secret in (
        tokens.access_token,
        tokens.refresh_token,
        flow.verifier,
        query["state"][0],
        redirect.browser,
    ):
        assert secret not in kept


def _everything(admin_url: str) -> str:
    """Return every row of every table as text, read by the superuser."""
    tables = (
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
        " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    )
    rows: list[str] = []
    with psycopg.connect(admin_url) as admin:
        for (table,) in admin.execute(tables).fetchall():
            query = f"SELECT t::text FROM {table} t".encode()
            rows += [row[0] for row in admin.execute(query)]
    return "\n".join(rows)


async def test_secrets_are_not_shown_or_logged(
    runtime: Runtime, tenant: Tenant, emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    redirect = await connect.start(runtime, scope_of(tenant))
    back = await consent(emulator, redirect)
    ended = await connect.complete(runtime, **back, browser=redirect.browser)
    async with runtime.database.for_tenant(tenant.id) as transaction:
        vault = await runtime.vault.for_tenant(transaction, tenant.id)
        tokens = await store.integrations.decrypt_tokens(transaction, vault, ended[1].id)
    shown = repr((redirect, ended, tokens, vault, runtime, runtime.settings)) + caplog.text
    assert "larkbooks" in shown
    for secret in (tokens.access_token, tokens.refresh_token, redirect.browser, back["code"]):
        assert secret not in shown


async def test_error_of_a_refused_code_has_no_secret(
    runtime: Runtime, tenant: Tenant, emulator: Emulator
) -> None:
    redirect = await connect.start(runtime, scope_of(tenant))
    back = await consent(emulator, redirect) | {"code": "c3VjaC1hLWNvZGU"}
    with pytest.raises(ConnectFlowInvalid) as raised:
        await connect.complete(runtime, **back, browser=redirect.browser)
    shown = repr(raised.value) + repr(raised.value.as_dict()) + str(raised.value.__cause__)
    assert "c3VjaC1hLWNvZGU" not in shown


async def test_start_names_the_setting__no_x_app(runtime: Runtime, tenant: Tenant) -> None:
    without_client_id = runtime.settings.model_copy(update={"twitter_client_id": None})
    with pytest.raises(SettingInvalid, match="TWITTER_CLIENT_ID"):
        await connect.start(replace(runtime, settings=without_client_id), scope_of(tenant))


async def test_start_is_refused__no_vault_key(runtime: Runtime, tenant: Tenant) -> None:
    with pytest.raises(VaultKeyMissing):
        await connect.start(replace(runtime, vault=Vault(())), scope_of(tenant))


async def test_get_tenant_is_refused__unknown_name(runtime: Runtime, tenant: Tenant) -> None:
    with pytest.raises(TenantNotFound):
        await queries.get_tenant(runtime, "nobody")


async def test_ledger_has_the_cost_of_connecting(
    runtime: Runtime, tenant: Tenant, emulator: Emulator
) -> None:
    await connect_once(runtime, tenant, emulator)
    async with runtime.database.for_tenant(tenant.id) as transaction:
        requests, usd = await store.ledger.get_total(transaction)
    app = (await emulator.ground_truth())["apps"][emulator.app.client_id]
    assert (requests, str(usd)) == (2, "0.010000")
    assert app["requests"] == 2
    assert float(app["dollars"]) == 0.01


@pytest.mark.parametrize("live", ["https://api.x.com", "https://api.twitter.com"])
async def test_account_of_an_emulator_never_calls_the_real_x(
    publisher: Publisher, live: str
) -> None:
    settings = publisher.runtime.settings.model_copy(update={"x_base_url": live})
    with pytest.raises(UnsafeHost):
        open_account(replace(publisher.runtime, settings=settings), publisher.account)


async def test_live_account_never_calls_an_emulator(publisher: Publisher) -> None:
    with pytest.raises(UnsafeHost):
        open_account(publisher.runtime, replace(publisher.account, environment=Environment.LIVE))
