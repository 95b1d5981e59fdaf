"""A private PostgreSQL server, on which each test's database is a copy of a template."""

import asyncio
import contextlib
import itertools
import shlex
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psycopg
from psycopg.conninfo import conninfo_to_dict

from roost.store.embedded import remove_embedded, start_embedded
from roost.store.embedded_paths import EmbeddedPaths, prepare_paths
from roost.store.schema import create_database, drop_database, prepare_database

TEMPLATE = "roost_template"
#: The name of the subfolder with the server's files.
_SERVER = "server"
RestartMode = Literal["fast", "immediate"]
#: Connection options that make a session writable even if the server's default is read-only.
READ_WRITE = "-c default_transaction_read_only=off"
#: The server's maximum number of connections. The embedded server's default of 200 is too low: a
#: worker under load holds some 25 connections, benchmarks run up to a dozen workers at once, and
#: each test setup also has a connection pool.
_MAX_CONNECTIONS = 600
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Server:
    """A running PostgreSQL server. `url(name)` returns the superuser's URL of a database."""

    url: Callable[[str], str]
    folder: Path

    @contextlib.asynccontextmanager
    async def database(self) -> AsyncIterator[str]:
        """Create an empty, migrated database, yield its superuser URL, and drop it at the end."""
        name = f"scenario_{next(_numbers)}"
        await self._execute(f'CREATE DATABASE "{name}" TEMPLATE {TEMPLATE}')
        await prepare_database(self.url(name))
        yield self.url(name)
        for each in (_copy_of(name), name):
            await drop_database(self.url("postgres"), each)

    async def back_up(self, database: str) -> None:
        """Copy the database with the URL `database`, by a dump and a restore.

        The database may be in use.
        """
        name = _name_of(database)
        paths, dump = await self._paths(), str(self.folder / f"{name}.dump")
        await _run(paths, "pg_dump", "-Fc", "-Z0", f"--file={dump}", f"--dbname={database}")
        await self._execute(f'CREATE DATABASE "{_copy_of(name)}"')
        copy = f"--dbname={self.url(_copy_of(name))}"
        await _run(paths, "pg_restore", "--single-transaction", "--exit-on-error", copy, dump)

    async def restore(self, database: str) -> None:
        """Replace the database with the URL `database` by the copy that `back_up` made.

        All sessions of the database are ended.
        """
        name = _name_of(database)
        await self._execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{_copy_of(name)}"')
        # The copy has the privileges on the tables. The privileges on the database itself were
        # removed with the old database, so they are granted again.
        await prepare_database(self.url(name))

    async def set_read_only(self, read_only: bool) -> None:
        """Set whether all sessions, even open ones, are read-only by default."""
        setting = "default_transaction_read_only"
        change = f"SET {setting} = on" if read_only else f"RESET {setting}"
        await self._execute(f"ALTER SYSTEM {change}")
        await self._execute("SELECT pg_reload_conf()")

    async def _execute(self, statement: str) -> None:
        async with await psycopg.AsyncConnection.connect(
            self.url("postgres"), autocommit=True, options=READ_WRITE
        ) as admin:
            await admin.execute(statement.encode())

    async def _paths(self) -> EmbeddedPaths:
        return await asyncio.to_thread(prepare_paths, (self.folder / _SERVER).resolve())

    async def restart(self, mode: RestartMode, *options: str) -> None:
        """Restart the server. The mode `immediate` has the effect of a crash.

        The server keeps its present command-line options, followed by `options`.
        """
        paths = await self._paths()
        # The first word of the file is the path of the program, followed by its options.
        present_options = shlex.split((paths.data / "postmaster.opts").read_text())[1:]
        all_options = shlex.join([*present_options, *options])
        os_user: dict[str, Any] = {}
        if paths.run_as:
            os_user = {"user": paths.run_as.uid, "group": paths.run_as.gid, "extra_groups": ()}
        log = str(paths.data / "server.log")
        process = await asyncio.create_subprocess_exec(
            *(str(paths.programs / "pg_ctl"), "restart", f"--mode={mode}", f"--log={log}"),
            f"--options={all_options}",
            cwd=paths.data,
            env={"PGDATA": str(paths.data), "LC_ALL": "C", "TZ": "UTC"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            **os_user,
        )
        if await process.wait() != 0:
            raise RuntimeError(f"PostgreSQL did not restart; see {log}")


def _name_of(database: str) -> str:
    return str(conninfo_to_dict(database)["dbname"])


def _copy_of(name: str) -> str:
    return f"{name}_copy"


async def _run(paths: EmbeddedPaths, program: str, *arguments: str) -> None:
    """Run a client program of PostgreSQL.

    Raises: RuntimeError (the program failed; the message has its output).
    """
    process = await asyncio.create_subprocess_exec(
        paths.programs / program,
        *arguments,
        env={"LC_ALL": "C", "TZ": "UTC"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output = (await process.communicate())[0].decode(errors="replace")
    if process.returncode:
        raise RuntimeError(f"{program} ended with {process.returncode}: {output}")


def cancel_on_sigterm() -> None:
    """Make SIGTERM cancel the current task, so that a benchmark stops its servers too."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


@contextlib.asynccontextmanager
async def open_server(folder: Path, *, durable: bool = False) -> AsyncIterator[Server]:
    """Run a private PostgreSQL server in the folder, and remove the server at the end.

    Only a durable server keeps all commits in a restart with the mode `immediate`.
    """
    home = folder / _SERVER
    embedded = await start_embedded(home, durable=durable)
    try:
        server = Server(embedded.url, folder)
        await server.restart("fast", "-c", f"max_connections={_MAX_CONNECTIONS}")
        await create_database(server.url("postgres"), TEMPLATE)
        await prepare_database(server.url(TEMPLATE))
        yield server
    finally:
        await embedded.stop()
        await remove_embedded(home)
