"""The watermark: a file of ROOST_HOME with the last event that this machine saw in the database.

It is compared with the database, which may be a restored copy. Within a generation of the database
the watermark never decreases, and it is fsynced before it counts. The file also contains its own
inode number and the machine's boot id, which reveal a copy of the file or of the whole disk.
"""

import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

import msgspec

from roost.errors import WatermarkUnreadable
from roost.file_trust import make_private_folder

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
#: Attempts to get the lock, which another worker holds while it writes the file.
_TRIES: Final = 20
_PAUSE_S: Final = 0.05


class Watermark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last known event of a database, and the identity of that database."""

    system_identifier: str
    database_oid: int
    timeline: str
    generation: int
    generation_tag: int
    event_id: int
    """0 if the database had no event."""
    event_tag: int
    clean_stop_tag: int | None = None
    """Equal to the database's tag if the last worker stopped cleanly; None while a worker runs."""
    is_refused: bool = False
    """The database did not match: only a later generation of it is accepted."""
    boot_id: str = ""
    inode: int = 0


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
    """Replace the watermark and fsync it, unless the file contains a newer one.

    Several workers of a machine write the file. One that is stopped while it writes does not block
    the others.
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
            inode = os.fstat(file.fileno()).st_ino
            full = msgspec.structs.replace(mark, boot_id=_boot_id(), inode=inode)
            file.write(msgspec.json.encode(full))
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
    """Whether `known` is the newer watermark of the same database."""
    if known.generation != mark.generation:
        return known.generation > mark.generation
    if (known.system_identifier, known.database_oid) != (mark.system_identifier, mark.database_oid):
        return False
    if known.is_refused != mark.is_refused:
        return known.is_refused
    return known.event_id > mark.event_id


def is_original(home: Path, mark: Watermark) -> bool:
    """Whether the file is the one that was written, and the machine has not rebooted since."""
    try:
        inode = watermark_file(home).stat().st_ino
    except OSError:
        return False
    return (mark.inode, mark.boot_id) == (inode, _boot_id())


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


@contextlib.contextmanager
def running(home: Path) -> Iterator[None]:
    """Hold a file of ROOST_HOME, which remains if the process is killed or crashes."""
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
                continue  # its worker is still running
            found.append(path)
    return found
