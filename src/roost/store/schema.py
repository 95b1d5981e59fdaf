"""Creates, prepares and drops databases; several processes may prepare one at once."""

import asyncio
from typing import Any

import psycopg
from psycopg import sql

from roost import changes
from roost.errors import DatabaseCreationRefused
from roost.store.migrations import HEAD
from roost.store.roles import Roles, make_roles, password_for, roles_of
from roost.store.session import open_checked_session

#: The key of the advisory lock under which a process prepares a database: any number, but always
#: the same.
_PREPARING = 7_067_810


async def prepare_database(url: str, *, app_url: str | None = None) -> bool:
    """Create the roles and migrate the tables to `HEAD`. Return False if nothing changed.

    `url` has the login of an administrator who may become the owner's role. A new login of the
    application gets the password of `app_url`.
    Raises: AdministratorNeeded (nothing was changed then), PoolerUnsupported, SettingInvalid,
    psycopg.OperationalError.
    """
    # Only migrations need Alembic and SQLAlchemy, which take 25 MB and half of the start-up time.
    from roost.store.migrations.runner import migrate

    async with await open_checked_session(url) as connection:
        # Without this lock, concurrent grants on a database fail with "tuple concurrently updated".
        # The session keeps the lock until the tables are migrated.
        await connection.execute("SELECT pg_advisory_lock(%s)", [_PREPARING])
        roles = await _find_roles(connection)
        has_changed = await make_roles(connection, roles, password_for(roles, app_url))
        return await asyncio.to_thread(migrate, url, roles, HEAD) or has_changed


async def _find_roles(connection: psycopg.AsyncConnection[Any]) -> Roles:
    row = await (await connection.execute("SELECT current_database()")).fetchone()
    assert row is not None
    return roles_of(row[0])


async def create_database(url: str, name: str) -> bool:
    """Create a database on the server of `url`. Return False if it already exists.

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
                next="Unset DATABASE_URL to use a private PostgreSQL, or ask a database"
                f" administrator to run: {allow.as_string(connection)}",
            ) from None
    changes.record()
    return True


async def drop_database(url: str, name: str) -> None:
    """Drop a database that Roost created, and its roles; connections to it are closed."""
    roles = roles_of(name)
    async with await open_checked_session(url) as connection:
        for statement, each in (
            ("DROP DATABASE IF EXISTS {} WITH (FORCE)", name),
            ("DROP ROLE IF EXISTS {}", roles.app),
            ("DROP ROLE IF EXISTS {}", roles.owner),
        ):
            await connection.execute(sql.SQL(statement).format(sql.Identifier(each)))
