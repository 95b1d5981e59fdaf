"""What a part answers and quotes, its poll, and who may reply to it."""

from alembic import op

revision = "2026_11_28_replies"
down_revision = "2026_11_28_auth"
branch_labels = None
depends_on = None

#: The journal of a post holds its parts' rows whole, so that no function changes.
CHANGES = """
ALTER TABLE parts
    -- Later parts answer the part before.
    ADD COLUMN reply_to text CHECK (reply_to ~ '^[0-9]{1,19}$'),
    ADD COLUMN quote_of text CHECK (quote_of ~ '^[0-9]{1,19}$'),
    ADD COLUMN poll_options text[] CHECK (cardinality(poll_options) BETWEEN 2 AND 4),
    ADD COLUMN poll_minutes int CHECK (poll_minutes BETWEEN 5 AND 10080),
    -- X's word; NULL: everybody.
    ADD COLUMN reply_settings text,
    ADD CONSTRAINT parts_first_replies CHECK (reply_to IS NULL OR position = 1),
    ADD CONSTRAINT parts_poll_or_quote CHECK (quote_of IS NULL OR poll_options IS NULL),
    ADD CONSTRAINT parts_poll_is_whole
        CHECK ((poll_options IS NULL) = (poll_minutes IS NULL));
"""


def upgrade() -> None:
    """Add the columns, as `roost_owner`."""
    op.execute(CHANGES)
