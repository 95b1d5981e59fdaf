"""The tables that the code believes in are those that the migrations made."""

import psycopg
from sqlalchemy import Table, create_engine, inspect

from roost.store.schema import HEAD, prepare_database
from roost.store.tables import metadata


def test_tables_match_the_migrated_database(admin_url: str) -> None:
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(admin_url))
    found = inspect(engine)

    def described(table: Table) -> dict[str, tuple[str, bool]]:
        return {
            column.name: (column.type.compile(engine.dialect), bool(column.nullable))
            for column in table.columns
        }

    for table in metadata.tables.values():
        columns = {
            column["name"]: (column["type"].compile(engine.dialect), bool(column["nullable"]))
            for column in found.get_columns(table.name, schema="roost")
        }
        assert described(table) == columns, table.name
    engine.dispose()


async def test_preparing_again_changes_nothing(admin_url: str) -> None:
    assert await prepare_database(admin_url) is False
    with psycopg.connect(admin_url) as connection:
        row = connection.execute("SELECT version_num FROM roost.alembic_version").fetchone()
    assert row == (HEAD,)
