"""What a look at one thing told: the lines of `roost doctor`."""

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """How well it is."""

    WELL = "well"
    NOTICE = "notice"
    """Works, but somebody should know."""
    ILL = "ill"
    """Does not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    health: Health
    told: str
    next: str = ""
