"""The JSON of accounts and their metrics."""

from datetime import date

from pydantic import Field

from roost.cli.schemas.fields import Dollars, Instant, Output
from roost.cli.schemas.posts import ReasonOutput
from roost.models import Environment, Integration, IntegrationStatus, Metric


class ConnectedAccountOutput(Output):
    """The account that was connected."""

    id: int
    tenant_id: int
    account: str = Field(description="The username on X, without `@`.")
    name: str
    url: str | None = Field(description="The address of the profile on X; null on an emulator.")
    environment: Environment
    x_user_id: str
    client_id: str = Field(description="The client id of the account's X app.")
    scopes: tuple[str, ...]
    status: IntegrationStatus
    subscription_type: str | None
    token_expires_at: Instant
    connected_at: Instant
    health: str | None = Field(description="The error of the last read of metrics.")
    paused: bool
    backoff_until: Instant | None
    backoff_reason: ReasonOutput | None
    consecutive_refusals: int
    backoff_counts_as_late: bool
    is_shared: bool = Field(description="Whether another tenant has this account.")

    @classmethod
    def of(cls, account: Integration, *, is_shared: bool) -> "ConnectedAccountOutput":
        """Build the output from the connection of an account."""
        own = cls.model_fields.keys() - {"account", "url", "is_shared"}
        is_live = account.environment is Environment.LIVE
        return cls.model_validate(
            {name: getattr(account, name) for name in own}
            | {
                "account": account.username,
                "url": f"https://x.com/{account.username}" if is_live else None,
                "is_shared": is_shared,
            }
        )


class AccountSnapshotOutput(Output):
    """The metrics of an account at one instant; a metric that X did not report is null, not 0."""

    at: Instant
    metrics: dict[Metric, int | None]


class PostSnapshotOutput(Output):
    """The latest metrics of a post on X; a metric that X did not report is null, not 0."""

    part_id: int
    sent_as: str = Field(description="The id of the post on X.")
    sent_at: Instant
    at: Instant = Field(description="When the metrics were read.")
    metrics: dict[Metric, int | None]
    text: str


class AnomalyOutput(Output):
    """An unusual change of a metric."""

    metric: Metric
    day: date = Field(description="The UTC day of the change.")
    score: float = Field(description="Difference from the usual change, in standard deviations.")
    observed: float
    expected: float
    message: str


class AccountMetricsOutput(Output):
    """The metrics of one account in a period."""

    account: str = Field(description="The username on X, without `@`.")
    snapshots: tuple[AccountSnapshotOutput, ...] = Field(description="Oldest first.")
    posts: tuple[PostSnapshotOutput, ...] = Field(description="Posts of the period, oldest first.")
    anomalies: tuple[AnomalyOutput, ...]
    usd: Dollars = Field(description="What X billed in the period, in dollars.")
    unread: int = Field(description="Posts of the period whose metrics were not read yet.")
    next_read_at: Instant | None = Field(description="When the metrics are read next.")


class MetricsOutput(Output):
    """The stored metrics of accounts and posts."""

    accounts: tuple[AccountMetricsOutput, ...]
