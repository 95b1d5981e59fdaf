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

from roost.store.embedded import remove_embedded, start_embedded
from roost.store.embedded_place import prepare_place
from roost.store.schema import create_database, prepare_database

TEMPLATE = "roost_template"
#: Below the ground's folder.
_SERVER = "server"
RestartMode = Literal["fast", "immediate"]
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
        yield self.url(name)
        await self._administer(f'DROP DATABASE "{name}" WITH (FORCE)')

    async def _administer(self, statement: str) -> None:
        async with await psycopg.AsyncConnection.connect(
            self.url("postgres"), autocommit=True
        ) as admin:
            await admin.execute(statement.encode())

    async def restart(self, mode: RestartMode) -> None:
        """Restart the server with the options it runs with; `immediate` is a crash."""
        home = (self.folder / _SERVER).resolve()
        place = await asyncio.to_thread(prepare_place, home)
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
