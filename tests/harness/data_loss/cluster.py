"""PostgreSQL clusters that can be copied, dumped and restored.

The clusters use the programs of the embedded server. Each cluster is a copy of one of two prepared
clusters, which differ in their system identifier. Commits survive a crash of the server's
processes, but not a crash of the machine.
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

#: The name of the migrated database in every cluster.
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
#: Port numbers, which only distinguish the names of the unix sockets. No TCP port is opened.
_ports = itertools.count(6000)


class ProgramFailed(Exception):
    """A program of PostgreSQL ended with an error; the message quotes the program's output."""


@dataclass
class ClusterHost:
    """What all clusters share: PostgreSQL's programs, an OS user, and the clusters to copy."""

    paths: EmbeddedPaths
    templates: dict[Origin, Path] = field(default_factory=dict)

    async def run(self, program: str, *arguments: str, as_server: bool = False) -> str:
        """Run a program of PostgreSQL and return its output.

        With `as_server`, the program runs as the OS user of the servers. Raises: ProgramFailed.
        """
        os_user: dict[str, Any] = {}
        if as_server and self.paths.run_as:
            run_as = self.paths.run_as
            os_user = {"user": run_as.uid, "group": run_as.gid, "extra_groups": ()}
        process = await asyncio.create_subprocess_exec(
            self.paths.programs / program,
            *arguments,
            cwd=self.paths.folder,
            env={"LC_ALL": "C", "TZ": "UTC", "PGCTLTIMEOUT": "60"},
            start_new_session=True,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            **os_user,
        )
        output = (await process.communicate())[0].decode(errors="replace")
        if process.returncode:
            raise ProgramFailed(f"{program} ended with {process.returncode}: {output}")
        return output

    def new_data(self) -> Path:
        """Create an empty folder that belongs to the OS user of the servers."""
        return self.paths.new_folder("cluster-")

    @contextlib.asynccontextmanager
    async def cluster(self, origin: Origin = "first") -> AsyncIterator["Cluster"]:
        """Run a cluster with an empty, migrated database, and remove the cluster at the end."""
        cluster = Cluster(self, self.new_data())
        await cluster.replace_data(self.templates[origin])
        await cluster.start()
        try:
            yield cluster
        finally:
            await cluster.remove()


@dataclass
class Cluster:
    """A PostgreSQL server and its data folder."""

    host: ClusterHost
    data: Path
    port: int = field(default_factory=lambda: next(_ports))

    @property
    def socket(self) -> Path:
        """The unix socket on which the server listens."""
        return self.host.paths.socket_folder / f".s.PGSQL.{self.port}"

    def url(self, database: str = DATABASE) -> str:
        """Return the superuser's URL of a database, with a direct connection to the server."""
        folder = quote(str(self.host.paths.socket_folder), safe="")
        return f"postgresql://postgres@/{database}?host={folder}&port={self.port}"

    async def start(self) -> None:
        """Start the server, and wait until it accepts connections."""
        settings = _SETTINGS | {"unix_socket_directories": str(self.host.paths.socket_folder)}
        options = " ".join(f"-c {shlex.quote(f'{k}={v}')}" for k, v in settings.items())
        log = self.data / "server.log"
        arguments = (f"--log={log}", "--wait", f"--options={options} -p {self.port}")
        try:
            await self._control("start", *arguments)
        except ProgramFailed as error:
            raise ProgramFailed(f"{error}\n{log.read_text(errors='replace')[-2000:]}") from None

    async def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop the server if it runs. The mode `immediate` has the effect of a crash."""
        with contextlib.suppress(ProgramFailed):
            await self._control("stop", f"--mode={mode}", "--wait")

    async def promote(self) -> None:
        """Make this standby a primary, which begins a new timeline of the database."""
        await self._control("promote", "--wait")

    async def execute(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run a statement as the superuser, and return the rows of its result."""
        async with await psycopg.AsyncConnection.connect(
            self.url(database), autocommit=True
        ) as connection:
            cursor = await connection.execute(statement.encode())
            return await cursor.fetchall() if cursor.description else []

    async def dump(self, file: Path) -> None:
        """Dump the database to a file."""
        await self.host.run("pg_dump", "-Fc", f"--file={file}", f"--dbname={self.url()}")

    async def restore(self, file: Path, *options: str, database: str = DATABASE) -> None:
        """Load a dump into a database in one transaction.

        Raises: ProgramFailed; the database is unchanged then.
        """
        arguments = ("--single-transaction", "--exit-on-error", f"--dbname={self.url(database)}")
        await self.host.run("pg_restore", *arguments, *options, str(file))

    async def copy_data(self) -> Path:
        """Copy the data folder at one instant, like a snapshot of the volume."""
        target = self.host.new_data()
        with self._suspended():
            await _copy(self.data, target)
        (target / "postmaster.pid").unlink(missing_ok=True)
        return target

    async def replace_data(self, copy: Path) -> None:
        """Replace the data folder with a copy. The server must not be running."""
        shutil.rmtree(self.data)
        await _copy(copy, self.data)

    async def remove(self) -> None:
        """Stop the server, and delete its data folder."""
        await self.stop("immediate")
        shutil.rmtree(self.data, ignore_errors=True)

    @contextlib.contextmanager
    def _suspended(self) -> Iterator[None]:
        """Suspend all processes of the server during the `with` block."""
        try:
            process_id = (self.data / "postmaster.pid").read_text().split()[0]
        except FileNotFoundError:
            yield
            return
        postmaster = psutil.Process(int(process_id))
        os.kill(postmaster.pid, signal.SIGSTOP)
        processes = [postmaster, *postmaster.children()]
        try:
            for process in processes:
                process.suspend()
            yield
        finally:
            for process in reversed(processes):
                process.resume()

    async def _control(self, command: str, *options: str) -> None:
        await self.host.run("pg_ctl", command, f"--pgdata={self.data}", *options, as_server=True)


async def _copy(source: Path, target: Path) -> None:
    """Copy a folder into another folder, with the owners of its files.

    Files that are only in the target are kept.
    """
    command = ("cp", "-a", f"{source}/.", str(target)) if target.exists() else (
        "cp", "-a", str(source), str(target)
    )  # fmt: skip
    process = await asyncio.create_subprocess_exec(*command)
    if await process.wait():
        raise ProgramFailed(f"{source} cannot be copied to {target}")


@contextlib.asynccontextmanager
async def open_cluster_host(folder: Path) -> AsyncIterator[ClusterHost]:
    """Prepare the two clusters that all other clusters copy; remove all clusters at the end."""
    home = folder / "host"
    home.mkdir(parents=True)
    paths = await asyncio.to_thread(prepare_paths, home)
    host = ClusterHost(paths)
    try:
        origins: tuple[Origin, ...] = ("first", "second")
        for origin in origins:
            host.templates[origin] = await _prepare_template(host)
        yield host
    finally:
        remove_paths(home, paths)


async def _prepare_template(host: ClusterHost) -> Path:
    cluster = Cluster(host, host.new_data())
    arguments = (
        *("--username=postgres", "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8"),
        *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        *("--no-instructions", "--no-sync", "--wal-segsize=1"),
    )
    await host.run("initdb", f"--pgdata={cluster.data}", *arguments, as_server=True)
    await cluster.start()
    await cluster.execute(f"CREATE DATABASE {DATABASE}")
    await prepare_database(cluster.url())
    await cluster.stop()
    return cluster.data
