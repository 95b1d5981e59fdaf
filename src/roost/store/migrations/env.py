"""Runs the migrations on the connection of `runner.migrate`; Alembic executes this file."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table_schema="roost",
    include_schemas=True,
)
with context.begin_transaction():
    context.run_migrations()
