"""A due time that every client can read in every time zone."""

from alembic import op

revision = "2026_11_28_limits"
down_revision = "2026_11_27_1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Refuse what no time zone can show: the use cases have narrower bounds of their own."""
    op.execute(
        "ALTER TABLE posts ADD CONSTRAINT posts_due_at_range"
        " CHECK (due_at > '0100-01-01 00:00+00' AND due_at < '9000-01-01 00:00+00')"
    )
