"""Logging without secrets, one line per record."""

import asyncio
import contextlib
import logging
import sys
import threading
import traceback
from typing import Any

from roost.escaping import log_line
from roost.scrub import scrub

_log = logging.getLogger(__name__)


class _LineFormatter(logging.Formatter):
    """Formats a record as one line, with only the class and code locations of an exception.

    The message of an exception is not shown, because it may quote a statement's values, a post or a
    secret.
    """

    def format(self, record: logging.LogRecord) -> str:
        return log_line(scrub(super().format(record)))

    def formatException(self, ei: Any) -> str:  # noqa: N802  logging's name
        return describe_exception(ei[1])

    def formatStack(self, stack_info: str) -> str:  # noqa: N802  logging's name
        return "stack logged"


class _LineHandler(logging.StreamHandler[Any]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's name
        """Log only that a message does not match its arguments, without the arguments.

        By default, `logging` prints the arguments, which may contain secrets.
        """
        message = f"a message of {record.name} does not match its arguments"
        replacement = _log.makeRecord(__name__, logging.ERROR, "", 0, message, (), None)
        with contextlib.suppress(OSError, ValueError):  # The stream may be closed.
            self.stream.write(self.format(replacement) + self.terminator)


def describe_exception(error: BaseException | None) -> str:
    """Describe an exception and its causes by class and code locations, on one line."""
    descriptions: list[str] = []
    while error is not None and len(descriptions) < 10:
        places = " < ".join(
            f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}"
            for frame in reversed(traceback.extract_tb(error.__traceback__))
        )
        descriptions.append(f"{type(error).__name__} at {places or 'an unknown location'}")
        hidden = None if error.__suppress_context__ else error.__context__
        error = error.__cause__ or hidden
    return " after ".join(descriptions)


def log_to_stderr(level: int = logging.INFO) -> None:
    """Log to standard error; standard output is for results.

    Unhandled exceptions of threads, destructors and callbacks are logged too, without their
    messages. By default, Python prints such exceptions with their messages.
    """
    handler = _LineHandler(sys.stderr)
    handler.setFormatter(_LineFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # At INFO, the job engine logs every job with its arguments.
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    threading.excepthook = lambda lost: _log_lost("a thread", lost.exc_value)
    sys.unraisablehook = lambda lost: _log_lost("a destructor or callback", lost.exc_value)


def log_lost_exceptions(loop: asyncio.AbstractEventLoop) -> None:
    """Make an event loop log its unhandled exceptions without the exceptions' messages."""

    def log_context(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is None:
            _log.error("the event loop: %s", context.get("message"))
        else:  # The message may contain the arguments of a callback.
            _log_lost("the event loop", error)

    loop.set_exception_handler(log_context)


def _log_lost(place: str, error: BaseException | None) -> None:
    _log.error("an exception was lost in %s: %s", place, describe_exception(error))
