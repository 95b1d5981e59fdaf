"""Who held whose posts back, and who let them go on: part of the history of each of them."""

from alembic import op

revision = "2026_11_26_4"
down_revision = "2026_11_26_3"
branch_labels = None
depends_on = None

TABLES = """
-- Without an account: the tenant's posts; without a tenant: everybody's. Numbered among the events,
-- so that both are one story.
CREATE TABLE holds (
    id bigint PRIMARY KEY DEFAULT nextval(pg_get_serial_sequence('roost.events', 'id')),
    tenant_id bigint REFERENCES tenants (id),
    integration_id bigint,
    at timestamptz NOT NULL,
    paused boolean NOT NULL,
    why text NOT NULL,
    who text NOT NULL,
    CHECK (tenant_id IS NOT NULL OR integration_id IS NULL),
    FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations (tenant_id, id)
);
CREATE INDEX holds_whose ON holds (tenant_id, integration_id, id);
ALTER TABLE holds ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON holds TO roost_app
    USING (tenant_id IS NULL OR tenant_id = current_tenant())
    WITH CHECK (tenant_id IS NULL OR tenant_id = current_tenant());
CREATE POLICY all_rows ON holds TO roost_owner USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON holds TO roost_app;
"""


def upgrade() -> None:
    """Add the table, as `roost_owner`."""
    op.execute(TABLES)
