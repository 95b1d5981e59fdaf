"""A starting worker waits for an unavailable database, but ends if the password is wrong."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from fix_emulator import Emulator
from fix_postgres import PostgresServer, app_url
from fix_processes import python_process, until
from fix_publishing import run_roost
from harness.server import open_server
from roost import worker
from roost.runtime import open_runtime
from roost.settings import Settings
from roost.store.embedded import EmbeddedPostgres, remove_embedded, start_embedded
from roost.store.schema import create_database, prepare_database
from roost.store.vault import make_key_line

pytestmark = pytest.mark.timing

_COMMAND = ("-m", "roost", "worker", "--json")


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Path]:
    """A folder with a stopped private PostgreSQL that has the migrated database `roost`."""
    home = tmp_path / "server"
    server = await start_embedded(home, durable=False)
    try:
        await create_database(server.url("postgres"), "roost")
        await prepare_database(server.url("roost"))
    finally:
        await server.stop()
    yield home
    await remove_embedded(home)


def url_of(home: Path) -> str:
    """Return the application's URL of the database, whether its server runs or not."""
    socket = (home / "postgres" / "run").resolve()
    return f"postgresql://roost_app@/roost?host={socket}&port=5432"


def settings_for(url: str, tmp_path: Path) -> Settings:
    return Settings(
        _env_file=None,
        home=tmp_path / "home",
        database_url=url,
        vault_keys=make_key_line(),
        x_base_url="http://127.0.0.1:9",
    )


async def wait_logged(log: Path, words: str) -> None:
    """Wait until the log contains these words."""

    async def has() -> bool:
        return words in log.read_text()

    await until(has, within=60)


async def test_worker_waits_for_database_and_starts_when_it_is_back(
    home: Path, tmp_path: Path, emulator: Emulator
) -> None:
    log = tmp_path / "worker.log"
    # The emulator is needed because a worker that does not know X's time runs no jobs.
    x_urls = {"x_base_url": emulator.url, "clock_url": emulator.clock_url}
    settings = settings_for(url_of(home), tmp_path).model_copy(update=x_urls)
    async with python_process(*_COMMAND, settings=settings, log=log) as process:
        await wait_logged(log, "waiting for the database")
        assert "ready" not in log.read_text()
        server: EmbeddedPostgres = await start_embedded(home, durable=False)
        try:
            await wait_logged(log, '"ready"')
            async with open_runtime(settings) as runtime:
                await until(lambda: worker.is_any_alive(runtime), within=60)
            assert log.read_text().count("waiting for the database") == 1
            process.terminate()
            assert await process.wait() == 0
        finally:
            await server.stop()


async def test_worker_that_waits_ends_on_sigterm(home: Path, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    settings = settings_for(url_of(home), tmp_path)
    async with python_process(*_COMMAND, settings=settings, log=log) as process:
        await wait_logged(log, "waiting for the database")
        process.terminate()
        assert await process.wait() == 0


async def test_worker_starts_while_server_restarts(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.database() as url:
        settings = settings_for(app_url(url), tmp_path)
        logs = [tmp_path / f"worker-{number}.log" for number in range(3)]

        async def start(log: Path) -> None:
            async with python_process(*_COMMAND, settings=settings, log=log) as process:
                await wait_logged(log, '"ready"')
                assert process.returncode is None, log.read_text()

        async def restart() -> None:
            for mode in ("fast", "immediate", "fast"):
                await server.restart(mode)

        await asyncio.gather(restart(), *map(start, logs))


async def test_worker_ends_at_once__database_missing(
    migrated_server: PostgresServer, tmp_path: Path
) -> None:
    url = migrated_server.url("no_such_database")
    result = await run_roost("worker", "--json", folder=tmp_path, DATABASE_URL=url)
    assert (result.code, result.error) == (5, "database_unavailable")
    assert "no_such_database" in result.answer["error"]["message"]


async def test_worker_ends_at_once__wrong_password(home: Path, tmp_path: Path) -> None:
    rules = home / "postgres" / "data" / "pg_hba.conf"
    rules.write_text(f"local all roost_app scram-sha-256\n{rules.read_text()}")
    server = await start_embedded(home, durable=False)
    try:
        with psycopg.connect(server.url("roost"), autocommit=True) as admin:
            admin.execute("ALTER ROLE roost_app PASSWORD 'right'")
        for login, message in (
            ("roost_app:wrong", "password authentication"),
            ("roost_app", "password"),
        ):
            url = url_of(home).replace("roost_app@", f"{login}@")
            result = await run_roost("worker", "--json", folder=tmp_path, DATABASE_URL=url)
            assert (result.code, result.error) == (5, "database_unavailable")
            assert message in result.answer["error"]["message"]
    finally:
        await server.stop()
