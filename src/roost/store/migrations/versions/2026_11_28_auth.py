"""Queues and connections of one X: a worker of another X is given none of its jobs.

The functions that queue are those of before; only the name of the queue holds the environment.
"""

from alembic import op

revision = "2026_11_28_auth"
down_revision = "2026_11_28_people"
branch_labels = None
depends_on = None

TABLES = """
-- Connections under way live for minutes; those of before do not say which X they were begun for.
DELETE FROM connect_flows;
ALTER TABLE connect_flows
    ADD COLUMN environment text NOT NULL CHECK (environment IN ('live', 'emulator')),
    ADD COLUMN client_id text NOT NULL;

-- Jobs that wait go to the queue of their account's X.
UPDATE procrastinate_jobs j SET queue_name = j.queue_name || '.' || i.environment
FROM integrations i
WHERE j.queue_name IN ('publish', 'prepare', 'collect')
  AND i.id = (j.args ->> 'integration_id')::bigint;
"""

FUNCTIONS = """
-- Which user of X an account is, where it belongs to this environment: the name of its lock. An id
-- only.
DROP FUNCTION get_x_user_id(bigint, bigint);
CREATE FUNCTION get_x_user_id(tenant bigint, integration bigint, played text) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = roost, pg_temp
    RETURN (SELECT i.metadata ->> 'userId' FROM integrations i
            WHERE i.tenant_id = tenant AND i.id = integration AND i.environment = played);

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
        room := room_in('publish.' || played, at_most);
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
                SELECT 'publish.' || played, 'publish', 'post:' || m.id, jsonb_build_object(
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
CREATE OR REPLACE FUNCTION queue_preparations(
        present timestamptz, at_most int, played text, OUT queued int, OUT more boolean)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    DECLARE
        room int := room_in('prepare.' || played, at_most);
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
            SELECT 'prepare.' || played, 'prepare', 'prepare:' || m.id, jsonb_build_object(
                'tenant_id', m.tenant_id, 'integration_id', m.integration_id, 'post_id', m.id)
            FROM moved m ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
        )
        SELECT (SELECT count(*) FROM moved),
               count(*) = room OR count(*) > (SELECT count(*) FROM moved)
        INTO queued, more FROM offers;
    END
    $$;

-- Accounts whose figures are due get a job; the new time is a lease, the job sets the real one.
CREATE OR REPLACE FUNCTION queue_due_accounts(
        present timestamptz, leased_until timestamptz, at_most int, played text,
        OUT queued int, OUT more boolean)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    DECLARE
        room int := room_in('collect.' || played, at_most);
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
            SELECT 'collect.' || played, 'collect', 'account:' || l.id, jsonb_build_object(
                'tenant_id', l.tenant_id, 'integration_id', l.id)
            FROM leased l ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
        )
        SELECT count(*), count(*) = room INTO queued, more FROM leased;
    END
    $$;

-- Posts on their way that no job carries get one again: their worker died before or after its last
-- commit. A running job of the same account carries them all.
CREATE OR REPLACE FUNCTION queue_stranded_posts(at_most int, played text) RETURNS int
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
                          WHERE j.queue_name = 'publish.' || played AND j.status = 'doing'
                            AND (j.args ->> 'integration_id')::bigint = p.integration_id)
        ORDER BY p.due_at, p.id LIMIT at_most
    ), jobs AS (
        INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, args)
        SELECT 'publish.' || played, 'publish', 'post:' || s.id, jsonb_build_object(
            'tenant_id', s.tenant_id, 'integration_id', s.integration_id, 'post_id', s.id)
        FROM stranded s ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
        RETURNING id
    )
    SELECT count(*) FROM jobs
    $$;
"""


def upgrade() -> None:
    """Change everything, as `roost_owner`."""
    op.execute(TABLES)
    op.execute(FUNCTIONS)
    called = "get_x_user_id(bigint, bigint, text)"
    op.execute(
        f"REVOKE ALL ON FUNCTION {called} FROM PUBLIC;"
        f"GRANT EXECUTE ON FUNCTION {called} TO roost_app;"
    )
