"""PostgreSQL for the tests: one private server per process of the test session."""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import psycopg
import pytest

from roost.store.embedded import EmbeddedPostgres, remove_embedded, start_embedded
from roost.store.roles import roles_of

#: A file system in memory, and the free bytes that it must have. A server needs about 300 MB.
_MEMORY: Final = Path("/dev/shm")
_MEMORY_BYTES: Final = 4 << 30


def app_url(admin_url: str) -> str:
    """Convert the superuser's URL of a database to the application's URL."""
    parts = urlsplit(admin_url)
    login = quote(roles_of(unquote(parts.path[1:])).app, safe="")
    return urlunsplit(parts._replace(netloc=f"{login}@{parts.netloc.rpartition('@')[2]}"))


@dataclass(frozen=True)
class PostgresServer:
    """A running server, which is deleted at the end of the session."""

    embedded: EmbeddedPostgres

    def url(self, database: str) -> str:
        """Return the superuser's URL of a database."""
        return self.embedded.url(database)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """One server per test process, so that xdist's workers share no roles.

    The data is in memory if there is enough. On ext4, a new file is expensive for some minutes
    after files were deleted, and most tests create and drop a database of 300 files: creating the
    database took 310 ms of CPU time on ext4, and 20 ms in memory.
    """
    home = tmp_path_factory.mktemp("postgres_server")
    with contextlib.ExitStack() as stack:
        if _has_memory():
            folder = stack.enter_context(
                tempfile.TemporaryDirectory(
                    prefix="roost-tests-", dir=_MEMORY, ignore_cleanup_errors=True
                )
            )
            # The user of the server must be able to enter the folder, if that is another user.
            Path(folder).chmod(0o711)
            (home / "postgres").symlink_to(folder)
        runner = stack.enter_context(asyncio.Runner())
        embedded = runner.run(start_embedded(home, durable=False))
        try:
            with psycopg.connect(embedded.url("postgres"), autocommit=True) as admin:
                # By default, the server keeps up to 1 GB of its log.
                admin.execute("ALTER SYSTEM SET max_wal_size = '128MB'")
                admin.execute("SELECT pg_reload_conf()")
            yield PostgresServer(embedded)
        finally:
            runner.run(embedded.stop())
            runner.run(remove_embedded(home))


def _has_memory() -> bool:
    return _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _MEMORY_BYTES
