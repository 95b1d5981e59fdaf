"""Tenants and their connected X accounts."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from roost.models.events import Reason
from roost.models.ids import IntegrationId, TenantId, XUserId


class Environment(StrEnum):
    """Which X an integration belongs to. It never changes."""

    LIVE = "live"
    """The real X."""
    EMULATOR = "emulator"
    """An emulator. A post scheduled here is never published on the real X."""


class IntegrationStatus(StrEnum):
    """Whether a connection can be used."""

    CONNECTED = "connected"
    """The refresh token works, as far as Roost knows."""
    NEEDS_RECONNECT = "needs_reconnect"
    """X refused the refresh token for good. Posts wait until the account is connected again."""
    DISCONNECTED = "disconnected"
    """The owner disconnected the account."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """One customer of the platform. Tenants never see each other's data."""

    id: TenantId
    name: str
    """Unique and lower case; the value of `--tenant`."""
    time_zone: str
    """IANA name. Times without an offset in plan files are in this zone."""


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
    """As X reports it: None, Basic, Premium or PremiumPlus. Unknown means the 280 limit."""
    token_expires_at: datetime
    connected_at: datetime
    health: str | None = None
    """What failed when the account was last read; None if nothing did."""
    paused: bool = False
    """A person has paused its posts."""
    backoff_until: datetime | None = None
    """Nothing is published for the account before this instant: X refused the last request."""
    backoff_reason: Reason | None = None
    consecutive_refusals: int = 0
    """Number of consecutive refusals."""
    backoff_counts_as_late: bool = False
    """The back-off has a local cause, so waiting posts can become late."""
