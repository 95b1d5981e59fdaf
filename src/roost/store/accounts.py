"""Connected accounts (the table `integrations`) and connections under way; secrets sealed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert

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
from roost.store import alerts
from roost.store.database import Transaction
from roost.store.tables import integrations
from roost.store.vault import SealedKey, TenantVault, Vault

_REFRESH, _ACCESS = "api_key", "accessToken"


@dataclass(frozen=True, slots=True)
class Tokens:
    """An account's grant, opened; never shown."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime
    sealed: str = field(default="", repr=False)
    """The refresh token as it lies in the database: what tells this grant from a newer one."""


@dataclass(frozen=True, slots=True)
class SealedGrant:
    """An account's grant as it lies in the database, with what opens it."""

    integration_id: IntegrationId
    tenant_id: TenantId
    bound_to: tuple[str, ...]
    refresh: str = field(repr=False)
    access: str = field(repr=False)
    expires_at: datetime
    key: SealedKey | None = field(repr=False)

    def open(self, vault: Vault) -> Tokens:
        """The tokens. Raises: VaultKeyMissing, VaultDamaged."""
        vault.require_key()
        if self.key is None:
            raise VaultKeyMissing(f"Tenant {self.tenant_id} has no data key.")
        return _open(vault.open(self.tenant_id, self.key), self)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an account is on X, and through which app it was connected."""

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
    """What a token belongs to besides its row: it does not open where one of these was changed."""
    return (environment.value, x_user_id, client_id)


def _sealed(
    vault: TenantVault, integration_id: IntegrationId, bound_to: tuple[str, ...], tokens: Tokens
) -> tuple[str, str]:
    owner = _owner(integration_id)
    return (
        vault.seal(tokens.refresh_token, owner=owner, field=_REFRESH, bound_to=bound_to),
        vault.seal(tokens.access_token, owner=owner, field=_ACCESS, bound_to=bound_to),
    )


def sealed_grant(row: Mapping[Any, Any], key: SealedKey | None) -> SealedGrant:
    """The grant of a row of `integrations`."""
    about = row["metadata"]
    return SealedGrant(
        integration_id=row["id"],
        tenant_id=row["tenant_id"],
        bound_to=_bound_to(
            Environment(row["environment"]), XUserId(about["userId"]), row["client_id"]
        ),
        refresh=row["api_key"],
        access=about["accessToken"],
        expires_at=datetime.fromisoformat(about["tokenExpiresAt"]),
        key=key,
    )


def _open(vault: TenantVault, sealed: SealedGrant) -> Tokens:
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


def integration_of(row: Mapping[Any, Any]) -> Integration:
    """The account of a row of `integrations`."""
    about: Mapping[str, Any] = row["metadata"]
    return Integration(
        id=row["id"],
        tenant_id=row["tenant_id"],
        environment=Environment(row["environment"]),
        x_user_id=XUserId(about["userId"]),
        username=about["username"],
        name=about["name"],
        client_id=row["client_id"],
        scopes=tuple(row["scopes"]),
        status=IntegrationStatus(row["status"]),
        subscription_type=row["subscription_type"],
        health=row["health"],
        token_expires_at=datetime.fromisoformat(about["tokenExpiresAt"]),
        connected_at=row["connected_at"],
        paused=row["paused"],
        rest_until=row["backoff_until"],
        rest_why=row["backoff_reason"],
        rests=row["consecutive_refusals"],
        backoff_counts_as_late=row["backoff_counts_as_late"],
    )


async def keep(
    transaction: Transaction,
    vault: TenantVault,
    tenant_id: TenantId,
    identity: Identity,
    tokens: Tokens,
    *,
    now: datetime,
) -> Integration:
    """Store a fresh connection; an account connected before keeps its number and its history.

    The alert that asked for it ends.
    """
    # Two first connections of one account at once would each miss the other's row.
    await transaction.sql.execute(select(func.pg_advisory_xact_lock(0x526B, tenant_id % 2**31)))
    user_id = integrations.c.metadata["userId"].astext
    known = await transaction.sql.execute(
        select(integrations.c.id).where(
            user_id == identity.x_user_id, integrations.c.environment == identity.environment
        )
    )
    number = known.scalar()
    if number is not None:
        # A refresh under way would write its answer over this newer grant.
        await refreshing(transaction, IntegrationId(number))
    else:
        sequence = text("SELECT nextval(pg_get_serial_sequence('roost.integrations', 'id'))")
        number = (await transaction.sql.execute(sequence)).scalar_one()
    bound_to = _bound_to(identity.environment, identity.x_user_id, identity.client_id)
    api_key, access = _sealed(vault, IntegrationId(number), bound_to, tokens)
    values = {
        "api_key": api_key,
        "metadata": {
            "userId": identity.x_user_id,
            "username": identity.username,
            "name": identity.name,
            "accessToken": access,
            "tokenExpiresAt": tokens.expires_at.isoformat(),
        },
        "client_id": identity.client_id,
        "scopes": list(identity.scopes),
        "status": IntegrationStatus.CONNECTED,
        "subscription_type": identity.subscription_type,
        "connected_at": now,
        "collect_due_at": now,
        "health": None,
        "backoff_until": None,
        "backoff_reason": None,
        "consecutive_refusals": 0,
        "backoff_counts_as_late": False,
    }
    statement = insert(integrations).values(
        id=number, tenant_id=tenant_id, environment=identity.environment, **values
    )
    kept = await transaction.sql.execute(
        statement.on_conflict_do_update(index_elements=["id"], set_=values).returning(integrations)
    )
    await alerts.resolve_alert(
        transaction, tenant_id, AlertKind.RECONNECT, alerts.about_account(number), at=now
    )
    await transaction.run("announce_due")
    return integration_of(kept.mappings().one())


async def get(transaction: Transaction, integration_id: IntegrationId) -> Integration:
    """An account by number. Raises: AccountNotFound."""
    rows = await transaction.sql.execute(
        select(integrations).where(integrations.c.id == integration_id)
    )
    row = rows.mappings().first()
    if row is None:
        raise AccountNotFound(f"There is no account number {integration_id}.")
    return integration_of(row)


async def list_all(transaction: Transaction) -> list[Integration]:
    """The tenant's accounts in the order in which they were first connected."""
    rows = await transaction.sql.execute(select(integrations).order_by(integrations.c.id))
    return [integration_of(row) for row in rows.mappings()]


async def open_tokens(
    transaction: Transaction, vault: TenantVault, integration_id: IntegrationId
) -> Tokens:
    """The account's grant, opened. Raises: VaultDamaged, AccountNotFound."""
    rows = await transaction.sql.execute(
        select(integrations).where(integrations.c.id == integration_id)
    )
    row = rows.mappings().first()
    if row is None:
        raise AccountNotFound(f"There is no account number {integration_id}.")
    return _open(vault, sealed_grant(row, None))


async def replace_tokens(
    transaction: Transaction, vault: TenantVault, account: Integration, tokens: Tokens
) -> None:
    """Keep a rotated grant: the old one died when X answered with this."""
    bound_to = _bound_to(account.environment, account.x_user_id, account.client_id)
    api_key, access = _sealed(vault, account.id, bound_to, tokens)
    fresh = {"accessToken": access, "tokenExpiresAt": tokens.expires_at.isoformat()}
    await transaction.sql.execute(
        update(integrations)
        .where(integrations.c.id == account.id)
        .values(api_key=api_key, metadata=integrations.c.metadata.op("||")(fresh))
    )


async def refreshing(transaction: Transaction, integration_id: IntegrationId) -> None:
    """Wait until nobody else refreshes this account's grant; held to the transaction's end."""
    await transaction.sql.execute(
        select(func.pg_advisory_xact_lock(0x5266, integration_id % 2**31))
    )


async def mark_dead(
    transaction: Transaction, integration_id: IntegrationId, tokens: Tokens
) -> bool:
    """X refused this grant for good; False where another came in its place meanwhile."""
    marked = await transaction.sql.execute(
        update(integrations)
        .where(integrations.c.id == integration_id, integrations.c.api_key == tokens.sealed)
        .values(status=IntegrationStatus.NEEDS_RECONNECT)
    )
    return marked.rowcount > 0


async def keep_profile(
    transaction: Transaction,
    integration_id: IntegrationId,
    *,
    username: str,
    name: str,
    subscription_type: str | None,
) -> bool:
    """Keep what X says of the account today; False where that is known already.

    Where X does not say the subscription, the one that is known stays.
    """
    about = integrations.c.metadata
    fresh = {"username": username, "name": name}
    subscription = func.coalesce(subscription_type, integrations.c.subscription_type)
    changed = await transaction.sql.execute(
        update(integrations)
        .where(
            integrations.c.id == integration_id,
            ~about.contains(fresh)
            | integrations.c.subscription_type.is_distinct_from(subscription),
        )
        .values(metadata=about.op("||")(fresh), subscription_type=subscription)
    )
    return changed.rowcount > 0


async def mark_needs_reconnect(transaction: Transaction, integration: Integration) -> bool:
    """X no longer lets the account in; False where it was connected again meanwhile."""
    marked = await transaction.sql.execute(
        update(integrations)
        .where(
            integrations.c.id == integration.id,
            integrations.c.connected_at == integration.connected_at,
        )
        .values(status=IntegrationStatus.NEEDS_RECONNECT)
    )
    return marked.rowcount > 0


async def collect_next_at(
    transaction: Transaction,
    integration_id: IntegrationId,
    instant: datetime,
    *,
    health: str | None = None,
) -> None:
    """When the account's figures are due next, and what did not work now (None: all is well)."""
    await transaction.sql.execute(
        update(integrations)
        .where(integrations.c.id == integration_id)
        .values(collect_due_at=instant, health=health)
    )
    await transaction.run("announce_due")
