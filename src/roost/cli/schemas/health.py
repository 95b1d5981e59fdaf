"""The JSON of `doctor`, `alerts`, `pause` and `resume`."""

from typing import Literal

from pydantic import Field

from roost.cli.schemas.errors import NextActionOutput
from roost.cli.schemas.fields import Facts, Instant, Output
from roost.models import AlertKind, SubjectType
from roost.services.pause import PauseScope


class HealthFindingOutput(Output):
    """The result of one check of the installation."""

    what: str = Field(description="What was checked.")
    status: Literal["ok", "warning", "error"]
    tenant: str | None = Field(description="The tenant of the finding; null for all tenants.")
    post_id: int | None = Field(description="The post of the finding, if it has one.")
    message: str
    next: str = Field(description="What to do next, as a sentence; may be empty.")
    next_action: NextActionOutput | None


class DoctorOutput(Output):
    """The results of all checks of the installation."""

    ok: bool = Field(description="Whether no finding has the status `error`.")
    findings: tuple[HealthFindingOutput, ...]


class AlertOutput(Output):
    """An open problem that an operator must act on."""

    tenant: str | None = Field(description="The tenant of the alert; null for all tenants.")
    kind: AlertKind
    subject_type: SubjectType
    subject_id: str
    raised_at: Instant
    ended_at: Instant | None
    detail: Facts
    message: str
    next: str = Field(description="What to do next, as a sentence.")
    next_action: NextActionOutput


class AlertListOutput(Output):
    """The open alerts."""

    alerts: tuple[AlertOutput, ...]


class PauseOutput(Output):
    """What the command has paused."""

    paused: bool
    scope: PauseScope
    of: int | str | None = Field(
        description="The number of the post, or the name of the account or tenant."
    )
    restored_to: Instant | None = Field(
        default=None, description="With `--restored`: the database knows every request until then."
    )


class AdoptedPartOutput(Output):
    """A part that was found on X, and recorded as published."""

    post_id: int
    position: int
    tweet_id: str = Field(description="The id of the part on X.")


class ResumeOutput(Output):
    """What the command has resumed. The lists are empty unless the database was restored."""

    paused: bool
    scope: PauseScope
    of: int | str | None = Field(
        description="The number of the post, or the name of the account or tenant."
    )
    adopted: tuple[AdoptedPartOutput, ...] = ()
    needs_decision: tuple[int, ...] = Field(
        default=(), description="Posts that are due later, although X already has an identical one."
    )
    searched_again_first: tuple[int, ...] = Field(
        default=(), description="Due posts that are searched for on X again before they are sent."
    )
    may_have_changed: tuple[int, ...] = Field(
        default=(), description="Scheduled posts whose later changes may be lost."
    )
    paused_accounts: tuple[str, ...] = Field(
        default=(), description="Usernames of accounts that could not be searched on X."
    )
