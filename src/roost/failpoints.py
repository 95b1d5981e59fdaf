"""Failpoints: named places between two steps of a worker, where tests kill the worker."""

from collections.abc import Callable
from enum import StrEnum


class Failpoint(StrEnum):
    """Every place between two steps of publishing; tests kill a worker at each of them."""

    UPLOAD_BEFORE_SEND = "upload.before_send"
    UPLOAD_AFTER_SEGMENT = "upload.after_segment"
    """X has acknowledged a segment, and the upload's row records this."""
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
    """Reached only by a post that ends without all its parts on X. If all parts are published, the
    commit that records the last part also ends the post."""
    POST_AFTER_SETTLED = "post.after_settled"


class ReportFailpoint(StrEnum):
    """The places between two steps of making a scheduled report."""

    BEFORE_COMMIT = "report.before_commit"
    """The report is computed, but not kept."""
    IN_TRANSACTION = "report.in_transaction"
    """The transaction has the report and its event, but is not committed."""
    AFTER_COMMIT = "report.after_commit"


_observers: list[Callable[[str], None]] = []


def failpoint(step: str) -> None:
    """Call every observer with a failpoint's name; in tests, an observer kills the process."""
    for observer in _observers:
        observer(step)


def on_failpoint(observer: Callable[[str], None]) -> None:
    """Register a function that gets the name of each failpoint that any thread reaches.

    The function is called in the thread that reaches the failpoint.
    """
    _observers.append(observer)
