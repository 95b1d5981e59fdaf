"""What a person can do next, as data: a code with its facts. Each face words it in its own terms.

The command line names a command, a page names a link or a button, and JSON has code and facts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class ActionCode(StrEnum):
    """What to do. A member's facts are named in its docstring."""

    # About posts.
    DECIDE_UNKNOWN = "decide_unknown"
    """`post_id`: decide whether X has a part of the post."""
    DECIDE_PARTLY_PUBLISHED = "decide_partly_published"
    """`post_id`: continue the thread, delete its published parts, or leave it."""
    DECIDE_MISSED = "decide_missed"
    """`post_id`: send the post now, or discard it."""
    DECIDE_FAILED = "decide_failed"
    """`post_id`: change the post and try again, or leave it."""
    CHECK_DUPLICATE = "check_duplicate"
    """`post_id`: look for duplicates on X, delete them, then acknowledge the post."""

    # About accounts and X apps.
    RECONNECT_ACCOUNT = "reconnect_account"
    BUY_CREDITS = "buy_credits"
    CHECK_APP = "check_app"
    WAIT_FOR_LIMIT = "wait_for_limit"

    # About the installation.
    CHECK_WORKER = "check_worker"
    SET_CLOCK = "set_clock"
    REPEAT_CHANGES = "repeat_changes"
    """Repeat the changes that a restore has lost, then resume everything."""
    ACCEPT_COPY = "accept_copy"
    """Resume everything in this copy, where the original database is no longer used."""


@dataclass(frozen=True, slots=True)
class NextAction:
    """What to do next."""

    code: ActionCode
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the form for programs."""
        return {"code": self.code.value, "facts": dict(self.facts)}
