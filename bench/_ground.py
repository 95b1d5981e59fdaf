"""What worlds stand on: one private PostgreSQL with a migrated template."""

import asyncio
import contextlib
import itertools
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
#: Below the ground's folder.
_SERVER = "server"
RestartMode = Literal["fast", "immediate"]
#: Options of a session that writes whatever the server's default is.
WRITING = "-c default_transaction_read_only=off"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Ground:
    """A running server: `url` gives the superuser's way to one of its databases."""

    url: Callable[[str], str]
    folder: Path

    @contextlib.asynccontextmanager
    async def database(self) -> AsyncIterator[str]:
        """A migrated, empty database; the superuser's way to it."""
        name = f"world_{next(_numbers)}"
        await self._administer(f'CREATE DATABASE "{name}" TEMPLATE {TEMPLATE}')
        await prepare_database(self.url(name))
        yield self.url(name)
        for each in (_copy_of(name), name):
            await drop_database(self.url("postgres"), each)

    async def back_up(self, database: str) -> None:
        """Dump a database in use (its URL), and load the dump into a copy beside it."""
        name = _name_of(database)
        place, dump = await self._place(), str(self.folder / f"{name}.dump")
        await _run(place, "pg_dump", "-Fc", "-Z0", f"--file={dump}", f"--dbname={database}")
        await self._administer(f'CREATE DATABASE "{_copy_of(name)}"')
        copy = f"--dbname={self.url(_copy_of(name))}"
        await _run(place, "pg_restore", "--single-transaction", "--exit-on-error", copy, dump)

    async def restore(self, database: str) -> None:
        """Put the copy that `back_up` made in the place of the database; ends all its sessions."""
        name = _name_of(database)
        await self._administer(f'DROP DATABASE "{name}" WITH (FORCE)')
        await self._administer(f'CREATE DATABASE "{name}" TEMPLATE "{_copy_of(name)}"')
        # What may be done with a database is lost with it; its tables kept their roles.
        await prepare_database(self.url(name))

    async def refuse_writes(self, refuse: bool) -> None:
        """Let every session that says nothing else be read-only, those that are open included."""
        what = "SET default_transaction_read_only = on"
        await self._administer(
            f"ALTER SYSTEM {what if refuse else 'RESET default_transaction_read_only'}"
        )
        await self._administer("SELECT pg_reload_conf()")

    async def _administer(self, statement: str) -> None:
        async with await psycopg.AsyncConnection.connect(
            self.url("postgres"), autocommit=True, options=WRITING
        ) as admin:
            await admin.execute(statement.encode())

    async def _place(self) -> EmbeddedPaths:
        return await asyncio.to_thread(prepare_paths, (self.folder / _SERVER).resolve())

    async def restart(self, mode: RestartMode) -> None:
        """Restart the server with the options it runs with; `immediate` is a crash."""
        place = await self._place()
        whose: dict[str, Any] = {}
        if place.run_as:
            whose = {"user": place.run_as.uid, "group": place.run_as.gid, "extra_groups": ()}
        log = str(place.data / "server.log")
        ended = await asyncio.create_subprocess_exec(
            *(str(place.programs / "pg_ctl"), "restart", f"--mode={mode}", f"--log={log}"),
            cwd=place.data,
            env={"PGDATA": str(place.data), "LC_ALL": "C", "TZ": "UTC"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            **whose,
        )
        if await ended.wait() != 0:
            raise RuntimeError(f"PostgreSQL does not restart; see {log}")


def _name_of(database: str) -> str:
    return str(conninfo_to_dict(database)["dbname"])


def _copy_of(name: str) -> str:
    return f"{name}_copy"


async def _run(place: EmbeddedPaths, program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's client programs. Raises: RuntimeError, with its output."""
    process = await asyncio.create_subprocess_exec(
        place.programs / program,
        *arguments,
        env={"LC_ALL": "C", "TZ": "UTC"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output = (await process.communicate())[0].decode(errors="replace")
    if process.returncode:
        raise RuntimeError(f"{program} ended with {process.returncode}: {output}")


def end_well() -> None:
    """Let SIGTERM cancel the present task, so that whoever ends a bench ends its servers too."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


@contextlib.asynccontextmanager
async def open_ground(folder: Path, *, durable: bool = False) -> AsyncIterator[Ground]:
    """A private PostgreSQL below the folder, gone with the block.

    Only a durable one keeps every commit through a restart that is a crash.
    """
    home = folder / _SERVER
    server = await start_embedded(home, durable=durable)
    try:
        await create_database(server.url("postgres"), TEMPLATE)
        await prepare_database(server.url(TEMPLATE))
        yield Ground(server.url, folder)
    finally:
        await server.stop()
        await remove_embedded(home)
