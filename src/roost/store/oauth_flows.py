"""Stores OAuth flows: each flow has a row from the redirect to X until the callback.

A row without a verifier belongs to a finished flow. Such a row only records which account was
connected.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from roost.models import Environment, IntegrationId, TenantId
from roost.store.database import Transaction
from roost.store.vault import TenantVault


@dataclass(frozen=True, slots=True)
class Flow:
    """An unfinished OAuth flow, as stored before the browser was redirected to X."""

    verifier: str = field(repr=False)
    browser_hash: str
    redirect_uri: str
    environment: Environment
    client_id: str
    expires_at: datetime


def fingerprint(secret: str) -> str:
    """Return a secret's hash, which is stored if the secret is needed only for comparisons."""
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
    """Store a new flow under the hash of `state`, and delete the tenant's expired flows."""
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
    """Return the tenant of the flow with this state, finished or not; None if there is none."""
    row = await transaction.run_one("find_flow_tenant", state_hash=fingerprint(state))
    return TenantId(row["tenant_id"]) if row and row["tenant_id"] is not None else None


async def take(transaction: Transaction, vault: TenantVault, state: str) -> Flow | None:
    """Delete and return the unfinished flow with this state, so that it is used only once."""
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
    """Record which account a flow has connected, until the time at which the flow expires."""
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
    """Return the account that the finished flow with this state has connected.

    `browser` must be the secret of the browser in which the flow was begun. Returns None if there
    is no such flow, or if its record has expired.
    """
    row = await transaction.run_one(
        "find_connected",
        state_hash=fingerprint(state),
        browser_hash=fingerprint(browser),
        at=now,
    )
    return IntegrationId(row["id"]) if row and row["id"] is not None else None
