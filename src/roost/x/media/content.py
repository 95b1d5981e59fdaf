"""The bytes of an upload, read chunk by chunk; each chunk has a buffer of its own.

Bytes that are in the page cache are read without a thread, because handing a chunk to a thread
costs as much as sending the chunk.
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
from roost.mediafile.media_info import Unreadable

#: The size of the largest file that X accepts.
_MAX_BYTES: Final = 512 << 20


@dataclass(frozen=True, slots=True)
class HashedFile:
    """An open file with the SHA-256 of its bytes, which the caller has verified.

    An upload of this file can be resumed with any copy of the same bytes.
    """

    file: BinaryIO
    sha256: str


Buffer = bytes | bytearray | memoryview
Source = Path | str | bytes | BinaryIO | HashedFile


class Content:
    """Reads the content of an upload: a file, or bytes in memory."""

    def __init__(
        self,
        size: int,
        fingerprint: str,
        get_version: Callable[[], str],
        read_at: Callable[[int, int], Buffer],
        read_cached: Callable[[int, int], Buffer | None],
    ) -> None:
        self.size = size
        self.fingerprint = fingerprint
        """See `UploadState.fingerprint`."""
        self.failure: OSError | RoostError | None = None
        """The error of a failed read. It is kept here, because aiohttp does not pass it on."""
        self._get_version = get_version
        self._version = get_version()
        self._read_at = read_at
        self._read_cached = read_cached

    async def read(self, offset: int, length: int) -> Buffer:
        """Read `length` bytes at `offset`.

        Raises: OSError, MediaChanged (the file has fewer bytes), MediaStalled.
        """
        chunk = self._read_cached(offset, length)
        if chunk is not None:
            return chunk
        try:
            try:
                chunk = await run_blocking(lambda _: self._read_at(offset, length))
            except TimeoutError:
                raise MediaStalled("The file could not be read in time.") from None
            if len(chunk) < length:
                raise _changed("became shorter")
        except (OSError, RoostError) as error:
            self.failure = error
            raise
        return chunk

    def check_unchanged(self) -> None:
        """Check that the file did not change since it was opened.

        Raises: MediaChanged if it did: X may have received segments of both versions.
        """
        if self._get_version() != self._version:
            raise _changed("was changed")


def _changed(how: str) -> MediaChanged:
    return MediaChanged(
        f"The file {how} while it was uploaded.",
        did="The upload was not finalized; its segments expire on X.",
        next="Upload the file as it is now.",
    )


@contextlib.asynccontextmanager
async def open_content(source: Source) -> AsyncIterator[Content]:
    """Open the source of an upload.

    A path is opened once, so all segments come from the same file even if the path is replaced. An
    open file is read from its beginning, and stays open.

    Raises: OSError, MediaUnreadable (not a regular file, or larger than X accepts), MediaStalled.
    """
    if isinstance(source, bytes):
        yield await asyncio.to_thread(_from_bytes, source)
    elif isinstance(source, HashedFile):
        yield _from_descriptor(source.file.fileno(), source.sha256)
    elif isinstance(source, Path | str):
        try:
            file = await run_blocking(lambda _: _open_path(Path(source)))
        except TimeoutError:
            raise MediaStalled("The file could not be opened in time.") from None
        with file:
            yield _from_descriptor(file.fileno())
    else:
        source.flush()  # The upload must include bytes that are still in the file's buffer.
        if isinstance(getattr(source, "raw", source), io.FileIO):
            yield _from_descriptor(source.fileno())
        else:
            yield await asyncio.to_thread(_from_seekable, source)


def _from_bytes(source: bytes) -> Content:
    digest = hashlib.sha256(source).hexdigest()
    view = memoryview(source)

    def read(offset: int, length: int) -> Buffer:
        return view[offset : offset + length]

    return Content(len(source), digest, lambda: digest, read, read)


def _open_path(path: Path) -> io.FileIO:
    """Open a file with O_NONBLOCK, because opening a pipe could otherwise block."""
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    descriptor = os.open(path, flags)
    try:
        _require_regular(descriptor)
    except MediaUnreadable:
        os.close(descriptor)
        raise
    return io.FileIO(descriptor, "rb")


def _require_regular(descriptor: int) -> None:
    """Check that an open file is regular and not too large for X. Raises: MediaUnreadable."""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise MediaUnreadable(
            "The upload's source is not a regular file.", reason=Unreadable.NOT_A_FILE.value
        )
    if status.st_size > _MAX_BYTES:
        raise MediaUnreadable(
            f"The file has {status.st_size} bytes; X accepts at most {_MAX_BYTES}.",
            reason=Unreadable.TOO_LARGE.value,
        )


def _from_descriptor(descriptor: int, sha256: str | None = None) -> Content:
    _require_regular(descriptor)

    def get_version() -> str:
        status = os.fstat(descriptor)
        return f"{status.st_size} bytes of {status.st_mtime_ns}"

    def read(offset: int, length: int) -> Buffer:
        return os.pread(descriptor, length, offset)

    def read_cached(offset: int, length: int) -> Buffer | None:
        if sys.platform != "linux":
            return None
        chunk = bytearray(length)
        try:
            count = os.preadv(descriptor, [chunk], offset, os.RWF_NOWAIT)
        except OSError:  # The bytes are not in the page cache, or RWF_NOWAIT is not supported.
            return None
        return chunk if count == length else None

    size = os.fstat(descriptor).st_size
    return Content(size, sha256 or get_version(), get_version, read, read_cached)


def _from_seekable(source: BinaryIO) -> Content:
    """Wrap a file object that has no descriptor.

    The object has only one read position, so a lock makes reads take turns.
    """
    position_lock = threading.Lock()
    size = source.seek(0, os.SEEK_END)
    source.seek(0)
    digest = hashlib.file_digest(source, "sha256").hexdigest()  # type: ignore[arg-type]

    def read(offset: int, length: int) -> Buffer:
        with position_lock:
            source.seek(offset)
            return source.read(length)

    return Content(size, digest, lambda: digest, read, lambda offset, length: None)
