"""Alerts: problems that an operator must act on.

`roost.publishing.alerts` describes alerts in sentences.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from roost.models.events import Detail, Reason, find_reason
from roost.models.ids import IntegrationId, PostId


class AlertKind(StrEnum):
    """Why an alert was opened. An alert is resolved when its cause ends."""

    DECISION = "decision"
    """A post needs a decision, or only some of its parts are on X."""
    MISSED = "missed"
    FAILED = "failed"
    POSSIBLE_DUPLICATE = "possible_duplicate"
    """A part may be on X twice, because X responded late to an earlier attempt."""
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


class SubjectType(StrEnum):
    """The kind of thing that an alert is about."""

    POST = "post"
    ACCOUNT = "account"
    X_APP = "x_app"
    """An X app, identified by its client id."""
    MACHINE = "machine"
    """A machine, identified by its host name."""
    DATABASE = "database"
    SERVICE = "service"
    """Publishing as a whole."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The thing that one alert is about: its kind and its id."""

    type: SubjectType
    id: str = ""
    """Empty if there is only one subject of this type."""


#: The subject of alerts about the database.
DATABASE = Subject(SubjectType.DATABASE)
#: The subject of alerts about publishing as a whole.
SERVICE = Subject(SubjectType.SERVICE)


def about_post(post_id: PostId) -> Subject:
    """Return the subject of an alert about a post."""
    return Subject(SubjectType.POST, str(post_id))


def about_account(integration_id: IntegrationId) -> Subject:
    """Return the subject of an alert about an account.

    The subject has the account's id, because the username may change.
    """
    return Subject(SubjectType.ACCOUNT, str(integration_id))


def about_app(client_id: str) -> Subject:
    """Return the subject of an alert about an X app."""
    return Subject(SubjectType.X_APP, client_id)


def about_machine(host: str) -> Subject:
    """Return the subject of an alert about a machine."""
    return Subject(SubjectType.MACHINE, host)


@dataclass(frozen=True, slots=True)
class Alert:
    """A problem that an operator must act on."""

    kind: AlertKind
    subject_type: SubjectType
    subject_id: str
    """The kind. For each kind and subject, at most one alert is open."""
    raised_at: datetime
    detail: Detail = field(default_factory=dict)
    ended_at: datetime | None = None

    @property
    def subject(self) -> Subject:
        """The thing that the alert is about."""
        return Subject(self.subject_type, self.subject_id)

    @property
    def reason(self) -> Reason | None:
        """Why the alert was opened; None if its kind says this already."""
        return find_reason(self.detail)
