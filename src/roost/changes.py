"""Records whether a command or web request has changed anything, so that errors say so.

An error says "Nothing was changed" only if changes were being recorded and none was made. The
database module calls `record` after each committed transaction that has written. Code that changes
files calls `record` itself.
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
    """Whether a command or web request, or a task that it started, has changed anything."""

    made: bool = False
    """Whether anything was changed, or may have been changed."""


_current: ContextVar[Changes | None] = ContextVar("changes", default=None)


@contextlib.contextmanager
def recording() -> Iterator[Changes]:
    """Record in a new `Changes` object whether the block changes anything."""
    changes = Changes()
    token = _current.set(changes)
    try:
        yield changes
    finally:
        _current.reset(token)


def is_unchanged() -> bool:
    """Whether changes are being recorded, and none has been made yet."""
    changes = _current.get()
    return changes is not None and not changes.made


def record() -> None:
    """Record that something was changed, or may have been changed."""
    if (changes := _current.get()) is not None:
        changes.made = True


def describe() -> str:
    """Return whether anything was changed, as a sentence; empty if that is not recorded."""
    changes = _current.get()
    if changes is None:
        return ""
    return SOMETHING_CHANGED if changes.made else NOTHING_CHANGED
