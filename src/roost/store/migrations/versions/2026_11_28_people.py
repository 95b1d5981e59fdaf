"""Waiting posts can be edited and cancelled, say what they wait for, and are not late meanwhile.

`begin_attempt` locks the post: an edit or a cancellation and an attempt exclude each other.
"""

from alembic import op

revision = "2026_11_28_people"
down_revision = "2026_11_28_roles"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE posts
    -- What a post on its way waits for, and until when; the next change of state clears both.
    ADD COLUMN wait_reason text,
    ADD COLUMN wait_until timestamptz,
    -- The earliest instant from which the post counts as late in alerts: the end of a wait that is
    -- not Roost's own trouble, or the instant at which a person let it continue.
    ADD COLUMN not_late_before timestamptz,
    -- When a person said that the post stays as it is; the next change of state clears it.
    ADD COLUMN acknowledged_at timestamptz;

ALTER TABLE integrations
    -- The back-off has a cause on this side (a setting, the vault): its posts count as late.
    ADD COLUMN backoff_counts_as_late boolean NOT NULL DEFAULT false;

-- An alert about an account names it by its number: an account may change its name on X.
UPDATE alerts SET subject = 'account ' || i.id
FROM integrations i
WHERE alerts.tenant_id = i.tenant_id AND alerts.kind = 'reconnect' AND alerts.ended_at IS NULL
  AND alerts.subject = '@' || (i.metadata ->> 'username') AND i.status = 'needs_reconnect';
UPDATE alerts SET ended_at = raised_at
WHERE kind = 'reconnect' AND ended_at IS NULL AND subject LIKE '@%';
"""

#: What the models allow besides: `publishing` only while X has nothing of the post.
MOVES = (
    "draft>scheduled", "draft>cancelled",
    "scheduled>publishing", "scheduled>cancelled", "scheduled>failed",
    "publishing>published", "publishing>partly_published", "publishing>failed",
    "publishing>needs_decision", "publishing>missed", "publishing>scheduled",
    "publishing>cancelled",
    "needs_decision>publishing", "needs_decision>partly_published", "needs_decision>failed",
    "partly_published>publishing", "partly_published>cancelled",
    "failed>scheduled", "failed>cancelled",
    "missed>scheduled", "missed>publishing", "missed>cancelled",
)  # fmt: skip

FUNCTIONS = """
-- Since when the oldest post should be out that is due, is not out, is not paused and does not wait
-- for something that is not Roost's own trouble.
CREATE OR REPLACE FUNCTION oldest_due_post(present timestamptz, played text) RETURNS timestamptz
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = roost, pg_temp
    RETURN least(
        (SELECT min(greatest(coalesce(p.late_from, p.due_at), p.not_late_before)) FROM posts p
         WHERE p.state = 'scheduled' AND p.wake_at <= present
           AND greatest(coalesce(p.late_from, p.due_at), p.not_late_before) <= present
           AND (SELECT true FROM sendable_accounts a
                WHERE a.id = p.integration_id AND a.environment = played)),
        (SELECT min(greatest(coalesce(p.late_from, p.due_at), p.not_late_before)) FROM posts p
         WHERE p.state = 'publishing' AND p.due_at <= present AND NOT p.paused
           AND greatest(coalesce(p.late_from, p.due_at), p.not_late_before) <= present
           AND (SELECT true FROM sendable_accounts a
                WHERE a.id = p.integration_id AND a.environment = played)));

-- Ends the back-offs of apps that are over while no post of the app waits to find out: ids only.
CREATE FUNCTION end_idle_backoffs(present timestamptz, played text)
    RETURNS TABLE (client_id text)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    DELETE FROM app_rests r
    WHERE r.environment = played AND r.until <= present AND NOT EXISTS (
        SELECT FROM posts p JOIN integrations i ON i.id = p.integration_id
        WHERE p.state = 'publishing' AND i.client_id = r.client_id
          AND i.environment = r.environment)
    RETURNING r.client_id
    $$;

-- Commit before sending: moves the part to `sending` only from the state the decision was made on,
-- and adds the event. `started_at` is X's time, `at` the worker's, and the deadline wall time of
-- the database, later than the sender's own.
-- The advisory lock is shared by attempts, and exclusive to a pause: after a pause has been
-- acknowledged, no attempt commits. The post's row is locked until the attempt is committed: an
-- edit or a cancellation locks it too, so whichever comes second sees what the first has written.
-- Where domain time is the machine's, the post has to be due by the database's clock as well.
CREATE OR REPLACE FUNCTION begin_attempt(
        tenant bigint, part bigint, before text, tried int, started_at timestamptz,
        deadline interval, media_ids text[], media_keys text[], at timestamptz, why text, who text,
        fence_event bigint, fence_tag int, fence_timeline text, is_wall_time boolean)
    RETURNS TABLE (id bigint, number int, event_id bigint, event_tag int)
    LANGUAGE plpgsql VOLATILE
    AS $$
    #variable_conflict use_column
    BEGIN
        PERFORM set_config('roost.tenant', begin_attempt.tenant::text, true);
        IF begin_attempt.fence_event IS NOT NULL THEN
            PERFORM require_fence(begin_attempt.fence_event, begin_attempt.fence_tag,
                                  begin_attempt.fence_timeline);
        END IF;
        PERFORM pg_advisory_xact_lock_shared(21072, 0);
        PERFORM FROM posts p
        WHERE p.id = (SELECT post_id FROM parts WHERE id = begin_attempt.part) FOR SHARE;
        -- Its own snapshot, taken after the locks: it sees what they have waited for.
        RETURN QUERY
        WITH moved AS (
            UPDATE parts SET state = 'sending'
            WHERE id = begin_attempt.part AND state = begin_attempt.before
              AND (SELECT count(*) FROM attempts a WHERE a.part_id = begin_attempt.part)
                  = begin_attempt.tried
              AND (SELECT true FROM posts p
                   WHERE p.id = parts.post_id AND p.state = 'publishing' AND NOT p.paused
                     AND (NOT begin_attempt.is_wall_time OR p.due_at <= clock_timestamp())
                     AND (SELECT true FROM sendable_accounts s WHERE s.id = p.integration_id))
            RETURNING id, tenant_id, post_id, position
        ), told AS (
            INSERT INTO events (tenant_id, post_id, position, at, before, after, why, who)
            SELECT tenant_id, post_id, position, begin_attempt.at, begin_attempt.before, 'sending',
                   begin_attempt.why, begin_attempt.actor
            FROM moved RETURNING id, tag
        ), tried AS (
            INSERT INTO attempts
                (tenant_id, part_id, number, started_at, deadline_at, media_ids, media_keys)
            SELECT tenant_id, id, begin_attempt.tried + 1, begin_attempt.started_at,
                   clock_timestamp() + begin_attempt.deadline, begin_attempt.media_ids,
                   begin_attempt.media_keys
            FROM moved RETURNING id, number
        )
        SELECT t.id, t.number, e.id, e.tag FROM tried t, told e;
    END
    $$;
"""


def upgrade() -> None:
    """Change everything, as `roost_owner`."""
    op.execute(TABLES)
    op.execute(FUNCTIONS)
    moves = ", ".join(f"'{move}'" for move in MOVES)
    op.execute(
        "DROP TRIGGER legal_moves ON posts;"
        "CREATE TRIGGER legal_moves BEFORE UPDATE OF state ON posts FOR EACH ROW"
        " WHEN (OLD.state IS DISTINCT FROM NEW.state)"
        f" EXECUTE FUNCTION refuse_illegal_move({moves});"
        "REVOKE ALL ON FUNCTION end_idle_backoffs(timestamptz, text) FROM PUBLIC;"
        "GRANT EXECUTE ON FUNCTION end_idle_backoffs(timestamptz, text) TO roost_app;"
    )
