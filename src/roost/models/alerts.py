"""Alerts: problems that an operator must act on."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AlertKind(StrEnum):
    """Why an alert was opened. An alert is resolved when its cause ends."""

    DECISION = "decision"
    """A post needs a decision, or only some of its parts are on X."""
    MISSED = "missed"
    FAILED = "failed"
    POSSIBLE_DUPLICATE = "possible_duplicate"
    """X may have a part twice, because it answered an earlier attempt late."""
    RECONNECT = "reconnect"
    """X no longer accepts an account's refresh token."""
    CREDITS = "credits"
    """X refuses every request of an app that has no credits left."""
    APP = "app"
    """X refuses every request of an app because of its settings or credentials."""
    LIMIT = "limit"
    """X refuses every request of an app until its 24-hour rate limit resets."""
    LATE = "late"
    RESTORED = "restored"
    COPIED = "copied"
    CLOCK_SKEW = "clock_skew"


@dataclass(frozen=True, slots=True)
class Alert:
    """A problem that an operator must act on."""

    kind: AlertKind
    subject: str
    """`account 3`, `post 17` or an X app. At most one alert of a kind is open per subject."""
    raised_at: datetime
    message: str
    next: str
    """The next step for the operator."""
    ended_at: datetime | None = None
