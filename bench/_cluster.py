"""PostgreSQL clusters, from the embedded programs, that can be copied, dumped and restored.

Each cluster is a copy of one of two prepared ones, which differ in their system identifier. Its
commits are safe from a crash of the server's processes, not from one of the machine.
"""

import asyncio
import contextlib
import itertools
import os
import shlex
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import psutil
import psycopg

from roost.store.embedded_paths import EmbeddedPaths, prepare_paths, remove_paths
from roost.store.schema import prepare_database

#: The migrated database in every cluster.
DATABASE = "roost"
Origin = Literal["first", "second"]
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "24MB",
    "max_connections": "200",
    "fsync": "off",
    "log_checkpoints": "off",
    "wal_retrieve_retry_interval": "200ms",
    "io_method": "sync",
}
#: Only part of the sockets' names.
_ports = itertools.count(6000)


class ProgramFailed(Exception):
    """One of PostgreSQL's programs ended with an error; the message quotes its output."""


@dataclass
class Site:
    """Where clusters live: the programs, the OS user and the prepared clusters."""

    place: EmbeddedPaths
    templates: dict[Origin, Path] = field(default_factory=dict)

    async def run(self, program: str, *arguments: str, as_server: bool = False) -> str:
        """Run one of PostgreSQL's programs; its output. `as_server`: as the servers' OS user.

        Raises: ProgramFailed.
        """
        whose: dict[str, Any] = {}
        if as_server and self.place.run_as:
            user = self.place.run_as
            whose = {"user": user.uid, "group": user.gid, "extra_groups": ()}
        process = await asyncio.create_subprocess_exec(
            self.place.programs / program,
            *arguments,
            cwd=self.place.folder,
            env={"LC_ALL": "C", "TZ": "UTC", "PGCTLTIMEOUT": "60"},
            start_new_session=True,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            **whose,
        )
        output = (await process.communicate())[0].decode(errors="replace")
        if process.returncode:
            raise ProgramFailed(f"{program} ended with {process.returncode}: {output}")
        return output

    def new_data(self) -> Path:
        """An empty folder of the servers' user."""
        return self.place.new_folder("cluster-")

    @contextlib.asynccontextmanager
    async def cluster(self, origin: Origin = "first") -> AsyncIterator["Cluster"]:
        """A running cluster with an empty, migrated database; removed with the block."""
        cluster = Cluster(self, self.new_data())
        await cluster.replace_data(self.templates[origin])
        await cluster.start()
        try:
            yield cluster
        finally:
            await cluster.remove()


@dataclass
class Cluster:
    """One server and its data folder."""

    site: Site
    data: Path
    port: int = field(default_factory=lambda: next(_ports))

    @property
    def socket(self) -> Path:
        """The unix socket on which the server listens."""
        return self.site.place.socket_folder / f".s.PGSQL.{self.port}"

    def url(self, database: str = DATABASE) -> str:
        """A connection string of the superuser, straight to the server."""
        folder = quote(str(self.site.place.socket_folder), safe="")
        return f"postgresql://postgres@/{database}?host={folder}&port={self.port}"

    async def start(self) -> None:
        """Start the server and wait until it answers."""
        settings = _SETTINGS | {"unix_socket_directories": str(self.site.place.socket_folder)}
        options = " ".join(f"-c {shlex.quote(f'{k}={v}')}" for k, v in settings.items())
        log = self.data / "server.log"
        words = (f"--log={log}", "--wait", f"--options={options} -p {self.port}")
        try:
            await self._control("start", *words)
        except ProgramFailed as error:
            raise ProgramFailed(f"{error}\n{log.read_text(errors='replace')[-2000:]}") from None

    async def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop the server; `immediate` is a crash. A stopped one stays stopped."""
        with contextlib.suppress(ProgramFailed):
            await self._control("stop", f"--mode={mode}", "--wait")

    async def promote(self) -> None:
        """End recovery: a standby becomes a primary on a timeline of its own."""
        await self._control("promote", "--wait")

    async def execute(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement as the superuser; its rows."""
        async with await psycopg.AsyncConnection.connect(
            self.url(database), autocommit=True
        ) as connection:
            cursor = await connection.execute(statement.encode())
            return await cursor.fetchall() if cursor.description else []

    async def dump(self, file: Path) -> None:
        """Write the database's dump into a file."""
        await self.site.run("pg_dump", "-Fc", f"--file={file}", f"--dbname={self.url()}")

    async def restore(self, file: Path, *options: str, database: str = DATABASE) -> None:
        """Load a dump in one transaction. Raises: ProgramFailed (nothing was changed)."""
        words = ("--single-transaction", "--exit-on-error", f"--dbname={self.url(database)}")
        await self.site.run("pg_restore", *words, *options, str(file))

    async def copy_data(self) -> Path:
        """Copy the data folder as a snapshot of the volume does: all of it at one instant."""
        target = self.site.new_data()
        with self._frozen():
            await _copy(self.data, target)
        (target / "postmaster.pid").unlink(missing_ok=True)
        return target

    async def replace_data(self, copy: Path) -> None:
        """Put a copy of the data in the place of the data; the server is stopped."""
        shutil.rmtree(self.data)
        await _copy(copy, self.data)

    async def remove(self) -> None:
        """Stop the server and delete its data."""
        await self.stop("immediate")
        shutil.rmtree(self.data, ignore_errors=True)

    @contextlib.contextmanager
    def _frozen(self) -> Iterator[None]:
        """Hold every process of the server for the block."""
        try:
            first = (self.data / "postmaster.pid").read_text().split()[0]
        except FileNotFoundError:
            yield
            return
        postmaster = psutil.Process(int(first))
        os.kill(postmaster.pid, signal.SIGSTOP)
        held = [postmaster, *postmaster.children()]
        try:
            for process in held:
                process.suspend()
            yield
        finally:
            for process in reversed(held):
                process.resume()

    async def _control(self, word: str, *options: str) -> None:
        await self.site.run("pg_ctl", word, f"--pgdata={self.data}", *options, as_server=True)


async def _copy(source: Path, target: Path) -> None:
    """Copy a folder with its owners; what is in the target is kept beside it."""
    command = ("cp", "-a", f"{source}/.", str(target)) if target.exists() else (
        "cp", "-a", str(source), str(target)
    )  # fmt: skip
    process = await asyncio.create_subprocess_exec(*command)
    if await process.wait():
        raise ProgramFailed(f"{source} cannot be copied to {target}")


@contextlib.asynccontextmanager
async def open_site(folder: Path) -> AsyncIterator[Site]:
    """Prepare the two clusters that all others are copies of; all is removed with the block."""
    home = folder / "site"
    home.mkdir(parents=True)
    place = await asyncio.to_thread(prepare_paths, home)
    site = Site(place)
    try:
        origins: tuple[Origin, ...] = ("first", "second")
        for origin in origins:
            site.templates[origin] = await _prepare(site)
        yield site
    finally:
        remove_paths(home, place)


async def _prepare(site: Site) -> Path:
    cluster = Cluster(site, site.new_data())
    words = (
        *("--username=postgres", "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8"),
        *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        *("--no-instructions", "--no-sync", "--wal-segsize=1"),
    )
    await site.run("initdb", f"--pgdata={cluster.data}", *words, as_server=True)
    await cluster.start()
    await cluster.execute(f"CREATE DATABASE {DATABASE}")
    await prepare_database(cluster.url())
    await cluster.stop()
    return cluster.data
