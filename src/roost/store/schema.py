"""Databases and migrations: brings a database to this version's tables, once, whoever races.

The surprise: migrations name `roost_owner` and `roost_app`, the roles of a database called `roost`;
in another database they get its own roles' names.
"""

import asyncio
import re
from importlib import resources
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql
from sqlalchemy import Connection, Engine, NullPool, create_engine, event, text

from roost.errors import DatabaseCreationRefused
from roost.store.roles import Roles, make_roles, password_for, roles_of
from roost.store.session import open_checked_session, set_up_sync

#: The newest migration.
HEAD = "2026_12_1"
#: Any two numbers, the same for every process that prepares a database, or migrates its tables.
_PREPARING = 7_067_810
_MIGRATING = 7_067_811
#: How migrations name the two roles.
_ROLE = re.compile(r"\broost_(?:owner|app)\b")


async def prepare_database(url: str, *, app_url: str | None = None) -> bool:
    """Make the roles and bring the tables to `HEAD`; whether anything had to be done.

    `url` is an administrator's, who may become the owner's role; the application's login, where it
    is new, gets the password of `app_url`.
    Raises: AdministratorNeeded (nothing was changed), PoolerUnsupported, SettingInvalid,
    psycopg.OperationalError.
    """
    async with await open_checked_session(url) as connection:
        # Two grants at once on one database fail with "tuple concurrently updated". The session
        # keeps this until the tables are made as well.
        await connection.execute("SELECT pg_advisory_lock(%s)", [_PREPARING])
        roles = await _find_roles(connection)
        has_changed = await make_roles(connection, roles, password_for(roles, app_url))
        return await asyncio.to_thread(_migrate, url, roles) or has_changed


async def _find_roles(connection: psycopg.AsyncConnection[Any]) -> Roles:
    row = await (await connection.execute("SELECT current_database()")).fetchone()
    assert row is not None
    return roles_of(row[0])


async def create_database(url: str, name: str) -> bool:
    """Make a database on the server of `url` unless it is there; whether it was made.

    Raises: DatabaseCreationRefused, psycopg.OperationalError.
    """
    async with await open_checked_session(url) as connection:
        found = await connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if await found.fetchone() is not None:
            return False
        try:
            await connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        except psycopg.errors.DuplicateDatabase:
            return False
        except psycopg.errors.InsufficientPrivilege:
            user = connection.info.user
            allow = sql.SQL("ALTER ROLE {} CREATEDB;").format(sql.Identifier(user))
            raise DatabaseCreationRefused(
                f"The database user {user} may not create a database.",
                next=f"Have an administrator run: {allow.as_string(connection)}"
                " or unset DATABASE_URL to use a private PostgreSQL.",
            ) from None
    return True


async def drop_database(url: str, name: str) -> None:
    """Drop a database that Roost made, whoever is still connected to it, and its roles."""
    roles = roles_of(name)
    async with await open_checked_session(url) as connection:
        for statement, each in (
            ("DROP DATABASE IF EXISTS {} WITH (FORCE)", name),
            ("DROP ROLE IF EXISTS {}", roles.app),
            ("DROP ROLE IF EXISTS {}", roles.owner),
        ):
            await connection.execute(sql.SQL(statement).format(sql.Identifier(each)))


def _migrate(url: str, roles: Roles) -> bool:
    """Run Alembic under an advisory lock, as the owner's role; whether the version changed."""

    def connect() -> psycopg.Connection[Any]:
        connection = psycopg.connect(url)
        try:
            set_up_sync(connection, role=roles.owner)
        except BaseException:
            connection.close()
            raise
        return connection

    engine = create_engine("postgresql+psycopg://", creator=connect, poolclass=NullPool)
    _name_roles(engine, roles)
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _MIGRATING})
        connection.execute(text("CREATE SCHEMA IF NOT EXISTS roost"))
        connection.commit()
        before = _version(connection)
        if before != HEAD:
            config = Config()
            folder = resources.files("roost.store").joinpath("migrations")
            config.set_main_option("script_location", str(folder))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _MIGRATING})
        connection.commit()
    return before != HEAD


def _name_roles(engine: Engine, roles: Roles) -> None:
    """Let migrations be written for a database called `roost`: use this database's role names."""
    # A `%` in a statement of SQLAlchemy is doubled.
    roles = Roles(roles.owner.replace("%", "%%"), roles.app.replace("%", "%%"))

    def rename(
        _connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any
    ) -> tuple[str, Any]:
        return with_role_names(statement, roles), parameters

    event.listen(engine, "before_cursor_execute", rename, retval=True)


def with_role_names(script: str, roles: Roles) -> str:
    """SQL that names `roost_owner` and `roost_app`, with the names of these roles instead."""
    names = {"roost_owner": roles.owner, "roost_app": roles.app}
    return _ROLE.sub(lambda found: sql.Identifier(names[found[0]]).as_string(), script)


def execute_file(connection: Connection, name: str) -> None:
    """Execute a file of `store/sql` in a migration, for example `functions.sql`."""
    execute_script(connection, resources.files("roost.store").joinpath("sql", name).read_text())


def execute_script(connection: Connection, script: str) -> None:
    """Execute several statements of SQL in a migration; they take no parameters."""
    connection.exec_driver_sql(script.replace("%", "%%"))


def _version(connection: Any) -> str | None:
    exists = connection.execute(text("SELECT to_regclass('roost.alembic_version')")).scalar()
    found = None
    if exists:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    connection.commit()
    return found
