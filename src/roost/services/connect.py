"""Connects an X account by OAuth 2.0, and stores its tokens encrypted by the vault."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from roost import store, x
from roost.account_client import StoredTokenSource
from roost.errors import AccountConnectedElsewhere, ConnectFlowInvalid, ConsentDenied
from roost.models import Integration, Scope, Tenant
from roost.runtime import Runtime
from roost.settings import DEFAULT_SCOPES
from roost.store.database import Transaction
from roost.store.integrations import Identity, Tokens

#: How long a user may take to consent on X's consent screen.
_FLOW_LIFETIME: Final = timedelta(minutes=15)
_UNKNOWN_FLOW: Final = "This attempt to connect an account is unknown or already completed."


@dataclass(frozen=True, slots=True)
class AuthorizationRedirect:
    """The address to which the browser is redirected, and a cookie to identify the browser."""

    url: str
    """The address of X's consent screen."""
    browser: str = field(repr=False)
    """A secret that the browser must send back as a cookie."""


async def start(runtime: Runtime, scope: Scope) -> AuthorizationRedirect:
    """Start an OAuth flow: store its state and verifier, and return the redirect to X.

    Only the browser that started the flow can complete it, once, within 15 minutes.

    Raises: SettingInvalid if no X app is set, VaultKeyMissing.
    """
    app = runtime.settings.x_app()
    state, browser = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    verifier = x.auth.oauth2.make_verifier()
    redirect_uri = runtime.settings.twitter_callback_url
    now = runtime.clock.now()
    flow = store.oauth_flows.Flow(
        verifier=verifier,
        browser_hash=store.oauth_flows.fingerprint(browser),
        redirect_uri=redirect_uri,
        environment=app.endpoint.environment,
        client_id=app.client_id,
        expires_at=now + _FLOW_LIFETIME,
    )
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        vault = await runtime.vault.for_tenant(transaction, scope.tenant_id)
        await store.oauth_flows.add(transaction, vault, scope.tenant_id, flow, state=state, now=now)
    url = x.auth.oauth2.authorize_url(
        app.endpoint.consent_url,
        client_id=app.client_id,
        redirect_uri=redirect_uri,
        scopes=DEFAULT_SCOPES,
        state=state,
        challenge=x.auth.oauth2.make_challenge(verifier),
    )
    return AuthorizationRedirect(url, browser)


async def complete(
    runtime: Runtime, *, state: str, code: str | None, error: str | None, browser: str | None
) -> tuple[Tenant, Integration]:
    """Complete an OAuth flow: exchange the code, read the account, and store its tokens.

    Raises: ConnectFlowInvalid if the state is unknown, used or expired, or if another browser
    started the flow; ConsentDenied, AccountConnectedElsewhere, x.errors.*.
    """
    async with runtime.database.unscoped() as transaction:
        tenant_id = await store.oauth_flows.find_tenant(transaction, state)
    if tenant_id is None:
        raise ConnectFlowInvalid(_UNKNOWN_FLOW)
    async with runtime.database.for_tenant(tenant_id) as transaction:
        vault = await runtime.vault.for_tenant(transaction, tenant_id)
        flow = await store.oauth_flows.take(transaction, vault, state)
    now = runtime.clock.now()
    if flow is None:
        raise ConnectFlowInvalid(_UNKNOWN_FLOW)
    if flow.expires_at < now:
        raise ConnectFlowInvalid("This attempt to connect an account has expired.")
    if browser is None or store.oauth_flows.fingerprint(browser) != flow.browser_hash:
        raise ConnectFlowInvalid(
            "This attempt to connect an account was started in another browser."
        )
    if error is not None or code is None:
        raise ConsentDenied(
            "X redirected the browser back without consent.",
            next="Connect again, and allow access on X's page.",
        )
    app = runtime.settings.x_app()
    if (flow.environment, flow.client_id) != (app.endpoint.environment, app.client_id):
        raise ConnectFlowInvalid(
            "This attempt to connect an account was started for another environment or X app."
        )
    grant = await x.auth.oauth2.exchange_code(
        runtime.http(),
        app.endpoint,
        app=app,
        code=code,
        redirect_uri=flow.redirect_uri,
        verifier=flow.verifier,
    )
    exchanges: list[x.Exchange] = []
    user = await x.users.read_me(
        x.Client(
            x.FixedToken(grant.access_token, grant.endpoint),
            session=runtime.http(),
            on_exchange=_collect_into(exchanges),
            clock=runtime.clock,
        )
    )
    if grant.refresh_token is None:
        raise ConsentDenied(
            "X returned no refresh token, because the scope offline.access was not granted.",
            next="Check that the X app may use offline.access, then connect again.",
        )
    tokens = Tokens(grant.access_token, grant.refresh_token, now + grant.expires_in)
    identity = Identity(
        x_user_id=user.id,
        username=user.username,
        name=user.name,
        subscription_type=user.subscription_type,
        environment=grant.endpoint.environment,
        client_id=app.client_id,
        scopes=grant.scopes,
    )
    async with runtime.database.for_tenant(tenant_id) as transaction:
        vault = await runtime.vault.for_tenant(transaction, tenant_id)
        if not runtime.settings.shared_accounts:
            await _require_unshared(transaction, identity)
        integration = await store.integrations.upsert(
            transaction, vault, tenant_id, identity, tokens, now=now
        )
        await store.oauth_flows.add_finished(
            transaction, tenant_id, flow, state=state, account=integration.id
        )
    # The ledger needs the account's id, so the requests above are recorded only now.
    ledger = StoredTokenSource(runtime, integration)
    await ledger.write_token_request()
    for exchange in exchanges:
        await ledger.price(exchange)
    return await store.tenants.get_by_id(runtime.database, tenant_id), integration


async def find_connected(
    runtime: Runtime, *, state: str, browser: str | None
) -> tuple[Tenant, Integration] | None:
    """Find the account that this browser connected with this state in the last 15 minutes.

    The callback page calls this function if the page is loaded again. No request is sent to X, and
    the state cannot be used again.
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
    """Refuse an account that another tenant has connected.

    If two tenants share an account, neither sees the other's posts on it.
    Raises: AccountConnectedElsewhere.
    """
    row = await transaction.run_one(
        "is_connected_elsewhere", environment=identity.environment, x_user=identity.x_user_id
    )
    if row and row["found"]:
        raise AccountConnectedElsewhere(
            f"Another tenant has already connected @{identity.username}.",
            did="The connection was not stored.",
        )


def _collect_into(exchanges: list[x.Exchange]) -> Callable[[x.Exchange], Awaitable[None]]:
    async def append(exchange: x.Exchange) -> None:
        exchanges.append(exchange)

    return append
