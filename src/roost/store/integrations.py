"""Connected X accounts: the table `integrations`, whose tokens the vault encrypts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from roost.errors import AccountNotFound, VaultKeyMissing
from roost.models import (
    AlertKind,
    Environment,
    Integration,
    IntegrationId,
    IntegrationStatus,
    TenantId,
    XUserId,
)
from roost.models.alerts import about_account
from roost.store import alerts
from roost.store.database import Transaction
from roost.store.vault import SealedKey, TenantVault, Vault

_REFRESH, _ACCESS = "api_key", "accessToken"


@dataclass(frozen=True, slots=True)
class Tokens:
    """An account's decrypted tokens; `repr` does not show them."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime
    sealed: str = field(default="", repr=False)
    """The refresh token in encrypted form, to distinguish these tokens from newer tokens."""


@dataclass(frozen=True, slots=True)
class SealedTokens:
    """An account's encrypted tokens, with the data key and the values to decrypt the tokens."""

    integration_id: IntegrationId
    tenant_id: TenantId
    bound_to: tuple[str, ...]
    refresh: str = field(repr=False)
    access: str = field(repr=False)
    expires_at: datetime
    key: SealedKey | None = field(repr=False)

    def open(self, vault: Vault) -> Tokens:
        """Decrypt the tokens. Raises: VaultKeyMissing, VaultDamaged."""
        vault.require_key()
        if self.key is None:
            raise VaultKeyMissing(f"Tenant {self.tenant_id} has no data key.")
        return _open(vault.open(self.tenant_id, self.key), self)


@dataclass(frozen=True, slots=True)
class Identity:
    """The X user of an account, and the X app that connected the account."""

    x_user_id: XUserId
    username: str
    name: str
    subscription_type: str | None
    environment: Environment
    client_id: str
    scopes: tuple[str, ...]


def _owner(integration_id: IntegrationId) -> str:
    return f"integration {integration_id}"


def _bound_to(environment: Environment, x_user_id: XUserId, client_id: str) -> tuple[str, ...]:
    """Return the values that a token is bound to; decrypting the token needs the same values."""
    return (environment.value, x_user_id, client_id)


def _seal(
    vault: TenantVault, integration_id: IntegrationId, bound_to: tuple[str, ...], tokens: Tokens
) -> tuple[str, str]:
    """Return the encrypted refresh token and the encrypted access token."""
    owner = _owner(integration_id)
    return (
        vault.seal(tokens.refresh_token, owner=owner, field=_REFRESH, bound_to=bound_to),
        vault.seal(tokens.access_token, owner=owner, field=_ACCESS, bound_to=bound_to),
    )


def to_sealed_tokens(row: Mapping[str, Any], key: SealedKey | None) -> SealedTokens:
    """Return the encrypted tokens of a row of `integrations`."""
    metadata = row["metadata"]
    return SealedTokens(
        integration_id=row["id"],
        tenant_id=row["tenant_id"],
        bound_to=_bound_to(
            Environment(row["environment"]), XUserId(metadata["userId"]), row["client_id"]
        ),
        refresh=row["api_key"],
        access=metadata["accessToken"],
        expires_at=datetime.fromisoformat(metadata["tokenExpiresAt"]),
        key=key,
    )


def _open(vault: TenantVault, sealed: SealedTokens) -> Tokens:
    owner = _owner(sealed.integration_id)
    return Tokens(
        access_token=vault.open(
            sealed.access, owner=owner, field=_ACCESS, bound_to=sealed.bound_to
        ),
        refresh_token=vault.open(
            sealed.refresh, owner=owner, field=_REFRESH, bound_to=sealed.bound_to
        ),
        expires_at=sealed.expires_at,
        sealed=sealed.refresh,
    )


async def find_next_collection_at(
    transaction: Transaction, integration_id: IntegrationId
) -> datetime | None:
    """Return when an account's metrics are read next; None if the account is not connected."""
    row = await transaction.run_one("get_integration", integration=integration_id)
    if row is None or row["status"] != IntegrationStatus.CONNECTED:
        return None
    at: datetime | None = row["collect_due_at"]
    return at


def to_integration(row: Mapping[str, Any]) -> Integration:
    """Convert a row of `integrations` to an account; the row may be JSON of PostgreSQL."""
    metadata: Mapping[str, Any] = row["metadata"]
    fields = {
        **row,
        "x_user_id": metadata["userId"],
        "username": metadata["username"],
        "name": metadata["name"],
        "token_expires_at": metadata["tokenExpiresAt"],
    }
    return msgspec.convert(fields, Integration)


async def upsert(
    transaction: Transaction,
    vault: TenantVault,
    tenant_id: TenantId,
    identity: Identity,
    tokens: Tokens,
    *,
    now: datetime,
) -> Integration:
    """Store a connection; an account that was connected before keeps its id and history.

    The alert that asks for a reconnection of the account is resolved.
    """
    # Without this lock, two concurrent first connections of one account would create two rows.
    await transaction.run("lock_connecting", key=tenant_id % 2**31)
    row = await transaction.run_one(
        "find_integration", x_user=identity.x_user_id, environment=identity.environment
    )
    if row is not None:
        # Without this lock, a concurrent refresh could overwrite the tokens of the new connection.
        await lock_for_refresh(transaction, IntegrationId(row["id"]))
    else:
        row = await transaction.run_one("next_integration_id")
        assert row is not None
    integration_id = IntegrationId(row["id"])
    bound_to = _bound_to(identity.environment, identity.x_user_id, identity.client_id)
    api_key, access = _seal(vault, integration_id, bound_to, tokens)
    metadata = {
        "userId": identity.x_user_id,
        "username": identity.username,
        "name": identity.name,
        "accessToken": access,
        "tokenExpiresAt": tokens.expires_at.isoformat(),
    }
    stored = await transaction.run_one(
        "upsert_integration",
        id=integration_id,
        tenant=tenant_id,
        environment=identity.environment,
        api_key=api_key,
        metadata=json.dumps(metadata),
        client_id=identity.client_id,
        scopes=list(identity.scopes),
        status=IntegrationStatus.CONNECTED,
        subscription_type=identity.subscription_type,
        at=now,
    )
    assert stored is not None
    await alerts.resolve_alert(
        transaction, tenant_id, AlertKind.RECONNECT, about_account(integration_id), at=now
    )
    await transaction.run("announce_due")
    return to_integration(stored)


async def get(transaction: Transaction, integration_id: IntegrationId) -> Integration:
    """Return an account by id. Raises: AccountNotFound."""
    return to_integration(await _get_row(transaction, integration_id))


async def _get_row(transaction: Transaction, integration_id: IntegrationId) -> dict[str, Any]:
    row = await transaction.run_one("get_integration", integration=integration_id)
    if row is None:
        raise AccountNotFound(f"There is no account number {integration_id}.")
    return row


async def list_all(transaction: Transaction) -> list[Integration]:
    """Return the tenant's accounts in the order in which they were first connected."""
    return [to_integration(row) for row in await transaction.run("list_integrations")]


async def decrypt_tokens(
    transaction: Transaction, vault: TenantVault, integration_id: IntegrationId
) -> Tokens:
    """Return the account's decrypted tokens. Raises: VaultDamaged, AccountNotFound."""
    row = await _get_row(transaction, integration_id)
    return _open(vault, to_sealed_tokens(row, None))


async def replace_tokens(
    transaction: Transaction, vault: TenantVault, account: Integration, tokens: Tokens
) -> None:
    """Store refreshed tokens in place of the old tokens, which X has invalidated."""
    bound_to = _bound_to(account.environment, account.x_user_id, account.client_id)
    api_key, access = _seal(vault, account.id, bound_to, tokens)
    changes = {"accessToken": access, "tokenExpiresAt": tokens.expires_at.isoformat()}
    await transaction.run(
        "replace_tokens", integration=account.id, api_key=api_key, changes=json.dumps(changes)
    )


async def lock_for_refresh(transaction: Transaction, integration_id: IntegrationId) -> None:
    """Lock an account, so that its tokens are refreshed by only one transaction at a time."""
    await transaction.run("lock_refresh", key=integration_id % 2**31)


async def mark_token_invalid(
    transaction: Transaction, integration_id: IntegrationId, tokens: Tokens
) -> bool:
    """Record that an account needs a reconnect, because X has rejected its refresh token.

    `tokens.sealed` is the rejected token, encrypted. If the account already has a newer refresh
    token, nothing is changed and the result is False.
    """
    rows = await transaction.run(
        "mark_token_invalid", integration=integration_id, api_key=tokens.sealed
    )
    return bool(rows)


async def save_profile(
    transaction: Transaction,
    integration_id: IntegrationId,
    *,
    username: str,
    name: str,
    subscription_type: str | None,
) -> bool:
    """Store the profile that X reports. Return False if the profile has not changed.

    If `subscription_type` is None, X did not report the subscription, and the stored value stays.
    """
    rows = await transaction.run(
        "save_profile",
        integration=integration_id,
        profile=json.dumps({"username": username, "name": name}),
        subscription_type=subscription_type,
    )
    return bool(rows)


async def mark_needs_reconnect(transaction: Transaction, integration: Integration) -> bool:
    """Record that an account needs a reconnect, because X no longer accepts its tokens.

    If the account has been reconnected in the meantime, nothing is changed and the result is False.
    """
    rows = await transaction.run(
        "mark_needs_reconnect", integration=integration.id, connected_at=integration.connected_at
    )
    return bool(rows)


async def set_next_collection(
    transaction: Transaction,
    integration_id: IntegrationId,
    instant: datetime,
    *,
    health: str | None = None,
) -> None:
    """Set the time at which the account's metrics are due next.

    `health` is the error of the last read of the metrics; None if the read succeeded.
    """
    await transaction.run(
        "set_next_collection", integration=integration_id, at=instant, health=health
    )
    await transaction.run("announce_due")
