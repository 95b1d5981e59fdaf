"""A published post costs the server less: fewer index entries, fewer looks at a full queue."""

from alembic import op

revision = "2026_11_26_3"
down_revision = "2026_11_26_2"
branch_labels = None
depends_on = None

CHANGES = """
-- Whether a part is on X tells `sent_at` too; that it is tried moves no index then.
DROP INDEX parts_sent;
CREATE INDEX parts_sent ON parts (integration_id, sent_at) WHERE sent_at IS NOT NULL;
-- Room on the same page, for which the row's next state needs no index entry.
ALTER TABLE parts SET (fillfactor = 80);
ALTER TABLE attempts SET (fillfactor = 80);

-- Only what has a value is indexed: most posts were not imported, and no waiting part is on X.
ALTER TABLE posts DROP CONSTRAINT posts_tenant_id_import_key_key;
CREATE UNIQUE INDEX posts_import_key ON posts (tenant_id, import_key)
    WHERE import_key IS NOT NULL;
ALTER TABLE parts DROP CONSTRAINT parts_integration_id_sent_as_key;
CREATE UNIQUE INDEX parts_sent_as ON parts (integration_id, sent_as) WHERE sent_as IS NOT NULL;

-- Asked in the statement that gives an account back: what was committed before that, is seen. In
-- this language its plan is kept.
CREATE OR REPLACE FUNCTION has_publishing(account bigint, besides bigint[]) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    BEGIN
        RETURN EXISTS (SELECT FROM posts p
                       WHERE p.integration_id = account AND p.state = 'publishing'
                         AND p.resume_at IS NULL AND NOT p.paused AND NOT p.id = ANY (besides))
               AND EXISTS (SELECT FROM sendable_accounts a WHERE a.id = account);
    END
    $$;

-- Nobody else asked by way of the posts: whether they may go out is asked of their account.
DROP VIEW sendable_posts;

-- Posts whose time has come get a job: scheduled ones, and waiting ones that may go on. `more`:
-- some may be left, for want of room or because somebody else holds their rows.
--
-- Tenants in turn, a post a turn, beginning after the tenant that had the last one. Where few posts
-- are due, they say whose turn it is. Else the tenants are found by jumping from one to the next in
-- the index: the cost is that of the tenants with waiting posts and of the posts that are taken. A
-- queue that is nearly full is left as it is.
CREATE OR REPLACE FUNCTION queue_due_posts(
        present timestamptz, at_most int, played text, OUT queued int, OUT more boolean)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    DECLARE
        room int;
        last_served bigint;
        served_now bigint;
        due bigint[];
        in_turn bigint[];
        later bigint[];
        share int;
        offered int := 0;
        taken int := 0;
    BEGIN
        queued := 0;
        more := true;
        SELECT t.served INTO last_served FROM turns t WHERE t.environment = played FOR UPDATE;
        room := room_in('publish', at_most);
        -- What a look costs hardly depends on what it takes: nobody looks for a few more.
        IF room < at_most / 4.0 THEN
            RETURN;
        END IF;
        due := ARRAY(SELECT p.tenant_id FROM posts p WHERE p.wake_at <= present
                     ORDER BY p.wake_at LIMIT 100);
        IF cardinality(due) = 100 THEN
            due := ARRAY(
                WITH RECURSIVE heads AS (
                    (SELECT p.tenant_id, p.wake_at FROM posts p WHERE p.wake_at IS NOT NULL
                     ORDER BY p.tenant_id, p.wake_at LIMIT 1)
                    UNION ALL
                    SELECT n.tenant_id, n.wake_at FROM heads h, LATERAL (
                        SELECT p.tenant_id, p.wake_at FROM posts p
                        WHERE p.wake_at IS NOT NULL AND p.tenant_id > h.tenant_id
                        ORDER BY p.tenant_id, p.wake_at LIMIT 1) n
                )
                SELECT h.tenant_id FROM heads h WHERE h.wake_at <= present);
        END IF;
        SELECT coalesce(array_agg(t.id ORDER BY t.id <= last_served, t.id), '{}')
        INTO in_turn FROM (SELECT DISTINCT unnest(due) AS id) t
        WHERE EXISTS (SELECT FROM sendable_accounts a
                      WHERE a.tenant_id = t.id AND a.environment = played);
        -- Every tenant its share; what some have no use for, is the others' in the next round.
        WHILE room > 0 AND cardinality(in_turn) > 0 LOOP
            later := in_turn[room + 1 :];
            in_turn := in_turn[1 : room];
            share := ceil(room::numeric / cardinality(in_turn));
            WITH offers AS MATERIALIZED (
                SELECT p.id, p.turn, t.place, t.tenant_id
                FROM unnest(in_turn) WITH ORDINALITY AS t (tenant_id, place), LATERAL (
                    SELECT p.id, row_number() OVER (ORDER BY p.wake_at, p.id) AS turn FROM posts p
                    WHERE p.tenant_id = t.tenant_id AND p.wake_at <= present
                      AND (SELECT true FROM sendable_accounts a
                           WHERE a.id = p.integration_id AND a.environment = played)
                    ORDER BY p.wake_at, p.id LIMIT share) p
                ORDER BY p.turn, t.place LIMIT room
            ), claimed AS (
                -- Its time is asked of the row again, as somebody may have moved it meanwhile;
                -- in words that no index answers, since the row is found by its number.
                SELECT p.id, p.state AS before, o.turn, o.place
                FROM posts p JOIN offers o ON o.id = p.id
                WHERE (p.wake_at <= present) IS TRUE FOR UPDATE OF p SKIP LOCKED
            ), moved AS (
                UPDATE posts p SET state = 'publishing', resume_at = NULL
                FROM claimed c WHERE c.id = p.id
                RETURNING p.tenant_id, p.integration_id, p.id, c.before, c.turn, c.place
            ), told AS (
                INSERT INTO events (tenant_id, post_id, at, before, after, why, who)
                SELECT m.tenant_id, m.id, present, m.before, 'publishing', 'its time has come',
                       'dispatcher'
                FROM moved m WHERE m.before = 'scheduled'
            ), jobs AS (
                INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, args)
                SELECT 'publish', 'publish', 'post:' || m.id, jsonb_build_object(
                    'tenant_id', m.tenant_id, 'integration_id', m.integration_id, 'post_id', m.id)
                FROM moved m ORDER BY m.turn, m.place
                ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
            )
            SELECT count(*), (SELECT count(*) FROM moved),
                   (array_agg(o.tenant_id ORDER BY o.turn DESC, o.place DESC))[1],
                   array_agg(o.tenant_id ORDER BY o.place) FILTER (WHERE o.turn = share)
            INTO offered, taken, served_now, in_turn FROM offers o;
            last_served := coalesce(served_now, last_served);
            in_turn := later || in_turn;
            queued := queued + taken;
            room := room - taken;
            EXIT WHEN taken < offered;
        END LOOP;
        more := cardinality(in_turn) > 0 OR taken < offered;
        IF queued > 0 THEN
            UPDATE turns t SET served = last_served WHERE t.environment = played;
        END IF;
    END
    $$;
"""


def upgrade() -> None:
    """Change both, as `roost_owner`."""
    op.execute(CHANGES)
