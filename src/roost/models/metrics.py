"""Metrics of accounts and posts, anomalies in them, and what X bills."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from roost.models.ids import IntegrationId, PartId, PostId, TweetId
from roost.models.integrations import Integration


class Metric(StrEnum):
    """The counts that Roost measures. `roost.x` maps X's own names to these."""

    IMPRESSIONS = "impressions"
    ENGAGEMENTS = "engagements"
    LIKES = "likes"
    REPLIES = "replies"
    REPOSTS = "reposts"
    QUOTES = "quotes"
    BOOKMARKS = "bookmarks"
    LINK_CLICKS = "link_clicks"
    PROFILE_CLICKS = "profile_clicks"
    FOLLOWERS = "followers"
    FOLLOWING = "following"
    POSTS = "posts"


#: The metrics of posts, in the order in which tables show them.
POST_METRICS: Final = (
    Metric.IMPRESSIONS,
    Metric.ENGAGEMENTS,
    Metric.LIKES,
    Metric.REPLIES,
    Metric.REPOSTS,
    Metric.QUOTES,
    Metric.BOOKMARKS,
    Metric.LINK_CLICKS,
    Metric.PROFILE_CLICKS,
)


@dataclass(frozen=True, slots=True)
class AccountSnapshot:
    """Metrics of an account at one instant."""

    integration_id: IntegrationId
    at: datetime
    metrics: Mapping[Metric, int | None]
    """The value of each metric; None, never 0, if X returned no value."""


@dataclass(frozen=True, slots=True)
class PostSnapshot:
    """Metrics of one tweet at one instant."""

    integration_id: IntegrationId
    part_id: PartId
    sent_as: TweetId
    sent_at: datetime
    at: datetime
    metrics: Mapping[Metric, int | None]
    text: str = ""
    """The tweet's text, for reports; empty if it was not requested."""
    post_id: PostId | None = None
    """The post of the tweet, for reports; None if it was not requested."""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One request to X and its price."""

    at: datetime
    operation: str
    """A value of `roost.prices.Operation`, such as `create_post` or `read_posts`."""
    status: int | None
    """HTTP status of X's response; None if there was no response."""
    usd: Decimal
    reason: str


@dataclass(frozen=True, slots=True)
class Anomaly:
    """An unusual change in an account's metrics."""

    integration_id: IntegrationId
    metric: Metric
    day: date
    """The UTC day of the change."""
    score: float
    """The difference from the usual change, in robust standard deviations."""
    observed: float
    expected: float
    message: str


@dataclass(frozen=True, slots=True)
class AccountHistory:
    """One account with what was measured of it in a period, its anomalies and its costs."""

    integration: Integration
    account: tuple[AccountSnapshot, ...] = ()
    """The snapshots of the account, oldest first."""
    posts: tuple[PostSnapshot, ...] = ()
    """The snapshots of posts, grouped by part, oldest first."""
    anomalies: tuple[Anomaly, ...] = ()
    usd: Decimal = field(default=Decimal(0))
    """The US dollars that X billed for this account in the period."""
    unread: tuple[datetime, ...] = ()
    """When each post was sent of which no tweet has been read yet."""
    next_read_at: datetime | None = None
    """When the account's metrics are read next."""
