"""Alembic's entry: runs the migrations on the connection that `roost.store.schema` hands in."""

from alembic import context

from roost.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table_schema="roost",
    include_schemas=True,
)
with context.begin_transaction():
    context.run_migrations()
