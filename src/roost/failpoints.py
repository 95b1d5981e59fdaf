"""The named steps of publishing at which a test can stop or kill a worker."""

from collections.abc import Callable
from enum import StrEnum


class Failpoint(StrEnum):
    """Every point between two steps where a worker can die; tests kill a worker at each."""

    UPLOAD_BEFORE_SEND = "upload.before_send"
    UPLOAD_AFTER_SEGMENT = "upload.after_segment"
    """X has acknowledged a segment, and the row records it."""
    UPLOAD_AFTER_SEND = "upload.after_send"
    UPLOAD_AFTER_COMMIT = "upload.after_commit"
    CREATE_BEFORE_COMMIT = "create.before_commit"
    CREATE_BEFORE_SEND = "create.before_send"
    CREATE_AFTER_SEND = "create.after_send"
    CREATE_AFTER_COMMIT = "create.after_commit"
    READ_BEFORE_SEND = "read.before_send"
    READ_AFTER_SEND = "read.after_send"
    READ_AFTER_COMMIT = "read.after_commit"
    REFRESH_BEFORE_SEND = "refresh.before_send"
    REFRESH_AFTER_SEND = "refresh.after_send"
    REFRESH_AFTER_COMMIT = "refresh.after_commit"
    POST_BEFORE_SETTLED = "post.before_settled"
    """For a post that ends without every part on X. Otherwise, one commit records the end of the
    post and its last part."""
    POST_AFTER_SETTLED = "post.after_settled"


_observers: list[Callable[[str], None]] = []


def failpoint(step: str) -> None:
    """Call the observers with the name of a step; tests kill a process exactly there."""
    for observer in _observers:
        observer(step)


def on_failpoint(observer: Callable[[str], None]) -> None:
    """Register a function that is called with each step's name, in the thread that reaches it."""
    _observers.append(observer)
