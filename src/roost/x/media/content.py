"""The bytes of an upload, read piece by piece; each piece is a buffer of its own.

What the page cache holds is read at once; a thread for each piece costs as much as the sending.
"""

import asyncio
import contextlib
import hashlib
import io
import os
import stat
import sys
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from roost.blocking import run_blocking
from roost.errors import MediaChanged, MediaStalled, MediaUnreadable, RoostError
from roost.mediafile.facts import Unreadable

#: What X takes at most.
_MOST_BYTES: Final = 512 << 20


@dataclass(frozen=True, slots=True)
class HashedFile:
    """An open file whose bytes have this SHA-256, as its caller has seen.

    An upload of it is gone on with by that, whichever copy of the bytes is at hand.
    """

    file: BinaryIO
    sha256: str


Buffer = bytes | bytearray | memoryview
Source = Path | str | bytes | BinaryIO | HashedFile


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
        self.failure: OSError | RoostError | None = None
        """Why a read went wrong. An HTTP library that reads keeps it to itself."""
        self._look = look
        self._looked = look()
        self._read_at = read_at
        self._read_at_once = read_at_once

    async def read(self, offset: int, length: int) -> Buffer:
        """Exactly these bytes. Raises: OSError, MediaChanged (there are fewer), MediaStalled."""
        piece = self._read_at_once(offset, length)
        if piece is not None:
            return piece
        try:
            try:
                piece = await run_blocking(lambda _: self._read_at(offset, length))
            except TimeoutError:
                raise MediaStalled("The file could not be read in time.") from None
            if len(piece) < length:
                raise _changed("became shorter")
        except (OSError, RoostError) as error:
            self.failure = error
            raise
        return piece

    def check_unchanged(self) -> None:
        """Raises: MediaChanged (X may have pieces of two versions)."""
        if self._look() != self._looked:
            raise _changed("was changed")


def _changed(how: str) -> MediaChanged:
    return MediaChanged(
        f"The file {how} while it was uploaded.",
        did="X was not told that it is whole; what arrived expires by itself.",
        next="Upload the file as it is now.",
    )


@contextlib.asynccontextmanager
async def opened(source: Source) -> AsyncIterator[Content]:
    """A path is opened once, and everything is read from what was opened; an open file is read from
    its beginning, and stays open.

    Raises: OSError, MediaUnreadable (it is no regular file, or larger than X takes), MediaStalled.
    """
    if isinstance(source, bytes):
        yield await asyncio.to_thread(_of_bytes, source)
    elif isinstance(source, HashedFile):
        yield _of_descriptor(source.file.fileno(), source.sha256)
    elif isinstance(source, Path | str):
        try:
            file = await run_blocking(lambda _: _open(Path(source)))
        except TimeoutError:
            raise MediaStalled("The file could not be opened in time.") from None
        with file:
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


def _open(path: Path) -> io.FileIO:
    """Without O_NONBLOCK a pipe would be waited for."""
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    descriptor = os.open(path, flags)
    try:
        _require_ordinary(descriptor)
    except MediaUnreadable:
        os.close(descriptor)
        raise
    return io.FileIO(descriptor, "rb")


def _require_ordinary(descriptor: int) -> None:
    """Raises: MediaUnreadable."""
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        raise MediaUnreadable(
            "What is to be uploaded is no regular file.", reason=Unreadable.NOT_A_FILE.value
        )
    if found.st_size > _MOST_BYTES:
        raise MediaUnreadable(
            f"The file has {found.st_size} bytes; X takes at most {_MOST_BYTES}.",
            reason=Unreadable.TOO_LARGE.value,
        )


def _of_descriptor(descriptor: int, sha256: str | None = None) -> Content:
    _require_ordinary(descriptor)

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

    size = os.fstat(descriptor).st_size
    return Content(size, sha256 or look(), look, read, read_cached)


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
