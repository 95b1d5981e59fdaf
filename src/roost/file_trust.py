"""Checks that no other user can change a file or folder, as ssh does for its keys.

Owner and mode are checked for the file and all folders above it. A user who may write to one of
these folders could replace the vault key, the settings or the database. Root is trusted.
"""

import errno
import os
import stat
from pathlib import Path
from typing import Final

from roost.errors import UntrustedPath

_MOST_LINKS: Final = 40
_PRIVATE: Final = 0o700


def require_trusted_folder(path: Path) -> None:
    """Check that only this user and root can change the content of a folder.

    Raises: UntrustedPath, FileNotFoundError.
    """
    at, found = _walk(path)
    if not stat.S_ISDIR(found.st_mode):
        raise UntrustedPath(f"{at} is not a folder.", path=str(at))
    _require_ours(at, found, writable=stat.S_IWGRP | stat.S_IWOTH)


def make_private_folder(path: Path) -> None:
    """Create a folder and its missing parents with mode 700, then check that it is trusted.

    Raises: UntrustedPath, OSError.
    """
    missing = [path, *path.parents]
    for folder in reversed(missing):
        if not os.path.lexists(folder):
            folder.mkdir(mode=_PRIVATE, exist_ok=True)
    require_trusted_folder(path)


def read_private_file(path: Path) -> bytes:
    """Read a file with secrets; refuse the file if other users can change or read it.

    A file that root owns may be readable by other users.

    Raises: UntrustedPath, FileNotFoundError, OSError.
    """
    at, _ = _walk(path)
    # The checked path contains no link. A link that is here now was created after the check, so
    # O_NOFOLLOW refuses it.
    file = os.open(at, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with os.fdopen(file, "rb") as opened:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            raise UntrustedPath(f"{at} is not a regular file.", path=str(at))
        _require_ours(at, found, writable=stat.S_IWGRP | stat.S_IWOTH)
        # A file that root owns may be readable by other users, because root chose its mode.
        if found.st_uid == os.geteuid() and found.st_mode & 0o077:
            raise UntrustedPath(
                f"{at} contains secrets and can be read by other users (mode {_mode(found)}).",
                next=f"chmod 600 {at}",
                path=str(at),
            )
        return opened.read()


def _walk(path: Path) -> tuple[Path, os.stat_result]:
    """Resolve a path and check every folder and link on the way.

    Raises: UntrustedPath, FileNotFoundError, OSError.
    """
    at, links = Path("/"), 0
    left = list(reversed((Path.cwd() / path).parts[1:]))
    found = os.lstat(at)
    while left:
        if stat.S_ISDIR(found.st_mode):
            # In a sticky folder, such as /tmp, other users cannot move or replace our files.
            sticky = found.st_mode & stat.S_ISVTX
            _require_ours(at, found, writable=0 if sticky else stat.S_IWGRP | stat.S_IWOTH)
        name = left.pop()
        here = at.parent if name == ".." else at / name
        found = os.lstat(here)
        if stat.S_ISLNK(found.st_mode):
            _require_ours(here, found, writable=0)
            links += 1
            if links > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
            target = here.readlink()
            left += reversed(target.parts[1:] if target.is_absolute() else target.parts)
            at = Path("/") if target.is_absolute() else at
            found = os.lstat(at)
        else:
            at = here
    return at, found


def _require_ours(path: Path, found: os.stat_result, *, writable: int) -> None:
    if found.st_uid not in (0, os.geteuid()):
        raise UntrustedPath(
            f"{path} belongs to another user (uid {found.st_uid}), who could change it.",
            path=str(path),
        )
    if found.st_mode & writable:
        raise UntrustedPath(
            f"{path} can be changed by other users (mode {_mode(found)}).",
            next=f"chmod go-w {path}",
            path=str(path),
        )


def _mode(found: os.stat_result) -> str:
    return f"{stat.S_IMODE(found.st_mode):04o}"
