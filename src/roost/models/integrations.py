"""Tenants and their connected X accounts."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from roost.models.events import Reason
from roost.models.ids import IntegrationId, TenantId, XUserId


class Environment(StrEnum):
    """Whether an integration belongs to the real X or an emulator; this never changes."""

    LIVE = "live"
    """The real X."""
    EMULATOR = "emulator"
    """An emulator. A post of such an integration is never published on the real X."""


class IntegrationStatus(StrEnum):
    """Whether a connection can be used."""

    CONNECTED = "connected"
    """The refresh token works, as far as Roost knows."""
    NEEDS_RECONNECT = "needs_reconnect"
    """X permanently refused the refresh token. Posts wait until the account is reconnected."""
    DISCONNECTED = "disconnected"
    """The owner disconnected the account."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """One customer of the platform. Tenants never see each other's data."""

    id: TenantId
    name: str
    """A unique name in lower case; the value of `--tenant`."""
    time_zone: str
    """An IANA name. Times without an offset in plan files are in this time zone."""
    drafts_without_person: bool = False
    """Whether a program may approve drafts. Otherwise only a person may."""


@dataclass(frozen=True, slots=True)
class Integration:
    """One connected X account, without its secrets."""

    id: IntegrationId
    tenant_id: TenantId
    environment: Environment
    x_user_id: XUserId
    username: str
    name: str
    client_id: str
    """OAuth 2.0 client id of the X app that the tokens belong to."""
    scopes: tuple[str, ...]
    status: IntegrationStatus
    subscription_type: str | None
    """X's value: None, Basic, Premium or PremiumPlus. If unknown, texts are limited to 280."""
    token_expires_at: datetime
    connected_at: datetime
    health: str | None = None
    """The failure of the last read of the account's metrics; None if that read succeeded."""
    paused: bool = False
    """Whether a person has paused the account's posts."""
    backoff_until: datetime | None = None
    """The end of the account's back-off: Roost publishes nothing for the account before this."""
    backoff_reason: Reason | None = None
    consecutive_refusals: int = 0
    """The number of consecutive refusals by X, which determines the next back-off."""
    backoff_counts_as_late: bool = False
    """Whether posts that wait for the back-off count as late, because Roost's side caused it."""
