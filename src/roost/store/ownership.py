"""Transfers objects of Roost's schema from another database's roles to the right roles.

If a database was renamed, copied, or loaded from the dump of another database, its objects still
belong to the roles of the original database, so that these roles have access. The statements of
this module transfer all objects, policies and grants to the roles of this database.
"""

from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

#: Finds objects with another owner. The sequence of a column and the row type of a table are left
#: out, because they change their owner together with the table. The server has already quoted the
#: name in `identity`.
_FOREIGN: LiteralString = """
    WITH objects (class, object, owner) AS (
        SELECT 'pg_namespace'::regclass, oid, nspowner FROM pg_namespace WHERE nspname = 'roost'
        UNION ALL
        SELECT 'pg_class'::regclass, c.oid, c.relowner FROM pg_class c
        WHERE c.relnamespace = to_regnamespace('roost') AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
          AND NOT EXISTS (SELECT FROM pg_depend d
                          WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                            AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
                            AND c.relkind = 'S')
        UNION ALL
        SELECT 'pg_proc'::regclass, oid, proowner FROM pg_proc
        WHERE pronamespace = to_regnamespace('roost')
        UNION ALL
        SELECT 'pg_type'::regclass, t.oid, t.typowner
        FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
        WHERE t.typnamespace = to_regnamespace('roost')
          AND (t.typtype IN ('e', 'd') OR c.relkind = 'c')
    )
    SELECT upper(i.type) AS kind, i.identity
    FROM objects, pg_identify_object(class, object, 0) AS i
    WHERE pg_get_userbyid(owner) <> %(owner)s
    ORDER BY i.type <> 'schema', i.type, i.identity
"""
#: Finds policies that apply to a wrong role. The policy `all_rows` should apply to the owner's
#: role, and every other policy to the application's role.
_POLICIES: LiteralString = """
    SELECT p.polname AS policy, c.relname AS table,
           CASE p.polname WHEN 'all_rows' THEN %(owner)s ELSE %(app)s END AS role
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
    WHERE c.relnamespace = to_regnamespace('roost')
      AND ARRAY(SELECT pg_get_userbyid(r)::text FROM unnest(p.polroles) AS r)
          <> ARRAY[CASE p.polname WHEN 'all_rows' THEN %(owner)s ELSE %(app)s END]
    ORDER BY c.relname, p.polname
"""
#: Finds the grants to the application's role of the original database. The policies still name this
#: role.
_GRANTS: LiteralString = """
    WITH original AS (
        SELECT r.oid, r.rolname FROM pg_roles r
        WHERE r.rolname <> %(app)s AND r.oid IN (
            SELECT unnest(p.polroles) FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
            WHERE c.relnamespace = to_regnamespace('roost') AND p.polname = 'own')
    ), granted (kind, identity, acl, of_column) AS (
        SELECT 'SCHEMA', quote_ident(nspname), nspacl, NULL FROM pg_namespace
        WHERE nspname = 'roost'
        UNION ALL
        SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
               format('roost.%%I', relname), relacl, NULL
        FROM pg_class WHERE relnamespace = to_regnamespace('roost')
        UNION ALL
        SELECT 'TABLE', format('roost.%%I', c.relname), a.attacl, a.attname
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relnamespace = to_regnamespace('roost')
        UNION ALL
        SELECT 'ROUTINE', i.identity, proacl, NULL
        FROM pg_proc p, pg_identify_object('pg_proc'::regclass, p.oid, 0) AS i
        WHERE pronamespace = to_regnamespace('roost')
    )
    SELECT g.kind, g.identity, g.of_column, o.rolname AS original,
           array_agg(a.privilege_type ORDER BY a.privilege_type) AS privileges
    FROM granted g, aclexplode(g.acl) AS a JOIN original o ON o.oid = a.grantee
    GROUP BY g.kind, g.identity, g.of_column, o.rolname
    ORDER BY g.kind, g.identity, g.of_column
"""


async def find_transfers(
    connection: psycopg.AsyncConnection[Any], *, owner: str, app: str
) -> list[sql.Composed]:
    """Return the statements that transfer everything in Roost's schema to these roles."""
    cursor = connection.cursor(row_factory=dict_row)
    roles = {"owner": owner, "app": app}
    statements = []
    await cursor.execute(_GRANTS, roles)
    for row in await cursor.fetchall():
        statements += _move_grant(row, app)
    await cursor.execute(_POLICIES, roles)
    statements += [
        sql.SQL("ALTER POLICY {} ON {} TO {}").format(
            sql.Identifier(row["policy"]),
            sql.Identifier("roost", row["table"]),
            sql.Identifier(row["role"]),
        )
        for row in await cursor.fetchall()
    ]
    await cursor.execute(_FOREIGN, roles)
    statements += [
        sql.SQL("ALTER {} {} OWNER TO {}").format(
            _catalog(row["kind"]), _catalog(row["identity"]), sql.Identifier(owner)
        )
        for row in await cursor.fetchall()
    ]
    return statements


def _move_grant(row: dict[str, Any], app: str) -> list[sql.Composed]:
    """Return the statements that move a grant from the original database's role to `app`."""
    column = sql.Composed([])
    if row["of_column"] is not None:
        column = sql.SQL(" ({})").format(sql.Identifier(row["of_column"]))
    privileges = sql.SQL(", ").join(_catalog(each) + column for each in row["privileges"])
    named = {
        "what": privileges,
        "kind": _catalog(row["kind"]),
        "object": _catalog(row["identity"]),
        "app": sql.Identifier(app),
        "original": sql.Identifier(row["original"]),
    }
    return [
        sql.SQL("GRANT {what} ON {kind} {object} TO {app}").format(**named),
        sql.SQL("REVOKE {what} ON {kind} {object} FROM {original}").format(**named),
    ]


def _catalog(text: str) -> sql.Composed:
    """Return text of the server's catalog as SQL; the server has already quoted its names."""
    return sql.Composed([sql.SQL(text)])
