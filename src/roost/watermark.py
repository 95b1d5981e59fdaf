"""The watermark: a file with the last event that this machine saw in the database.

The file is in ROOST_HOME. Workers compare the watermark with the database, which may be a restored
copy. After a restore, `roost resume --all` starts a new generation of the database. Within a
generation, the watermark never decreases; the file is fsynced before workers rely on it. If the
file and the database were restored together from one copy, `stop_tag` detects this by facts outside
the copy.
"""

import contextlib
import fcntl
import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

import msgspec

from roost.errors import WatermarkUnreadable
from roost.file_trust import make_private_folder

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
#: The number of attempts to get the lock, which another worker holds while it writes the file.
_TRIES: Final = 20
_PAUSE_S: Final = 0.05


class Watermark(msgspec.Struct, frozen=True):
    """The last known event of a database, and the identity of the database.

    Unknown fields in the file are ignored.
    """

    system_identifier: str
    database_oid: int
    timeline: str
    generation: int
    generation_tag: int
    event_id: int
    """0 if the database had no event."""
    event_tag: int
    clean_stop_tag: int | None = None
    """A random number, new at each clean stop; None while a worker runs or after a crash."""
    is_refused: bool = False
    """Whether the database did not match the watermark.

    If so, only a later generation of the database is accepted."""


_DECODER: Final = msgspec.json.Decoder(Watermark)


def watermark_file(home: Path) -> Path:
    """Return the path of the watermark file."""
    return home / "watermark.json"


def read(home: Path) -> Watermark | None:
    """Return the watermark; None if no worker has run with this ROOST_HOME.

    Raises: WatermarkUnreadable.
    """
    path = watermark_file(home)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise WatermarkUnreadable(f"{path} cannot be read ({type(error).__name__}).") from None
    try:
        return _DECODER.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise WatermarkUnreadable(f"{path} is damaged.") from None


def write(home: Path, mark: Watermark) -> None:
    """Replace the watermark in the file and fsync it, unless the file has a newer watermark.

    All workers of a machine write this file, one at a time, under a file lock. If a suspended
    worker holds the lock, the others wait for a second and then raise OSError.
    Raises: OSError.
    """
    make_private_folder(home)
    path = watermark_file(home)
    with (home / "watermark.lock").open("a") as lock:
        _lock(lock)
        with contextlib.suppress(WatermarkUnreadable):
            if (known := read(home)) is not None and _is_newer(known, mark):
                return
        fresh = path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(msgspec.json.encode(mark))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        folder = os.open(home, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _lock(file: IO[str]) -> None:
    """Lock the file. Raises: OSError if another process holds the lock for too long."""
    for left in reversed(range(_TRIES)):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if not left:
                raise
            time.sleep(_PAUSE_S)
        else:
            return


def _is_newer(known: Watermark, mark: Watermark) -> bool:
    """Whether `known` is a newer watermark than `mark`, for the same database."""
    if known.generation != mark.generation:
        return known.generation > mark.generation
    if (known.system_identifier, known.database_oid) != (mark.system_identifier, mark.database_oid):
        return False
    if known.is_refused != mark.is_refused:
        return known.is_refused
    return known.event_id > mark.event_id


def stop_tag(home: Path, mark: Watermark, *, server_started_at: datetime | None) -> int | None:
    """Return a number that identifies a clean stop by facts that no copy of the data contains.

    The database stores this number at the stop; the next start computes the number again and
    compares both. The number depends on
    - the file's inode and change time: no program can set the change time, so a file that was
      copied, unpacked or overwritten has another change time, even if its inode is the old one;
    - the machine's boot, because a machine boots when a snapshot of the whole machine is restored;
    - the start of the database server, which is stopped while its data directory is replaced.
      `server_started_at` is None for the private server, which starts and stops with Roost.

    Returns None if `mark` is not from a clean stop, or differs from the file.
    """
    if mark.clean_stop_tag is None:
        return None
    try:
        # Opening makes a network file system ask its server for the file's present state.
        with watermark_file(home).open("rb") as file:
            content, status = file.read(), os.fstat(file.fileno())
        if _DECODER.decode(content) != mark:
            return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    started = server_started_at.astimezone(UTC).isoformat() if server_started_at else ""
    facts = (mark.clean_stop_tag, status.st_ino, status.st_ctime_ns, _boot_id(), started)
    digest = hashlib.sha256(repr(facts).encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1  # The tag's column is a signed 32-bit integer.


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


@contextlib.contextmanager
def running(home: Path) -> Iterator[None]:
    """Create and lock a file in ROOST_HOME, which remains if the process is killed or crashes."""
    folder = home / "workers"
    make_private_folder(folder)
    path = folder / f"{os.getpid()}-{secrets.token_hex(4)}.run"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
        path.unlink(missing_ok=True)


def list_unclean_stops(home: Path) -> list[Path]:
    """Return the files of workers that were killed or crashed; the caller deletes the files."""
    found = []
    for path in (home / "workers").glob("*.run"):
        with contextlib.suppress(FileNotFoundError), path.open("r") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue  # The file's worker is still running.
            found.append(path)
    return found
