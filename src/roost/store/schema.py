"""Roles and migrations: brings a database to this version's tables, once, whoever races."""

import asyncio
from importlib import resources
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql
from psycopg.rows import dict_row
from sqlalchemy import NullPool, create_engine, text

from roost.errors import AdministratorNeeded, DatabaseCreationRefused
from roost.store.session import open_checked_session, set_up_sync

#: The newest migration.
HEAD = "2026_11_28_replies"
#: Any number, the same for every migrating process.
_MIGRATING = 7_067_811


def administrator_sql(user: str, database: str, *, roles_exist: bool) -> str:
    """What somebody with the right to make roles runs once, where the Roost user may not."""
    roles = (
        "CREATE ROLE roost_owner NOLOGIN NOBYPASSRLS;\nCREATE ROLE roost_app NOLOGIN NOBYPASSRLS;\n"
    )
    return (
        f"{'' if roles_exist else roles}"
        f'GRANT roost_owner, roost_app TO "{user}";\n'
        f'GRANT CREATE ON DATABASE "{database}" TO roost_owner;'
    )


async def prepare_database(url: str) -> bool:
    """Make the roles and bring the tables to `HEAD`; whether anything had to be done.

    Raises: AdministratorNeeded (nothing was changed), PoolerUnsupported, psycopg.OperationalError.
    """
    await _make_roles(url)
    return await asyncio.to_thread(_migrate, url)


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
            raise DatabaseCreationRefused(
                f"The database user {user} may not create a database of its own.",
                next=f'Have an administrator run: ALTER ROLE "{user}" CREATEDB;'
                " or unset DATABASE_URL to use a private PostgreSQL.",
            ) from None
    return True


async def drop_database(url: str, name: str) -> None:
    """Drop a database that Roost made, whoever is still connected to it."""
    async with await open_checked_session(url) as connection:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        await connection.execute(drop.format(sql.Identifier(name)))


async def _make_roles(url: str) -> None:
    async with await open_checked_session(url) as connection, connection.transaction():
        connection.row_factory = dict_row
        # Two grants at once on one database fail with "tuple concurrently updated".
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", [_MIGRATING])
        rows = await connection.execute(
            """
            SELECT current_user AS me, current_database() AS database,
                   (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user)
                       AS may_make_roles,
                   (SELECT count(*) FROM pg_roles WHERE rolname IN ('roost_owner', 'roost_app')) = 2
                       AS made
            """
        )
        found = await rows.fetchone()
        assert found is not None
        needed = AdministratorNeeded(
            f"The database user {found['me']} may not make what Roost needs.",
            next="Have an administrator of the database run this, then `roost init` again.",
            sql=administrator_sql(found["me"], found["database"], roles_exist=found["made"]),
        )
        if not found["made"] and not found["may_make_roles"]:
            raise needed
        try:
            for role in ("roost_owner", "roost_app"):
                await _make_role(connection, role, found["me"])
            await _let_create(connection, found["database"])
        except psycopg.errors.InsufficientPrivilege:
            raise needed from None


async def _make_role(connection: psycopg.AsyncConnection[Any], role: str, user: str) -> None:
    name = sql.Identifier(role)
    try:
        async with connection.transaction():
            await connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN NOBYPASSRLS").format(name))
    except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
        pass
    except psycopg.errors.InsufficientPrivilege:
        exists = await connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role])
        if await exists.fetchone() is None:
            raise
    member = await connection.execute("SELECT pg_has_role(%s, %s, 'MEMBER') AS is", [user, role])
    row = await member.fetchone()
    if row and not row["is"]:
        await connection.execute(sql.SQL("GRANT {} TO {}").format(name, sql.Identifier(user)))


async def _let_create(connection: psycopg.AsyncConnection[Any], database: str) -> None:
    allowed = await connection.execute(
        "SELECT has_database_privilege('roost_owner', %s, 'CREATE') AS is", [database]
    )
    row = await allowed.fetchone()
    if row and not row["is"]:
        grant = sql.SQL("GRANT CREATE ON DATABASE {} TO roost_owner")
        await connection.execute(grant.format(sql.Identifier(database)))
        again = await connection.execute(
            "SELECT has_database_privilege('roost_owner', %s, 'CREATE') AS is", [database]
        )
        row = await again.fetchone()
        if row and not row["is"]:  # A grant without the right to grant is only a warning.
            raise psycopg.errors.InsufficientPrivilege


def _migrate(url: str) -> bool:
    """Run Alembic under an advisory lock, as `roost_owner`; whether the version changed."""

    def connect() -> psycopg.Connection[Any]:
        connection = psycopg.connect(url)
        try:
            set_up_sync(connection, role="roost_owner")
        except BaseException:
            connection.close()
            raise
        return connection

    engine = create_engine("postgresql+psycopg://", creator=connect, poolclass=NullPool)
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


def _version(connection: Any) -> str | None:
    exists = connection.execute(text("SELECT to_regclass('roost.alembic_version')")).scalar()
    found = None
    if exists:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    connection.commit()
    return found
