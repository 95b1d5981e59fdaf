"""Creates, prepares and drops databases: roles first, then the tables, safe in concurrent runs."""

import asyncio
from typing import Any

import psycopg
from psycopg import sql

from roost.errors import DatabaseCreationRefused
from roost.store.migrations import HEAD
from roost.store.roles import Roles, make_roles, password_for, roles_of
from roost.store.session import open_checked_session

#: Any number, but the same for every process that prepares a database.
_PREPARING = 7_067_810


async def prepare_database(url: str, *, app_url: str | None = None) -> bool:
    """Create the roles and bring the tables to `HEAD`; False where nothing had to be done.

    `url` is an administrator's, who may become the owner's role. A new login of the application
    gets the password of `app_url`.
    Raises: AdministratorNeeded (nothing was changed), PoolerUnsupported, SettingInvalid,
    psycopg.OperationalError.
    """
    # Alembic and SQLAlchemy are needed here only, and take 25 MB and half of a start's time.
    from roost.store.migrations.runner import migrate

    async with await open_checked_session(url) as connection:
        # Two concurrent grants on one database fail with "tuple concurrently updated". The session
        # keeps this lock until the tables are created as well.
        await connection.execute("SELECT pg_advisory_lock(%s)", [_PREPARING])
        roles = await _find_roles(connection)
        has_changed = await make_roles(connection, roles, password_for(roles, app_url))
        return await asyncio.to_thread(migrate, url, roles, HEAD) or has_changed


async def _find_roles(connection: psycopg.AsyncConnection[Any]) -> Roles:
    row = await (await connection.execute("SELECT current_database()")).fetchone()
    assert row is not None
    return roles_of(row[0])


async def create_database(url: str, name: str) -> bool:
    """Create a database on the server of `url`; False where it exists.

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
    """Drop a database that Roost created, and its roles; connections to it are ended."""
    roles = roles_of(name)
    async with await open_checked_session(url) as connection:
        for statement, each in (
            ("DROP DATABASE IF EXISTS {} WITH (FORCE)", name),
            ("DROP ROLE IF EXISTS {}", roles.app),
            ("DROP ROLE IF EXISTS {}", roles.owner),
        ):
            await connection.execute(sql.SQL(statement).format(sql.Identifier(each)))
