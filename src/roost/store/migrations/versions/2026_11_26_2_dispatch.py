"""Dispatch at the cost of what it claims: tenants in turn, and a queue that stays short.

Each function is one statement of its caller's: it commits before it answers, so that a worker that
is stopped holds no row. Jobs are inserted as the engine's `procrastinate_defer_jobs_v1` does it,
but a post whose job waits already is passed over instead of failing all.
"""

from alembic import op

revision = "2026_11_26_2"
down_revision = "2026_11_26_1"
branch_labels = None
depends_on = None

TABLES = """
CREATE INDEX posts_prepare_turns ON posts (tenant_id, prepare_at, id) WHERE prepare_at IS NOT NULL;

-- When the dispatcher has to queue the post; NULL: never, or a job has it.
ALTER TABLE posts ADD COLUMN wake_at timestamptz
    GENERATED ALWAYS AS (CASE WHEN paused THEN NULL
                              WHEN state = 'scheduled' THEN due_at
                              WHEN state = 'publishing' THEN resume_at END) STORED;
DROP INDEX posts_due, posts_late, posts_resume;
CREATE INDEX posts_wake ON posts (tenant_id, wake_at, id) WHERE wake_at IS NOT NULL;
CREATE INDEX posts_wake_next ON posts (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX posts_under_way ON posts (due_at, id) WHERE state = 'publishing' AND resume_at IS NULL;
CREATE INDEX posts_begun ON posts (due_at) WHERE state = 'publishing';

-- Which tenant had its turn last; its row is locked while a dispatcher is at work.
CREATE TABLE turns (environment text PRIMARY KEY, served bigint NOT NULL DEFAULT 0);
INSERT INTO turns (environment) VALUES ('live'), ('emulator');
"""

#: The sub-selects from `sendable_accounts` are scalar on purpose: the planner makes no join of
#: them, which for a wrong estimate would read all posts.
FUNCTIONS = """
DROP FUNCTION claim_due_posts(timestamptz, int, text);
DROP FUNCTION claim_due_accounts(timestamptz, timestamptz, int, text);
DROP FUNCTION find_stranded_posts(text);
DROP FUNCTION oldest_due_post(timestamptz);

-- How many more jobs a queue takes before its workers have as many as they can begin soon.
CREATE FUNCTION room_in(queue text, at_most int) RETURNS int
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    RETURN at_most - (SELECT count(*) FROM procrastinate_jobs
                      WHERE queue_name = queue AND status = 'todo'
                        AND (scheduled_at IS NULL OR scheduled_at <= clock_timestamp()));

-- Posts whose time has come get a job: scheduled ones, and waiting ones that may go on. `more`:
-- some may be left, for want of room or because somebody else holds their rows.
--
-- Tenants in turn, a post a turn, beginning after the tenant that had the last one. The tenants are
-- found by jumping from one to the next in the index, so the cost is that of the tenants with
-- waiting posts and of the posts that are taken.
CREATE FUNCTION queue_due_posts(
        present timestamptz, at_most int, played text, OUT queued int, OUT more boolean)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    DECLARE
        room int;
        last_served bigint;
        served_now bigint;
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
        IF room <= 0 THEN
            RETURN;
        END IF;
        WITH RECURSIVE heads AS (
            (SELECT p.tenant_id, p.wake_at FROM posts p WHERE p.wake_at IS NOT NULL
             ORDER BY p.tenant_id, p.wake_at LIMIT 1)
            UNION ALL
            SELECT n.tenant_id, n.wake_at FROM heads h, LATERAL (
                SELECT p.tenant_id, p.wake_at FROM posts p
                WHERE p.wake_at IS NOT NULL AND p.tenant_id > h.tenant_id
                ORDER BY p.tenant_id, p.wake_at LIMIT 1) n
        )
        SELECT coalesce(array_agg(h.tenant_id ORDER BY h.tenant_id <= last_served, h.tenant_id),
                        '{}')
        INTO in_turn FROM heads h
        WHERE h.wake_at <= present AND EXISTS (
            SELECT FROM sendable_accounts a
            WHERE a.tenant_id = h.tenant_id AND a.environment = played);
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

-- Posts whose files are to be brought to X get a job: every tenant's first, then every second.
CREATE FUNCTION queue_preparations(
        present timestamptz, at_most int, played text, OUT queued int, OUT more boolean)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    DECLARE
        room int := room_in('prepare', at_most);
    BEGIN
        queued := 0;
        more := coalesce(present >= (
            SELECT p.prepare_at FROM posts p WHERE p.prepare_at IS NOT NULL
            ORDER BY p.prepare_at LIMIT 1), false);
        IF NOT more OR room <= 0 THEN
            RETURN;
        END IF;
        WITH offers AS MATERIALIZED (
            SELECT p.id FROM tenants t, LATERAL (
                SELECT p.id, p.prepare_at, row_number() OVER (ORDER BY p.prepare_at, p.id) AS turn
                FROM posts p
                WHERE p.tenant_id = t.id AND p.prepare_at <= present AND NOT p.paused
                  AND (SELECT true FROM sendable_accounts a
                       WHERE a.id = p.integration_id AND a.environment = played)
                ORDER BY p.prepare_at, p.id LIMIT room) p
            ORDER BY p.turn, p.prepare_at, p.id LIMIT room
        ), claimed AS (
            SELECT p.id FROM posts p JOIN offers o ON o.id = p.id
            WHERE (p.prepare_at <= present) IS TRUE FOR UPDATE OF p SKIP LOCKED
        ), moved AS (
            UPDATE posts p SET prepare_at = NULL FROM claimed c WHERE c.id = p.id
            RETURNING p.tenant_id, p.integration_id, p.id
        ), jobs AS (
            INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, args)
            SELECT 'prepare', 'prepare', 'prepare:' || m.id, jsonb_build_object(
                'tenant_id', m.tenant_id, 'integration_id', m.integration_id, 'post_id', m.id)
            FROM moved m ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
        )
        SELECT (SELECT count(*) FROM moved),
               count(*) = room OR count(*) > (SELECT count(*) FROM moved)
        INTO queued, more FROM offers;
    END
    $$;

-- Accounts whose figures are due get a job; the new time is a lease, the job sets the real one.
CREATE FUNCTION queue_due_accounts(
        present timestamptz, leased_until timestamptz, at_most int, played text,
        OUT queued int, OUT more boolean)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    DECLARE
        room int := room_in('collect', at_most);
    BEGIN
        queued := 0;
        more := EXISTS (SELECT FROM integrations d
                        WHERE d.collect_due_at <= present AND d.status = 'connected'
                          AND d.environment = played);
        IF NOT more OR room <= 0 THEN
            RETURN;
        END IF;
        WITH leased AS (
            UPDATE integrations i SET collect_due_at = leased_until
            WHERE i.id IN (
                SELECT d.id FROM integrations d
                WHERE d.collect_due_at <= present AND d.status = 'connected'
                  AND d.environment = played
                ORDER BY d.collect_due_at LIMIT room FOR UPDATE SKIP LOCKED)
            RETURNING i.tenant_id, i.id
        ), jobs AS (
            INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, args)
            SELECT 'collect', 'collect', 'account:' || l.id, jsonb_build_object(
                'tenant_id', l.tenant_id, 'integration_id', l.id)
            FROM leased l ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
        )
        SELECT count(*), count(*) = room INTO queued, more FROM leased;
    END
    $$;

-- When something that is not due yet will be. It may belong to a post that is held back: looking
-- then costs less than looking past all of those now.
CREATE FUNCTION next_due(present timestamptz) RETURNS timestamptz
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    RETURN least(
        (SELECT wake_at FROM posts WHERE wake_at > present ORDER BY wake_at LIMIT 1),
        (SELECT prepare_at FROM posts WHERE prepare_at > present ORDER BY prepare_at LIMIT 1),
        (SELECT min(collect_due_at) FROM integrations WHERE collect_due_at > present));

-- Posts on their way that no job carries get one again: their worker died before or after its last
-- commit. A running job of the same account carries them all.
CREATE FUNCTION queue_stranded_posts(at_most int, played text) RETURNS int
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    WITH stranded AS (
        SELECT p.tenant_id, p.integration_id, p.id FROM posts p
        WHERE p.state = 'publishing' AND p.resume_at IS NULL AND NOT p.paused
          AND (SELECT true FROM sendable_accounts a
               WHERE a.id = p.integration_id AND a.environment = played)
          AND NOT EXISTS (SELECT FROM procrastinate_jobs j
                          WHERE j.queueing_lock = 'post:' || p.id AND j.status = 'todo')
          AND NOT EXISTS (SELECT FROM procrastinate_jobs j
                          WHERE j.queue_name = 'publish' AND j.status = 'doing'
                            AND (j.args ->> 'integration_id')::bigint = p.integration_id)
        ORDER BY p.due_at, p.id LIMIT at_most
    ), jobs AS (
        INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, args)
        SELECT 'publish', 'publish', 'post:' || s.id, jsonb_build_object(
            'tenant_id', s.tenant_id, 'integration_id', s.integration_id, 'post_id', s.id)
        FROM stranded s ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
        RETURNING id
    )
    SELECT count(*) FROM jobs
    $$;

-- The due time of the oldest post that should be out, is not, and was not held back by hand.
CREATE FUNCTION oldest_due_post(present timestamptz, played text) RETURNS timestamptz
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = roost, pg_temp
    RETURN least(
        (SELECT min(coalesce(p.late_from, p.due_at)) FROM posts p
         WHERE p.state = 'scheduled' AND p.wake_at <= present
           AND (SELECT true FROM sendable_accounts a
                WHERE a.id = p.integration_id AND a.environment = played)),
        (SELECT min(coalesce(p.late_from, p.due_at)) FROM posts p
         WHERE p.state = 'publishing' AND p.due_at <= present AND NOT p.paused
           AND (SELECT true FROM sendable_accounts a
                WHERE a.id = p.integration_id AND a.environment = played)));
"""


def upgrade() -> None:
    """Another way to the due posts, as `roost_owner`."""
    op.execute(TABLES)
    op.execute(FUNCTIONS)
    called = (
        "queue_due_posts(timestamptz, int, text), queue_preparations(timestamptz, int, text),"
        " queue_due_accounts(timestamptz, timestamptz, int, text), next_due(timestamptz),"
        " queue_stranded_posts(int, text), oldest_due_post(timestamptz, text)"
    )
    op.execute(
        f"REVOKE ALL ON FUNCTION {called}, room_in(text, int) FROM PUBLIC;"
        f"GRANT EXECUTE ON FUNCTION {called} TO roost_app;"
    )
