"""Exactly once, whatever dies: moves kept legal by the database, pauses, rests, preparing, alerts.

A state changes only along the moves below; the models name the same (a test compares).
"""

from alembic import op

revision = "2026_11_26_1"
down_revision = "2026_11_23_1"
branch_labels = None
depends_on = None

POST_MOVES = (
    "draft>scheduled", "draft>cancelled",
    "scheduled>publishing", "scheduled>cancelled", "scheduled>failed",
    "publishing>published", "publishing>partly_published", "publishing>failed",
    "publishing>needs_decision", "publishing>missed",
    "needs_decision>publishing", "needs_decision>partly_published", "needs_decision>failed",
    "partly_published>publishing", "partly_published>cancelled",
    "failed>scheduled",
    "missed>scheduled", "missed>publishing", "missed>cancelled",
)  # fmt: skip
PART_MOVES = (
    "pending>sending", "pending>failed",
    "sending>sent", "sending>failed", "sending>pending", "sending>unknown",
    "unknown>sent", "unknown>sending", "unknown>failed",
    "failed>pending",
)  # fmt: skip

TABLES = """
ALTER TABLE posts DROP CONSTRAINT posts_state_check;
ALTER TABLE posts
    ADD CONSTRAINT posts_state_check CHECK (state IN ('draft', 'scheduled', 'publishing',
        'published', 'partly_published', 'failed', 'needs_decision', 'cancelled', 'missed')),
    ADD COLUMN paused boolean NOT NULL DEFAULT false,
    -- When its files are to be brought to X; NULL: there is nothing to bring, or a job has it.
    ADD COLUMN prepare_at timestamptz,
    -- How late it may go out; NULL: as the settings say.
    ADD COLUMN tolerance interval,
    -- Since when its lateness counts, where something nobody could help kept it: not its due time.
    ADD COLUMN late_from timestamptz;
CREATE INDEX posts_prepare ON posts (prepare_at) WHERE prepare_at IS NOT NULL;

ALTER TABLE integrations
    ADD COLUMN paused boolean NOT NULL DEFAULT false,
    -- X takes nothing more of this account before then; `rests` counts refusals in a row.
    ADD COLUMN rest_until timestamptz,
    ADD COLUMN rest_why text,
    ADD COLUMN rests int NOT NULL DEFAULT 0;

ALTER TABLE tenants ADD COLUMN paused boolean NOT NULL DEFAULT false;

-- The one row that concerns everybody.
CREATE TABLE stop_switch (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    paused boolean NOT NULL DEFAULT false,
    why text,
    -- What was sent after this instant may be missing from these tables: they were restored.
    restored_to timestamptz
);
INSERT INTO stop_switch DEFAULT VALUES;

-- X takes nothing more of any account of this app before then.
CREATE TABLE app_rests (
    client_id text NOT NULL,
    environment text NOT NULL,
    until timestamptz NOT NULL,
    why text NOT NULL,
    PRIMARY KEY (client_id, environment)
);

-- How many creates X still takes of an account, as its last answer told.
CREATE TABLE rate_windows (
    tenant_id bigint NOT NULL,
    integration_id bigint NOT NULL,
    family text NOT NULL,
    most int NOT NULL,
    remaining int NOT NULL,
    resets_at timestamptz NOT NULL,
    PRIMARY KEY (integration_id, family),
    FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations (tenant_id, id)
);

ALTER TABLE parts ADD COLUMN deleted_at timestamptz;

ALTER TABLE attempts
    -- What the request carried: a repetition carries the same, and the keys tell its post.
    ADD COLUMN media_ids text[] NOT NULL DEFAULT '{}',
    ADD COLUMN media_keys text[] NOT NULL DEFAULT '{}',
    -- A person has looked, and said that X does not have it.
    ADD COLUMN decided_absent boolean NOT NULL DEFAULT false;

-- An upload under way is known by `under_way` (as x.media.UploadState tells it), a finished one by
-- the rest.
ALTER TABLE uploads
    ALTER COLUMN media_id DROP NOT NULL,
    ALTER COLUMN media_key DROP NOT NULL,
    ALTER COLUMN expires_at DROP NOT NULL,
    ADD COLUMN under_way jsonb,
    ADD CHECK (under_way IS NOT NULL
               OR (media_id IS NOT NULL AND media_key IS NOT NULL AND expires_at IS NOT NULL));

ALTER TABLE events ADD COLUMN who text NOT NULL DEFAULT 'roost';

-- What a person has to see to: one open alert a kind and subject. Without a tenant: everybody's.
CREATE TABLE alerts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint REFERENCES tenants (id),
    kind text NOT NULL,
    subject text NOT NULL,
    raised_at timestamptz NOT NULL,
    ended_at timestamptz,
    message text NOT NULL,
    next text NOT NULL
);
CREATE UNIQUE INDEX alarms_open ON alerts (coalesce(tenant_id, 0), kind, subject)
    WHERE ended_at IS NULL;
"""

#: `next_due` stands on the view of posts, so it goes; the next migration brings another.
FUNCTIONS = """
DROP FUNCTION next_due(text);
DROP VIEW sendable_posts;

-- Accounts of a living connection that nobody has paused, and their posts. A worker asks for those
-- of its own X alone: an emulator's clock says nothing about a live post.
CREATE VIEW sendable_accounts WITH (security_invoker = true) AS
    SELECT i.id, i.tenant_id, i.environment
    FROM integrations i JOIN tenants t ON t.id = i.tenant_id
    WHERE i.status = 'connected' AND NOT i.paused AND NOT t.paused
      AND NOT (SELECT paused FROM stop_switch);

CREATE VIEW sendable_posts WITH (security_invoker = true) AS
    SELECT p.*, a.environment
    FROM posts p JOIN sendable_accounts a ON a.id = p.integration_id WHERE NOT p.paused;

-- Whether an account still has posts on their way that a worker could take up.
CREATE FUNCTION has_publishing(account bigint, besides bigint[]) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = roost, pg_temp
    RETURN EXISTS (SELECT FROM sendable_posts
                   WHERE integration_id = account AND state = 'publishing' AND resume_at IS NULL
                     AND NOT id = ANY (besides));

-- What tells this database from a restored copy of it: its own number, and how far its story goes.
CREATE FUNCTION database_mark(OUT system_id text, OUT last_event bigint, OUT last_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    SELECT (SELECT system_identifier::text FROM pg_control_system()), e.id, e.at
    FROM (SELECT 1) AS one LEFT JOIN LATERAL
         (SELECT id, at FROM events ORDER BY id DESC LIMIT 1) AS e ON true
    $$;

CREATE FUNCTION refuse_illegal_move() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT (OLD.state || '>' || NEW.state) = ANY (TG_ARGV) THEN
            RAISE EXCEPTION '% % may not go from % to %',
                TG_TABLE_NAME, OLD.id, OLD.state, NEW.state
                USING ERRCODE = 'check_violation', CONSTRAINT = 'legal_moves';
        END IF;
        RETURN NEW;
    END
    $$;
"""


def _guard(table: str, moves: tuple[str, ...]) -> str:
    listed = ", ".join(f"'{move}'" for move in moves)
    return (
        f"CREATE TRIGGER legal_moves BEFORE UPDATE OF state ON {table} FOR EACH ROW"
        " WHEN (OLD.state IS DISTINCT FROM NEW.state)"
        f" EXECUTE FUNCTION refuse_illegal_move({listed});"
    )


def upgrade() -> None:
    """Add everything, as `roost_owner`."""
    op.execute(TABLES)
    op.execute(FUNCTIONS)
    op.execute(_guard("posts", POST_MOVES))
    op.execute(_guard("parts", PART_MOVES))
    op.execute(
        "ALTER TABLE rate_windows ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
        "CREATE POLICY own ON rate_windows TO roost_app"
        " USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());"
        "CREATE POLICY all_rows ON rate_windows TO roost_owner USING (true) WITH CHECK (true);"
        "ALTER TABLE alerts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
        "CREATE POLICY own ON alerts TO roost_app"
        " USING (tenant_id IS NULL OR tenant_id = current_tenant())"
        " WITH CHECK (tenant_id IS NULL OR tenant_id = current_tenant());"
        "CREATE POLICY all_rows ON alerts TO roost_owner USING (true) WITH CHECK (true);"
        # Only its own mark: a tenant's name is changed by nobody.
        "GRANT UPDATE (paused) ON tenants TO roost_app;"
        "GRANT SELECT, INSERT, UPDATE, DELETE ON app_rests, rate_windows, alerts TO roost_app;"
        "GRANT SELECT, UPDATE ON stop_switch TO roost_app;"
        "GRANT SELECT ON sendable_accounts, sendable_posts TO roost_app;"
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA roost TO roost_app;"
        "REVOKE ALL ON FUNCTION has_publishing(bigint, bigint[]), database_mark(),"
        " refuse_illegal_move() FROM PUBLIC;"
        "GRANT EXECUTE ON FUNCTION has_publishing(bigint, bigint[]),"
        " database_mark() TO roost_app;"
    )
