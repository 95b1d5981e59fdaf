"""Which copies of files are needed, whoever's posts need them."""

from alembic import op

revision = "2026_11_28_mediastore"
down_revision = "2026_11_28_limits"
branch_labels = None
depends_on = None

STATEMENTS = """
CREATE INDEX media_assets_sha256 ON media_assets (sha256);

-- Of some files those that a post may still need: one that is neither published nor cancelled (what
-- failed, was missed or is partly published can be gone on with), or a part that may be sent again.
CREATE FUNCTION list_needed_media(hashes text[]) RETURNS TABLE (sha256 text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    SELECT DISTINCT m.sha256
    FROM media_assets m JOIN parts p ON p.id = m.part_id JOIN posts o ON o.id = p.post_id
    WHERE m.sha256 = ANY(hashes)
      AND (o.state NOT IN ('published', 'cancelled') OR p.state IN ('sending', 'unknown'))
    $$;
"""


def upgrade() -> None:
    """Change everything, as `roost_owner`."""
    op.execute(STATEMENTS)
    op.execute(
        "REVOKE ALL ON FUNCTION list_needed_media(text[]) FROM PUBLIC;"
        "GRANT EXECUTE ON FUNCTION list_needed_media(text[]) TO roost_app;"
    )
