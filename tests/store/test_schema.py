"""The migrations create the newest schema, with exactly the functions in functions.sql."""

import re
from importlib import resources

import psycopg
import pytest
from psycopg import sql

from roost.store.migrations import HEAD
from roost.store.migrations.runner import with_role_names
from roost.store.roles import roles_of
from roost.store.schema import prepare_database


async def test_preparing_again_changes_nothing(admin_url: str) -> None:
    assert await prepare_database(admin_url) is False
    with psycopg.connect(admin_url) as connection:
        row = connection.execute("SELECT version_num FROM roost.alembic_version").fetchone()
    assert row == (HEAD,)


#: Lists all functions of the schema except the job engine's, which functions.sql does not define.
_FUNCTIONS = """
    SELECT oid::regprocedure::text, pg_get_functiondef(oid), pg_get_userbyid(proowner)::text,
           ARRAY(SELECT unnest(proacl)::text ORDER BY 1)
    FROM pg_proc WHERE pronamespace = 'roost'::regnamespace AND proname NOT LIKE 'procrastinate%'
"""


def changes_by(script: str, admin_url: str) -> set[str]:
    """Return the database's functions that `script` adds, changes or does not define."""
    with psycopg.connect(admin_url) as connection:
        roles = roles_of(connection.info.dbname)
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(roles.owner)))
        connection.execute("SET search_path = roost, pg_temp")
        before = {row[0]: row[1:] for row in connection.execute(_FUNCTIONS)}
        connection.execute(with_role_names(script, roles).encode())
        after = {row[0]: row[1:] for row in connection.execute(_FUNCTIONS)}
        connection.rollback()
    defined = set(re.findall(r"^CREATE OR REPLACE FUNCTION (\w+)", script, re.MULTILINE))
    left_out = {name for name in before if name.partition("(")[0] not in defined}
    return left_out | {name for name in after if before.get(name) != after[name]}


def test_the_functions_of_the_file_are_those_of_the_migrated_database(admin_url: str) -> None:
    script = resources.files("roost.store").joinpath("sql/functions.sql").read_text("utf-8")
    assert changes_by(script, admin_url) == set()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("FUNCTION list_tenants", "FUNCTION list_all_tenants"),
        ("ORDER BY id $$", "ORDER BY id DESC $$"),
        ("require_fence, load_post", "require_fence, queue_capacity, load_post"),
    ],
)
def test_a_function_that_a_migration_forgot_is_found(old: str, new: str, admin_url: str) -> None:
    script = resources.files("roost.store").joinpath("sql/functions.sql").read_text("utf-8")
    changed = script.replace(old, new)
    assert changed != script
    assert changes_by(changed, admin_url)
