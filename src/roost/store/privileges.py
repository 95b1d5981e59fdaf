"""Finds privileges of the application's login that Roost does not need.

Row-level security separates tenants only if the login cannot bypass it. Roost does not start if the
login has a privilege that bypasses row-level security. `roost doctor` reports the other privileges.
"""

from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row

from roost.store.roles import roles_of


@dataclass(frozen=True)
class Excess:
    """A privilege that the application's login should not have."""

    description: str
    """The description: the rest of a sentence that begins with the login's name."""
    undoes_row_security: bool
    """Whether this privilege lets the login see or change every tenant's rows."""


@dataclass(frozen=True)
class Login:
    """The login of a session, and its excessive privileges."""

    name: str
    expected: str
    """The login that this database's application must use."""
    database: str
    excesses: tuple[Excess, ...]

    @property
    def is_unsafe(self) -> bool:
        """Whether Roost must not start as this login."""
        return self.name != self.expected or any(e.undoes_row_security for e in self.excesses)


#: Lists the login's own role and the roles that the login may become. For a superuser, who may
#: become every role, only the superuser's own role is listed.
_ROLES: LiteralString = """
    SELECT r.rolname AS role, r.rolname = session_user AS is_own,
           r.rolsuper AS superuser, r.rolbypassrls AS bypasses, r.rolcreaterole AS makes_roles,
           r.rolreplication AS replicates, r.rolcreatedb AS makes_databases,
           r.rolname IN ('pg_execute_server_program', 'pg_read_server_files',
                         'pg_write_server_files') AS reaches_server,
           EXISTS (SELECT FROM pg_class WHERE relowner = r.oid
                   AND relnamespace = to_regnamespace('roost')) AS owns_tables,
           EXISTS (SELECT FROM pg_namespace WHERE nspowner = r.oid AND nspname = 'roost')
               AS owns_schema,
           EXISTS (SELECT FROM pg_database WHERE datdba = r.oid AND datname = current_database())
               AS owns_database
    FROM pg_roles r
    WHERE r.rolname = session_user
       OR NOT (SELECT rolsuper FROM pg_roles WHERE rolname = session_user)
          AND pg_has_role(session_user, r.oid, 'MEMBER')
    ORDER BY r.rolname <> session_user, r.rolname
"""
#: Reads the login's rights on the database, the rights that every role has on the database, and
#: other roles that may act as the application's role.
_DATABASE: LiteralString = """
    SELECT has_database_privilege(session_user, current_database(), 'CREATE') AS makes_schemas,
           EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = 'roost'
                   AND has_schema_privilege(session_user, n.oid, 'CREATE')) AS makes_tables,
           ARRAY(SELECT a.privilege_type
                 FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
                 WHERE d.datname = current_database() AND a.grantee = 0 ORDER BY 1) AS of_public,
           ARRAY(SELECT m.rolname::text FROM pg_roles m
                 JOIN pg_auth_members am ON am.member = m.oid JOIN pg_roles r ON r.oid = am.roleid
                 WHERE r.rolname = %(app)s AND NOT m.rolsuper ORDER BY 1) AS also_app
"""


def find_role_excesses(rows: list[dict[str, Any]]) -> list[Excess]:
    """Return the excessive privileges of the login's own role and of roles it may switch to."""
    excesses = []
    for row in rows:
        through = "" if row["is_own"] else f" through the role {row['role']}"
        undoing = [
            (row["superuser"], "is a superuser"),
            (row["bypasses"], "bypasses row-level security"),
            (row["makes_roles"], "may create roles, and so become other roles"),
            (row["replicates"], "may copy the whole server (REPLICATION)"),
            (row["owns_tables"] or row["owns_schema"], "owns Roost's tables"),
            (row["owns_database"], "owns the database"),
            (row["reaches_server"], "may use the server's files and programs"),
        ]
        dangerous = [description for applies, description in undoing if applies]
        excesses += [Excess(f"{each}{through}", undoes_row_security=True) for each in dangerous]
        if row["makes_databases"]:
            excesses.append(Excess(f"may create databases{through}", undoes_row_security=False))
        if not row["is_own"] and not dangerous:
            excesses.append(Excess(f"is a member of {row['role']}", undoes_row_security=False))
    return excesses


def find_database_excesses(row: dict[str, Any]) -> list[Excess]:
    """Return excessive rights on the database, of this login and of other roles."""
    checks = [
        (row["makes_schemas"] or row["makes_tables"], "may create tables or schemas"),
        (row["of_public"], f"is not the only one: every role has {', '.join(row['of_public'])}"),
        (row["also_app"], f"is a role that {', '.join(row['also_app'])} may use too"),
    ]
    return [Excess(each, undoes_row_security=False) for applies, each in checks if applies]


async def find_login(connection: psycopg.AsyncConnection[Any]) -> Login:
    """Return the login of this session, with its excessive privileges."""
    row = await (await connection.execute("SELECT session_user, current_database()")).fetchone()
    assert row is not None
    name, database = row
    expected = roles_of(database).app
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute(_ROLES)
    excesses = find_role_excesses(await cursor.fetchall())
    await cursor.execute(_DATABASE, {"app": expected})
    excesses += find_database_excesses((await cursor.fetchall())[0])
    return Login(name, expected, database, tuple(excesses))
