"""The result of one check of `roost doctor`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from roost.errors import RoostError
from roost.next_actions import NextAction


class HealthStatus(StrEnum):
    """The result of one check."""

    OK = "ok"
    WARNING = "warning"
    """It works, but an operator should know about this."""
    ERROR = "error"
    """It does not work."""


@dataclass(frozen=True, slots=True)
class HealthFinding:
    """One line of `roost doctor`."""

    what: str
    """What was checked."""
    status: HealthStatus
    message: str
    next: str = ""
    """What the operator can do, if no command is needed for it."""
    next_action: NextAction | None = None
    """What the operator can do, worded by each face."""


def error_finding(what: str, error: RoostError) -> HealthFinding:
    """Return the finding of a check that failed with an error."""
    return HealthFinding(what, HealthStatus.ERROR, error.message, error.next, error.next_action)


def describe_distance(instant: datetime, now: datetime) -> str:
    """Return roughly how far away an instant is: `3 h ago`, `in 5 min`."""
    distance = abs(now - instant)
    amount = f"{distance // timedelta(minutes=1)} min"
    for unit, size in (("d", timedelta(days=1)), ("h", timedelta(hours=1))):
        if distance >= size:
            amount = f"{distance // size} {unit}"
            break
    return f"{amount} ago" if instant <= now else f"in {amount}"
