"""The bytes of an upload, read piece by piece; each piece is a buffer of its own.

What the page cache holds is read at once; a thread for each piece costs as much as the sending.
"""

import asyncio
import contextlib
import hashlib
import io
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import BinaryIO

from roost.errors import MediaChanged

Buffer = bytes | bytearray | memoryview
Source = Path | str | bytes | BinaryIO


class Content:
    """What is uploaded, for as long as it is open."""

    def __init__(
        self,
        size: int,
        mark: str,
        look: Callable[[], str],
        read_at: Callable[[int, int], Buffer],
        read_at_once: Callable[[int, int], Buffer | None],
    ) -> None:
        self.size = size
        self.mark = mark
        """See `UploadState.content_mark`."""
        self.failure: OSError | MediaChanged | None = None
        """Why a read went wrong. An HTTP library that reads keeps it to itself."""
        self._look = look
        self._read_at = read_at
        self._read_at_once = read_at_once

    async def read(self, offset: int, length: int) -> Buffer:
        """Exactly these bytes. Raises: OSError, MediaChanged (there are fewer)."""
        piece = self._read_at_once(offset, length)
        if piece is not None:
            return piece
        try:
            piece = await asyncio.to_thread(self._read_at, offset, length)
            if len(piece) < length:
                raise _changed("became shorter")
        except (OSError, MediaChanged) as error:
            self.failure = error
            raise
        return piece

    def check_unchanged(self) -> None:
        """Raises: MediaChanged (X may have pieces of two versions)."""
        if self._look() != self.mark:
            raise _changed("was changed")


def _changed(how: str) -> MediaChanged:
    return MediaChanged(
        f"The file {how} while it was uploaded.",
        did="X was not told that it is whole; what arrived expires by itself.",
        next="Upload the file as it is now.",
    )


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
        if isinstance(getattr(source, "raw", source), io.FileIO):
            yield _of_descriptor(source.fileno())
        else:
            yield await asyncio.to_thread(_of_seekable, source)


def _of_bytes(source: bytes) -> Content:
    mark = hashlib.sha256(source).hexdigest()
    view = memoryview(source)

    def read(offset: int, length: int) -> Buffer:
        return view[offset : offset + length]

    return Content(len(source), mark, lambda: mark, read, read)


def _of_descriptor(descriptor: int) -> Content:
    def look() -> str:
        found = os.fstat(descriptor)
        return f"{found.st_size} bytes of {found.st_mtime_ns}"

    def read(offset: int, length: int) -> Buffer:
        return os.pread(descriptor, length, offset)

    def read_cached(offset: int, length: int) -> Buffer | None:
        if sys.platform != "linux":
            return None
        piece = bytearray(length)
        try:
            there = os.preadv(descriptor, [piece], offset, os.RWF_NOWAIT)
        except OSError:  # not in the page cache, or a file system that does not tell
            return None
        return piece if there == length else None

    return Content(os.fstat(descriptor).st_size, look(), look, read, read_cached)


def _of_seekable(source: BinaryIO) -> Content:
    """A file in memory, or one that is unpacked: it has one position, so one reader at a time."""
    turn = threading.Lock()
    size = source.seek(0, os.SEEK_END)
    source.seek(0)
    mark = hashlib.file_digest(source, "sha256").hexdigest()  # type: ignore[arg-type]

    def read(offset: int, length: int) -> Buffer:
        with turn:
            source.seek(offset)
            return source.read(length)

    return Content(size, mark, lambda: mark, read, lambda offset, length: None)
