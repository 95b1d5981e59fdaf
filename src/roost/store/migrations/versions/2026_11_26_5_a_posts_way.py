"""The three statements of a post's way, as functions: their tenant goes in with them.

Each is one message to the server and a transaction of its own, seen by row-level security as its
caller is. Taking up has no tenant (NULL) inside a transaction that sees one already.
"""

from alembic import op

revision = "2026_11_26_5"
down_revision = "2026_11_26_4"
branch_labels = None
depends_on = None

#: In due order alone they were read from their beginning for each account's next post.
INDEXES = """
DROP INDEX posts_under_way, posts_begun;
CREATE INDEX posts_under_way ON posts (integration_id, due_at, id)
    WHERE state = 'publishing' AND resume_at IS NULL;
CREATE INDEX posts_begun ON posts (integration_id, due_at) WHERE state = 'publishing';
"""

FUNCTIONS = """
-- One post, or else the account's post on its way that is next in due order and does not wait: its
-- whole journal and its account's grant in one row.
-- What hangs on its parts is asked for by their numbers: a join may be planned the other way round
-- while a table is empty, and would then read all of it when it is not any more.
CREATE FUNCTION take_up_post(tenant bigint, post bigint, integration bigint, besides bigint[])
    RETURNS TABLE (
        id bigint, tenant_id bigint, integration_id bigint, state text, due_at timestamptz,
        reason text, tolerance interval, paused boolean, late_from timestamptz, account json,
        ring_key_id text, sealed_key text, app_rest_until timestamptz, app_rest_why text,
        parts json, media json, uploads json, attempts json, windows json)
    LANGUAGE plpgsql VOLATILE
    AS $$
    #variable_conflict use_column
    BEGIN
        IF take_up_post.tenant IS NOT NULL THEN
            PERFORM set_config('roost.tenant', take_up_post.tenant::text, true);
        END IF;
        RETURN QUERY
        WITH next AS MATERIALIZED (
            (SELECT id FROM posts
             WHERE integration_id = take_up_post.integration AND state = 'publishing'
               AND resume_at IS NULL AND NOT paused AND NOT id = ANY(take_up_post.besides)
               AND (SELECT true FROM sendable_accounts WHERE id = take_up_post.integration)
             ORDER BY due_at, id LIMIT 1)
            UNION ALL SELECT take_up_post.post WHERE take_up_post.post IS NOT NULL
        ), parted AS MATERIALIZED (
            SELECT id, ARRAY(SELECT p.id FROM parts p WHERE p.post_id = next.id) AS parts FROM next
        ), carrying AS MATERIALIZED (
            SELECT id, parts,
                   ARRAY(SELECT m.id FROM media_assets m WHERE m.part_id = ANY(parts)) AS assets
            FROM parted
        )
        SELECT n.id, n.tenant_id, n.integration_id, n.state, n.due_at, n.reason, n.tolerance,
               n.paused, coalesce(n.late_from, n.due_at) AS late_from,
               row_to_json(i) AS account, k.ring_key_id, k.sealed_key,
               r.until AS app_rest_until, r.why AS app_rest_why,
               (SELECT json_agg(p ORDER BY p.position) FROM parts p
                WHERE p.post_id = n.id) AS parts,
               (SELECT json_agg(m ORDER BY m.position) FROM media_assets m
                WHERE m.id = ANY(c.assets)) AS media,
               (SELECT json_agg(u) FROM uploads u
                WHERE u.asset_id = ANY(c.assets) AND u.media_id IS NOT NULL) AS uploads,
               (SELECT json_agg(a ORDER BY a.number) FROM (
                    SELECT b.*, extract(epoch FROM b.deadline_at - clock_timestamp())::float8
                           AS seconds_left
                    FROM attempts b WHERE b.part_id = ANY(c.parts)) a) AS attempts,
               (SELECT json_agg(w) FROM rate_windows w
                WHERE w.integration_id = n.integration_id) AS windows
        FROM carrying c JOIN posts n ON n.id = c.id
        JOIN integrations i ON i.id = n.integration_id
        LEFT JOIN tenant_keys k ON k.tenant_id = n.tenant_id
        LEFT JOIN app_rests r ON r.client_id = i.client_id AND r.environment = i.environment;
    END
    $$;

-- Commit before sending: moves the part to `sending` only from the state the decision was made on,
-- and tells it. The deadline is wall time of the database, later than the sender's own.
CREATE FUNCTION begin_attempt(
        tenant bigint, part bigint, before text, tried int, at timestamptz, deadline interval,
        media_ids text[], media_keys text[], why text, who text)
    RETURNS TABLE (id bigint, number int)
    LANGUAGE plpgsql VOLATILE
    AS $$
    #variable_conflict use_column
    BEGIN
        PERFORM set_config('roost.tenant', begin_attempt.tenant::text, true);
        RETURN QUERY
        WITH moved AS (
            UPDATE parts SET state = 'sending'
            WHERE id = begin_attempt.part AND state = begin_attempt.before
              AND (SELECT count(*) FROM attempts a WHERE a.part_id = begin_attempt.part)
                  = begin_attempt.tried
            RETURNING id, tenant_id, post_id, position
        ), told AS (
            INSERT INTO events (tenant_id, post_id, position, at, before, after, why, who)
            SELECT tenant_id, post_id, position, begin_attempt.at, begin_attempt.before, 'sending',
                   begin_attempt.why, begin_attempt.actor
            FROM moved
        )
        INSERT INTO attempts
            (tenant_id, part_id, number, started_at, deadline_at, media_ids, media_keys)
        SELECT tenant_id, id, begin_attempt.tried + 1, begin_attempt.at,
               clock_timestamp() + begin_attempt.deadline, begin_attempt.media_ids,
               begin_attempt.media_keys
        FROM moved RETURNING id, number;
    END
    $$;

-- X has a part: its id, the attempt's end, the bill, the story, the post's own end where this was
-- its last part, and the account's windows, in one statement. Nothing of it where the id is known
-- already, or where a later attempt was made of the part (`moved` tells).
CREATE FUNCTION settle_sent(
        tenant bigint, part bigint, post bigint, integration bigint, attempt bigint, number int,
        tweet text, outcome text, sent_at timestamptz, usd numeric, priced text, at timestamptz,
        before text, why text, who text, windows json, besides bigint[])
    RETURNS TABLE (moved boolean, known boolean, is_last boolean)
    LANGUAGE plpgsql VOLATILE
    AS $$
    #variable_conflict use_column
    BEGIN
        PERFORM set_config('roost.tenant', settle_sent.tenant::text, true);
        RETURN QUERY
        WITH moved AS (
            UPDATE parts
            SET state = 'sent', sent_as = settle_sent.tweet, sent_at = settle_sent.sent_at
            WHERE id = settle_sent.part AND state IN ('sending', 'unknown')
              AND NOT EXISTS (SELECT FROM attempts later
                              WHERE later.part_id = settle_sent.part
                                AND later.number > settle_sent.number)
              AND NOT EXISTS (SELECT FROM parts known
                              WHERE known.integration_id = settle_sent.integration
                                AND known.sent_as = settle_sent.tweet)
            RETURNING tenant_id, integration_id, post_id, position
        ), ended AS (
            UPDATE attempts SET outcome = settle_sent.outcome
            WHERE id = settle_sent.attempt AND EXISTS (SELECT FROM moved)
        ), billed AS (
            INSERT INTO ledger (tenant_id, integration_id, at, operation, status, usd, reason)
            SELECT tenant_id, integration_id, settle_sent.at, 'create_post', 201, settle_sent.usd,
                   settle_sent.priced
            FROM moved
        ), done AS (
            UPDATE posts SET state = 'published', reason = NULL, resume_at = NULL
            WHERE id = settle_sent.post AND state = 'publishing' AND EXISTS (SELECT FROM moved)
              AND NOT EXISTS (SELECT FROM parts other WHERE other.post_id = settle_sent.post
                              AND other.id <> settle_sent.part AND other.state <> 'sent')
            RETURNING id
        ), told AS (
            INSERT INTO events (tenant_id, post_id, position, at, before, after, why, who)
            SELECT tenant_id, post_id, position, settle_sent.at, before, after, why, settle_sent.actor
            FROM (
                SELECT 1 AS turn, tenant_id, post_id, position, settle_sent.before AS before,
                       'sent' AS after, settle_sent.why AS why FROM moved
                UNION ALL
                SELECT 2, m.tenant_id, m.post_id, NULL, 'publishing', 'published',
                       'every part is on X'
                FROM moved m JOIN done ON true) AS lines ORDER BY turn
        ), counted AS (
            INSERT INTO rate_windows (tenant_id, integration_id, family, most, remaining, resets_at)
            SELECT m.tenant_id, m.integration_id, w.family, w.most, w.remaining, w.resets_at
            FROM moved m, json_to_recordset(settle_sent.windows) AS w
                (family text, most int, remaining int, resets_at timestamptz)
            ON CONFLICT (integration_id, family) DO UPDATE
            SET most = excluded.most, remaining = excluded.remaining,
                resets_at = excluded.resets_at
        )
        SELECT EXISTS (SELECT FROM moved) AS moved,
               EXISTS (SELECT FROM parts known
                       WHERE known.integration_id = settle_sent.integration
                         AND known.sent_as = settle_sent.tweet) AS known,
               EXISTS (SELECT FROM done) AND NOT EXISTS (
                    SELECT FROM posts p WHERE p.integration_id = settle_sent.integration
                    AND p.state = 'publishing' AND p.resume_at IS NULL AND NOT p.paused
                    AND NOT p.id = ANY(settle_sent.besides)
               ) AS is_last;
    END
    $$;
"""


def upgrade() -> None:
    """Add the functions and what they stand on, as `roost_owner`."""
    op.execute(INDEXES)
    op.execute(FUNCTIONS)
    names = "take_up_post, begin_attempt, settle_sent"
    op.execute(f"REVOKE ALL ON FUNCTION {names} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {names} TO roost_app")
