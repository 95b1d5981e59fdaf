"""OAuth flows: one row from the redirect to X until the callback, used once.

A row without a verifier belongs to a finished flow: it only records which account was connected.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from roost.models import Environment, IntegrationId, TenantId
from roost.store.database import Transaction
from roost.store.vault import TenantVault


@dataclass(frozen=True, slots=True)
class Flow:
    """What was stored when the browser was redirected to X."""

    verifier: str = field(repr=False)
    browser_hash: str
    redirect_uri: str
    environment: Environment
    client_id: str
    expires_at: datetime


def fingerprint(secret: str) -> str:
    """The hash that is stored of a secret which only has to be recognized."""
    return hashlib.sha256(secret.encode()).hexdigest()


async def add(
    transaction: Transaction,
    vault: TenantVault,
    tenant_id: TenantId,
    flow: Flow,
    *,
    state: str,
    now: datetime,
) -> None:
    """Store a new flow under the hash of its state; delete the tenant's expired flows."""
    await transaction.run("delete_expired_flows", at=now)
    state_hash = fingerprint(state)
    await transaction.run(
        "add_flow",
        state_hash=state_hash,
        tenant=tenant_id,
        browser_hash=flow.browser_hash,
        sealed_verifier=vault.seal(flow.verifier, owner=f"flow {state_hash}", field="verifier"),
        redirect_uri=flow.redirect_uri,
        environment=flow.environment,
        client_id=flow.client_id,
        expires_at=flow.expires_at,
        integration=None,
    )


async def find_tenant(transaction: Transaction, state: str) -> TenantId | None:
    """The tenant of the flow with this state, finished or not; None: there is no such flow."""
    row = await transaction.run_one("find_flow_tenant", state_hash=fingerprint(state))
    return TenantId(row["tenant_id"]) if row and row["tenant_id"] is not None else None


async def take(transaction: Transaction, vault: TenantVault, state: str) -> Flow | None:
    """The unfinished flow with this state, deleted so that no other request can use it."""
    state_hash = fingerprint(state)
    row = await transaction.run_one("take_flow", state_hash=state_hash)
    if row is None:
        return None
    return Flow(
        verifier=vault.open(row["sealed_verifier"], owner=f"flow {state_hash}", field="verifier"),
        browser_hash=row["browser_hash"],
        redirect_uri=row["redirect_uri"],
        environment=Environment(row["environment"]),
        client_id=row["client_id"],
        expires_at=row["expires_at"],
    )


async def add_finished(
    transaction: Transaction,
    tenant_id: TenantId,
    flow: Flow,
    *,
    state: str,
    account: IntegrationId,
) -> None:
    """Record which account a flow has connected, until the flow would have expired."""
    await transaction.run(
        "add_flow",
        state_hash=fingerprint(state),
        tenant=tenant_id,
        browser_hash=flow.browser_hash,
        sealed_verifier=None,
        redirect_uri=flow.redirect_uri,
        environment=flow.environment,
        client_id=flow.client_id,
        expires_at=flow.expires_at,
        integration=account,
    )


async def find_connected(
    transaction: Transaction, state: str, browser: str, *, now: datetime
) -> IntegrationId | None:
    """The account that this browser's flow has connected within the last minutes."""
    row = await transaction.run_one(
        "find_connected",
        state_hash=fingerprint(state),
        browser_hash=fingerprint(browser),
        at=now,
    )
    return IntegrationId(row["id"]) if row and row["id"] is not None else None
