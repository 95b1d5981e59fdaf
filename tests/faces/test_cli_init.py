"""`roost init`: makes what is missing, twice as well as once, and nothing where it may not."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from fix_postgres import PostgresServer
from fix_publishing import Ended, run_roost

PLAIN_USER = "roost_tenant_user"


@pytest.fixture
def empty_database(migrated_server: PostgresServer) -> Iterator[str]:
    """A new database that knows nothing of Roost, as the superuser."""
    with psycopg.connect(migrated_server.url("postgres"), autocommit=True) as admin:
        admin.execute("CREATE DATABASE for_init")
        yield migrated_server.url("for_init")
        admin.execute("DROP DATABASE for_init WITH (FORCE)")


@pytest.fixture
def plain_user(empty_database: str) -> Iterator[str]:
    """The same database as a user sees it who may only log in."""
    with psycopg.connect(empty_database, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {PLAIN_USER} LOGIN PASSWORD 'a-password'")
        parts = urlsplit(empty_database)
        host = parts.netloc.rpartition("@")[2]
        yield urlunsplit(parts._replace(netloc=f"{PLAIN_USER}:a-password@{host}"))
        admin.execute(f"DROP OWNED BY {PLAIN_USER} CASCADE")
        admin.execute(f"DROP ROLE {PLAIN_USER}")


async def init(url: str, folder: Path, *arguments: str, **environment: str) -> Ended:
    """`roost init --json` on this database."""
    given = {"DATABASE_URL": url} | environment
    return await run_roost("init", *arguments, "--json", folder=folder, settings=None, **given)


def schemas_of(url: str) -> set[str]:
    with psycopg.connect(url) as admin:
        return {row[0] for row in admin.execute("SELECT nspname FROM pg_namespace")}


async def test_init_makes_everything_and_says_what_to_set(
    empty_database: str, tmp_path: Path
) -> None:
    ended = await init(empty_database, tmp_path)
    assert ended.code == 0
    assert ended.answer["migrated"] is True
    assert ended.answer["key_made"] is True
    assert ended.answer["tenant_made"] is True
    assert ended.answer["to_set"] == ["TWITTER_CLIENT_ID", "TWITTER_CLIENT_SECRET"]
    key = tmp_path / "home" / "keys"
    assert key.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
    assert key.read_text().split(":")[1].strip() not in ended.out + ended.err


async def test_a_second_init_changes_nothing(empty_database: str, tmp_path: Path) -> None:
    for _ in range(2):
        ended = await init(empty_database, tmp_path)
        key = (tmp_path / "home" / "keys").read_text()
    assert ended.code == 0
    assert [ended.answer[each] for each in ("migrated", "key_made", "tenant_made")] == [False] * 3
    assert (tmp_path / "home" / "keys").read_text() == key


@pytest.mark.timing
async def test_two_inits_at_once_both_end_well(empty_database: str, tmp_path: Path) -> None:
    ends = await asyncio.gather(*(init(empty_database, tmp_path) for _ in range(2)))
    assert [ended.code for ended in ends] == [0, 0], [ended.out for ended in ends]
    assert sorted(ended.answer["migrated"] for ended in ends) == [False, True]


async def test_init_warns_of_the_key_beside_the_backup(empty_database: str, tmp_path: Path) -> None:
    ended = await run_roost("init", folder=tmp_path, DATABASE_URL=empty_database)
    assert ended.code == 0
    assert "apart from the database's backups" in ended.out


async def test_init_with_roost_keys_makes_no_key_file(empty_database: str, tmp_path: Path) -> None:
    key = "mine:" + "A" * 43 + "="
    ended = await run_roost(
        "init", "--json", folder=tmp_path, DATABASE_URL=empty_database, ROOST_KEYS=key
    )
    assert (ended.code, ended.answer["key_made"]) == (0, False)
    assert not (tmp_path / "home" / "keys").exists()


async def test_init_of_a_user_without_rights_prints_the_sql_and_changes_nothing(
    empty_database: str, plain_user: str, tmp_path: Path
) -> None:
    before = schemas_of(empty_database)
    ended = await run_roost("init", folder=tmp_path, DATABASE_URL=plain_user)
    assert ended.code == 3
    assert ended.out == ""
    assert f'TO "{PLAIN_USER}"' in ended.err
    assert 'GRANT CREATE ON DATABASE "for_init" TO roost_owner' in ended.err
    assert "a-password" not in ended.err
    assert schemas_of(empty_database) == before
    assert not (tmp_path / "home").exists()


async def test_the_sql_for_the_administrator_is_what_was_missing(
    empty_database: str, plain_user: str, tmp_path: Path
) -> None:
    refused = await init(plain_user, tmp_path)
    assert (refused.code, refused.error) == (3, "administrator_needed")
    with psycopg.connect(empty_database, autocommit=True) as admin:
        admin.execute(refused.answer["error"]["facts"]["sql"].encode())
    ended = await init(plain_user, tmp_path)
    assert (ended.code, ended.answer["migrated"]) == (0, True)


async def test_a_database_without_roost_is_told_what_to_do(
    empty_database: str, tmp_path: Path
) -> None:
    ended = await run_roost("worker", "--json", folder=tmp_path, DATABASE_URL=empty_database)
    assert (ended.code, ended.error) == (3, "schema_outdated")
    assert "roost init" in ended.answer["error"]["next"]


async def test_a_tenants_name_that_cannot_be_is_told(empty_database: str, tmp_path: Path) -> None:
    ended = await init(empty_database, tmp_path, "--tenant", "Not A Name")
    assert ended.code == 2
    assert ended.answer["error"]["kind"] == "invalid"


async def test_a_time_zone_that_is_none_is_told(empty_database: str, tmp_path: Path) -> None:
    ended = await init(empty_database, tmp_path, "--time-zone", "Mars/Olympus")
    assert (ended.code, ended.error) == (2, "time_zone_unknown")
