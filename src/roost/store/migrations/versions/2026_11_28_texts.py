"""A finished connection is known for some minutes, so that its callback page can be loaded again.

Its state serves no second time: the row holds no verifier.
"""

from alembic import op

revision = "2026_11_28_texts"
down_revision = "2026_11_28_replies"
branch_labels = None
depends_on = None

CHANGES = """
ALTER TABLE connect_flows
    ALTER COLUMN sealed_verifier DROP NOT NULL,
    -- The account that this connection has connected; NULL: it is under way.
    ADD COLUMN integration_id bigint,
    ADD CONSTRAINT connect_flows_connected
        FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations (tenant_id, id)
        ON DELETE CASCADE,
    ADD CONSTRAINT connect_flows_verifier_once
        CHECK ((sealed_verifier IS NULL) = (integration_id IS NOT NULL));
"""


def upgrade() -> None:
    """Change the table, as its owner."""
    op.execute(CHANGES)
