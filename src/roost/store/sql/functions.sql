-- The current text of every SQL function of Roost. A migration that changes one changes this file,
-- drops the old function where its parameters or its result changed, and executes the file again; a
-- test compares the file with the migrated database.
--
-- A SECURITY DEFINER function runs as `roost_owner`, sees the rows of all tenants, and returns only
-- ids, times, counts and answers of yes or no.


-- Tenants, OAuth flows and accounts
-- ---------------------------------

-- The tenant whose rows the application sees in this transaction; NULL: none.
CREATE OR REPLACE FUNCTION current_tenant() RETURNS bigint LANGUAGE sql STABLE
    RETURN nullif(current_setting('roost.tenant', true), '')::bigint;

-- The tenant of this name, or NULL.
CREATE OR REPLACE FUNCTION find_tenant(wanted text) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = roost, pg_temp
    RETURN (SELECT id FROM tenants WHERE name = wanted);

-- A new tenant. Raises unique_violation where the name is taken.
CREATE OR REPLACE FUNCTION make_tenant(wanted text, zone text) RETURNS bigint
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$ INSERT INTO tenants (name, time_zone) VALUES (wanted, zone) RETURNING id $$;

-- Every tenant's id.
CREATE OR REPLACE FUNCTION list_tenants() RETURNS TABLE (tenant_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$ SELECT id FROM tenants ORDER BY id $$;

-- The tenant of an OAuth flow, also of a finished one; NULL: there is no such flow.
CREATE OR REPLACE FUNCTION find_flow_tenant(wanted text) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = roost, pg_temp
    RETURN (SELECT tenant_id FROM connect_flows WHERE state_hash = wanted);

-- X's user id of an account of this environment, which names the account's lock; else NULL.
CREATE OR REPLACE FUNCTION get_x_user_id(tenant bigint, integration bigint, played text) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = roost, pg_temp
    RETURN (SELECT i.metadata ->> 'userId' FROM integrations i
            WHERE i.tenant_id = tenant AND i.id = integration AND i.environment = played);

-- Whether another tenant than the one in sight has connected this user of X.
CREATE OR REPLACE FUNCTION is_connected_elsewhere(played text, x_user text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = roost, pg_temp
    RETURN EXISTS (SELECT FROM integrations i
                   WHERE i.environment = played AND i.metadata ->> 'userId' = x_user
                     AND i.status <> 'disconnected' AND i.tenant_id <> current_tenant());


-- The installation: what distinguishes this database from a copy of it
-- --------------------------------------------------------------------

-- What distinguishes this database from a copy of it, and how far its history goes.
CREATE OR REPLACE FUNCTION read_watermark(
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
CREATE OR REPLACE FUNCTION has_event(event bigint, tag int) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    BEGIN
        RETURN EXISTS (SELECT FROM events e
                       WHERE e.id = event AND coalesce(e.tag, 0) = has_event.tag);
    END
    $$;

-- Whether the database still has what a worker has seen in it. The timeline changes with a
-- fail-over and a point-in-time recovery; the control file shows it later than the log's name.
CREATE OR REPLACE FUNCTION require_fence(event bigint, tag int, timeline text) RETURNS void
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


-- The path of a part through publishing
-- -------------------------------------

-- One post, or else the account's next publishing post in due order that does not wait: everything
-- that publishing needs, with the account's sealed tokens, in one row. A NULL tenant leaves the
-- transaction's tenant as it is.
-- Uploads, attempts and media are read by their parts' ids. A join may be planned the other way
-- round while a table is empty, and would then read all of it when it is not empty any more.
CREATE OR REPLACE FUNCTION take_up_post(tenant bigint, post bigint, integration bigint, besides bigint[])
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
                   begin_attempt.why, begin_attempt.who
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

-- Whether a part of any tenant has this post on X as its own.
CREATE OR REPLACE FUNCTION is_claimed(tweet text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    BEGIN
        RETURN EXISTS (SELECT FROM parts p WHERE p.sent_as = tweet);
    END
    $$;

-- X has a part: writes its id, the attempt's end, the bill, the events, the post's end where this
-- was its last part, and the account's rate windows. Writes nothing where a part of any tenant has
-- the id already, or where a later attempt was made of the part (`moved` is false then).
-- `forgotten`: the database lacks the attempt, since it was restored meanwhile.
CREATE OR REPLACE FUNCTION settle_sent(
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
            SELECT tenant_id, post_id, position, settle_sent.at, before, after, why, settle_sent.who
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

-- A change of state that is not among the trigger's arguments raises check_violation.
CREATE OR REPLACE FUNCTION refuse_illegal_move() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT (OLD.state || '>' || NEW.state) = ANY (TG_ARGV) THEN
            RAISE EXCEPTION '% % may not go from % to %',
                TG_TABLE_NAME, OLD.id, OLD.state, NEW.state
                USING ERRCODE = 'check_violation', CONSTRAINT = 'legal_moves';
        END IF;
        RETURN NEW;
    END
    $$;

-- Which of these posts on X a part of any tenant has as its own: ids only.
CREATE OR REPLACE FUNCTION list_claimed(tweets text[]) RETURNS TABLE (sent_as text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$ SELECT DISTINCT p.sent_as FROM parts p WHERE p.sent_as = ANY(tweets) $$;

-- Whether a part of any tenant says the same on the same account of X, and may be on X without its
-- id being known.
CREATE OR REPLACE FUNCTION has_unsettled_twin(part bigint) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = roost, pg_temp
    RETURN EXISTS (
        SELECT FROM parts mine JOIN integrations i ON i.id = mine.integration_id
        JOIN integrations o ON o.environment = i.environment
                           AND o.metadata ->> 'userId' = i.metadata ->> 'userId'
        JOIN parts twin ON twin.integration_id = o.id AND twin.text = mine.text
        WHERE mine.id = has_unsettled_twin.part AND twin.id <> mine.id
          AND twin.state IN ('sending', 'unknown'));

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


-- Dispatch: what is due becomes jobs
-- ----------------------------------

-- How many more jobs a queue takes before its workers have as many as they can begin soon.
CREATE OR REPLACE FUNCTION room_in(queue text, at_most int) RETURNS int
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    RETURN at_most - (SELECT count(*) FROM procrastinate_jobs
                      WHERE queue_name = queue AND status = 'todo'
                        AND (scheduled_at IS NULL OR scheduled_at <= clock_timestamp()));

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

-- When something that is not due yet will be. It may belong to a post that is held back: looking
-- then costs less than looking past all of those now.
CREATE OR REPLACE FUNCTION next_due(present timestamptz) RETURNS timestamptz
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    RETURN least(
        (SELECT wake_at FROM posts WHERE wake_at > present ORDER BY wake_at LIMIT 1),
        (SELECT prepare_at FROM posts WHERE prepare_at > present ORDER BY prepare_at LIMIT 1),
        (SELECT min(collect_due_at) FROM integrations WHERE collect_due_at > present));

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


-- Housekeeping
-- ------------

-- Ends the back-offs of apps that are over while no post of the app waits to find out: ids only.
CREATE OR REPLACE FUNCTION end_idle_backoffs(present timestamptz, played text)
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

-- Of some files those that a post may still need: one that is neither published nor cancelled (what
-- failed, was missed or is partly published can be gone on with), or a part that may be sent again.
CREATE OR REPLACE FUNCTION list_needed_media(hashes text[]) RETURNS TABLE (sha256 text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    SELECT DISTINCT m.sha256
    FROM media_assets m JOIN parts p ON p.id = m.part_id JOIN posts o ON o.id = p.post_id
    WHERE m.sha256 = ANY(hashes)
      AND (o.state NOT IN ('published', 'cancelled') OR p.state IN ('sending', 'unknown'))
    $$;

-- Partitions of snapshots for a month; idempotent, safe when several callers race.
CREATE OR REPLACE FUNCTION open_snapshot_month(instant timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    DECLARE
        first timestamptz := date_trunc('month', instant, 'UTC');
        suffix text := to_char(first AT TIME ZONE 'UTC', 'YYYY_MM');
        parent text;
    BEGIN
        FOREACH parent IN ARRAY ARRAY['account_snapshots', 'post_snapshots'] LOOP
            IF to_regclass('roost.' || parent || '_' || suffix) IS NULL THEN
                PERFORM pg_advisory_xact_lock(hashtext('roost.open_snapshot_month'));
                EXECUTE format(
                    'CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                    parent || '_' || suffix, parent, first,
                    date_trunc('month', first + interval '32 days', 'UTC'));
            END IF;
        END LOOP;
    END
    $$;


-- Rights
-- ------
-- The application may call every function but room_in and refuse_illegal_move, which only other
-- functions and triggers call. A new function of the job engine gets its right in the migration
-- that makes it.

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA roost FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    current_tenant, find_tenant, make_tenant, list_tenants, find_flow_tenant, get_x_user_id,
    is_connected_elsewhere, read_watermark, has_event, require_fence, take_up_post,
    begin_attempt, is_claimed, settle_sent, list_claimed, has_unsettled_twin, has_publishing,
    queue_due_posts, queue_preparations, queue_due_accounts, queue_stranded_posts, next_due,
    oldest_due_post, end_idle_backoffs, list_needed_media, open_snapshot_month TO roost_app;
