"""Connections under way: one row from the redirect to X until the browser comes back, once.

A row without a verifier is one that has ended well: it only says which account that was.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from roost.models import Environment, IntegrationId, TenantId
from roost.store.database import Transaction
from roost.store.vault import TenantVault


@dataclass(frozen=True, slots=True)
class Flow:
    """What was kept when the browser left for X."""

    verifier: str = field(repr=False)
    browser_hash: str
    redirect_uri: str
    environment: Environment
    client_id: str
    expires_at: datetime


def fingerprint(secret: str) -> str:
    """What is stored instead of a secret that only has to be recognised."""
    return hashlib.sha256(secret.encode()).hexdigest()


async def keep(
    transaction: Transaction,
    vault: TenantVault,
    tenant_id: TenantId,
    *,
    state: str,
    browser: str,
    verifier: str,
    redirect_uri: str,
    environment: Environment,
    client_id: str,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Remember a connection under way; the state and the browser only by fingerprint.

    Those of this tenant that nobody finished in time are forgotten.
    """
    await transaction.raw.execute("DELETE FROM oauth_flows WHERE expires_at < %s", [now])
    state_hash = fingerprint(state)
    await transaction.raw.execute(
        "INSERT INTO oauth_flows (state_hash, tenant_id, browser_hash, sealed_verifier,"
        " redirect_uri, environment, client_id, expires_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        [
            state_hash,
            tenant_id,
            fingerprint(browser),
            vault.seal(verifier, owner=f"flow {state_hash}", field="verifier"),
            redirect_uri,
            environment,
            client_id,
            expires_at,
        ],
    )


async def find_tenant(transaction: Transaction, state: str) -> TenantId | None:
    """Whose connection this state belongs to, also where it has ended well; None: nobody's."""
    rows = await transaction.raw.execute("SELECT find_flow_tenant(%s)", [fingerprint(state)])
    row = await rows.fetchone()
    return TenantId(row[0]) if row and row[0] is not None else None


async def take(transaction: Transaction, vault: TenantVault, state: str) -> Flow | None:
    """The connection of this state, taken away so that no other request can use it."""
    state_hash = fingerprint(state)
    rows = await transaction.raw.execute(
        "DELETE FROM oauth_flows WHERE state_hash = %s AND integration_id IS NULL"
        " RETURNING sealed_verifier, browser_hash, redirect_uri, environment, client_id,"
        " expires_at",
        [state_hash],
    )
    row = await rows.fetchone()
    if row is None:
        return None
    verifier = vault.open(row[0], owner=f"flow {state_hash}", field="verifier")
    return Flow(verifier, row[1], row[2], Environment(row[3]), row[4], row[5])


async def keep_connected(
    transaction: Transaction,
    tenant_id: TenantId,
    flow: Flow,
    *,
    state: str,
    account: IntegrationId,
) -> None:
    """Remember which account a connection has connected, for as long as it could have waited."""
    await transaction.raw.execute(
        "INSERT INTO oauth_flows (state_hash, tenant_id, browser_hash, redirect_uri,"
        " environment, client_id, expires_at, integration_id)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        [
            fingerprint(state),
            tenant_id,
            flow.browser_hash,
            flow.redirect_uri,
            flow.environment,
            flow.client_id,
            flow.expires_at,
            account,
        ],
    )


async def find_connected(
    transaction: Transaction, state: str, browser: str, *, now: datetime
) -> IntegrationId | None:
    """The account that this browser's connection has connected a few minutes ago."""
    rows = await transaction.raw.execute(
        "SELECT integration_id FROM oauth_flows"
        " WHERE state_hash = %s AND browser_hash = %s AND expires_at >= %s",
        [fingerprint(state), fingerprint(browser), now],
    )
    row = await rows.fetchone()
    return IntegrationId(row[0]) if row and row[0] is not None else None
