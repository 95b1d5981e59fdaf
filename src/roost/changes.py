"""Records whether a command or a web request has changed anything, for the text of its error.

An error says "Nothing was changed" only if a record exists and nothing was recorded. The database
records each committed transaction that has written; code that changes files records it by `record`.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass

NOTHING_CHANGED = "Nothing was changed."
SOMETHING_CHANGED = (
    "Roost had already changed something when the error occurred: check the present state before"
    " you try again."
)


@dataclass
class Changes:
    """The record of one command or one web request, including the tasks that it starts."""

    made: bool = False
    """Whether anything was changed, or may have been changed."""


_current: ContextVar[Changes | None] = ContextVar("changes", default=None)


@contextlib.contextmanager
def recording() -> Iterator[Changes]:
    """Record the changes that are made during the block in a new record."""
    changes = Changes()
    token = _current.set(changes)
    try:
        yield changes
    finally:
        _current.reset(token)


def is_unchanged() -> bool:
    """Whether a record exists that has no change yet."""
    changes = _current.get()
    return changes is not None and not changes.made


def record() -> None:
    """Record that something was changed, or may have been changed."""
    if (changes := _current.get()) is not None:
        changes.made = True


def describe() -> str:
    """Return whether anything was changed, as a sentence; empty if there is no record."""
    changes = _current.get()
    if changes is None:
        return ""
    return SOMETHING_CHANGED if changes.made else NOTHING_CHANGED
