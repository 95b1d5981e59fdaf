"""`roost init` creates what is missing. If it lacks a privilege, it changes nothing."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from fix_postgres import PostgresServer, app_url
from fix_publishing import CommandResult, run_roost
from roost.store.database import open_database
from roost.store.embedded import remove_embedded, start_embedded
from roost.store.privileges import find_login
from roost.store.roles import administrator_sql
from roost.store.schema import create_database, drop_database

PLAIN_USER = "roost_tenant_user"


@pytest.fixture
async def empty_database(migrated_server: PostgresServer) -> AsyncIterator[str]:
    """The superuser's URL of a new database in which Roost has created nothing."""
    server = migrated_server.url("postgres")
    await create_database(server, "for_init")
    yield migrated_server.url("for_init")
    await drop_database(server, "for_init")


@pytest.fixture
def plain_user(empty_database: str) -> Iterator[str]:
    """The URL of `empty_database` for a role that may log in and has no other privilege."""
    with psycopg.connect(empty_database, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {PLAIN_USER} LOGIN PASSWORD 'a-password'")
        parts = urlsplit(empty_database)
        host = parts.netloc.rpartition("@")[2]
        yield urlunsplit(parts._replace(netloc=f"{PLAIN_USER}:a-password@{host}"))
        admin.execute(f"DROP OWNED BY {PLAIN_USER} CASCADE")
        admin.execute(f"DROP ROLE {PLAIN_USER}")


def init_settings(admin: str) -> dict[str, str]:
    """Return the settings for `roost init` on the database whose administrator URL is `admin`."""
    return {"DATABASE_URL": app_url(admin), "ROOST_ADMIN_DATABASE_URL": admin}


async def init(admin: str, folder: Path, *arguments: str, **environment: str) -> CommandResult:
    """Run `roost init --json` on the database whose administrator URL is `admin`."""
    variables = init_settings(admin) | environment
    return await run_roost("init", *arguments, "--json", folder=folder, settings=None, **variables)


async def init_in_words(admin: str, folder: Path, *arguments: str, **environment: str) -> str:
    """Return the text that `roost init` prints when it is run without `--json`."""
    variables = init_settings(admin) | environment
    return (await run_roost("init", *arguments, folder=folder, settings=None, **variables)).out


def schemas_of(url: str) -> set[str]:
    with psycopg.connect(url) as admin:
        return {row[0] for row in admin.execute("SELECT nspname FROM pg_namespace")}


async def test_init_makes_everything_and_lists_missing_settings(
    empty_database: str, tmp_path: Path
) -> None:
    result = await init(empty_database, tmp_path)
    assert result.code == 0
    assert result.answer["migrated"] is True
    assert result.answer["key_made"] is True
    assert result.answer["tenant_made"] is True
    assert result.answer["to_set"] == ["TWITTER_CLIENT_ID", "TWITTER_CLIENT_SECRET"]
    key = tmp_path / "home" / "keys"
    assert key.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
    assert key.read_text().split(":")[1].strip() not in result.out + result.err


async def test_a_second_init_changes_nothing(empty_database: str, tmp_path: Path) -> None:
    for _ in range(2):
        result = await init(empty_database, tmp_path)
        key = (tmp_path / "home" / "keys").read_text()
    assert result.code == 0
    assert [result.answer[each] for each in ("migrated", "key_made", "tenant_made")] == [False] * 3
    assert (tmp_path / "home" / "keys").read_text() == key


async def test_advice_for_a_new_installation_is_given_once(
    empty_database: str, tmp_path: Path
) -> None:
    secrets = {"TWITTER_CLIENT_ID": "id", "TWITTER_CLIENT_SECRET": "secret"}
    arguments: list[tuple[str, ...]] = [(), (), ("--tenant", "acme")]
    out = [await init_in_words(empty_database, tmp_path, *each, **secrets) for each in arguments]
    assert "Next, start `roost serve` and `roost worker`" in out[0]
    assert "Next" not in out[1]
    assert "Next, run `roost connect --tenant acme`." in out[2]


async def test_init_refuses_another_time_zone_for_an_existing_tenant(
    empty_database: str, tmp_path: Path
) -> None:
    first = await init(empty_database, tmp_path, "--time-zone", "Europe/Berlin")
    refused = await init(empty_database, tmp_path, "--time-zone", "Asia/Tokyo")
    same = await init(empty_database, tmp_path, "--time-zone", "Europe/Berlin")
    unnamed = await init(empty_database, tmp_path)
    assert (refused.code, refused.error) == (1, "time_zone_differs")
    assert "its time zone is Europe/Berlin, not Asia/Tokyo." in refused.answer["error"]["message"]
    for result in (first, same, unnamed):
        assert (result.code, result.answer["time_zone"]) == (0, "Europe/Berlin")


async def test_new_tenant_is_in_utc_if_no_time_zone_is_named(
    empty_database: str, tmp_path: Path
) -> None:
    result = await run_roost(
        "init", "--tenant", "bakery", folder=tmp_path, settings=None,
        **init_settings(empty_database),
    )  # fmt: skip
    assert "Tenant 'bakery' is ready; its time zone is UTC.\n" in result.out


@pytest.mark.timing
async def test_two_concurrent_inits_both_succeed(empty_database: str, tmp_path: Path) -> None:
    results = await asyncio.gather(*(init(empty_database, tmp_path) for _ in range(2)))
    assert [result.code for result in results] == [0, 0], [result.out for result in results]
    assert sorted(result.answer["migrated"] for result in results) == [False, True]


async def test_init_warns_to_keep_the_key_separate_from_backups(
    empty_database: str, tmp_path: Path
) -> None:
    result = await run_roost(
        "init", folder=tmp_path, settings=None, **init_settings(empty_database)
    )
    assert result.code == 0
    assert "separate from the database's backups" in result.out


async def test_init_with_vault_keys_makes_no_key_file(empty_database: str, tmp_path: Path) -> None:
    key = "mine:" + "A" * 43 + "="
    result = await init(empty_database, tmp_path, ROOST_VAULT_KEYS=key)
    assert (result.code, result.answer["key_made"]) == (0, False)
    assert not (tmp_path / "home" / "keys").exists()


async def test_init_without_rights_prints_the_sql_and_changes_nothing(
    empty_database: str, plain_user: str, tmp_path: Path
) -> None:
    before = schemas_of(empty_database)
    variables = init_settings(empty_database) | {"ROOST_ADMIN_DATABASE_URL": plain_user}
    result = await run_roost("init", folder=tmp_path, settings=None, **variables)
    assert result.code == 3
    assert result.out == ""
    assert f'GRANT "for_init_owner" TO "{PLAIN_USER}";' in result.err
    assert 'ON DATABASE "for_init" TO "for_init_owner";' in result.err
    assert "a-password" not in result.err
    assert schemas_of(empty_database) == before
    assert not (tmp_path / "home").exists()


async def test_the_printed_sql_grants_what_was_missing(
    empty_database: str, plain_user: str, tmp_path: Path
) -> None:
    refused = await init(plain_user, tmp_path)
    assert (refused.code, refused.error) == (3, "administrator_needed")
    with psycopg.connect(empty_database, autocommit=True) as admin:
        admin.execute(refused.answer["error"]["facts"]["sql"].encode())
    result = await init(plain_user, tmp_path)
    assert (result.code, result.answer["migrated"]) == (0, True)


async def test_init_needs_no_superuser__role_maker_and_database_owner(
    empty_database: str, plain_user: str, tmp_path: Path
) -> None:
    with psycopg.connect(empty_database, autocommit=True) as admin:
        admin.execute(f"ALTER ROLE {PLAIN_USER} CREATEROLE")
        admin.execute(f"ALTER DATABASE for_init OWNER TO {PLAIN_USER}")
    try:
        result = await init(plain_user, tmp_path)
        again = await init(plain_user, tmp_path)
    finally:
        with psycopg.connect(empty_database, autocommit=True) as admin:
            admin.execute("ALTER DATABASE for_init OWNER TO postgres")
    assert (result.code, result.answer["migrated"]) == (0, True)
    assert (again.code, again.answer["migrated"]) == (0, False)


async def test_a_database_prepared_by_hand_is_migrated_by_its_owner(
    empty_database: str, tmp_path: Path
) -> None:
    without = {"DATABASE_URL": app_url(empty_database)}
    with psycopg.connect(empty_database, autocommit=True) as admin:
        admin.execute(administrator_sql("for_init").encode())
    refused = await run_roost("init", "--json", folder=tmp_path, settings=None, **without)
    assert (refused.code, refused.error) == (3, "administrator_needed")
    assert refused.answer["error"]["facts"]["sql"] == administrator_sql("for_init")
    assert not (tmp_path / "home").exists()
    owner = app_url(empty_database).replace("for_init_app", "for_init_owner")
    result = await run_roost(
        "init", "--json", folder=tmp_path, settings=None, **without, ROOST_ADMIN_DATABASE_URL=owner
    )
    assert (result.code, result.answer["migrated"]) == (0, True)
    # To add a second tenant, `roost init` needs no administrator URL.
    result = await run_roost(
        "init", "--tenant", "second", "--json", folder=tmp_path, settings=None, **without
    )
    assert (result.code, result.answer["tenant_made"]) == (0, True)


async def test_an_administrators_address_alone_is_refused(
    empty_database: str, tmp_path: Path
) -> None:
    result = await run_roost("init", "--json", folder=tmp_path, DATABASE_URL=empty_database)
    assert (result.code, result.error) == (1, "unsafe_database_role")
    assert "for_init_app" in result.answer["error"]["next"]
    result = await run_roost(
        "init", "--json", folder=tmp_path, ROOST_ADMIN_DATABASE_URL=empty_database
    )
    assert (result.code, result.answer["error"]["facts"]) == (2, {"setting": "DATABASE_URL"})
    assert "roost" not in schemas_of(empty_database)


async def test_a_database_without_roosts_tables_is_reported(
    empty_database: str, tmp_path: Path
) -> None:
    with psycopg.connect(empty_database, autocommit=True) as admin:
        admin.execute(administrator_sql("for_init").encode())
    url = app_url(empty_database)
    result = await run_roost("worker", "--json", folder=tmp_path, DATABASE_URL=url)
    assert (result.code, result.error) == (3, "not_set_up")
    assert "roost init" in result.answer["error"]["next"]


async def test_a_missing_database_role_is_reported(empty_database: str, tmp_path: Path) -> None:
    url = app_url(empty_database)
    for command in ("worker", "init"):
        result = await run_roost(command, "--json", folder=tmp_path, DATABASE_URL=url)
        assert (result.code, result.error) == (5, "database_unavailable")
        assert "ROOST_ADMIN_DATABASE_URL" in result.answer["error"]["next"]


async def test_an_invalid_tenant_name_is_reported(empty_database: str, tmp_path: Path) -> None:
    result = await init(empty_database, tmp_path, "--tenant", "Not A Name")
    assert result.code == 2
    assert result.answer["error"]["kind"] == "invalid"


async def test_an_unknown_time_zone_is_reported(empty_database: str, tmp_path: Path) -> None:
    result = await init(empty_database, tmp_path, "--time-zone", "Mars/Olympus")
    assert (result.code, result.error) == (2, "time_zone_unknown")


async def test_the_embedded_server_is_used_as_the_applications_role(tmp_path: Path) -> None:
    home = tmp_path / "home"
    # The private PostgreSQL server exists already, but `roost init` has not prepared it.
    await (await start_embedded(home, durable=False)).stop()
    try:
        result = await run_roost("posts", "--json", folder=tmp_path)
        assert (result.code, result.error) == (3, "not_set_up")
        for is_first in (True, False):
            result = await run_roost("init", "--json", folder=tmp_path)
            assert (result.code, result.answer["migrated"]) == (0, is_first)
        server = await start_embedded(home, durable=False)
        try:
            async with open_database(server.app_url("roost")) as database:
                async with database.unscoped() as transaction:
                    login = await find_login(transaction.raw)
                assert (login.name, login.excesses) == ("roost_app", ())
        finally:
            await server.stop()
    finally:
        await remove_embedded(home)
