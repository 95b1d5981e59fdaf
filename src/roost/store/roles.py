"""The two roles of a database: their names, and the statements that create them.

`<database>_owner` owns and migrates the tables; `<database>_app` is the login for everything else.
Roles belong to the whole server, so a role's name includes the name of its database. Two
installations on one server therefore share no role, and cannot connect to each other's database.
"""

from dataclasses import dataclass
from typing import Any, Final, LiteralString
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from roost import changes
from roost.errors import AdministratorNeeded, SettingInvalid
from roost.next_actions import ActionCode, NextAction
from roost.store.ownership import find_transfers

#: The maximum length of a role's name in bytes. PostgreSQL truncates longer names, so two databases
#: with longer names could share a role.
_NAME_BYTES: Final = 63
#: The first version of PostgreSQL with `pg_has_role(…, 'SET')`.
_SET_OPTION_SINCE: Final = 160_000


@dataclass(frozen=True)
class Roles:
    """The names of a database's two roles."""

    owner: str
    """The role that owns and migrates the schema. It cannot log in, unless an administrator allows
    this."""
    app: str
    """The role that Roost logs in as. It owns nothing, and row-level security applies to it."""


def roles_of(database: str) -> Roles:
    """Return the roles of a database. Raises: SettingInvalid if its name is too long."""
    roles = Roles(owner=f"{database}_owner", app=f"{database}_app")
    if len(roles.owner.encode()) > _NAME_BYTES:
        most = _NAME_BYTES - len(roles.owner.encode()) + len(database.encode())
        raise SettingInvalid(
            f"The database's name {database!r} is longer than {most} bytes, so PostgreSQL would"
            " truncate the names of the database's roles.",
            next="Use a database with a shorter name.",
            setting="DATABASE_URL",
        )
    return roles


def password_for(roles: Roles, url: str | None) -> str | None:
    """Return the password in `url` if the user name in `url` is the application's role."""
    parts = urlsplit(url or "")
    is_app = parts.username is not None and unquote(parts.username) == roles.app
    return unquote(parts.password) if is_app and parts.password else None


_LET_OWNER: LiteralString = "GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {database} TO {owner}"
#: Statements for an administrator who prepares a database manually. They permit the owner's role to
#: log in, because `roost init` then logs in as this role.
_BY_HAND: Final[tuple[LiteralString, ...]] = (
    "CREATE ROLE {owner} LOGIN",
    "CREATE ROLE {app} LOGIN",
    _LET_OWNER,
    "GRANT CONNECT ON DATABASE {database} TO {app}",
    "REVOKE ALL ON DATABASE {database} FROM PUBLIC",
)


def administrator_sql(database: str) -> str:
    """Return the SQL for an administrator who prepares a database. Raises: SettingInvalid."""
    roles = roles_of(database)
    names = {
        "owner": sql.Identifier(roles.owner),
        "app": sql.Identifier(roles.app),
        "database": sql.Identifier(database),
    }
    return _as_script([sql.SQL(words).format(**names) for words in _BY_HAND], None)


def _as_script(
    statements: list[sql.Composed], connection: psycopg.AsyncConnection[Any] | None
) -> str:
    return "\n".join(f"{each.as_string(connection)};" for each in statements)


_FIND_STATE: LiteralString = """
    WITH granted AS (
        SELECT a.grantee, a.privilege_type
        FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
        WHERE d.datname = current_database()
    )
    SELECT current_database() AS database, session_user AS me,
           EXISTS (SELECT FROM pg_roles WHERE rolname = %(owner)s) AS has_owner,
           EXISTS (SELECT FROM pg_roles WHERE rolname = %(app)s) AS has_app,
           EXISTS (SELECT FROM pg_roles WHERE rolname = %(app)s AND rolcanlogin) AS app_logs_in,
           EXISTS (SELECT FROM granted WHERE grantee = 0) AS is_open,
           EXISTS (SELECT FROM granted g JOIN pg_roles r ON r.oid = g.grantee
                   WHERE r.rolname = %(app)s AND g.privilege_type = 'CONNECT') AS app_connects,
           (SELECT count(*) FROM granted g JOIN pg_roles r ON r.oid = g.grantee
            WHERE r.rolname = %(owner)s
              AND g.privilege_type IN ('CONNECT', 'CREATE', 'TEMPORARY')) = 3
               AS owner_creates
"""
_FIND_MEMBERSHIP: LiteralString = """
    SELECT m.rolsuper OR m.rolname = %(role)s OR EXISTS (
               SELECT FROM pg_roles r
               WHERE r.rolname = %(role)s AND pg_has_role(session_user, r.oid, %(option)s))
    FROM pg_roles m WHERE m.rolname = session_user
"""


@dataclass(frozen=True)
class _Missing:
    """The SQL statements that add missing roles and grants, and the login that runs them."""

    statements: list[sql.Composed]
    """The statements in the order of execution."""
    me: str
    """The current login."""
    login_is_new: bool
    """Whether the application's role cannot log in yet."""


async def _find_missing(connection: psycopg.AsyncConnection[Any], roles: Roles) -> _Missing:
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute(_FIND_STATE, {"owner": roles.owner, "app": roles.app})
    state = await cursor.fetchone()
    assert state is not None
    names = {
        "owner": sql.Identifier(roles.owner),
        "app": sql.Identifier(roles.app),
        "me": sql.Identifier(state["me"]),
        "database": sql.Identifier(state["database"]),
    }
    wanted: list[tuple[LiteralString, bool]] = [
        ("CREATE ROLE {owner} NOLOGIN", not state["has_owner"]),
        ("CREATE ROLE {app} LOGIN", not state["has_app"]),
        ("ALTER ROLE {app} LOGIN", state["has_app"] and not state["app_logs_in"]),
        (_LET_OWNER, not state["owner_creates"]),
        ("GRANT CONNECT ON DATABASE {database} TO {app}", not state["app_connects"]),
        ("REVOKE ALL ON DATABASE {database} FROM PUBLIC", state["is_open"]),
        ("GRANT {owner} TO {me}", not await _may_become(connection, roles.owner)),
    ]
    statements = [sql.SQL(words).format(**names) for words, is_missing in wanted if is_missing]
    statements += await find_transfers(connection, owner=roles.owner, app=roles.app)
    return _Missing(statements, state["me"], not state["app_logs_in"])


async def _may_become(connection: psycopg.AsyncConnection[Any], role: str) -> bool:
    """Whether this login may `SET ROLE` to a role; False if the role does not exist yet."""
    option = "SET" if connection.info.server_version >= _SET_OPTION_SINCE else "MEMBER"
    cursor = await connection.execute(_FIND_MEMBERSHIP, {"role": role, "option": option})
    row = await cursor.fetchone()
    assert row is not None
    return bool(row[0])


async def make_roles(
    connection: psycopg.AsyncConnection[Any], roles: Roles, password: str | None
) -> bool:
    """Create missing roles and grants. Return False if nothing was missing.

    A new login of the application gets the password. If this database was renamed or loaded from a
    dump, objects in Roost's schema may belong to the roles of another database. These objects are
    transferred to `roles`.
    Raises: AdministratorNeeded; nothing was changed then.
    """
    missing = await _find_missing(connection, roles)
    if not missing.statements:
        return False
    try:
        async with connection.transaction():
            await connection.execute(sql.SQL(";").join(missing.statements))
            if missing.login_is_new and password:
                await _set_password(connection, roles.app, password)
            # If the user may not grant privileges, PostgreSQL only warns, so the result is checked.
            if (await _find_missing(connection, roles)).statements:
                raise psycopg.errors.InsufficientPrivilege
    except psycopg.errors.InsufficientPrivilege:
        raise AdministratorNeeded(
            f"The database user {missing.me} may not create the roles and privileges that Roost"
            " needs.",
            next_action=NextAction(ActionCode.PREPARE_ROLES, {"role": roles.app}),
            sql=_as_script(missing.statements, connection),
        ) from None
    changes.record()
    return True


async def _set_password(connection: psycopg.AsyncConnection[Any], role: str, password: str) -> None:
    """Set a role's password in hashed form, because the server may log the statement."""
    verifier = connection.pgconn.encrypt_password(
        password.encode(), role.encode(), b"scram-sha-256"
    ).decode()
    statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
    await connection.execute(statement.format(sql.Identifier(role), sql.Literal(verifier)))
