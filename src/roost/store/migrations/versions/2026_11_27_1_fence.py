"""The fence and the installation, pauses inside the attempt, X's user id in place of our number.

`begin_attempt` raises SQLSTATE RS001 where the database lacks what its caller has seen in it.
"""

from alembic import op

revision = "2026_11_27_1"
down_revision = "2026_11_26_5"
branch_labels = None
depends_on = None

TABLES = """
-- An id alone may be given out twice: once before a restore, and once after. Older rows have none.
ALTER TABLE events ADD COLUMN tag int;
ALTER TABLE events ALTER COLUMN tag SET DEFAULT floor(random() * 2147483647)::int;

-- Which database this is, and what its workers have agreed on.
CREATE TABLE installation (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    -- Where the first worker found it; another value means that this is a copy.
    system_identifier text,
    database_oid bigint,
    -- Counts how often a person let publishing go on after a restore or in a copy.
    generation int NOT NULL DEFAULT 1,
    generation_tag int NOT NULL DEFAULT floor(random() * 2147483647)::int,
    -- Wall time of the last heartbeat of any worker.
    alive_at timestamptz,
    -- Domain time of the last heartbeat of a worker that this database fitted: all that was sent
    -- until then is known here. Events do not tell: people plan posts in a restored database.
    checked_at timestamptz,
    -- Written by the last worker that ended in order, here and in its ROOST_HOME.
    clean_stop_tag int,
    -- Posts due until then, and not tried yet, are looked for on X before their first attempt:
    -- from recheck_since, or from their due time where that is earlier.
    recheck_since timestamptz,
    recheck_until timestamptz
);
INSERT INTO installation DEFAULT VALUES;

ALTER TABLE stop_switch
    -- These tables are a copy: a person has to say which of the two is the real one.
    ADD COLUMN copied boolean NOT NULL DEFAULT false;

ALTER TABLE attempts
    -- How long the app was in back-off since this attempt: that time does not count towards the
    -- time in which the part may be sent again.
    ADD COLUMN app_backoff interval NOT NULL DEFAULT '0';

-- How many creates X still takes of one of its users, whichever tenants have connected it.
DROP TABLE rate_windows;
CREATE TABLE rate_windows (
    environment text NOT NULL,
    x_user_id text NOT NULL,
    family text NOT NULL,
    max_requests int NOT NULL,
    remaining int NOT NULL,
    resets_at timestamptz NOT NULL,
    PRIMARY KEY (environment, x_user_id, family)
);

-- By X's id first: whether any tenant has a post as its own is asked by that alone.
DROP INDEX parts_sent_as;
CREATE UNIQUE INDEX parts_sent_as ON parts (sent_as, integration_id) WHERE sent_as IS NOT NULL;
"""

FUNCTIONS = """
DROP FUNCTION database_mark();

-- What distinguishes this database from a copy of it, and how far its history goes.
CREATE FUNCTION read_watermark(
        OUT system_identifier text, OUT database_oid bigint, OUT timeline text,
        OUT registered_system text, OUT registered_oid bigint,
        OUT generation int, OUT generation_tag int,
        OUT event_id bigint, OUT event_tag int, OUT event_at timestamptz,
        OUT alive_at timestamptz, OUT checked_at timestamptz, OUT clean_stop_tag int,
        OUT at timestamptz)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    SELECT (SELECT s.system_identifier::text FROM pg_control_system() s),
           (SELECT d.oid::bigint FROM pg_database d WHERE d.datname = current_database()),
           left(pg_walfile_name(pg_current_wal_lsn()), 8),
           i.system_identifier, i.database_oid, i.generation, i.generation_tag,
           e.id, coalesce(e.tag, 0), e.at, i.alive_at, i.checked_at, i.clean_stop_tag,
           clock_timestamp()
    FROM installation i
    LEFT JOIN LATERAL (SELECT id, tag, at FROM events ORDER BY id DESC LIMIT 1) AS e ON true
    $$;

-- Whether an event is there: the very one, not a later one with its number.
CREATE FUNCTION has_event(event bigint, tag int) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    BEGIN
        RETURN EXISTS (SELECT FROM events e
                       WHERE e.id = event AND coalesce(e.tag, 0) = has_event.tag);
    END
    $$;

-- Whether the database still has what a worker has seen in it. The timeline changes with a
-- fail-over and a point-in-time recovery; the control file shows it later than the log's name.
CREATE FUNCTION require_fence(event bigint, tag int, timeline text) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    BEGIN
        IF timeline <> left(pg_walfile_name(pg_current_wal_lsn()), 8)
           OR NOT has_event(event, tag) THEN
            RAISE EXCEPTION 'the database lacks event % that was seen in it on timeline %',
                event, timeline USING ERRCODE = 'RS001';
        END IF;
    END
    $$;

-- Which of these posts on X a part of any tenant has as its own: ids only.
CREATE FUNCTION list_claimed(tweets text[]) RETURNS TABLE (sent_as text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$ SELECT DISTINCT p.sent_as FROM parts p WHERE p.sent_as = ANY(tweets) $$;

CREATE FUNCTION is_claimed(tweet text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    BEGIN
        RETURN EXISTS (SELECT FROM parts p WHERE p.sent_as = tweet);
    END
    $$;

-- Whether a part of any tenant says the same on the same account of X, and may be on X without its
-- id being known.
CREATE FUNCTION has_unsettled_twin(part bigint) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = roost, pg_temp
    RETURN EXISTS (
        SELECT FROM parts mine JOIN integrations i ON i.id = mine.integration_id
        JOIN integrations o ON o.environment = i.environment
                           AND o.metadata ->> 'userId' = i.metadata ->> 'userId'
        JOIN parts twin ON twin.integration_id = o.id AND twin.text = mine.text
        WHERE mine.id = has_unsettled_twin.part AND twin.id <> mine.id
          AND twin.state IN ('sending', 'unknown'));

-- Whether another tenant than the one in sight has connected this user of X.
CREATE FUNCTION is_connected_elsewhere(played text, x_user text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = roost, pg_temp
    RETURN EXISTS (SELECT FROM integrations i
                   WHERE i.environment = played AND i.metadata ->> 'userId' = x_user
                     AND i.status <> 'disconnected' AND i.tenant_id <> current_tenant());

-- Which user of X an account is: the name of its lock. An id only.
CREATE FUNCTION get_x_user_id(tenant bigint, integration bigint) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = roost, pg_temp
    RETURN (SELECT i.metadata ->> 'userId' FROM integrations i
            WHERE i.tenant_id = tenant AND i.id = integration);

DROP FUNCTION take_up_post(bigint, bigint, bigint, bigint[]);
CREATE FUNCTION take_up_post(tenant bigint, post bigint, integration bigint, besides bigint[])
    RETURNS TABLE (
        id bigint, tenant_id bigint, integration_id bigint, state text, due_at timestamptz,
        reason text, tolerance interval, paused boolean, late_from timestamptz, account json,
        ring_key_id text, sealed_key text, app_rest_until timestamptz, app_rest_why text,
        parts json, media json, uploads json, attempts json, windows json,
        recheck_since timestamptz, recheck_until timestamptz)
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
                           AS seconds_left,
                           extract(epoch FROM b.app_backoff)::float8 AS backoff_seconds
                    FROM attempts b WHERE b.part_id = ANY(c.parts)) a) AS attempts,
               (SELECT json_agg(w) FROM rate_windows w
                WHERE w.environment = i.environment
                  AND w.x_user_id = i.metadata ->> 'userId') AS windows,
               s.recheck_since, s.recheck_until
        FROM carrying c JOIN posts n ON n.id = c.id
        JOIN integrations i ON i.id = n.integration_id
        LEFT JOIN tenant_keys k ON k.tenant_id = n.tenant_id
        LEFT JOIN app_rests r ON r.client_id = i.client_id AND r.environment = i.environment
        CROSS JOIN installation s;
    END
    $$;

-- Commit before sending: moves the part to `sending` only from the state the decision was made on,
-- and tells it. `started_at` is X's time, `at` the worker's, and the deadline wall time of the
-- database, later than the sender's own.
-- The lock is shared by attempts, and exclusive to a pause: after a pause has been
-- acknowledged, no attempt commits. Where domain time is the machine's, the post has to be due by
-- the database's clock as well.
DROP FUNCTION begin_attempt(
    bigint, bigint, text, int, timestamptz, interval, text[], text[], text, text);
CREATE FUNCTION begin_attempt(
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

-- X has a part: its id, the attempt's end, the bill, the story, the post's own end where this was
-- its last part, and the account's windows, in one statement. Nothing of it where a part of any
-- tenant has the id already, or where a later attempt was made of the part (`moved` says which).
-- `forgotten`: the database lacks the attempt, since it was restored meanwhile.
DROP FUNCTION settle_sent(
    bigint, bigint, bigint, bigint, bigint, int, text, text, timestamptz, numeric, text,
    timestamptz, text, text, text, json, bigint[]);
CREATE FUNCTION settle_sent(
        tenant bigint, part bigint, post bigint, integration bigint, attempt bigint, number int,
        tweet text, outcome text, sent_at timestamptz, usd numeric, priced text, at timestamptz,
        before text, why text, who text, windows json, besides bigint[])
    RETURNS TABLE (moved boolean, known boolean, is_last boolean, forgotten boolean)
    LANGUAGE plpgsql VOLATILE
    AS $$
    #variable_conflict use_column
    DECLARE
        claimed boolean;
    BEGIN
        PERFORM set_config('roost.tenant', settle_sent.tenant::text, true);
        claimed := is_claimed(settle_sent.tweet);
        RETURN QUERY
        WITH moved AS (
            UPDATE parts
            SET state = 'sent', sent_as = settle_sent.tweet, sent_at = settle_sent.sent_at
            WHERE id = settle_sent.part AND state IN ('sending', 'unknown') AND NOT claimed
              AND NOT EXISTS (SELECT FROM attempts later
                              WHERE later.part_id = settle_sent.part
                                AND later.number > settle_sent.number)
              AND EXISTS (SELECT FROM attempts this WHERE this.id = settle_sent.attempt
                          AND this.part_id = settle_sent.part)
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
            INSERT INTO rate_windows
                (environment, x_user_id, family, max_requests, remaining, resets_at)
            SELECT i.environment, i.metadata ->> 'userId', w.family, w.max_requests, w.remaining,
                   w.resets_at
            FROM moved m JOIN integrations i ON i.id = m.integration_id,
                 json_to_recordset(settle_sent.windows) AS w
                 (family text, max_requests int, remaining int, resets_at timestamptz)
            ON CONFLICT (environment, x_user_id, family) DO UPDATE
            SET max_requests = excluded.max_requests, remaining = excluded.remaining,
                resets_at = excluded.resets_at
        )
        SELECT EXISTS (SELECT FROM moved) AS moved,
               claimed AS known,
               EXISTS (SELECT FROM done) AND NOT EXISTS (
                    SELECT FROM posts p WHERE p.integration_id = settle_sent.integration
                    AND p.state = 'publishing' AND p.resume_at IS NULL AND NOT p.paused
                    AND NOT p.id = ANY(settle_sent.besides)
               ) AS is_last,
               NOT EXISTS (SELECT FROM attempts this WHERE this.id = settle_sent.attempt
                           AND this.part_id = settle_sent.part) AS forgotten;
    END
    $$;
"""

_CALLED = (
    "read_watermark(), has_event(bigint, int), require_fence(bigint, int, text),"
    " list_claimed(text[]), is_claimed(text), is_connected_elsewhere(text, text),"
    " has_unsettled_twin(bigint), get_x_user_id(bigint, bigint), take_up_post, begin_attempt,"
    " settle_sent"
)


def upgrade() -> None:
    """Change everything, as `roost_owner`."""
    op.execute(TABLES)
    op.execute(FUNCTIONS)
    op.execute(
        f"REVOKE ALL ON FUNCTION {_CALLED} FROM PUBLIC;"
        f"GRANT EXECUTE ON FUNCTION {_CALLED} TO roost_app;"
        "GRANT SELECT, INSERT, UPDATE, DELETE ON rate_windows TO roost_app;"
        "GRANT SELECT, UPDATE ON installation TO roost_app;"
    )
