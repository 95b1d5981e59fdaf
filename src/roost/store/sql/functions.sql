-- The current definition of every SQL function of Roost. To change a function, change this file and
-- add a migration that executes the file again. If the function's parameters or result change, the
-- migration drops the old function first. A test compares this file with the migrated database.
--
-- A SECURITY DEFINER function runs as `roost_owner`, sees the rows of all tenants, and returns only
-- ids, times, counts and booleans. The other functions see the same rows as their caller.
--
-- A parameter is written as `function.parameter`, because a column of the same name would hide the
-- parameter in an SQL function.


-- Tenants, OAuth flows and accounts
-- ---------------------------------

-- The tenant whose rows the application sees in this transaction; NULL: it sees no tenant's rows.
CREATE OR REPLACE FUNCTION current_tenant() RETURNS bigint LANGUAGE sql STABLE
    RETURN nullif(current_setting('roost.tenant', true), '')::bigint;

-- The id of the tenant with this name, or NULL.
CREATE OR REPLACE FUNCTION find_tenant(tenant_name text) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = roost, pg_temp
    RETURN (SELECT id FROM tenants WHERE name = find_tenant.tenant_name);

-- Creates a tenant. Raises unique_violation if another tenant has the name.
CREATE OR REPLACE FUNCTION make_tenant(tenant_name text, tenant_time_zone text) RETURNS bigint
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    INSERT INTO tenants (name, time_zone)
    VALUES (make_tenant.tenant_name, make_tenant.tenant_time_zone) RETURNING id
    $$;

-- The ids of all tenants.
CREATE OR REPLACE FUNCTION list_tenants() RETURNS TABLE (tenant_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$ SELECT id FROM tenants ORDER BY id $$;

-- The tenant of an OAuth flow, finished or not; NULL: there is no such flow.
CREATE OR REPLACE FUNCTION find_flow_tenant(state_hash text) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = roost, pg_temp
    RETURN (SELECT f.tenant_id FROM oauth_flows f
            WHERE f.state_hash = find_flow_tenant.state_hash);

-- The X user id of a tenant's account, from which the key of the account's lock is derived. NULL:
-- the tenant has no such account in this environment.
CREATE OR REPLACE FUNCTION get_x_user_id(tenant bigint, integration bigint, environment text)
    RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = roost, pg_temp
    RETURN (SELECT i.metadata ->> 'userId' FROM integrations i
            WHERE i.tenant_id = get_x_user_id.tenant AND i.id = get_x_user_id.integration
              AND i.environment = get_x_user_id.environment);

-- Whether a tenant other than the current one has connected this X user.
CREATE OR REPLACE FUNCTION is_connected_elsewhere(environment text, x_user_id text)
    RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = roost, pg_temp
    RETURN EXISTS (SELECT FROM integrations i
                   WHERE i.environment = is_connected_elsewhere.environment
                     AND i.metadata ->> 'userId' = is_connected_elsewhere.x_user_id
                     AND i.status <> 'disconnected' AND i.tenant_id <> current_tenant());


-- The installation
-- ----------------

-- The facts that distinguish this database from a copy or an older state of it, and its newest
-- event.
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

-- Whether the event exists. The tag must match too, because a restored database may give the same
-- id to another event.
CREATE OR REPLACE FUNCTION has_event(event bigint, tag int) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    BEGIN
        RETURN EXISTS (SELECT FROM events e
                       WHERE e.id = has_event.event AND coalesce(e.tag, 0) = has_event.tag);
    END
    $$;

-- Raises SQLSTATE RS001 if the database lacks the last event that a worker has seen in it, or is on
-- another timeline. A failover and a point-in-time recovery change the timeline. The timeline is
-- read from the name of the WAL file, because the control file shows the change later.
CREATE OR REPLACE FUNCTION require_fence(event bigint, tag int, timeline text) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    BEGIN
        IF require_fence.timeline <> left(pg_walfile_name(pg_current_wal_lsn()), 8)
           OR NOT has_event(require_fence.event, require_fence.tag) THEN
            RAISE EXCEPTION 'the database lacks event % that was seen in it on timeline %',
                require_fence.event, require_fence.timeline USING ERRCODE = 'RS001';
        END IF;
    END
    $$;


-- The path of a part through publishing
-- -------------------------------------
-- load_post, begin_attempt and record_sent set the tenant themselves, so that a caller without a
-- transaction needs only one message to the server for each of them.

-- Everything that publishing needs to know about one post, with the account's encrypted tokens, in
-- one row. If `post` is NULL, this is the account's next publishing post, in due order, that does
-- not wait. If `tenant` is NULL, the transaction's tenant stays set.
-- Media, uploads and attempts are read by arrays of ids and not by a join: a join that is planned
-- while a table is empty would read the whole table even when it has become large.
CREATE OR REPLACE FUNCTION load_post(
        tenant bigint, post bigint, integration bigint, excluding bigint[])
    RETURNS TABLE (
        id bigint, tenant_id bigint, integration_id bigint, state text, due_at timestamptz,
        reason jsonb, tolerance interval, paused boolean, late_from timestamptz, account json,
        keyring_key_id text, sealed_key text, app_backoff_until timestamptz,
        app_backoff_reason jsonb, parts json, media json, uploads json, attempts json, windows json,
        recheck_since timestamptz, recheck_until timestamptz)
    LANGUAGE plpgsql VOLATILE
    AS $$
    #variable_conflict use_column
    DECLARE
        chosen bigint;
        part_ids bigint[];
        asset_ids bigint[];
    BEGIN
        IF load_post.tenant IS NOT NULL THEN
            PERFORM set_config('roost.tenant', load_post.tenant::text, true);
        END IF;
        IF load_post.post IS NOT NULL THEN
            chosen := load_post.post;
        ELSE
            SELECT p.id INTO chosen FROM posts p
            WHERE p.integration_id = load_post.integration AND p.state = 'publishing'
              AND p.resume_at IS NULL AND NOT p.paused AND NOT p.id = ANY(load_post.excluding)
              AND (SELECT true FROM sendable_accounts a WHERE a.id = load_post.integration)
            ORDER BY p.due_at, p.id LIMIT 1;
        END IF;
        part_ids := ARRAY(SELECT p.id FROM parts p WHERE p.post_id = chosen);
        asset_ids := ARRAY(SELECT m.id FROM media_assets m WHERE m.part_id = ANY(part_ids));
        RETURN QUERY
        SELECT n.id, n.tenant_id, n.integration_id, n.state, n.due_at, n.reason, n.tolerance,
               n.paused, coalesce(n.late_from, n.due_at) AS late_from,
               row_to_json(i) AS account, k.keyring_key_id, k.sealed_key,
               b.until AS app_backoff_until, b.reason AS app_backoff_reason,
               (SELECT json_agg(p ORDER BY p.position) FROM parts p
                WHERE p.post_id = n.id) AS parts,
               (SELECT json_agg(m ORDER BY m.position) FROM media_assets m
                WHERE m.id = ANY(asset_ids)) AS media,
               (SELECT json_agg(u) FROM uploads u
                WHERE u.asset_id = ANY(asset_ids) AND u.media_id IS NOT NULL) AS uploads,
               (SELECT json_agg(a ORDER BY a.number) FROM (
                    SELECT t.*, extract(epoch FROM t.deadline_at - clock_timestamp())::float8
                           AS seconds_left,
                           extract(epoch FROM t.app_backoff)::float8 AS backoff_seconds
                    FROM attempts t WHERE t.part_id = ANY(part_ids)) a) AS attempts,
               (SELECT json_agg(w) FROM rate_windows w
                WHERE w.environment = i.environment
                  AND w.x_user_id = i.metadata ->> 'userId') AS windows,
               s.recheck_since, s.recheck_until
        FROM posts n
        JOIN integrations i ON i.id = n.integration_id
        LEFT JOIN tenant_keys k ON k.tenant_id = n.tenant_id
        LEFT JOIN app_backoffs b ON b.client_id = i.client_id AND b.environment = i.environment
        CROSS JOIN installation s
        WHERE n.id = chosen;
    END
    $$;

-- Writes the attempt that is committed before the part is sent: moves the part to `sending`, and
-- adds the event and the attempt. Does nothing if the part no longer has the state and the number
-- of attempts that the worker has read. `started_at` is X's time, `at` is the worker's time. The
-- deadline is wall time of the database, and later than the sender's own deadline.
-- Attempts share the advisory lock, and a pause acquires it exclusively: once a pause has returned,
-- no attempt of a paused post commits. The post's row stays locked until the attempt is committed.
-- An edit or a cancellation locks the row too, so that whichever comes second sees what the first
-- has written. If domain time is wall time, the post must also be due by the database's clock.
CREATE OR REPLACE FUNCTION begin_attempt(
        tenant bigint, part bigint, from_state text, attempt_count int, started_at timestamptz,
        deadline interval, media_ids text[], media_keys text[], at timestamptz, code text,
        detail jsonb, actor text, fence_event bigint, fence_tag int, fence_timeline text, is_wall_time boolean)
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
        -- This statement begins after the locks were acquired, so it sees what the transactions
        -- that held them have committed.
        RETURN QUERY
        WITH moved AS (
            UPDATE parts SET state = 'sending'
            WHERE id = begin_attempt.part AND state = begin_attempt.from_state
              AND (SELECT count(*) FROM attempts a WHERE a.part_id = begin_attempt.part)
                  = begin_attempt.attempt_count
              AND (SELECT true FROM posts p
                   WHERE p.id = parts.post_id AND (p.state = 'publishing') IS TRUE
                     AND NOT p.paused
                     AND (NOT begin_attempt.is_wall_time OR p.due_at <= clock_timestamp())
                     AND (SELECT true FROM sendable_accounts s WHERE s.id = p.integration_id))
            RETURNING id, tenant_id, post_id, position
        ), event AS (
            INSERT INTO events
                (tenant_id, post_id, position, at, code, detail, from_state, to_state, actor)
            SELECT tenant_id, post_id, position, begin_attempt.at, begin_attempt.code,
                   begin_attempt.detail, begin_attempt.from_state, 'sending', begin_attempt.actor
            FROM moved RETURNING id, tag
        ), attempt AS (
            INSERT INTO attempts
                (tenant_id, part_id, number, started_at, deadline_at, media_ids, media_keys)
            SELECT tenant_id, id, begin_attempt.attempt_count + 1, begin_attempt.started_at,
                   clock_timestamp() + begin_attempt.deadline, begin_attempt.media_ids,
                   begin_attempt.media_keys
            FROM moved RETURNING id, number
        )
        SELECT a.id, a.number, e.id, e.tag FROM attempt a, event e;
    END
    $$;

-- Whether this id of X is recorded as the id of a part of any tenant.
CREATE OR REPLACE FUNCTION is_claimed(tweet text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    BEGIN
        RETURN EXISTS (SELECT FROM parts p WHERE p.sent_as = is_claimed.tweet);
    END
    $$;

-- Records that X has a part: X's id, the attempt's outcome, the price, the events and the rate
-- windows. If this was the post's last part, the post becomes `published`. `moved` is false, and
-- nothing is written, if a part of any tenant already has the id, or if the part has a later
-- attempt. `forgotten`: the database lacks the attempt, because a restore came after the attempt.
CREATE OR REPLACE FUNCTION record_sent(
        tenant bigint, part bigint, post bigint, integration bigint, attempt bigint, number int,
        tweet text, outcome text, sent_at timestamptz, usd numeric, price_reason text,
        at timestamptz, from_state text, code text, detail jsonb, actor text, windows json,
        excluding bigint[])
    RETURNS TABLE (moved boolean, known boolean, is_last boolean, forgotten boolean)
    LANGUAGE plpgsql VOLATILE
    AS $$
    #variable_conflict use_column
    DECLARE
        claimed boolean;
    BEGIN
        PERFORM set_config('roost.tenant', record_sent.tenant::text, true);
        claimed := is_claimed(record_sent.tweet);
        RETURN QUERY
        WITH moved AS (
            UPDATE parts
            SET state = 'sent', sent_as = record_sent.tweet, sent_at = record_sent.sent_at
            WHERE id = record_sent.part AND state IN ('sending', 'unknown') AND NOT claimed
              AND NOT EXISTS (SELECT FROM attempts later
                              WHERE later.part_id = record_sent.part
                                AND later.number > record_sent.number)
              AND EXISTS (SELECT FROM attempts this WHERE this.id = record_sent.attempt
                          AND this.part_id = record_sent.part)
            RETURNING tenant_id, integration_id, post_id, position
        ), ended_attempt AS (
            UPDATE attempts SET outcome = record_sent.outcome
            WHERE id = record_sent.attempt AND EXISTS (SELECT FROM moved)
        ), bill AS (
            INSERT INTO ledger (tenant_id, integration_id, at, operation, status, usd, reason)
            SELECT tenant_id, integration_id, record_sent.at, 'create_post', 201, record_sent.usd,
                   record_sent.price_reason
            FROM moved
        ), published AS (
            UPDATE posts SET state = 'published', reason = NULL, resume_at = NULL
            WHERE id = record_sent.post AND (state = 'publishing') IS TRUE
              AND EXISTS (SELECT FROM moved)
              AND NOT EXISTS (SELECT FROM parts other WHERE other.post_id = record_sent.post
                              AND other.id <> record_sent.part AND other.state <> 'sent')
            RETURNING id
        ), event AS (
            INSERT INTO events
                (tenant_id, post_id, position, at, code, detail, from_state, to_state, actor)
            SELECT tenant_id, post_id, position, record_sent.at, code, detail, from_state,
                   to_state, record_sent.actor
            FROM (
                SELECT 1 AS line, tenant_id, post_id, position, record_sent.code AS code,
                       record_sent.detail AS detail, record_sent.from_state AS from_state,
                       'sent' AS to_state
                FROM moved
                UNION ALL
                SELECT 2, m.tenant_id, m.post_id, NULL, 'post.published', '{}', 'publishing',
                       'published'
                FROM moved m JOIN published ON true) AS lines ORDER BY line
        ), rate_window AS (
            INSERT INTO rate_windows
                (environment, x_user_id, family, max_requests, remaining, resets_at)
            SELECT i.environment, i.metadata ->> 'userId', w.family, w.max_requests, w.remaining,
                   w.resets_at
            FROM moved m JOIN integrations i ON i.id = m.integration_id,
                 json_to_recordset(record_sent.windows) AS w
                 (family text, max_requests int, remaining int, resets_at timestamptz)
            ON CONFLICT (environment, x_user_id, family) DO UPDATE
            SET max_requests = excluded.max_requests, remaining = excluded.remaining,
                resets_at = excluded.resets_at
        )
        SELECT EXISTS (SELECT FROM moved) AS moved,
               claimed AS known,
               EXISTS (SELECT FROM published) AND NOT EXISTS (
                    SELECT FROM posts p WHERE p.integration_id = record_sent.integration
                    AND p.state = 'publishing' AND p.resume_at IS NULL AND NOT p.paused
                    AND NOT p.id = ANY(record_sent.excluding)
               ) AS is_last,
               NOT EXISTS (SELECT FROM attempts this WHERE this.id = record_sent.attempt
                           AND this.part_id = record_sent.part) AS forgotten;
    END
    $$;

-- A trigger that raises check_violation for a change of state that its arguments do not list.
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

-- Which of these ids of X are recorded as the id of a part of any tenant.
CREATE OR REPLACE FUNCTION list_claimed(tweets text[]) RETURNS TABLE (sent_as text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    SELECT DISTINCT p.sent_as FROM parts p WHERE p.sent_as = ANY(list_claimed.tweets)
    $$;

-- Whether another part of any tenant has the same text and the same account on X, and may be on X
-- although its id is not known.
CREATE OR REPLACE FUNCTION has_unresolved_duplicate(part bigint) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = roost, pg_temp
    RETURN EXISTS (
        SELECT FROM parts mine JOIN integrations i ON i.id = mine.integration_id
        JOIN integrations o ON o.environment = i.environment
                           AND o.metadata ->> 'userId' = i.metadata ->> 'userId'
        JOIN parts duplicate ON duplicate.integration_id = o.id AND duplicate.text = mine.text
        WHERE mine.id = has_unresolved_duplicate.part AND duplicate.id <> mine.id
          AND duplicate.state IN ('sending', 'unknown'));

-- Whether an account has publishing posts that do not wait. The statement that releases the
-- account's lock calls this function after the release, so that the function sees everything that
-- was committed before the release. The function is in plpgsql because then its plan is cached.
CREATE OR REPLACE FUNCTION has_ready_posts(account bigint, excluding bigint[]) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    BEGIN
        RETURN EXISTS (SELECT FROM posts p
                       WHERE p.integration_id = has_ready_posts.account
                         AND p.state = 'publishing' AND p.resume_at IS NULL AND NOT p.paused
                         AND NOT p.id = ANY (has_ready_posts.excluding))
               AND EXISTS (SELECT FROM sendable_accounts a
                           WHERE a.id = has_ready_posts.account);
    END
    $$;


-- Dispatch: adds jobs for what is due
-- -----------------------------------
-- The caller runs each function as one statement in autocommit mode, so that a worker that is
-- stopped keeps no row locked. The functions insert jobs as the engine's `procrastinate_defer_jobs_v1` does, except that
-- a post that already has a waiting job is skipped; the engine would insert no job at all.
-- Sub-selects from `sendable_accounts` are scalar so that the planner does not turn them into a
-- join: if an estimate is wrong, a join would read all posts.

-- How many more jobs a queue accepts. A queue has only as many jobs as its workers can soon begin.
CREATE OR REPLACE FUNCTION queue_capacity(queue text, at_most int) RETURNS int
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    RETURN queue_capacity.at_most - (
        SELECT count(*) FROM procrastinate_jobs
        WHERE queue_name = queue_capacity.queue AND status = 'todo'
          AND (scheduled_at IS NULL OR scheduled_at <= clock_timestamp()));

-- Queues posts that are due: scheduled posts, and deferred posts whose wait is over. `more`: due
-- posts may be left, because the queue is full or because another transaction has locked their
-- rows.
--
-- Tenants are served round robin, one post each per round, beginning after the tenant that was
-- served last. If fewer than 100 posts are due, the tenants of these posts are taken. Otherwise the
-- query jumps from one tenant to the next in the index, so that its cost depends on the number of
-- tenants with waiting posts and on the number of posts that it queues, not on the number of all
-- due posts. Nothing is queued while the queue is more than half full, because a pass costs nearly
-- the same however few posts it queues.
--
-- If a pass takes only one post of an account, it also takes the account's next due post, which the
-- same job publishes. A backlog therefore costs half as many jobs, and a turn is at most two posts.
CREATE OR REPLACE FUNCTION queue_due_posts(
        at timestamptz, at_most int, environment text, OUT queued int, OUT more boolean)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    DECLARE
        capacity int;
        last_tenant bigint;
        last_in_round bigint;
        due_tenants bigint[];
        serving bigint[];
        remaining bigint[];
        share int;
        candidate_count int := 0;
        moved_count int := 0;
        queued_count int := 0;
    BEGIN
        queued := 0;
        more := true;
        SELECT c.last_tenant_id INTO last_tenant FROM dispatch_cursor c
        WHERE c.environment = queue_due_posts.environment FOR UPDATE;
        capacity := queue_capacity('publish.' || queue_due_posts.environment,
                                   queue_due_posts.at_most);
        IF capacity < queue_due_posts.at_most / 2.0 THEN
            RETURN;
        END IF;
        due_tenants := ARRAY(SELECT p.tenant_id FROM posts p
                             WHERE p.wake_at <= queue_due_posts.at
                             ORDER BY p.wake_at LIMIT 100);
        IF cardinality(due_tenants) = 100 THEN
            due_tenants := ARRAY(
                WITH RECURSIVE heads AS (
                    (SELECT p.tenant_id, p.wake_at FROM posts p WHERE p.wake_at IS NOT NULL
                     ORDER BY p.tenant_id, p.wake_at LIMIT 1)
                    UNION ALL
                    SELECT n.tenant_id, n.wake_at FROM heads h, LATERAL (
                        SELECT p.tenant_id, p.wake_at FROM posts p
                        WHERE p.wake_at IS NOT NULL AND p.tenant_id > h.tenant_id
                        ORDER BY p.tenant_id, p.wake_at LIMIT 1) n
                )
                SELECT h.tenant_id FROM heads h WHERE h.wake_at <= queue_due_posts.at);
        END IF;
        SELECT coalesce(array_agg(t.id ORDER BY t.id <= last_tenant, t.id), '{}')
        INTO serving FROM (SELECT DISTINCT unnest(due_tenants) AS id) t
        WHERE EXISTS (SELECT FROM sendable_accounts a
                      WHERE a.tenant_id = t.id AND a.environment = queue_due_posts.environment);
        -- Each tenant gets an equal share. The next iteration gives unused shares to other tenants.
        WHILE capacity > 0 AND cardinality(serving) > 0 LOOP
            remaining := serving[capacity + 1 :];
            serving := serving[1 : capacity];
            share := ceil(capacity::numeric / cardinality(serving));
            WITH candidates AS MATERIALIZED (
                SELECT p.id, p.integration_id, p.round, t.place, t.tenant_id
                FROM unnest(serving) WITH ORDINALITY AS t (tenant_id, place), LATERAL (
                    SELECT p.id, p.integration_id,
                           row_number() OVER (ORDER BY p.wake_at, p.id) AS round
                    FROM posts p
                    WHERE p.tenant_id = t.tenant_id AND p.wake_at <= queue_due_posts.at
                      AND (SELECT true FROM sendable_accounts a
                           WHERE a.id = p.integration_id
                             AND a.environment = queue_due_posts.environment)
                    ORDER BY p.wake_at, p.id LIMIT share) p
                ORDER BY p.round, t.place LIMIT capacity
            ), companions AS (
                SELECT p.id, c.round, c.place
                FROM (SELECT integration_id, min(round) AS round, min(place) AS place, min(id) AS id
                      FROM candidates GROUP BY integration_id HAVING count(*) = 1) c, LATERAL (
                    SELECT p.id FROM posts p
                    WHERE p.integration_id = c.integration_id AND p.state = 'scheduled'
                      AND p.due_at <= queue_due_posts.at AND NOT p.paused AND p.id <> c.id
                    ORDER BY p.due_at, p.id LIMIT 1) p
            ), claimed AS (
                -- The condition is checked again, because another transaction may have changed the
                -- row. `IS TRUE` keeps the planner from using an index on `wake_at`: the row must
                -- be found by its id.
                SELECT p.id, p.state AS from_state, c.is_companion, c.round, c.place
                FROM posts p JOIN (SELECT id, false AS is_companion, round, place FROM candidates
                                   UNION ALL
                                   SELECT id, true, round, place FROM companions) c ON c.id = p.id
                WHERE (p.wake_at <= queue_due_posts.at) IS TRUE FOR UPDATE OF p SKIP LOCKED
            ), moved AS (
                UPDATE posts p SET state = 'publishing', resume_at = NULL
                FROM claimed c WHERE c.id = p.id
                RETURNING p.tenant_id, p.integration_id, p.id, c.from_state, c.is_companion,
                          c.round, c.place
            ), event AS (
                INSERT INTO events
                    (tenant_id, post_id, at, code, from_state, to_state, actor)
                SELECT m.tenant_id, m.id, queue_due_posts.at, 'post.due', m.from_state,
                       'publishing', 'dispatcher'
                FROM moved m WHERE m.from_state = 'scheduled'
            ), job AS (
                INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, args)
                SELECT 'publish.' || queue_due_posts.environment, 'publish', 'post:' || m.id,
                       jsonb_build_object('tenant_id', m.tenant_id,
                                          'integration_id', m.integration_id, 'post_id', m.id)
                FROM moved m
                WHERE NOT m.is_companion
                   OR NOT EXISTS (SELECT FROM moved o
                                  WHERE o.integration_id = m.integration_id AND NOT o.is_companion)
                ORDER BY m.round, m.place
                ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
            )
            SELECT count(*), (SELECT count(*) FROM moved WHERE NOT is_companion),
                   (SELECT count(*) FROM moved),
                   (array_agg(c.tenant_id ORDER BY c.round DESC, c.place DESC))[1],
                   array_agg(c.tenant_id ORDER BY c.place) FILTER (WHERE c.round = share)
            INTO candidate_count, moved_count, queued_count, last_in_round, serving
            FROM candidates c;
            last_tenant := coalesce(last_in_round, last_tenant);
            serving := remaining || serving;
            queued := queued + queued_count;
            capacity := capacity - moved_count;
            EXIT WHEN moved_count < candidate_count;
        END LOOP;
        more := cardinality(serving) > 0 OR moved_count < candidate_count;
        IF queued > 0 THEN
            UPDATE dispatch_cursor c SET last_tenant_id = last_tenant
            WHERE c.environment = queue_due_posts.environment;
        END IF;
    END
    $$;

-- Queues posts whose files must be uploaded to X: first one post of every tenant, then a second
-- post of every tenant, and so on.
CREATE OR REPLACE FUNCTION queue_preparations(
        at timestamptz, at_most int, environment text, OUT queued int, OUT more boolean)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    DECLARE
        capacity int := queue_capacity('prepare.' || queue_preparations.environment,
                                       queue_preparations.at_most);
    BEGIN
        queued := 0;
        more := coalesce(queue_preparations.at >= (
            SELECT p.prepare_at FROM posts p WHERE p.prepare_at IS NOT NULL
            ORDER BY p.prepare_at LIMIT 1), false);
        IF NOT more OR capacity <= 0 THEN
            RETURN;
        END IF;
        WITH candidates AS MATERIALIZED (
            SELECT p.id FROM tenants t, LATERAL (
                SELECT p.id, p.prepare_at,
                       row_number() OVER (ORDER BY p.prepare_at, p.id) AS round
                FROM posts p
                WHERE p.tenant_id = t.id AND p.prepare_at <= queue_preparations.at
                  AND NOT p.paused
                  AND (SELECT true FROM sendable_accounts a
                       WHERE a.id = p.integration_id
                         AND a.environment = queue_preparations.environment)
                ORDER BY p.prepare_at, p.id LIMIT capacity) p
            ORDER BY p.round, p.prepare_at, p.id LIMIT capacity
        ), claimed AS (
            SELECT p.id FROM posts p JOIN candidates c ON c.id = p.id
            WHERE (p.prepare_at <= queue_preparations.at) IS TRUE FOR UPDATE OF p SKIP LOCKED
        ), moved AS (
            UPDATE posts p SET prepare_at = NULL FROM claimed c WHERE c.id = p.id
            RETURNING p.tenant_id, p.integration_id, p.id
        ), job AS (
            INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, args)
            SELECT 'prepare.' || queue_preparations.environment, 'prepare', 'prepare:' || m.id,
                   jsonb_build_object('tenant_id', m.tenant_id,
                                      'integration_id', m.integration_id, 'post_id', m.id)
            FROM moved m ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
        )
        SELECT (SELECT count(*) FROM moved),
               count(*) = capacity OR count(*) > (SELECT count(*) FROM moved)
        INTO queued, more FROM candidates;
    END
    $$;

-- Queues accounts whose metrics are due. Each account gets a lease as its next due time, so that it
-- is queued again if its job dies; the job sets the real next due time.
CREATE OR REPLACE FUNCTION queue_due_accounts(
        at timestamptz, leased_until timestamptz, at_most int, environment text,
        OUT queued int, OUT more boolean)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    DECLARE
        capacity int := queue_capacity('collect.' || queue_due_accounts.environment,
                                       queue_due_accounts.at_most);
    BEGIN
        queued := 0;
        more := EXISTS (SELECT FROM integrations d
                        WHERE d.collect_due_at <= queue_due_accounts.at
                          AND d.status = 'connected'
                          AND d.environment = queue_due_accounts.environment);
        IF NOT more OR capacity <= 0 THEN
            RETURN;
        END IF;
        WITH leased AS (
            UPDATE integrations i SET collect_due_at = queue_due_accounts.leased_until
            WHERE i.id IN (
                SELECT d.id FROM integrations d
                WHERE d.collect_due_at <= queue_due_accounts.at AND d.status = 'connected'
                  AND d.environment = queue_due_accounts.environment
                ORDER BY d.collect_due_at LIMIT capacity FOR UPDATE SKIP LOCKED)
            RETURNING i.tenant_id, i.id
        ), job AS (
            INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, args)
            SELECT 'collect.' || queue_due_accounts.environment, 'collect', 'account:' || l.id,
                   jsonb_build_object('tenant_id', l.tenant_id, 'integration_id', l.id)
            FROM leased l ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
        )
        SELECT count(*), count(*) = capacity INTO queued, more FROM leased;
    END
    $$;

-- Queues schedules whose next report is due. Each schedule gets a lease, so that it is queued again
-- if its job dies; the job sets the real next due time.
CREATE OR REPLACE FUNCTION queue_due_reports(
        at timestamptz, leased_until timestamptz, at_most int, environment text,
        OUT queued int, OUT more boolean)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    DECLARE
        capacity int := queue_capacity('report.' || queue_due_reports.environment,
                                       queue_due_reports.at_most);
    BEGIN
        queued := 0;
        more := EXISTS (SELECT FROM report_schedules s
                        WHERE s.due_at <= queue_due_reports.at AND s.removed_at IS NULL
                          AND s.environment = queue_due_reports.environment);
        IF NOT more OR capacity <= 0 THEN
            RETURN;
        END IF;
        WITH leased AS (
            UPDATE report_schedules s SET due_at = queue_due_reports.leased_until
            WHERE s.id IN (
                SELECT d.id FROM report_schedules d
                WHERE d.due_at <= queue_due_reports.at AND d.removed_at IS NULL
                  AND d.environment = queue_due_reports.environment
                ORDER BY d.due_at LIMIT capacity FOR UPDATE SKIP LOCKED)
            RETURNING s.tenant_id, s.id
        ), job AS (
            INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, args)
            SELECT 'report.' || queue_due_reports.environment, 'report', 'report:' || l.id,
                   jsonb_build_object('tenant_id', l.tenant_id, 'schedule_id', l.id)
            FROM leased l ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
        )
        SELECT count(*), count(*) = capacity INTO queued, more FROM leased;
    END
    $$;

-- Queues publishing posts that have no job because their worker died. Posts of an account with a
-- running job are left out, because that job publishes all posts of the account.
CREATE OR REPLACE FUNCTION queue_stranded_posts(at_most int, environment text) RETURNS int
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    WITH stranded AS (
        SELECT p.tenant_id, p.integration_id, p.id FROM posts p
        WHERE p.state = 'publishing' AND p.resume_at IS NULL AND NOT p.paused
          AND (SELECT true FROM sendable_accounts a
               WHERE a.id = p.integration_id
                 AND a.environment = queue_stranded_posts.environment)
          AND NOT EXISTS (SELECT FROM procrastinate_jobs j
                          WHERE j.queueing_lock = 'post:' || p.id AND j.status = 'todo')
          AND NOT EXISTS (SELECT FROM procrastinate_jobs j
                          WHERE j.queue_name = 'publish.' || queue_stranded_posts.environment
                            AND (j.status = 'doing' OR (j.status = 'todo' AND (
                                 j.scheduled_at IS NULL OR j.scheduled_at <= clock_timestamp())))
                            AND (j.args ->> 'integration_id')::bigint = p.integration_id)
        ORDER BY p.due_at, p.id LIMIT queue_stranded_posts.at_most
    ), jobs AS (
        INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, args)
        SELECT 'publish.' || queue_stranded_posts.environment, 'publish', 'post:' || s.id,
               jsonb_build_object('tenant_id', s.tenant_id,
                                  'integration_id', s.integration_id, 'post_id', s.id)
        FROM stranded s ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
        RETURNING id
    )
    SELECT count(*) FROM jobs
    $$;

-- The next instant at which something becomes due. It may be the due time of a paused post: a
-- dispatch pass that finds nothing costs less than the exclusion of all paused posts here.
CREATE OR REPLACE FUNCTION next_due(at timestamptz) RETURNS timestamptz
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    RETURN least(
        (SELECT wake_at FROM posts WHERE wake_at > next_due.at ORDER BY wake_at LIMIT 1),
        (SELECT prepare_at FROM posts WHERE prepare_at > next_due.at
         ORDER BY prepare_at LIMIT 1),
        (SELECT min(collect_due_at) FROM integrations WHERE collect_due_at > next_due.at),
        (SELECT due_at FROM report_schedules WHERE due_at > next_due.at AND removed_at IS NULL
         ORDER BY due_at LIMIT 1));

-- The instant at which the oldest due post should have been published; NULL: no post is due. Paused
-- posts do not count. If Roost did not cause a post's wait, the post counts from the end of the
-- wait.
CREATE OR REPLACE FUNCTION oldest_due_post(at timestamptz, environment text) RETURNS timestamptz
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = roost, pg_temp
    RETURN least(
        (SELECT min(greatest(coalesce(p.late_from, p.due_at), p.not_late_before)) FROM posts p
         WHERE p.state = 'scheduled' AND p.wake_at <= oldest_due_post.at
           AND greatest(coalesce(p.late_from, p.due_at), p.not_late_before) <= oldest_due_post.at
           AND (SELECT true FROM sendable_accounts a
                WHERE a.id = p.integration_id
                  AND a.environment = oldest_due_post.environment)),
        (SELECT min(greatest(coalesce(p.late_from, p.due_at), p.not_late_before)) FROM posts p
         WHERE p.state = 'publishing' AND p.due_at <= oldest_due_post.at AND NOT p.paused
           AND greatest(coalesce(p.late_from, p.due_at), p.not_late_before) <= oldest_due_post.at
           AND (SELECT true FROM sendable_accounts a
                WHERE a.id = p.integration_id
                  AND a.environment = oldest_due_post.environment)));


-- Housekeeping
-- ------------

-- Deletes the back-offs of apps that are over. If the app has a publishing post, its back-off stays,
-- because sending that post shows whether X accepts posts again. Returns the apps' client ids.
CREATE OR REPLACE FUNCTION delete_expired_backoffs(at timestamptz, environment text)
    RETURNS TABLE (client_id text)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    DELETE FROM app_backoffs b
    WHERE b.environment = delete_expired_backoffs.environment
      AND b.until <= delete_expired_backoffs.at
      AND NOT EXISTS (
        SELECT FROM posts p JOIN integrations i ON i.id = p.integration_id
        WHERE p.state = 'publishing' AND i.client_id = b.client_id
          AND i.environment = b.environment)
    RETURNING b.client_id
    $$;

-- Which of these files a post of any tenant may still need. A file is needed if its post is neither
-- published nor cancelled (a failed, missed or partly published post can be continued), or if its
-- part may be sent again.
CREATE OR REPLACE FUNCTION list_needed_media(hashes text[]) RETURNS TABLE (sha256 text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    SELECT DISTINCT m.sha256
    FROM media_assets m JOIN parts p ON p.id = m.part_id JOIN posts o ON o.id = p.post_id
    WHERE m.sha256 = ANY(list_needed_media.hashes)
      AND (o.state NOT IN ('published', 'cancelled') OR p.state IN ('sending', 'unknown'))
    $$;

-- Creates the missing partitions of both snapshot tables for the month of `at`. Concurrent calls
-- are safe.
CREATE OR REPLACE FUNCTION ensure_snapshot_partitions(at timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = roost, pg_temp
    AS $$
    DECLARE
        first timestamptz := date_trunc('month', ensure_snapshot_partitions.at, 'UTC');
        suffix text := to_char(first AT TIME ZONE 'UTC', 'YYYY_MM');
        parent text;
    BEGIN
        FOREACH parent IN ARRAY ARRAY['account_snapshots', 'post_snapshots'] LOOP
            IF to_regclass('roost.' || parent || '_' || suffix) IS NULL THEN
                PERFORM pg_advisory_xact_lock(hashtext('roost.ensure_snapshot_partitions'));
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
-- The application may call every function except queue_capacity and refuse_illegal_move, which only
-- other functions and triggers call. A migration that updates the job engine must grant the new
-- functions of the engine.

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA roost FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    current_tenant, find_tenant, make_tenant, list_tenants, find_flow_tenant, get_x_user_id,
    is_connected_elsewhere, read_watermark, has_event, require_fence, load_post, begin_attempt,
    is_claimed, record_sent, list_claimed, has_unresolved_duplicate, has_ready_posts,
    queue_due_posts, queue_preparations, queue_due_accounts, queue_due_reports,
    queue_stranded_posts, next_due, oldest_due_post, delete_expired_backoffs, list_needed_media,
    ensure_snapshot_partitions
    TO roost_app;
