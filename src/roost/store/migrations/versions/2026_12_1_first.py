"""The first schema: tables, the job engine, functions, row-level security and rights."""

from alembic import op
from procrastinate import App, PsycopgConnector

from roost.store.migrations.runner import execute_file, execute_script

revision = "2026_12_1"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything as `roost_owner`, in the schema `roost`."""
    connection = op.get_bind()
    execute_file(connection, "schema.sql")
    execute_script(connection, App(connector=PsycopgConnector()).schema_manager.get_schema())
    # At this point only the job engine has functions, so this grants no function of Roost.
    execute_script(connection, "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA roost TO roost_app")
    execute_file(connection, "functions.sql")
    execute_file(connection, "rules.sql")
