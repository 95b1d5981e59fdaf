"""The private PostgreSQL of a home: the first to come starts it, the last to leave stops it.

Its users are processes, each with a shared lock that the system frees when they die, so a server
whose users were all killed is found by the next one, and stops when that one leaves. A process
must leave for that: its SIGTERM and SIGINT have to end in `stop()` or in the context manager.
"""

import asyncio
import contextlib
import fcntl
import os
import shlex
import shutil
import time
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from psycopg.pq import PGconn, Ping

from roost.errors import Busy, DatabaseUnavailable
from roost.file_trust import make_private_folder, require_trusted_folder
from roost.store.embedded_place import Place, prepare_place, remove_place
from roost.store.roles import roles_of

_Answer = TypeVar("_Answer")

#: Seconds that a start (with recovery after a crash) or a stop may take.
_PATIENCE_S = 120
_PORT = 5432  # Only part of the socket's name, but PGPORT must not change it.

#: Statements, their values and rows stay out of the server's log; LOG and worse are written.
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "64MB",
    "max_connections": "200",  # a worker under load holds some 25
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}
_CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    """One process's use of the server; other processes may use the same server."""

    def __init__(self, home: Path, place: Place, users: int) -> None:
        self._home = home
        self._place = place
        self._users: int | None = users

    def url(self, database: str) -> str:
        """A connection string of the bootstrap superuser, over the unix socket."""
        return _url(self._place, database)

    def app_url(self, database: str) -> str:
        """A connection string of the application's login, over the unix socket."""
        return _url(self._place, database, user=roles_of(database).app)

    async def stop(self) -> None:
        """Leave; the server stops if nobody else uses it. A second call does nothing.

        Raises: DatabaseUnavailable (it does not stop).
        """
        users, self._users = self._users, None
        if users is None:
            return
        try:
            async with _turn(self._home):
                await _halt_if_last(self._place, users)
        finally:
            os.close(users)


async def start_embedded(home: Path, *, durable: bool = True) -> EmbeddedPostgres:
    """Use the server of `home`; it is made and started where it is not there yet.

    `durable=False` is for data that may be lost with the machine's power: tests, the demo.
    A server that already runs keeps the durability that it was started with.
    Raises: UntrustedPath; DatabaseUnavailable, with the last lines of the server's log where it has
    some.
    """
    home = home.expanduser()
    try:
        make_private_folder(home)
        return await _join(home.resolve(), durable=durable)
    except OSError as error:
        raise DatabaseUnavailable(
            f"The private PostgreSQL of {home} cannot be set up: {error}",
            next="Run Roost as the owner of that folder, or set DATABASE_URL or ROOST_HOME.",
        ) from error


@contextlib.asynccontextmanager
async def embedded_postgres(home: Path, *, durable: bool = True) -> AsyncIterator[EmbeddedPostgres]:
    """`start_embedded`, and `stop` at the end of the block, also when it is cancelled."""
    server = await start_embedded(home, durable=durable)
    try:
        yield server
    finally:
        await server.stop()


async def remove_embedded(home: Path) -> None:
    """Delete the database of `home` for good; a server that nobody uses any more is stopped.

    Raises: Busy (a process uses it), DatabaseUnavailable.
    """
    home = home.expanduser()
    if not (home / "postgres").exists():
        (home / "postgres").unlink(missing_ok=True)
        return
    require_trusted_folder(home)
    home = home.resolve()
    async with _turn(home):
        place = await _finish(asyncio.to_thread(prepare_place, home))
        users = _open_lock(place.folder / "users.lock")
        try:
            if not _try_lock(users, fcntl.LOCK_EX):
                raise Busy(
                    f"The database of {home} is in use.",
                    next="Stop Roost's other processes, then try again.",
                )
            await _halt(place)
            await asyncio.to_thread(remove_place, home, place)
        finally:
            os.close(users)


async def _join(home: Path, *, durable: bool) -> EmbeddedPostgres:
    async with _turn(home):
        place = await _finish(asyncio.to_thread(prepare_place, home))
        users = _open_lock(place.folder / "users.lock")
        try:
            # Nobody holds it exclusively but within a turn, and the turn is ours.
            fcntl.flock(users, fcntl.LOCK_SH)
            if not await _answers(place):
                await _start(place, durable=durable)
        except BaseException:
            try:
                await _halt_if_last(place, users)
            finally:
                os.close(users)
            raise
    return EmbeddedPostgres(home, place, users)


async def _halt_if_last(place: Place, users: int) -> None:
    """Give the shared lock up; where no other process has one, stop the server."""
    if _try_lock(users, fcntl.LOCK_EX):
        await _halt(place)


async def _start(place: Place, *, durable: bool) -> None:
    if not place.data.exists():
        await _create(place, durable=durable)
    started = time.monotonic()
    while _lives(place.data):
        # It is recovering after a crash, or a user who was killed had begun to stop it.
        if await _answers(place):
            return
        if time.monotonic() - started > _PATIENCE_S:
            raise _unavailable(place, "runs but does not answer")
        await asyncio.sleep(0.05)
    for left in (place.data / "postmaster.pid", place.socket_folder / f".s.PGSQL.{_PORT}.lock"):
        _disown(left)
    settings = _SETTINGS | {"unix_socket_directories": str(place.socket_folder)}
    settings |= {} if durable else _CARELESS
    options = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in settings.items())
    words = ("start", "--log=server.log", f"--options={options} -p {_PORT}")
    status, told = await _run(place, "pg_ctl", *words)
    if status != 0 or not await _answers(place):
        raise _unavailable(place, "does not start", told)


async def _create(place: Place, *, durable: bool) -> None:
    for left in place.folder.glob("new-*"):  # Of a process that was killed right here.
        shutil.rmtree(left, ignore_errors=True)
    new = place.new_folder("new-")
    status, told = await _run(
        place,
        "initdb",
        f"--pgdata={new}",
        "--username=postgres",
        # Who may enter the socket's folder (mode 700) is this OS user or root, and could read the
        # data as well: a password beside it would keep nobody out.
        "--auth-local=trust",
        "--auth-host=reject",
        "--encoding=UTF8",
        # PostgreSQL's own C.UTF-8: the same order on every machine, whatever its C library has.
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--no-instructions",
        *(() if durable else ("--no-sync",)),
    )
    if status != 0:
        shutil.rmtree(new, ignore_errors=True)
        raise _unavailable(place, "cannot make its data folder", told)
    new.rename(place.data)


async def _halt(place: Place) -> None:
    if not _lives(place.data):
        return
    status, told = await _run(place, "pg_ctl", "stop", "--mode=fast")
    if status != 0 and _lives(place.data):
        raise _unavailable(place, "does not stop", told)


async def _run(place: Place, program: str, *arguments: str) -> tuple[int, str]:
    """Run one of PostgreSQL's programs to its end; its status and what it said."""
    return await _finish(_run_there(place, program, arguments))


async def _run_there(place: Place, program: str, arguments: tuple[str, ...]) -> tuple[int, str]:
    given: dict[str, Any] = {}
    if place.run_as:
        given = {"user": place.run_as.uid, "group": place.run_as.gid, "extra_groups": ()}
    running = await asyncio.create_subprocess_exec(
        place.programs / program,
        *arguments,
        cwd=place.data if place.data.exists() else place.folder,
        # Nothing of ours: an environment may hold secrets, and this is another user's process.
        env={
            "PGDATA": str(place.data),
            "PGCTLTIMEOUT": str(_PATIENCE_S),
            "LC_ALL": "C",
            "TZ": "UTC",
        },
        start_new_session=True,  # The terminal's Ctrl-C is for us alone.
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        **given,
    )
    told, _ = await running.communicate()
    return running.returncode or 0, told.decode(errors="replace")


async def _answers(place: Place) -> bool:
    conninfo = f"{_url(place, 'postgres')}&connect_timeout=5"
    return await asyncio.to_thread(PGconn.ping, conninfo.encode()) == Ping.OK


def _url(place: Place, database: str, *, user: str = "postgres") -> str:
    socket, who = quote(str(place.socket_folder), safe=""), quote(user, safe="")
    return f"postgresql://{who}@/{quote(database, safe='')}?host={socket}&port={_PORT}"


def _lives(data: Path) -> bool:
    """Whether the server that the data's pid file names is a process, and this data's server."""
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return False
    try:
        if Path("/proc/self").exists():
            # A server's working folder is its data; another program may have its number by now.
            return Path(f"/proc/{pid}/cwd").samefile(data)
        os.kill(pid, 0)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False
    return True


def _disown(pid_file: Path) -> None:
    """Put an impossible process number into a lock file of a dead server.

    PostgreSQL would refuse to start where another process has the number by now. The rest of the
    file stays, because by it PostgreSQL sees whether a session of the dead server is still alive.
    """
    try:
        file = os.open(pid_file, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    with os.fdopen(file, "r+") as opened:
        _, _, rest = opened.read().partition("\n")
        opened.seek(0)
        opened.write(f"{2**31 - 1}\n{rest}")
        opened.truncate()


def _unavailable(place: Place, what: str, told: str = "") -> DatabaseUnavailable:
    with contextlib.suppress(OSError):
        told += (place.data / "server.log").read_text(errors="replace")
    log = told.strip().splitlines()[-8:]
    return DatabaseUnavailable(
        f"The private PostgreSQL in {place.folder} {what}. The last lines of its log:\n"
        + "\n".join(log),
        next="See that log; with DATABASE_URL Roost uses a server of yours instead.",
        log=log,
    )


@contextlib.asynccontextmanager
async def _turn(home: Path) -> AsyncIterator[None]:
    """Be the only process that starts, stops or removes the server of `home`."""
    lock = _open_lock(home / "postgres.lock")
    try:
        asked = time.monotonic()
        while not _try_lock(lock, fcntl.LOCK_EX):
            if time.monotonic() - asked > 2 * _PATIENCE_S:
                raise DatabaseUnavailable(
                    f"Another process has been starting or stopping the server of {home} for long.",
                    next="See what holds the file postgres.lock there; end it, then try again.",
                )
            await asyncio.sleep(0.02)
        yield
    finally:
        os.close(lock)


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def _try_lock(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def _finish(work: Coroutine[Any, Any, _Answer]) -> _Answer:
    """Let short work end before a cancellation is obeyed: half a start would leave a server."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
