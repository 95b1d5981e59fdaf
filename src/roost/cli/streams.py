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
from typing import Any, TextIO


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
        """Whether the stream accepts text: always."""
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
        """Write a text; keep the error if that fails."""
        self._attempt("write", text)
        return len(text)

    def flush(self) -> None:
        """Write what is buffered; keep the error if that fails."""
        self._attempt("flush")

    def _attempt(self, method: str, *arguments: str) -> None:
        if self._stream is None or self.failure is not None:
            return
        try:
            getattr(self._stream, method)(*arguments)
        except (OSError, ValueError) as error:  # ValueError: the stream is closed.
            self.failure = error
            self._discard()

    def _discard(self) -> None:
        """Redirect the descriptor to the null device, since Python writes its buffer at the end."""
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
