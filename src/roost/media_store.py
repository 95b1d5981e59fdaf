"""Copies of the files that posts carry, by their content: `ROOST_HOME/media/<2 digits>/<SHA-256>`.

A file is copied once, when it is accepted. What is checked and what is uploaded is the copy, so
nothing that is done to the file's name afterwards changes a post. Nothing here waits forever: files
are regular ones, sizes and times have bounds.

Whoever accepts files holds a shared lock until the rows that need them are committed; copies are
removed under the exclusive lock alone, so that none is removed that is about to be needed.
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
from roost.mediafile.facts import Refusal, Unreadable
from roost.mediafile.probe import hash_bytes, opened, printable_name, unchanged

#: Wall seconds without a further byte after which a read or a write counts as stuck.
_STALL_S: Final = 60.0
#: For a decoder, which may have to be started, and has bounds of its own.
_DECODE_S: Final = 180.0
#: For another process to end its removal of copies.
_LOCK_S: Final = 30.0
_LOCK_PAUSE_S: Final = 0.05
#: Bytes that the kernel copies at a time, and those that are read and written where it does not.
_IN_KERNEL_BYTES: Final = 8 << 20
_READ_BYTES: Final = 1 << 20
#: Copies that are removed under one lock.
_REMOVED_AT_ONCE: Final = 200
_SHA256: Final = re.compile(r"[0-9a-f]{64}")

OnProgress = Callable[[int, int], None]
FindNeeded = Callable[[Sequence[str]], Awaitable[Collection[str]]]


@dataclass(frozen=True, slots=True)
class MediaStore:
    """The folder of copies. One for every process and machine that uses the same database."""

    folder: Path

    @contextlib.asynccontextmanager
    async def accepting(self) -> AsyncIterator[None]:
        """No copy is removed before the block ends: commit in it what needs those accepted in it.

        Raises: MediaStalled, MediaNotCopied, MediaStoreUnsafe.
        """
        with _not_copied(self.folder):
            lock = _open_lock(self.folder)
        with lock:
            for left in reversed(range(int(_LOCK_S / _LOCK_PAUSE_S))):
                if _try_lock(lock, fcntl.LOCK_SH):
                    break
                if not left:
                    raise MediaStalled(
                        f"Another process has been removing copies from {self.folder} for long."
                    )
                await asyncio.sleep(_LOCK_PAUSE_S)
            yield

    async def accept(
        self,
        path: Path,
        on_progress: OnProgress = lambda done, size: None,
        *,
        within: Path | None = None,
    ) -> str:
        """Copy a file, to be used in an `accepting` block; the SHA-256 of the copy.

        `on_progress` is told the bytes that have been copied, and all bytes; `within` is a folder
        out of which the path may not lead.
        Raises: MediaUnreadable, MediaNotCopied, MediaStalled, MediaStoreUnsafe.
        """
        loop = asyncio.get_running_loop()

        def call(progress: Progress) -> str:
            def on_bytes(done: int, size: int) -> None:
                progress.step()
                with contextlib.suppress(RuntimeError):  # The loop was closed meanwhile.
                    loop.call_soon_threadsafe(on_progress, done, size)

            return _accept(self.folder, path, within, on_bytes, progress.step)

        with _not_copied(self.folder), _stalled(printable_name(path)):
            return await run_blocking(call, stall_s=_STALL_S)

    async def probe(self, sha256: str, path: Path) -> MediaFile:
        """What a copy is; `path` names the file that was accepted.

        Raises: MediaUnreadable, MediaCopyLost, MediaCopyDamaged, MediaStalled, DecoderUnavailable.
        """
        async with self.opened(sha256, path) as file:

            def call(progress: Progress) -> MediaFile:
                return probe_copy(file.fileno(), sha256, path)

            with _stalled(printable_name(path)):
                return await run_blocking(call, stall_s=_DECODE_S)

    @contextlib.asynccontextmanager
    async def opened(self, sha256: str, path: Path) -> AsyncIterator[io.FileIO]:
        """A copy whose bytes have just been compared with its hash, to be read without its name.

        `path` names the file that was accepted.
        Raises: MediaCopyLost, MediaCopyDamaged, MediaStalled, MediaStoreUnsafe.
        """

        def call(progress: Progress) -> io.FileIO:
            return _open_checked(self.folder, sha256, path, progress.step)

        with _stalled(printable_name(path)):
            file = await run_blocking(call, stall_s=_STALL_S)
        with file:
            yield file

    def require_safe(self) -> None:
        """Raises: MediaStoreUnsafe where others may write to the folder."""
        _require_safe(self.folder)

    async def list_lost(self, hashes: Collection[str]) -> list[str]:
        """Which of these copies are not there. Raises: MediaStalled."""

        def call(progress: Progress) -> list[str]:
            return [each for each in hashes if not _path(self.folder, each).is_file()]

        with _stalled(str(self.folder)):
            return await run_blocking(call, stall_s=_STALL_S)

    async def remove_unneeded(self, find_needed: FindNeeded) -> int:
        """Remove what `find_needed` does not name of what is there; how many copies.

        It is asked twice: at leisure, and once more while nobody can accept anything. Where files
        are being accepted just then, nothing more is removed; the next time is soon enough.
        Raises: MediaStalled, OSError, and whatever `find_needed` raises.
        """
        removed, batch = 0, _REMOVED_AT_ONCE
        with _stalled(str(self.folder)):
            there = await run_blocking(lambda _: _list_hashes(self.folder), stall_s=_STALL_S)
            for start in range(0, len(there), batch):
                some = there[start : start + batch]
                needed = await find_needed(some)
                unneeded = [each for each in some if each not in needed]
                if unneeded and not await self._remove(unneeded, find_needed):
                    return removed
                removed += len(unneeded)
            await self._remove([], find_needed)  # what accepting left behind when it was killed
        return removed

    async def _remove(self, hashes: Sequence[str], find_needed: FindNeeded) -> bool:
        """False where somebody accepts files just now."""
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
        gone = [_path(self.folder, each) for each in hashes if each not in needed]

        def call(progress: Progress) -> None:
            # The lock belongs to the thread: it is held for as long as anything may be removed.
            with lock:
                for path in (*gone, *_incoming(self.folder).iterdir()):
                    progress.step()
                    path.unlink(missing_ok=True)

        await run_blocking(call, stall_s=_STALL_S)
        return True


def _accept(
    folder: Path,
    path: Path,
    within: Path | None,
    on_bytes: Callable[[int, int], None],
    on_step: Callable[[], None],
) -> str:
    """Raises: MediaUnreadable, OSError, TimeoutError (from `on_step`)."""
    _prepare(folder)
    with opened(path, within=within) as source:
        incoming = _incoming(folder) / secrets.token_hex(16)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        target = os.open(incoming, flags, 0o600)
        try:
            with unchanged(source) as size:
                _copy(source, target, size, on_bytes)
            sha256 = hash_bytes(target, size, lambda _: on_step())
            os.fsync(target)
            place = _path(folder, sha256)
            place.parent.mkdir(mode=0o700, exist_ok=True)
            # Also where there is one: that one may be damaged, and whoever reads it keeps it.
            incoming.replace(place)
            for changed in (place.parent, folder):
                _fsync_folder(changed)
        finally:
            os.close(target)
            incoming.unlink(missing_ok=True)
    return sha256


def _copy(source: int, target: int, size: int, on_bytes: Callable[[int, int], None]) -> None:
    """So many bytes; by the kernel where it can, which shares the blocks where the disk can.

    Raises: Refusal (there are fewer), OSError.
    """
    at, in_kernel = 0, sys.platform == "linux"
    while at < size:
        done = 0
        if in_kernel:
            with contextlib.suppress(OSError):  # Between two file systems, or of an old kernel.
                done = os.copy_file_range(source, target, min(_IN_KERNEL_BYTES, size - at), at, at)
            if not done:
                in_kernel = False
                continue
        else:
            piece = os.pread(source, min(_READ_BYTES, size - at), at)
            if not piece:
                raise Refusal(Unreadable.CHANGED, "it became shorter while it was copied")
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
        raise MediaCopyLost(
            f"Roost's copy of {name} cannot be opened in {folder} ({type(error).__name__}).",
            sha256=sha256,
        ) from None
    try:
        found = os.fstat(file.fileno())
        with contextlib.suppress(Refusal):
            if (
                stat.S_ISREG(found.st_mode)
                and hash_bytes(file.fileno(), found.st_size, lambda _: on_step()) == sha256
            ):
                return file
        raise MediaCopyDamaged(
            f"Roost's copy of {name} in {folder} has other bytes than were checked.", sha256=sha256
        )
    except BaseException:
        file.close()
        raise


def _prepare(folder: Path) -> None:
    """Make the folders. Raises: OSError, MediaStoreUnsafe."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    _require_safe(folder)
    _incoming(folder).mkdir(mode=0o700, exist_ok=True)


def _require_safe(folder: Path) -> None:
    """A link to a folder is taken; the folder itself belongs to this user alone.

    Raises: MediaStoreUnsafe; nothing where there is no folder.
    """
    try:
        found = folder.stat()
    except OSError:
        return
    if found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise MediaStoreUnsafe(
            f"{folder} belongs to another user, or others may write to it: what was checked could"
            " be exchanged there.",
            next=f"Give it to the user that Roost runs as (chown), then: chmod 700 {folder}",
        )


def _path(folder: Path, sha256: str) -> Path:
    assert _SHA256.fullmatch(sha256), "a hash names a copy, and nothing else does"
    return folder / sha256[:2] / sha256


def _incoming(folder: Path) -> Path:
    """Where copies are made, before they have their names."""
    return folder / "incoming"


def _list_hashes(folder: Path) -> list[str]:
    found = (path.name for path in folder.glob("[0-9a-f][0-9a-f]/*"))
    return sorted(name for name in found if _SHA256.fullmatch(name))


def _open_lock(folder: Path) -> IO[bytes]:
    _prepare(folder)
    return (folder / "lock").open("ab")


def _try_lock(lock: IO[bytes], how: int) -> bool:
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
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
    """Raises: MediaNotCopied in place of an OSError."""
    try:
        yield
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else type(error).__name__
        raise MediaNotCopied(f"A file could not be copied to {folder}: {why}.") from None


@contextlib.contextmanager
def _stalled(what: str) -> Iterator[None]:
    """Raises: MediaStalled in place of a TimeoutError."""
    try:
        yield
    except TimeoutError:
        raise MediaStalled(f"{what} could not be read or copied in time.") from None
