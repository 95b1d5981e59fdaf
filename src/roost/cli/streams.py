"""Standard output and standard error that never raise, so that a command always completes.

A command that has scheduled a post must not fail because its result cannot be written: the reader
of a pipe may be gone, the disk may be full, and the terminal may not know a character.
"""

import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator
from typing import Any, Final, TextIO

#: The minimum width of help and tables, in characters. A narrower terminal breaks their lines.
LEAST_WIDTH: Final = 40


class SafeStream(io.TextIOBase):
    """A text stream that keeps the first error of a write instead of raising it.

    After an error, nothing more is written. A character that the stream's encoding lacks is written
    as its escape.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self.failure: Exception | None = None
        """The first error of a write; None if everything was written."""
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

    @property
    def is_reader_gone(self) -> bool:
        """Whether the reader of the pipe has closed it, as `head` does when it has its lines."""
        return isinstance(self.failure, OSError) and self.failure.errno == errno.EPIPE

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the stream."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def writable(self) -> bool:
        """Return True, because the stream accepts text even after an error."""
        return True

    def isatty(self) -> bool:
        """Whether the stream is a terminal."""
        return self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        """Return the file descriptor. Raises: OSError if the stream has none."""
        if self._stream is None:
            raise io.UnsupportedOperation("fileno")
        return self._stream.fileno()

    def write(self, text: str, /) -> int:
        """Write a text. If this fails, store the error in `failure`."""
        self._attempt("write", text)
        return len(text)

    def flush(self) -> None:
        """Write what is buffered. If this fails, store the error in `failure`."""
        self._attempt("flush")

    def _attempt(self, method: str, *arguments: str) -> None:
        if self._stream is None:  # The process was started with the stream closed (`>&-`).
            if any(arguments) and self.failure is None:
                self.failure = OSError(errno.EBADF, "it is closed")
            return
        if self.failure is not None:
            return
        try:
            getattr(self._stream, method)(*arguments)
        except (OSError, ValueError) as error:  # A closed stream raises ValueError.
            self.failure = error
            self._discard()

    def _discard(self) -> None:
        """Redirect the stream's descriptor to the null device.

        Otherwise Python would try again to write the stream's buffer when the process ends.
        """
        with contextlib.suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self.fileno())
            os.close(null)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def safe_output() -> Iterator[tuple[SafeStream, SafeStream]]:
    """Replace standard output and standard error during the block by streams that never raise."""
    replaced = sys.stdout, sys.stderr
    safe = SafeStream(sys.stdout), SafeStream(sys.stderr)
    sys.stdout, sys.stderr = safe
    try:
        yield safe
    finally:
        for stream in safe:
            stream.flush()
        sys.stdout, sys.stderr = replaced


def set_least_width() -> None:
    """Set the variable COLUMNS to `LEAST_WIDTH` if the terminal is narrower.

    The library that prints help and tables uses the width in COLUMNS, if it is set, instead of the
    terminal's width. With a width of 1 the library does not end, and with a width of 0 it fails, so
    a COLUMNS of 0 is removed.
    """
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and not int(columns):
        del os.environ["COLUMNS"]
        columns = ""
    width = int(columns) if columns.isdecimal() else _terminal_width()
    if width and width < LEAST_WIDTH:
        os.environ["COLUMNS"] = str(LEAST_WIDTH)


def _terminal_width() -> int:
    """Return the width of the first standard stream that is a terminal; 0 if it is unknown."""
    for descriptor in range(3):
        with contextlib.suppress(OSError):
            return os.get_terminal_size(descriptor).columns
    return 0
