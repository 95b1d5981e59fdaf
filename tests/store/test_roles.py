"""The application's login has only the rights it needs; other databases' logins have none."""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from fix_postgres import PostgresServer, app_url
from roost import jobs
from roost.cli.next_actions import describe_action, describe_next
from roost.errors import DatabaseUnavailable, SchemaOutdated, SettingInvalid, UnsafeDatabaseRole
from roost.models import Tenant
from roost.runtime import Runtime
from roost.services.health import HealthStatus, describe_login
from roost.store.database import open_database
from roost.store.privileges import Login, find_login
from roost.store.roles import administrator_sql, roles_of
from roost.store.schema import create_database, drop_database, prepare_database

#: A database name with all characters that could end a quoted name or a statement, and with text
#: that looks like a query parameter.
HOSTILE = """o'dd"; DROP ROLE x; -- :a %s %(b)s {c}"""
_ROLES_OF_OBJECTS = """
    SELECT DISTINCT pg_get_userbyid(refobjid)::text FROM pg_shdepend
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND refclassid = 'pg_authid'::regclass
"""
_FUNCTIONS = """
    SELECT p.oid::regprocedure::text, p.prosecdef, pg_get_userbyid(p.proowner)::text,
           coalesce(p.proconfig, '{}'), has_function_privilege('public', p.oid, 'EXECUTE')
    FROM pg_proc p WHERE p.pronamespace = 'roost'::regnamespace
"""


def name_of(url: str) -> str:
    return str(psycopg.conninfo.conninfo_to_dict(url)["dbname"])


def with_login(url: str, user: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(user, safe='')}@{host}"))


async def login_of(url: str) -> Login:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        return await find_login(connection)


@pytest.fixture
async def another(postgres_server: PostgresServer) -> AsyncIterator[str]:
    """Create another installation on the same server; return its URL for the superuser."""
    await create_database(postgres_server.url("postgres"), "another")
    await prepare_database(postgres_server.url("another"))
    yield postgres_server.url("another")
    await drop_database(postgres_server.url("postgres"), "another")


# Tests of the rights of the application's login.


async def test_every_session_of_the_application_is_its_login(
    runtime: Runtime, tenant: Tenant, database_url: str
) -> None:
    query = "SELECT session_user::text, current_user::text"
    expected = (f"{name_of(database_url)}_app",) * 2
    database = runtime.database
    async with database.unscoped() as transaction:
        assert await (await transaction.raw.execute(query)).fetchone() == expected
    async with database.for_tenant(tenant.id, dedicated=True) as transaction:
        assert await (await transaction.raw.execute(query)).fetchone() == expected
    async with database.for_tenant(tenant.id) as transaction:
        assert await (await transaction.raw.execute(query)).fetchone() == expected
    async with await database.connect() as connection:
        assert await (await connection.execute(query)).fetchone() == expected
    async with jobs.open_engine(database.conninfo) as app:
        shown = await app.connector.execute_query_one_async(f"{query.replace(',', ' AS a,')} AS b")
    assert tuple(shown.values()) == expected


@pytest.mark.parametrize(
    "statement",
    [
        "SET ROLE postgres",
        "SET ROLE {owner}",
        "SET SESSION AUTHORIZATION postgres",
        "SET session_replication_role = replica",
        "COPY (SELECT 1) TO PROGRAM 'cat'",
        "COPY roost.tenants FROM PROGRAM 'id'",
        "COPY (SELECT 1) TO '/tmp/roost-roles-test'",
        "SELECT pg_read_file('/etc/hostname')",
        "SELECT lo_import('/etc/hostname')",
        "CREATE TABLE roost.mine (x int)",
        "CREATE SCHEMA mine",
        "CREATE TEMPORARY TABLE tenants (id bigint, name text)",
        "CREATE FUNCTION roost.mine() RETURNS int LANGUAGE sql RETURN 1",
        "CREATE OR REPLACE FUNCTION roost.current_tenant() RETURNS bigint LANGUAGE sql RETURN 1",
        "ALTER TABLE roost.posts DISABLE ROW LEVEL SECURITY",
        "CREATE POLICY mine ON roost.posts USING (true)",
        "ALTER ROLE {app} BYPASSRLS",
        "CREATE ROLE mine",
        "CREATE DATABASE mine",
        "GRANT {owner} TO {app}",
        "INSERT INTO roost.tenants (name, time_zone) VALUES ('mine', 'UTC')",
        "UPDATE roost.alembic_version SET version_num = 'none'",
    ],
)
def test_the_login_can_become_no_other_role_and_change_only_rows(
    database_url: str, statement: str
) -> None:
    roles = roles_of(name_of(database_url))
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SET ROLE NONE")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.format(owner=roles.owner, app=roles.app).encode())


async def test_a_prepared_database_gives_its_login_no_excessive_privilege(
    database_url: str,
) -> None:
    login = await login_of(database_url)
    assert (login.name, login.excesses) == (login.expected, ())
    assert [finding.status for finding in describe_login(login)] == [HealthStatus.OK]


UNSAFE = [
    "ALTER ROLE {app} SUPERUSER",
    "ALTER ROLE {app} BYPASSRLS",
    "ALTER ROLE {app} CREATEROLE",
    "ALTER ROLE {app} REPLICATION",
    "GRANT {owner} TO {app}",
    "GRANT pg_execute_server_program TO {app}",
    "ALTER DATABASE {database} OWNER TO {app}",
    "ALTER TABLE roost.posts OWNER TO {app}",
]
TOO_MUCH = [
    "ALTER ROLE {app} CREATEDB",
    "GRANT pg_read_all_stats TO {app}",
    "GRANT CONNECT ON DATABASE {database} TO PUBLIC",
    "GRANT CREATE ON DATABASE {database} TO {app}",
    "GRANT CREATE ON SCHEMA roost TO {app}",
    "GRANT {app} TO another_owner",
]


@pytest.mark.parametrize("change", UNSAFE)
async def test_a_login_that_could_see_every_tenant_is_refused(
    admin_url: str, database_url: str, change: str
) -> None:
    await _change(admin_url, change)
    with pytest.raises(UnsafeDatabaseRole):
        async with open_database(database_url):
            pass


@pytest.mark.parametrize("change", TOO_MUCH)
async def test_doctor_reports_excessive_privileges(
    admin_url: str, database_url: str, another: str, change: str
) -> None:
    await _change(admin_url, change)
    async with open_database(database_url):
        pass
    findings = describe_login(await login_of(database_url))
    assert [finding.status for finding in findings] == [HealthStatus.WARNING]
    assert findings[0].next_action is not None
    assert "ROOST_ADMIN_DATABASE_URL" in describe_action(findings[0].next_action)


async def _change(admin_url: str, change: str) -> None:
    name = name_of(admin_url)
    roles = roles_of(name)
    async with await psycopg.AsyncConnection.connect(admin_url, autocommit=True) as admin:
        await admin.execute(change.format(owner=roles.owner, app=roles.app, database=name).encode())


async def test_another_login_than_the_applications_is_refused(admin_url: str, another: str) -> None:
    with pytest.raises(UnsafeDatabaseRole, match="which is a superuser") as raised:
        async with open_database(admin_url):
            pass
    assert "ROOST_ADMIN_DATABASE_URL" in describe_next(raised.value)


# Tests of the owners and grants of the objects that the migrations create.


def test_everything_belongs_to_the_databases_own_roles(admin_url: str) -> None:
    roles = roles_of(name_of(admin_url))
    with psycopg.connect(admin_url) as admin:
        assert {row[0] for row in admin.execute(_ROLES_OF_OBJECTS)} == {roles.owner, roles.app}
        policies = admin.execute("SELECT polname, pg_get_userbyid(polroles[1]) FROM pg_policy")
        assert set(policies) == {("own", roles.app), ("all_rows", roles.owner)}


def test_functions_of_the_owner_set_their_search_path_and_are_not_public(
    admin_url: str,
) -> None:
    owner = roles_of(name_of(admin_url)).owner
    with psycopg.connect(admin_url) as admin:
        functions = admin.execute(_FUNCTIONS).fetchall()
    assert sum(is_definer for _, is_definer, *_ in functions) >= 20
    for name, is_definer, owned_by, settings, is_public in functions:
        assert owned_by == owner, name
        assert not is_public, name
        if is_definer:
            assert "search_path=roost, pg_temp" in settings, name


# Tests of two installations on one server.


async def test_no_role_of_another_installation_may_connect(admin_url: str, another: str) -> None:
    for role in ("another_app", "another_owner"):
        await _change(another, "ALTER ROLE another_owner LOGIN")
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            await psycopg.AsyncConnection.connect(with_login(admin_url, role))
        # Even if a login may connect by mistake, it must not read a table.
        await _change(admin_url, f"GRANT CONNECT ON DATABASE {{database}} TO {role}")
        with pytest.raises(UnsafeDatabaseRole):
            async with open_database(with_login(admin_url, role)):
                pass
        with (
            psycopg.connect(with_login(admin_url, role)) as stranger,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            stranger.execute("SELECT FROM roost.posts")
        await _change(admin_url, f"REVOKE CONNECT ON DATABASE {{database}} FROM {role}")


async def test_a_database_under_another_name_gets_roles_of_its_own(
    admin_url: str, postgres_server: PostgresServer
) -> None:
    server, name = postgres_server.url("postgres"), name_of(admin_url)
    original = roles_of(name)
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE renamed TEMPLATE {name}")
    try:
        with pytest.raises(UnsafeDatabaseRole, match="renamed_app"):
            async with open_database(
                app_url(postgres_server.url("renamed")).replace("renamed_app", original.app)
            ):
                pass
        assert await prepare_database(postgres_server.url("renamed")) is True
        assert await prepare_database(postgres_server.url("renamed")) is False
        async with open_database(app_url(postgres_server.url("renamed"))):
            pass
        with psycopg.connect(postgres_server.url("renamed")) as admin:
            roles = {row[0] for row in admin.execute(_ROLES_OF_OBJECTS)}
        assert roles == {"renamed_owner", "renamed_app"}
        with pytest.raises(DatabaseUnavailable, match="permission denied"):
            async with open_database(with_login(postgres_server.url("renamed"), original.app)):
                pass
        async with open_database(app_url(admin_url)):
            pass
    finally:
        await drop_database(server, "renamed")


# Tests of names and passwords.


async def test_a_databases_name_cannot_inject_sql(postgres_server: PostgresServer) -> None:
    server, url = postgres_server.url("postgres"), postgres_server.url(HOSTILE)
    await create_database(server, HOSTILE)
    try:
        assert await prepare_database(url) is True
        async with open_database(app_url(url)):
            pass
        assert (await login_of(app_url(url))).excesses == ()
    finally:
        await drop_database(server, HOSTILE)
    script = administrator_sql(HOSTILE)
    assert sql.Identifier(f"{HOSTILE}_app").as_string() in script


def test_a_name_that_postgresql_would_truncate_is_refused() -> None:
    assert roles_of("d" * 57).owner == "d" * 57 + "_owner"
    for name in ("d" * 58, "ü" * 29):
        with pytest.raises(SettingInvalid):
            roles_of(name)


async def test_a_new_login_gets_the_password_of_its_address(
    postgres_server: PostgresServer,
) -> None:
    server, url = postgres_server.url("postgres"), postgres_server.url("with_password")
    await create_database(server, "with_password")
    try:
        for password in ("first/ü", "second"):
            address = app_url(url).replace("@", f":{quote(password, safe='')}@")
            await prepare_database(url, app_url=address)
            with psycopg.connect(server) as admin:
                (verifier,) = admin.execute(
                    "SELECT rolpassword FROM pg_authid WHERE rolname = 'with_password_app'"
                ).fetchone() or ("",)
            assert _fits("first/ü", verifier)
    finally:
        await drop_database(server, "with_password")


def _fits(password: str, verifier: str) -> bool:
    """Whether a SCRAM-SHA-256 verifier belongs to the password."""
    _, rounds, keys = verifier.split("$")
    count, _, salt = rounds.partition(":")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(count))
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    return base64.b64decode(keys.partition(":")[2]) == server_key


# Tests of databases that are not prepared.


async def test_an_empty_database_is_outdated(postgres_server: PostgresServer) -> None:
    server, url = postgres_server.url("postgres"), postgres_server.url("empty_one")
    await create_database(server, "empty_one")
    try:
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute("CREATE ROLE empty_one_app LOGIN")
        with pytest.raises(SchemaOutdated):
            async with open_database(app_url(url)):
                pass
    finally:
        await drop_database(server, "empty_one")
