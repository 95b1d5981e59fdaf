"""Snapshots of a post belong to a part of the same tenant."""

from alembic import op

revision = "2026_11_28_roles"
down_revision = "2026_11_28_mediastore"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the key, as `roost_owner`."""
    op.execute(
        "ALTER TABLE post_snapshots ADD FOREIGN KEY (tenant_id, part_id)"
        " REFERENCES parts (tenant_id, id) ON DELETE CASCADE"
    )
