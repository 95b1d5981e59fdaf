"""Stored data about an account, from which the figures of a report are computed."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from roost.models.ids import PartId, PostId, TweetId
from roost.models.integrations import Integration
from roost.models.metrics import AccountSnapshot, Anomaly, PostSnapshot
from roost.models.posts import MediaKind, PostState


@dataclass(frozen=True, slots=True)
class SentPart:
    """A part that is on X, with the properties by which a report groups posts."""

    part_id: PartId
    post_id: PostId
    position: int
    """The position in the post, counted from 1."""
    sent_as: TweetId
    sent_at: datetime
    text: str
    media: tuple[MediaKind, ...] = ()
    has_poll: bool = False
    is_reply: bool = False
    """Whether the part replies to a tweet that is not a part of the same post."""
    is_quote: bool = False


@dataclass(frozen=True, slots=True)
class Spending:
    """What X billed on one day for one kind of request."""

    day: date
    """The day in the tenant's time zone."""
    operation: str
    """A value of `roost.prices.Operation`."""
    usd: Decimal


@dataclass(frozen=True, slots=True)
class PostOutcome:
    """The outcome of a post that was due: its state, and how late it was sent."""

    due_at: datetime
    state: PostState
    delay: timedelta | None
    """The time between the due time, or the end of an excused wait, and the sending of the first
    part; None if no part was sent."""


@dataclass(frozen=True, slots=True)
class AccountRecords:
    """The stored data about one account from which a report is computed."""

    integration: Integration
    account: tuple[AccountSnapshot, ...] = ()
    """The snapshots of the account, oldest first."""
    parts: tuple[SentPart, ...] = ()
    """The parts that are on X, oldest first."""
    snapshots: tuple[PostSnapshot, ...] = ()
    """The snapshots of these parts."""
    spending: tuple[Spending, ...] = ()
    outcomes: tuple[PostOutcome, ...] = ()
    anomalies: tuple[Anomaly, ...] = ()
    next_read_at: datetime | None = None
    """When the metrics of posts without a snapshot are read; None if that is not known."""
    imported_through: date | None = None
    """The last day whose snapshots were imported; None if Roost measured all snapshots."""
