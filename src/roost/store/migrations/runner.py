"""Runs Alembic's migrations, and the SQL files that they execute, as the owner's role.

The SQL names `roost_owner` and `roost_app`, the roles of a database called `roost`. If the database
has another name, the names of its own roles are inserted instead.
"""

import re
from importlib import resources
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql
from sqlalchemy import Connection, Engine, NullPool, create_engine, event, text

from roost import changes
from roost.store.roles import Roles
from roost.store.session import set_up_sync

#: The key of the advisory lock under which a process migrates: any number, but always the same.
_MIGRATING = 7_067_811
_ROLE = re.compile(r"\broost_(?:owner|app)\b")


def migrate(url: str, roles: Roles, version: str) -> bool:
    """Migrate the tables to a version. Return False if the tables already have this version."""

    def connect() -> psycopg.Connection[Any]:
        connection = psycopg.connect(url)
        try:
            set_up_sync(connection, role=roles.owner)
        except BaseException:
            connection.close()
            raise
        return connection

    engine = create_engine("postgresql+psycopg://", creator=connect, poolclass=NullPool)
    _replace_role_names(engine, roles)
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _MIGRATING})
        connection.execute(text("CREATE SCHEMA IF NOT EXISTS roost"))
        connection.commit()
        before = _read_version(connection)
        if before != version:
            config = Config()
            folder = resources.files("roost.store").joinpath("migrations")
            config.set_main_option("script_location", str(folder))
            config.attributes["connection"] = connection
            changes.record()
            command.upgrade(config, "head")
            connection.commit()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _MIGRATING})
        connection.commit()
    return before != version


def execute_file(connection: Connection, name: str) -> None:
    """Execute a file of `store/sql` in a migration, for example `functions.sql`."""
    execute_script(connection, resources.files("roost.store").joinpath("sql", name).read_text())


def execute_script(connection: Connection, script: str) -> None:
    """Execute a text with several SQL statements without parameters in a migration."""
    connection.exec_driver_sql(script.replace("%", "%%"))


def with_role_names(script: str, roles: Roles) -> str:
    """Replace `roost_owner` and `roost_app` in an SQL script by the names of `roles`."""
    names = {"roost_owner": roles.owner, "roost_app": roles.app}
    return _ROLE.sub(lambda found: sql.Identifier(names[found[0]]).as_string(), script)


def _replace_role_names(engine: Engine, roles: Roles) -> None:
    # In statements of SQLAlchemy, `%%` stands for `%`, so a `%` in a role's name is doubled.
    escaped = Roles(roles.owner.replace("%", "%%"), roles.app.replace("%", "%%"))

    def replace(
        _connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any
    ) -> tuple[str, Any]:
        return with_role_names(statement, escaped), parameters

    event.listen(engine, "before_cursor_execute", replace, retval=True)


def _read_version(connection: Connection) -> str | None:
    exists = connection.execute(text("SELECT to_regclass('roost.alembic_version')")).scalar()
    version = None
    if exists:
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    connection.commit()
    return version
