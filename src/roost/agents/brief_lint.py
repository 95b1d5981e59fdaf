"""Finds what is wrong with a brief before a model is asked."""

from dataclasses import dataclass
from datetime import date

from roost.agents.brief import Brief


@dataclass(frozen=True, slots=True)
class BriefFinding:
    """One problem of a brief."""

    code: str
    message: str
    is_error: bool
    """Whether no draft can be written; otherwise the finding is a warning."""


def lint_brief(brief: Brief, *, today: date) -> tuple[BriefFinding, ...]:
    """Return the problems of a brief, errors first."""
    return ()
