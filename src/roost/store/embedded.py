"""The private PostgreSQL server of a `ROOST_HOME`, shared by Roost's processes.

The first process that uses the server starts it, and the last process stops it. Each process holds
a shared file lock, which the system frees when the process dies. If all processes are killed, the
server keeps running until the next process has started and ended. A process must therefore handle
SIGTERM and SIGINT in such a way that it calls `stop()` or leaves the context manager.
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
from roost.store.embedded_paths import EmbeddedPaths, prepare_paths, remove_paths
from roost.store.roles import roles_of

_Result = TypeVar("_Result")

#: Maximum seconds for starting the server, including its recovery after a crash, and for stopping.
_TIMEOUT_S = 120
_PORT = 5432  # The port is part of the socket's name. It is set here, so that PGPORT has no effect.

#: With these settings, the server logs messages of the level LOG and above, but no statements,
#: values or rows, because these may be secret.
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "64MB",
    "max_connections": "200",  # a busy worker uses about 25 connections
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}
_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    """The private PostgreSQL as this process uses it; other processes may use it too."""

    def __init__(self, home: Path, paths: EmbeddedPaths, lock: int) -> None:
        self._home = home
        self._paths = paths
        self._lock: int | None = lock
        """The file descriptor of the shared lock; None if this process has stopped its use."""

    def url(self, database: str) -> str:
        """Return a connection string of the server's superuser, over the Unix socket."""
        return _url(self._paths, database)

    def app_url(self, database: str) -> str:
        """Return a connection string of the application's login, over the Unix socket."""
        return _url(self._paths, database, user=roles_of(database).app)

    async def stop(self) -> None:
        """Stop using the server, and stop the server if no other process uses it.

        A second call does nothing. Raises: DatabaseUnavailable if the server does not stop.
        """
        lock, self._lock = self._lock, None
        if lock is None:
            return
        try:
            async with _exclusive(self._home):
                await _halt_if_last(self._paths, lock)
        finally:
            os.close(lock)


async def start_embedded(home: Path, *, durable: bool = True) -> EmbeddedPostgres:
    """Begin to use the server of `home`; create and start the server if necessary.

    `durable=False` is faster, but a power failure may destroy the data; tests and the demo use it.
    If the server already runs, `durable` has no effect.
    Raises: UntrustedPath; DatabaseUnavailable, with the last lines of the server's log if any.
    """
    home = home.expanduser()
    try:
        make_private_folder(home)
        return await _join(home.resolve(), durable=durable)
    except OSError as error:
        raise DatabaseUnavailable(
            f"The private PostgreSQL of {home} cannot be set up: {error}",
            next="Run Roost as the owner of that folder, set ROOST_HOME to another folder, or set"
            " DATABASE_URL to a server of your own.",
        ) from error


@contextlib.asynccontextmanager
async def embedded_postgres(home: Path, *, durable: bool = True) -> AsyncIterator[EmbeddedPostgres]:
    """Use the server of `home` within the block, and call `stop` at the end in any case."""
    server = await start_embedded(home, durable=durable)
    try:
        yield server
    finally:
        await server.stop()


async def remove_embedded(home: Path) -> None:
    """Delete the database of `home`, after stopping a server that no process uses.

    Raises: Busy if a process uses the server, DatabaseUnavailable.
    """
    home = home.expanduser()
    if not (home / "postgres").exists():
        (home / "postgres").unlink(missing_ok=True)
        return
    require_trusted_folder(home)
    home = home.resolve()
    async with _exclusive(home):
        paths = await _finish(asyncio.to_thread(prepare_paths, home))
        lock = _open_lock(paths.folder / "users.lock")
        try:
            if not _try_lock(lock, fcntl.LOCK_EX):
                raise Busy(
                    f"The database of {home} is in use.",
                    next="Stop Roost's other processes, then try again.",
                )
            await _halt(paths)
            await asyncio.to_thread(remove_paths, home, paths)
        finally:
            os.close(lock)


async def _join(home: Path, *, durable: bool) -> EmbeddedPostgres:
    async with _exclusive(home):
        paths = await _finish(asyncio.to_thread(prepare_paths, home))
        lock = _open_lock(paths.folder / "users.lock")
        try:
            # This call does not block, because a process locks the file exclusively only within
            # `_exclusive`.
            fcntl.flock(lock, fcntl.LOCK_SH)
            if not await _answers(paths):
                await _start(paths, durable=durable)
        except BaseException:
            try:
                await _halt_if_last(paths, lock)
            finally:
                os.close(lock)
            raise
    return EmbeddedPostgres(home, paths, lock)


async def _halt_if_last(paths: EmbeddedPaths, lock: int) -> None:
    """Stop the server if no other process holds the shared lock."""
    if _try_lock(lock, fcntl.LOCK_EX):
        await _halt(paths)


async def _start(paths: EmbeddedPaths, *, durable: bool) -> None:
    if not paths.data.exists():
        await _create(paths, durable=durable)
    started = time.monotonic()
    while _is_alive(paths.data):
        # The server is recovering after a crash, or is stopping for a process that was then killed.
        if await _answers(paths):
            return
        if time.monotonic() - started > _TIMEOUT_S:
            raise _unavailable(paths, "is running but does not respond")
        await asyncio.sleep(0.05)
    for left in (paths.data / "postmaster.pid", paths.socket_folder / f".s.PGSQL.{_PORT}.lock"):
        _clear_pid(left)
    settings = _SETTINGS | {"unix_socket_directories": str(paths.socket_folder)}
    settings |= {} if durable else _NOT_DURABLE
    options = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in settings.items())
    arguments = ("start", "--log=server.log", f"--options={options} -p {_PORT}")
    status, output = await _run(paths, "pg_ctl", *arguments)
    if status != 0 or not await _answers(paths):
        raise _unavailable(paths, "does not start", output)


async def _create(paths: EmbeddedPaths, *, durable: bool) -> None:
    # If a process is killed in this function, its incomplete data folder is left.
    for left in paths.folder.glob("new-*"):
        shutil.rmtree(left, ignore_errors=True)
    new = paths.new_folder("new-")
    status, output = await _run(
        paths,
        "initdb",
        f"--pgdata={new}",
        "--username=postgres",
        # Only this OS user and root may enter the socket's folder (mode 700). Both users can also
        # read the data and would find a password file beside it, so a password adds no security.
        "--auth-local=trust",
        "--auth-host=reject",
        "--encoding=UTF8",
        # PostgreSQL's own C.UTF-8 sorts in the same order on every machine, which a locale of the C
        # library may not do.
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--no-instructions",
        *(() if durable else ("--no-sync",)),
    )
    if status != 0:
        shutil.rmtree(new, ignore_errors=True)
        raise _unavailable(paths, "cannot create its data folder", output)
    new.rename(paths.data)


async def _halt(paths: EmbeddedPaths) -> None:
    if not _is_alive(paths.data):
        return
    status, output = await _run(paths, "pg_ctl", "stop", "--mode=fast")
    if status != 0 and _is_alive(paths.data):
        raise _unavailable(paths, "does not stop", output)


async def _run(paths: EmbeddedPaths, program: str, *arguments: str) -> tuple[int, str]:
    """Run one of PostgreSQL's programs to its end; return the exit status and the output."""
    return await _finish(_run_as_owner(paths, program, arguments))


async def _run_as_owner(
    paths: EmbeddedPaths, program: str, arguments: tuple[str, ...]
) -> tuple[int, str]:
    user: dict[str, Any] = {}
    if paths.run_as:
        user = {"user": paths.run_as.uid, "group": paths.run_as.gid, "extra_groups": ()}
    process = await asyncio.create_subprocess_exec(
        paths.programs / program,
        *arguments,
        cwd=paths.data if paths.data.exists() else paths.folder,
        # Roost's environment may have secrets, and the program may run as another OS user.
        env={
            "PGDATA": str(paths.data),
            "PGCTLTIMEOUT": str(_TIMEOUT_S),
            "LC_ALL": "C",
            "TZ": "UTC",
        },
        start_new_session=True,  # Ctrl-C in the terminal must not stop the server.
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        **user,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode(errors="replace")


async def _answers(paths: EmbeddedPaths) -> bool:
    conninfo = f"{_url(paths, 'postgres')}&connect_timeout=5"
    return await asyncio.to_thread(PGconn.ping, conninfo.encode()) == Ping.OK


def _url(paths: EmbeddedPaths, database: str, *, user: str = "postgres") -> str:
    socket, login = quote(str(paths.socket_folder), safe=""), quote(user, safe="")
    return f"postgresql://{login}@/{quote(database, safe='')}?host={socket}&port={_PORT}"


def _is_alive(data: Path) -> bool:
    """Whether the pid file of a data folder names a running server of this folder."""
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return False
    try:
        if Path("/proc/self").exists():
            # By now, the id may belong to another process. Only the server's working folder is the
            # data folder.
            return Path(f"/proc/{pid}/cwd").samefile(data)
        os.kill(pid, 0)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False
    return True


def _clear_pid(pid_file: Path) -> None:
    """Replace the process id in the lock file of a dead server by an impossible id.

    If another process has got the dead server's id in the meantime, PostgreSQL would refuse to
    start. The rest of the file stays, because PostgreSQL uses it to find sessions of the dead
    server that still run.
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


def _unavailable(paths: EmbeddedPaths, problem: str, output: str = "") -> DatabaseUnavailable:
    with contextlib.suppress(OSError):
        output += (paths.data / "server.log").read_text(errors="replace")
    log = output.strip().splitlines()[-8:]
    return DatabaseUnavailable(
        f"The private PostgreSQL in {paths.folder} {problem}. The last lines of its log:\n"
        + "\n".join(log),
        next="Correct what the log reports, or set DATABASE_URL to a server of your own.",
        log=log,
    )


@contextlib.asynccontextmanager
async def _exclusive(home: Path) -> AsyncIterator[None]:
    """Keep other processes from starting, stopping or removing the server of `home`."""
    lock = _open_lock(home / "postgres.lock")
    try:
        started = time.monotonic()
        while not _try_lock(lock, fcntl.LOCK_EX):
            if time.monotonic() - started > 2 * _TIMEOUT_S:
                raise DatabaseUnavailable(
                    f"Another process takes too long to start or stop the server of {home}.",
                    next="End the process that locks the file postgres.lock in this folder, then"
                    " try again.",
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


async def _finish(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run short work to its end, and only then raise a cancellation.

    If the start of the server was cancelled halfway, the server would keep running unused.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
