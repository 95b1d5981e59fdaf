"""A finding of `roost doctor`: the result of one check."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from roost.errors import RoostError
from roost.models import PostId, TenantId
from roost.next_actions import NextAction


class HealthStatus(StrEnum):
    """Whether a check found a problem."""

    OK = "ok"
    WARNING = "warning"
    """The checked thing works, but an operator should read the message."""
    ERROR = "error"
    """The checked thing does not work."""


@dataclass(frozen=True, slots=True)
class HealthFinding:
    """The result of one check, which `roost doctor` prints as one line."""

    what: str
    """The name of the thing that was checked, such as `database`."""
    status: HealthStatus
    message: str
    next: str = ""
    """The next action as text, if the action needs no command."""
    next_action: NextAction | None = None
    """The next action as a code, which the command line and the web pages describe differently."""
    tenant_id: TenantId | None = None
    """The tenant that the finding is about; None if it concerns all tenants."""
    post_id: PostId | None = None
    """The post that the finding is about; None if it concerns no single post."""


def error_finding(
    what: str, error: RoostError, *, tenant_id: TenantId | None = None
) -> HealthFinding:
    """Return the finding of a check that failed with an error."""
    return HealthFinding(
        what, HealthStatus.ERROR, error.message, error.next, error.next_action, tenant_id
    )


def describe_distance(instant: datetime, now: datetime) -> str:
    """Describe roughly how far an instant is from `now`: `3 h ago`, `in 5 min`."""
    distance = abs(now - instant)
    amount = f"{distance // timedelta(minutes=1)} min"
    for unit, size in (("d", timedelta(days=1)), ("h", timedelta(hours=1))):
        if distance >= size:
            amount = f"{distance // size} {unit}"
            break
    return f"{amount} ago" if instant <= now else f"in {amount}"
