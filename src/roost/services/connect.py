"""Connects an X account: out to X's page of consent, back with a code, into the vault."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from roost import store, x
from roost.account_client import StoredTokenSource
from roost.errors import AccountConnectedElsewhere, ConnectFlowInvalid, ConsentDenied
from roost.models import Integration, Tenant
from roost.runtime import Runtime
from roost.settings import DEFAULT_SCOPES
from roost.store.database import Transaction
from roost.store.integrations import Identity, Tokens

#: A person has this long at X's page of consent.
_FLOW_LIVES: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Departure:
    """A browser about to leave for X."""

    url: str
    """X's page of consent."""
    browser: str = field(repr=False)
    """What the browser has to bring back, as a cookie."""


async def begin(runtime: Runtime, tenant_name: str) -> Departure:
    """Keep a one-time state and verifier, bound to the browser, and say where to send it.

    Raises: TenantNotFound, SettingInvalid (no X app), VaultKeyMissing.
    """
    app = runtime.settings.x_app()
    tenant = await store.tenants.get(runtime.database, tenant_name)
    state, browser = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    verifier = x.auth.oauth2.make_verifier()
    redirect_uri = runtime.settings.twitter_callback_url
    now = runtime.clock.now()
    async with runtime.database.for_tenant(tenant.id) as transaction:
        vault = await runtime.vault.for_tenant(transaction, tenant.id)
        await store.oauth_flows.add(
            transaction,
            vault,
            tenant.id,
            state=state,
            browser=browser,
            verifier=verifier,
            redirect_uri=redirect_uri,
            environment=app.endpoint.environment,
            client_id=app.client_id,
            now=now,
            expires_at=now + _FLOW_LIVES,
        )
    url = x.auth.oauth2.authorize_url(
        app.endpoint.consent_url,
        client_id=app.client_id,
        redirect_uri=redirect_uri,
        scopes=DEFAULT_SCOPES,
        state=state,
        challenge=x.auth.oauth2.make_challenge(verifier),
    )
    return Departure(url, browser)


async def finish(
    runtime: Runtime, *, state: str, code: str | None, error: str | None, browser: str | None
) -> tuple[Tenant, Integration]:
    """Take the browser back: exchange the code, ask X who this is, and keep the grant sealed.

    Raises: ConnectFlowInvalid (unknown, used or expired state, or another browser's),
    ConsentDenied, AccountConnectedElsewhere, and what X answers (`x.errors`).
    """
    async with runtime.database.unscoped() as transaction:
        tenant_id = await store.oauth_flows.find_tenant(transaction, state)
    if tenant_id is None:
        raise ConnectFlowInvalid("This connection is not known, or was finished already.")
    async with runtime.database.for_tenant(tenant_id) as transaction:
        vault = await runtime.vault.for_tenant(transaction, tenant_id)
        flow = await store.oauth_flows.take(transaction, vault, state)
    now = runtime.clock.now()
    if flow is None:
        raise ConnectFlowInvalid("This connection is not known, or was finished already.")
    if flow.expires_at < now:
        raise ConnectFlowInvalid("This connection took too long.")
    if browser is None or store.oauth_flows.fingerprint(browser) != flow.browser_hash:
        raise ConnectFlowInvalid("This connection was begun in another browser.")
    if error is not None or code is None:
        raise ConsentDenied(
            "X sent the browser back without consent.", next="Connect again to give it."
        )
    app = runtime.settings.x_app()
    if (flow.environment, flow.client_id) != (app.endpoint.environment, app.client_id):
        raise ConnectFlowInvalid("This connection was begun for another X, or another X app.")
    grant = await x.auth.oauth2.exchange_code(
        runtime.http,
        app.endpoint,
        app=app,
        code=code,
        redirect_uri=flow.redirect_uri,
        verifier=flow.verifier,
    )
    exchanges: list[x.Exchange] = []
    who = await x.users.read_me(
        x.Client(
            x.FixedToken(grant.access_token, grant.endpoint),
            session=runtime.http,
            on_exchange=_appending(exchanges),
            clock=runtime.clock,
        )
    )
    if grant.refresh_token is None:
        raise ConsentDenied(
            "X gave no refresh token: the scope offline.access is missing from the grant.",
            next="See that the X app may use offline.access, then connect again.",
        )
    tokens = Tokens(grant.access_token, grant.refresh_token, now + grant.expires_in)
    identity = Identity(
        x_user_id=who.id,
        username=who.username,
        name=who.name,
        subscription_type=who.subscription_type,
        environment=grant.endpoint.environment,
        client_id=app.client_id,
        scopes=grant.scopes,
    )
    async with runtime.database.for_tenant(tenant_id) as transaction:
        vault = await runtime.vault.for_tenant(transaction, tenant_id)
        if not runtime.settings.roost_shared_accounts:
            await _require_unshared(transaction, identity)
        integration = await store.integrations.upsert(
            transaction, vault, tenant_id, identity, tokens, now=now
        )
        await store.oauth_flows.add_finished(
            transaction, tenant_id, flow, state=state, account=integration.id
        )
    # The account has a number only now: what finding it out cost is written behind it.
    ledger = StoredTokenSource(runtime, integration)
    await ledger.write_token_request()
    for exchange in exchanges:
        await ledger.price(exchange)
    return await store.tenants.get_by_id(runtime.database, tenant_id), integration


async def find_connected(
    runtime: Runtime, *, state: str, browser: str | None
) -> tuple[Tenant, Integration] | None:
    """The account that this very browser has connected with this state, some minutes ago.

    For a callback page that is loaded again; nothing is asked of X, and the state stays used.
    """
    if browser is None:
        return None
    async with runtime.database.unscoped() as transaction:
        tenant_id = await store.oauth_flows.find_tenant(transaction, state)
    if tenant_id is None:
        return None
    async with runtime.database.for_tenant(tenant_id) as transaction:
        account_id = await store.oauth_flows.find_connected(
            transaction, state, browser, now=runtime.clock.now()
        )
        if account_id is None:
            return None
        account = await store.integrations.get(transaction, account_id)
    return await store.tenants.get_by_id(runtime.database, tenant_id), account


async def _require_unshared(transaction: Transaction, identity: Identity) -> None:
    """Two tenants that publish on one account do not know of each other's posts."""
    row = await transaction.run_one(
        "is_connected_elsewhere", environment=identity.environment, x_user=identity.x_user_id
    )
    if row and row["found"]:
        raise AccountConnectedElsewhere(
            f"@{identity.username} is connected by another tenant already.",
            did="The connection was not kept.",
        )


def _appending(exchanges: list[x.Exchange]) -> Callable[[x.Exchange], Awaitable[None]]:
    async def append(exchange: x.Exchange) -> None:
        exchanges.append(exchange)

    return append
