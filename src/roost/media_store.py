"""A store of copies of media files. Each copy is named by the hash of its content.

The path of a copy is `ROOST_HOME/media/<first 2 digits>/<SHA-256>`. A file is copied once, when it
is added. The copy is validated and uploaded, so a later change to the original does not change a
post. Nothing here blocks forever: only regular files are read, with limits on size and time.

A caller that adds files holds a shared lock until the rows that refer to the copies are committed.
Copies are removed only under the exclusive lock, so no copy is removed while its row is
uncommitted.
"""

import asyncio
import contextlib
import fcntl
import io
import os
import re
import secrets
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from roost.blocking import Progress, run_blocking
from roost.errors import (
    MediaCopyDamaged,
    MediaCopyLost,
    MediaNotCopied,
    MediaStalled,
    MediaStoreUnsafe,
)
from roost.mediafile import MediaFile, probe_copy
from roost.mediafile.media_info import Refusal, Unreadable
from roost.mediafile.probe import hash_bytes, open_media, printable_name, require_unchanged

#: Wall seconds without a further byte after which a read or a write counts as stuck.
_STALL_S: Final = 60.0
#: Maximum wall seconds for a decoder process, including its start; decoding has shorter limits.
_DECODE_S: Final = 180.0
#: Maximum wall seconds to wait until another process has finished removing copies.
_LOCK_S: Final = 30.0
_LOCK_POLL_S: Final = 0.05
#: The number of bytes that one step copies: in the kernel, and by read and write.
_IN_KERNEL_BYTES: Final = 8 << 20
_READ_BYTES: Final = 1 << 20
#: The number of copies that are removed under one lock.
_REMOVAL_BATCH: Final = 200
_SHA256: Final = re.compile(r"[0-9a-f]{64}")

OnProgress = Callable[[int, int], None]
FindNeeded = Callable[[Sequence[str]], Awaitable[Collection[str]]]


@dataclass(frozen=True, slots=True)
class MediaStore:
    """The folder of copies of media files.

    All processes and machines that use the same database share the folder.
    """

    folder: Path

    @contextlib.asynccontextmanager
    async def prevent_removal(self) -> AsyncIterator[None]:
        """Prevent the removal of copies during the block.

        The caller adds files, and commits the rows that refer to them, inside the block.

        Raises: MediaStalled, MediaNotCopied, MediaStoreUnsafe.
        """
        with _not_copied(self.folder):
            lock = _open_lock(self.folder)
        with lock:
            for attempts_left in reversed(range(int(_LOCK_S / _LOCK_POLL_S))):
                if _try_lock(lock, fcntl.LOCK_SH):
                    break
                if not attempts_left:
                    raise MediaStalled(
                        f"Timed out: another process is still removing copies from {self.folder}."
                    )
                await asyncio.sleep(_LOCK_POLL_S)
            yield

    async def add(
        self,
        path: Path,
        on_progress: OnProgress = lambda done, size: None,
        *,
        within: Path | None = None,
    ) -> str:
        """Copy a file into the store, and return its SHA-256; call this in `prevent_removal`.

        `on_progress` is called with the number of copied bytes and the size in bytes. `within` is
        a folder that must contain the file, after links are resolved.

        Raises: MediaUnreadable, MediaNotCopied, MediaStalled, MediaStoreUnsafe.
        """
        loop = asyncio.get_running_loop()

        def call(progress: Progress) -> str:
            def on_bytes(done: int, size: int) -> None:
                progress.step()
                with contextlib.suppress(RuntimeError):  # A closed loop raises this error.
                    loop.call_soon_threadsafe(on_progress, done, size)

            return _add_copy(self.folder, path, within, on_bytes, progress.step)

        with _not_copied(self.folder), _stalled(printable_name(path)):
            return await run_blocking(call, stall_s=_STALL_S)

    async def probe(self, sha256: str, path: Path) -> MediaFile:
        """Return the properties of a copy; `path` is the original file.

        Raises: MediaUnreadable, MediaCopyLost, MediaCopyDamaged, MediaStalled, DecoderUnavailable.
        """
        async with self.open_copy(sha256, path) as file:

            def call(progress: Progress) -> MediaFile:
                return probe_copy(file.fileno(), sha256, path)

            with _stalled(printable_name(path)):
                return await run_blocking(call, stall_s=_DECODE_S)

    @contextlib.asynccontextmanager
    async def open_copy(self, sha256: str, path: Path) -> AsyncIterator[io.FileIO]:
        """Open a copy after comparing its content with its hash; `path` is the original file.

        The open file stays readable even if the copy is removed meanwhile.

        Raises: MediaCopyLost, MediaCopyDamaged, MediaStalled, MediaStoreUnsafe.
        """

        def call(progress: Progress) -> io.FileIO:
            return _open_checked(self.folder, sha256, path, progress.step)

        with _stalled(printable_name(path)):
            file = await run_blocking(call, stall_s=_STALL_S)
        with file:
            yield file

    def require_safe(self) -> None:
        """Check that no other user may write to the folder.

        Raises: MediaStoreUnsafe.
        """
        _require_safe(self.folder)

    async def list_missing(self, hashes: Collection[str]) -> list[str]:
        """Return the hashes whose copy does not exist.

        Raises: MediaStalled.
        """

        def call(progress: Progress) -> list[str]:
            return [sha256 for sha256 in hashes if not _path(self.folder, sha256).is_file()]

        with _stalled(str(self.folder)):
            return await run_blocking(call, stall_s=_STALL_S)

    async def remove_unneeded(self, find_needed: FindNeeded) -> int:
        """Remove the copies that `find_needed` does not return, and return their number.

        `find_needed` gets a batch of hashes, and returns those that posts need. It is called twice
        for each batch: without a lock, and again under the exclusive lock. If files are being added
        at that moment, this method stops early.

        Raises: MediaStalled, OSError, and any exception of `find_needed`.
        """
        removed = 0
        with _stalled(str(self.folder)):
            stored = await run_blocking(lambda _: _list_hashes(self.folder), stall_s=_STALL_S)
            for start in range(0, len(stored), _REMOVAL_BATCH):
                batch = stored[start : start + _REMOVAL_BATCH]
                needed = await find_needed(batch)
                unneeded = [sha256 for sha256 in batch if sha256 not in needed]
                if unneeded and not await self._remove(unneeded, find_needed):
                    return removed
                removed += len(unneeded)
            await self._remove([], find_needed)  # Removes incomplete copies.
        return removed

    async def _remove(self, hashes: Sequence[str], find_needed: FindNeeded) -> bool:
        """Remove unneeded and incomplete copies; return False if files are being added."""
        if not self.folder.is_dir():
            return True
        lock = _open_lock(self.folder)
        try:
            if not _try_lock(lock, fcntl.LOCK_EX):
                lock.close()
                return False
            needed = await find_needed(hashes) if hashes else ()
        except BaseException:
            lock.close()
            raise
        paths = [_path(self.folder, sha256) for sha256 in hashes if sha256 not in needed]

        def call(progress: Progress) -> None:
            # The thread owns the lock, so the lock is held as long as the thread removes files.
            with lock:
                for path in (*paths, *_incoming(self.folder).iterdir()):
                    progress.step()
                    path.unlink(missing_ok=True)

        await run_blocking(call, stall_s=_STALL_S)
        return True


def _add_copy(
    folder: Path,
    path: Path,
    within: Path | None,
    on_bytes: Callable[[int, int], None],
    on_step: Callable[[], None],
) -> str:
    """Copy a file, hash the copy, and rename the copy to its hash.

    Raises: MediaUnreadable, OSError, TimeoutError (from `on_step`).
    """
    _make_folders(folder)
    with open_media(path, within=within) as source:
        incoming = _incoming(folder) / secrets.token_hex(16)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        target = os.open(incoming, flags, 0o600)
        try:
            with require_unchanged(source) as size:
                _copy(source, target, size, on_bytes)
            sha256 = hash_bytes(target, size, lambda _: on_step())
            os.fsync(target)
            copy = _path(folder, sha256)
            copy.parent.mkdir(mode=0o700, exist_ok=True)
            # Replace an existing copy too, as it may be damaged; open readers keep the old file.
            incoming.replace(copy)
            for changed in (copy.parent, folder):
                _fsync_folder(changed)
        finally:
            os.close(target)
            incoming.unlink(missing_ok=True)
    return sha256


def _copy(source: int, target: int, size: int, on_bytes: Callable[[int, int], None]) -> None:
    """Copy `size` bytes, if possible in the kernel, so that the files can share disk blocks.

    Raises: Refusal (CHANGED) if the source is shorter than `size`, OSError.
    """
    at, in_kernel = 0, sys.platform == "linux"
    while at < size:
        done = 0
        if in_kernel:
            # `copy_file_range` fails between two file systems, and on old kernels.
            with contextlib.suppress(OSError):
                done = os.copy_file_range(source, target, min(_IN_KERNEL_BYTES, size - at), at, at)
            if not done:
                in_kernel = False
                continue
        else:
            piece = os.pread(source, min(_READ_BYTES, size - at), at)
            if not piece:
                raise Refusal(Unreadable.CHANGED, "it was truncated while it was copied")
            done = os.pwrite(target, piece, at)
        at += done
        on_bytes(at, size)


def _open_checked(folder: Path, sha256: str, path: Path, on_step: Callable[[], None]) -> io.FileIO:
    _require_safe(folder)
    name = printable_name(path)
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        file = io.FileIO(os.open(_path(folder, sha256), flags), "rb")
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        raise MediaCopyLost(
            f"Roost's copy of {name} cannot be opened in {folder}: {reason}.",
            sha256=sha256,
        ) from None
    try:
        status = os.fstat(file.fileno())
        with contextlib.suppress(Refusal):
            if (
                stat.S_ISREG(status.st_mode)
                and hash_bytes(file.fileno(), status.st_size, lambda _: on_step()) == sha256
            ):
                return file
        raise MediaCopyDamaged(
            f"Roost's copy of {name} in {folder} has changed since it was validated.",
            sha256=sha256,
        )
    except BaseException:
        file.close()
        raise


def _make_folders(folder: Path) -> None:
    """Create the store's folder, and the folder of incomplete copies in it.

    Raises: OSError, MediaStoreUnsafe.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    _require_safe(folder)
    _incoming(folder).mkdir(mode=0o700, exist_ok=True)


def _require_safe(folder: Path) -> None:
    """Check that the folder belongs to this user and that no other user may write to it.

    A link to such a folder is allowed; a missing folder is not an error.

    Raises: MediaStoreUnsafe.
    """
    try:
        status = folder.stat()
    except OSError:
        return
    if status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise MediaStoreUnsafe(
            f"{folder} belongs to another user, or other users may write to it, so that they could"
            " replace validated files.",
            next=f"Make Roost's user the owner of the folder (chown), then: chmod 700 {folder}",
        )


def _path(folder: Path, sha256: str) -> Path:
    assert _SHA256.fullmatch(sha256), "the name of a copy is its hash"
    return folder / sha256[:2] / sha256


def _incoming(folder: Path) -> Path:
    """Return the folder of incomplete copies."""
    return folder / "incoming"


def _list_hashes(folder: Path) -> list[str]:
    names = (path.name for path in folder.glob("[0-9a-f][0-9a-f]/*"))
    return sorted(name for name in names if _SHA256.fullmatch(name))


def _open_lock(folder: Path) -> IO[bytes]:
    _make_folders(folder)
    return (folder / "lock").open("ab")


def _try_lock(lock: IO[bytes], operation: int) -> bool:
    try:
        fcntl.flock(lock, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _not_copied(folder: Path) -> Iterator[None]:
    """Convert an OSError of the block to MediaNotCopied.

    Raises: MediaNotCopied.
    """
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        raise MediaNotCopied(f"A file could not be copied to {folder}: {reason}.") from None


@contextlib.contextmanager
def _stalled(name: str) -> Iterator[None]:
    """Convert a TimeoutError of the block to MediaStalled.

    Raises: MediaStalled.
    """
    try:
        yield
    except TimeoutError:
        raise MediaStalled(f"Reading or copying {name} timed out.") from None
