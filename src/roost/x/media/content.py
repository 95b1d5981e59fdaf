"""The bytes of an upload, read piece by piece; each piece is a buffer of its own."""

import asyncio
import contextlib
import hashlib
import io
import os
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import BinaryIO

from roost.errors import MediaChanged

Source = Path | str | bytes | BinaryIO


class Content:
    """What is uploaded, for as long as it is open."""

    def __init__(
        self, size: int, mark: str, read_at: Callable[[int, int], bytes], look: Callable[[], str]
    ) -> None:
        self.size = size
        self.mark = mark
        """See `UploadState.content_mark`."""
        self.failure: OSError | MediaChanged | None = None
        """Why a read went wrong. An HTTP library that reads keeps it to itself."""
        self._read_at = read_at
        self._look = look

    async def read(self, offset: int, length: int) -> bytes:
        """Exactly these bytes. Raises: OSError, MediaChanged (there are fewer)."""
        try:
            piece = await asyncio.to_thread(self._read_at, length, offset)
            if len(piece) < length:
                raise MediaChanged("The file became shorter while it was uploaded.")
        except (OSError, MediaChanged) as error:
            self.failure = error
            raise
        return piece

    def check_unchanged(self) -> None:
        """Raises: MediaChanged (X may have pieces of two versions)."""
        if self._look() != self.mark:
            raise MediaChanged("The file was changed while it was uploaded.")


@contextlib.asynccontextmanager
async def opened(source: Source) -> AsyncIterator[Content]:
    """A path is opened; an open file is read from its beginning, and stays open.

    Raises: OSError.
    """
    if isinstance(source, bytes):
        yield await asyncio.to_thread(_of_bytes, source)
    elif isinstance(source, Path | str):
        with await asyncio.to_thread(Path(source).open, "rb") as file:
            yield _of_descriptor(file.fileno())
    else:
        source.flush()  # what a writer still holds back belongs to the file
        try:
            descriptor = source.fileno()
        except io.UnsupportedOperation:
            yield await asyncio.to_thread(_of_seekable, source)
        else:
            yield _of_descriptor(descriptor)


def _of_bytes(source: bytes) -> Content:
    mark = hashlib.sha256(source).hexdigest()
    return Content(
        len(source), mark, lambda length, offset: source[offset : offset + length], lambda: mark
    )


def _of_descriptor(descriptor: int) -> Content:
    def look() -> str:
        found = os.fstat(descriptor)
        return f"{found.st_size} bytes of {found.st_mtime_ns}"

    def read(length: int, offset: int) -> bytes:
        return os.pread(descriptor, length, offset)

    return Content(os.fstat(descriptor).st_size, look(), read, look)


def _of_seekable(source: BinaryIO) -> Content:
    """A file in memory or inside another one: it has one position, so one reader at a time."""
    turn = threading.Lock()
    size = source.seek(0, os.SEEK_END)
    source.seek(0)
    mark = hashlib.file_digest(source, "sha256").hexdigest()  # type: ignore[arg-type]

    def read(length: int, offset: int) -> bytes:
        with turn:
            source.seek(offset)
            return source.read(length)

    return Content(size, mark, read, lambda: mark)
