"""Logs without secrets, one line an event, and the named steps that work passes through."""

import asyncio
import contextlib
import logging
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

from roost.escaping import log_line
from roost.scrub import scrub

_log = logging.getLogger(__name__)


class _LineFormatter(logging.Formatter):
    """One line for an event, whatever its text holds. Of an exception it says class and places.

    Its words stay out: they may quote a statement's values, a post or a secret, and libraries log
    exceptions that nobody foresaw.
    """

    def format(self, record: logging.LogRecord) -> str:
        return log_line(scrub(super().format(record)))

    def formatException(self, ei: Any) -> str:  # noqa: N802  logging's name
        return describe_exception(ei[1])

    def formatStack(self, stack_info: str) -> str:  # noqa: N802  logging's name
        return "stack logged"


class _LineHandler(logging.StreamHandler[Any]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's name
        """Say that a message does not fit its arguments; logging itself would print these."""
        told = f"a message of {record.name} does not fit its arguments"
        instead = _log.makeRecord(__name__, logging.ERROR, "", 0, told, (), None)
        with contextlib.suppress(OSError, ValueError):  # Closed, or nobody reads it.
            self.stream.write(self.format(instead) + self.terminator)


def describe_exception(error: BaseException | None) -> str:
    """Class and places of an exception and of what led to it, without their words; on one line."""
    told: list[str] = []
    while error is not None and len(told) < 10:
        places = " < ".join(
            f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}"
            for frame in reversed(traceback.extract_tb(error.__traceback__))
        )
        told.append(f"{type(error).__name__} at {places or 'an unknown place'}")
        hidden = None if error.__suppress_context__ else error.__context__
        error = error.__cause__ or hidden
    return " after ".join(told)


def log_to_stderr(level: int = logging.INFO) -> None:
    """Send the log to standard error; standard output stays for answers.

    What Python would print of an exception that nobody catches goes the same way.
    """
    shown = _LineHandler(sys.stderr)
    shown.setFormatter(_LineFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [shown]
    root.setLevel(level)
    # The job engine tells every job at INFO, with its arguments; ours say what matters.
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    threading.excepthook = lambda lost: _log_lost("a thread", lost.exc_value)
    sys.unraisablehook = lambda lost: _log_lost("a destructor or callback", lost.exc_value)


def log_lost_exceptions(loop: asyncio.AbstractEventLoop) -> None:
    """Have an event loop log exceptions that no task waits for as all others are logged."""

    def tell(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is None:
            _log.error("the event loop: %s", context.get("message"))
        else:  # Its message may show the arguments of a callback.
            _log_lost("the event loop", error)

    loop.set_exception_handler(tell)


def _log_lost(place: str, error: BaseException | None) -> None:
    _log.error("an exception was lost in %s: %s", place, describe_exception(error))


_observers: list[Callable[[str], None]] = []


def failpoint(step: str) -> None:
    """Tell observers that work has come to a named step (tests end processes exactly there)."""
    for observer in _observers:
        observer(step)


def on_failpoint(observer: Callable[[str], None]) -> None:
    """Call `observer` with each step's name, in the thread that reaches it."""
    _observers.append(observer)
