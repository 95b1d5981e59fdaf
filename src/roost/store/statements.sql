-- Statements whose locks or plans matter, and those of the publishing path. Each has a name, and a
-- line that says what it is for. Values are psycopg's %(named)s.

-- name: see_tenant
-- From here to the end of the transaction, this tenant's rows and no others.
SELECT set_config('roost.tenant', %(tenant)s, true)

-- name: find_tenant_key
-- The data key of the tenant in sight.
SELECT ring_key_id, sealed_key FROM tenant_keys

-- name: keep_tenant_key
-- The first to come makes the key; whoever races reads theirs.
INSERT INTO tenant_keys (tenant_id, ring_key_id, sealed_key)
VALUES (%(tenant)s, %(ring_key)s, %(sealed)s) ON CONFLICT DO NOTHING

-- name: add_post
-- One post, unless this import has it already.
INSERT INTO posts (tenant_id, integration_id, state, due_at, tolerance, import_key)
VALUES (%(tenant)s, %(integration)s, %(state)s, %(due_at)s, %(tolerance)s, %(import_key)s)
ON CONFLICT (tenant_id, import_key) WHERE import_key IS NOT NULL DO NOTHING RETURNING id

-- name: add_part
-- One part of a post that is being written.
INSERT INTO parts (tenant_id, post_id, integration_id, position, text, state,
                   reply_to, quote_of, poll_options, poll_minutes, reply_settings)
VALUES (%(tenant)s, %(post)s, %(integration)s, %(position)s, %(text)s, 'pending',
        %(reply_to)s, %(quote_of)s, %(poll_options)s, %(poll_minutes)s, %(reply_settings)s)
RETURNING id

-- name: add_media_asset
-- One file of a part.
INSERT INTO media_assets
    (tenant_id, part_id, position, path, sha256, kind, mime_type, size_bytes, alt_text)
VALUES (%(tenant)s, %(part)s, %(position)s, %(path)s, %(sha256)s, %(kind)s, %(mime_type)s,
        %(size_bytes)s, %(alt_text)s)

-- name: announce_due
-- Wake the dispatchers at commit: something became due earlier than they know.
SELECT pg_notify('roost_due', '')

-- name: list_media_assets
-- The files of some posts' parts, each in order.
SELECT a.id, a.part_id, a.path, a.sha256, a.kind, a.mime_type, a.size_bytes, a.alt_text
FROM media_assets a JOIN parts p ON p.id = a.part_id
WHERE p.post_id = ANY(%(posts)s) ORDER BY a.part_id, a.position

-- name: list_needed_media
-- Of some files those that a post of any tenant may still need.
SELECT sha256 FROM list_needed_media(%(hashes)s)

-- name: list_needed_files
-- The files that posts of the tenant in sight may still need: hashes and where they came from.
SELECT a.sha256, min(a.path) AS path
FROM media_assets a JOIN parts p ON p.id = a.part_id JOIN posts o ON o.id = p.post_id
WHERE o.state NOT IN ('published', 'cancelled') AND p.state <> 'sent' GROUP BY a.sha256

-- name: add_event
-- One line of a post's history.
INSERT INTO events (tenant_id, post_id, position, at, before, after, why, who)
VALUES (%(tenant)s, %(post)s, %(position)s, %(at)s, %(before)s, %(after)s, %(why)s, %(who)s)

-- name: get_post
-- One post of the tenant in sight.
SELECT p.id, p.tenant_id, p.integration_id, p.state, p.due_at, p.reason, p.paused, p.tolerance,
       p.wait_reason, p.wait_until, p.acknowledged_at,
       EXISTS (SELECT FROM alarms a
               WHERE coalesce(a.tenant_id, 0) = p.tenant_id AND a.kind = 'possible_duplicate'
                 AND a.subject = 'post ' || p.id AND a.ended_at IS NULL) AS possible_duplicate
FROM posts p WHERE p.id = %(post)s

-- name: list_posts
-- The tenant's posts in the order in which they are due, drafts last.
SELECT p.id, p.tenant_id, p.integration_id, p.state, p.due_at, p.reason, p.paused, p.tolerance,
       p.wait_reason, p.wait_until, p.acknowledged_at,
       EXISTS (SELECT FROM alarms a
               WHERE coalesce(a.tenant_id, 0) = p.tenant_id AND a.kind = 'possible_duplicate'
                 AND a.subject = 'post ' || p.id AND a.ended_at IS NULL) AS possible_duplicate
FROM posts p
WHERE %(integration)s::bigint IS NULL OR p.integration_id = %(integration)s
ORDER BY p.due_at NULLS LAST, p.id

-- name: list_parts
-- The parts of some posts, each in order.
SELECT id, post_id, position, text, state, sent_as, sent_at, deleted_at,
       reply_to, quote_of, poll_options, poll_minutes, reply_settings FROM parts
WHERE post_id = ANY(%(posts)s) ORDER BY post_id, position

-- name: list_events
-- A post's history, oldest first: its own lines, and those that tell of a hold on its account, its
-- tenant or everybody while it was to go out, or that was there before.
WITH own AS (
    SELECT id, at, post_id, position, before, after, why, who FROM events WHERE post_id = %(post)s
), span AS (
    SELECT p.id, p.tenant_id, p.integration_id, (SELECT min(own.id) FROM own) AS first,
           CASE WHEN p.state IN ('draft', 'scheduled', 'publishing') THEN NULL
                ELSE (SELECT max(own.id) FROM own) END AS last
    FROM posts p WHERE p.id = %(post)s
), held AS (
    SELECT h.*, s.id AS post_id, s.first,
           lead(h.id) OVER (PARTITION BY h.tenant_id, h.integration_id ORDER BY h.id) AS next
    FROM span s JOIN holds h
      ON h.tenant_id IS NULL
         OR (h.tenant_id = s.tenant_id
             AND (h.integration_id IS NULL OR h.integration_id = s.integration_id))
    WHERE s.last IS NULL OR h.id < s.last
)
SELECT at, post_id, position, before, after, why, who FROM (
    SELECT * FROM own
    UNION ALL
    SELECT id, at, post_id, NULL, NULL, CASE WHEN paused THEN 'held' ELSE 'free' END, why, who
    FROM held WHERE id > first OR (paused AND (next IS NULL OR next > first))
) AS lines ORDER BY id

-- name: take_up_post
-- One post, or else the account's post on its way that is next in due order and does not wait: its
-- whole journal and its account's grant in one row.
SELECT *, clock_timestamp() AS database_now FROM take_up_post(
    tenant => %(tenant)s, post => %(post)s, integration => %(integration)s, besides => %(besides)s)

-- name: list_uploads
-- What X holds of a post's files, finished or under way.
SELECT u.asset_id, u.media_id, u.media_key, u.expires_at, u.under_way
FROM uploads u JOIN media_assets a ON a.id = u.asset_id JOIN parts p ON p.id = a.part_id
WHERE p.post_id = %(post)s

-- name: keep_upload
-- What X answered to an upload; a newer upload of the same file takes its place. Nothing where the
-- post was edited meanwhile and no longer has the file.
INSERT INTO uploads (asset_id, tenant_id, media_id, media_key, expires_at)
SELECT id, %(tenant)s, %(media_id)s, %(media_key)s, %(expires_at)s
FROM media_assets WHERE id = %(asset)s
ON CONFLICT (asset_id) DO UPDATE
SET media_id = excluded.media_id, media_key = excluded.media_key, expires_at = excluded.expires_at,
    under_way = NULL

-- name: keep_upload_under_way
-- How far an upload is, so that whoever takes over goes on from there; nothing for a file that the
-- post no longer has.
INSERT INTO uploads (asset_id, tenant_id, under_way)
SELECT id, %(tenant)s, %(state)s::jsonb FROM media_assets WHERE id = %(asset)s
ON CONFLICT (asset_id) DO UPDATE
SET under_way = excluded.under_way, media_id = NULL, media_key = NULL, expires_at = NULL

-- name: begin_attempt
-- Commit before sending: moves the part to `sending` only from the state the decision was made on.
SELECT * FROM begin_attempt(
    tenant => %(tenant)s, part => %(part)s, before => %(before)s, tried => %(tried)s,
    started_at => %(started_at)s, deadline => %(deadline)s, media_ids => %(media_ids)s,
    media_keys => %(media_keys)s, at => %(at)s, why => %(why)s, who => %(who)s, fence_event => %(fence_event)s, fence_tag => %(fence_tag)s,
    fence_timeline => %(fence_timeline)s, is_wall_time => %(is_wall_time)s)

-- name: settle_sent
-- X has a part: everything that follows from it, in one statement.
SELECT * FROM settle_sent(
    tenant => %(tenant)s, part => %(part)s, post => %(post)s, integration => %(integration)s,
    attempt => %(attempt)s, number => %(number)s, tweet => %(tweet)s, outcome => %(outcome)s,
    sent_at => %(sent_at)s, usd => %(usd)s, priced => %(priced)s, at => %(at)s,
    before => %(before)s, why => %(why)s, who => %(who)s, windows => %(windows)s,
    besides => %(besides)s)

-- name: end_attempt
-- What became of a try that is not `sent`: the attempt's end, the part's move and its story. An
-- older attempt (one that another has followed) has nothing to say about the part.
WITH moved AS (
    UPDATE parts SET state = %(after)s
    WHERE id = %(part)s AND state = 'sending' AND NOT EXISTS (
        SELECT FROM attempts later WHERE later.part_id = %(part)s AND later.number > %(number)s)
      AND EXISTS (SELECT FROM attempts this
                  WHERE this.id = %(attempt)s AND this.part_id = %(part)s)
    RETURNING tenant_id, post_id, position
), ended AS (
    UPDATE attempts SET outcome = %(outcome)s WHERE id = %(attempt)s
), told AS (
    INSERT INTO events (tenant_id, post_id, position, at, before, after, why, who)
    SELECT tenant_id, post_id, position, %(at)s, 'sending', %(after)s, %(why)s, %(who)s FROM moved
)
SELECT EXISTS (SELECT FROM moved) AS moved

-- name: count_empty_read
-- The timeline was read and did not show the post.
UPDATE attempts SET empty_reads = empty_reads + %(counts)s, empty_read_at = %(at)s
WHERE id = %(attempt)s

-- name: move_part
-- A part's change of state without an attempt's answer, by compare-and-set, and its story.
WITH moved AS (
    UPDATE parts SET state = %(after)s WHERE id = %(part)s AND state = %(before)s
    RETURNING tenant_id, post_id, position
), told AS (
    INSERT INTO events (tenant_id, post_id, position, at, before, after, why, who)
    SELECT tenant_id, post_id, position, %(at)s, %(before)s, %(after)s, %(why)s, %(who)s FROM moved
)
SELECT EXISTS (SELECT FROM moved) AS moved

-- name: decide_absent
-- A person has looked: X does not have what this attempt sent.
UPDATE attempts SET decided_absent = true WHERE id = %(attempt)s

-- name: change_text
-- Another text for a part that X refused.
UPDATE parts SET text = %(text)s WHERE id = %(part)s AND state = 'pending'

-- name: mark_deleted
-- A part was deleted from X; no row where that is known already.
UPDATE parts SET deleted_at = %(at)s
WHERE id = %(part)s AND state = 'sent' AND deleted_at IS NULL RETURNING id

-- name: start_anew
-- A post's lateness counts from now.
UPDATE posts SET late_from = %(now)s WHERE id = %(post)s

-- name: lock_pauses
-- Wait for the attempts that are being committed, and let no other begin before the end of the
-- transaction: what is paused in it holds once it is acknowledged.
SELECT pg_advisory_xact_lock(21072, 0)

-- name: pause_post
-- Hold a post back, or let it go on.
UPDATE posts SET paused = %(paused)s WHERE id = %(post)s AND paused <> %(paused)s RETURNING state

-- name: pause_account
-- The same for all posts of an account, told in their histories.
WITH held AS (
    UPDATE integrations SET paused = %(paused)s WHERE id = %(integration)s AND paused <> %(paused)s
    RETURNING tenant_id, id
)
INSERT INTO holds (tenant_id, integration_id, at, paused, why, who)
SELECT tenant_id, id, %(at)s, %(paused)s, %(why)s, %(who)s FROM held

-- name: pause_tenant
-- The same for all posts of the tenant in sight.
WITH held AS (UPDATE tenants SET paused = %(paused)s WHERE paused <> %(paused)s RETURNING id)
INSERT INTO holds (tenant_id, at, paused, why, who)
SELECT id, %(at)s, %(paused)s, %(why)s, %(who)s FROM held

-- name: pause_everything
-- The stop switch, told in the histories of all posts.
WITH before AS (SELECT paused FROM stop_switch FOR UPDATE), held AS (
    UPDATE stop_switch SET paused = true, why = format('stopped by hand (%%s)', %(who)s::text)
)
INSERT INTO holds (at, paused, why, who)
SELECT %(at)s, true, 'everything was stopped by hand', %(who)s FROM before WHERE NOT paused

-- name: see_stop_switch
-- Whether everything is stopped, why, since when these tables may lack what was sent, and whether
-- they are a copy.
SELECT paused, why, restored_to, copied FROM stop_switch

-- name: see_holds
-- What holds posts back besides their own marks and their accounts': the tenant's in sight (if one
-- is), and the stop switch.
SELECT coalesce((SELECT paused FROM tenants), false) AS tenant, paused AS everything, why
FROM stop_switch

-- name: stop_after_restore
-- Everything stops: what was sent after an instant may be missing here. Whether it was not yet.
WITH before AS (SELECT paused, restored_to FROM stop_switch FOR UPDATE), held AS (
    UPDATE stop_switch SET paused = true, why = %(why)s, copied = copied OR %(copied)s,
           restored_to = least(coalesce(restored_to, %(to)s), %(to)s)
), told AS (
    INSERT INTO holds (at, paused, why, who)
    SELECT %(at)s, true, %(why)s, %(who)s FROM before WHERE NOT paused
)
SELECT NOT paused OR restored_to IS NULL AS is_new FROM before

-- name: go_on_with_everything
-- The stop switch is off, and a restore has been seen to.
WITH before AS (SELECT paused FROM stop_switch FOR UPDATE), held AS (
    UPDATE stop_switch SET paused = false, why = NULL, restored_to = NULL, copied = false
)
INSERT INTO holds (at, paused, why, who)
SELECT %(at)s, false, 'everything goes on', %(who)s FROM before WHERE paused

-- name: read_watermark
-- What distinguishes this database from a copy of it, and how far its history goes.
SELECT *, pg_postmaster_start_time() AS server_started_at FROM read_watermark()

-- name: read_wall_clock
-- The database's wall clock.
SELECT clock_timestamp() AS at

-- name: has_event
-- Whether the very event is there that was seen before.
SELECT has_event(%(event)s, %(tag)s) AS found

-- name: register_installation
-- The first worker says which database this is.
UPDATE installation SET system_identifier = %(system_identifier)s, database_oid = %(database_oid)s
WHERE system_identifier IS NULL

-- name: accept_database
-- A person has said that this database, with whatever it lacks, is the one to go on with.
-- Posts that are due by `until` are looked for on X then, before the first attempt of each part.
UPDATE installation SET system_identifier = %(system_identifier)s, database_oid = %(database_oid)s,
    generation = generation + 1, generation_tag = floor(random() * 2147483647)::int,
    recheck_since = %(since)s, recheck_until = %(until)s

-- name: mark_alive
-- A worker's heartbeat, where the database is still the one that it has compared.
UPDATE installation SET alive_at = clock_timestamp(), clean_stop_tag = NULL, checked_at = %(at)s
WHERE left(pg_walfile_name(pg_current_wal_lsn()), 8) = %(timeline)s
  AND (%(event)s::bigint IS NULL OR has_event(%(event)s, %(tag)s))

-- name: mark_clean_stop
-- A worker has ended in order; the tag depends on the watermark's file and on the server's start.
UPDATE installation SET clean_stop_tag = %(tag)s

-- name: begin_recheck
-- Posts that are due by now are looked for on X before their first attempt; a search that a resume
-- has asked for and that is still ahead stays as it is.
UPDATE installation SET
    recheck_since = CASE WHEN recheck_until > %(until)s THEN least(recheck_since, %(since)s)
                    ELSE %(since)s END,
    recheck_until = greatest(recheck_until, %(until)s)

-- name: list_calendar
-- Posts of the tenant in sight that would go out by themselves, in due order.
SELECT p.id, p.integration_id, p.due_at FROM posts p
WHERE p.state IN ('scheduled', 'publishing') ORDER BY p.due_at, p.id

-- name: doubt_part
-- A part that these tables, restored, have forgotten to be on X, as far as X shows, gets an attempt
-- whose answer is not known. One line a step.
WITH attempt AS (
    INSERT INTO attempts (tenant_id, part_id, number, started_at, deadline_at, outcome)
    SELECT tenant_id, id, 1 + (SELECT count(*) FROM attempts a WHERE a.part_id = parts.id),
           %(started_at)s, clock_timestamp(), 'unknown'
    FROM parts WHERE id = %(part)s AND state = %(before)s
    RETURNING tenant_id, part_id
), moved AS (
    UPDATE parts SET state = 'sending' FROM attempt WHERE parts.id = attempt.part_id
    RETURNING parts.tenant_id, parts.post_id, parts.position
)
INSERT INTO events (tenant_id, post_id, position, at, before, after, why, who)
SELECT tenant_id, post_id, position, %(at)s, %(before)s, 'sending', %(why)s, %(who)s FROM moved

-- name: move_post
-- A post's change of state, by compare-and-set; where a time is given, only while the post still has
-- it. What was the matter with it in its old state is over, and so are the alerts of `kinds`.
WITH moved AS (
    UPDATE posts SET state = %(after)s, reason = %(reason)s, resume_at = NULL, wait_reason = NULL,
           wait_until = NULL, acknowledged_at = NULL,
           not_late_before = CASE WHEN %(after)s = 'publishing' THEN %(at)s::timestamptz END
    WHERE id = %(post)s AND state = %(before)s
      AND (%(due_at)s::timestamptz IS NULL OR due_at = %(due_at)s)
    RETURNING id, tenant_id
), resolved AS (
    UPDATE alarms SET ended_at = %(at)s FROM moved
    WHERE coalesce(alarms.tenant_id, 0) = moved.tenant_id AND alarms.kind = ANY(%(kinds)s)
      AND alarms.subject = 'post ' || moved.id AND alarms.ended_at IS NULL
)
SELECT id FROM moved

-- name: acknowledge_post
-- A person leaves a post as it is; it was looked at, also where X may have it twice.
WITH seen AS (
    UPDATE posts SET acknowledged_at = CASE WHEN state = ANY(%(states)s) THEN %(at)s::timestamptz
                                       ELSE acknowledged_at END
    WHERE id = %(post)s RETURNING id, tenant_id
)
UPDATE alarms SET ended_at = %(at)s FROM seen
WHERE coalesce(alarms.tenant_id, 0) = seen.tenant_id AND alarms.kind = ANY(%(kinds)s)
  AND alarms.subject = 'post ' || seen.id AND alarms.ended_at IS NULL

-- name: is_untouched
-- Whether X surely has nothing of a post: every part waits, and every attempt created nothing.
SELECT NOT EXISTS (SELECT FROM parts p WHERE p.post_id = %(post)s AND p.state <> 'pending')
   AND NOT EXISTS (SELECT FROM attempts a JOIN parts p ON p.id = a.part_id
                   WHERE p.post_id = %(post)s
                     AND (a.outcome IS NULL OR a.outcome NOT IN ('not_created', 'no_parent')))
       AS is_untouched

-- name: wait_post
-- A post on its way goes on at an instant of domain time, by the dispatcher's hand; where the wait
-- is excused, its lateness counts from then; in alerts, that of every wait that is not Roost's own
-- trouble does. Told only where the story does not end with the same.
WITH waits AS (
    UPDATE posts SET resume_at = %(until)s, wait_until = %(until)s, wait_reason = %(reason)s,
           not_late_before = CASE WHEN %(counts_as_late)s THEN not_late_before ELSE %(until)s END,
           late_from = CASE WHEN %(excused)s THEN %(until)s ELSE late_from END
    WHERE id = %(post)s AND state = 'publishing' RETURNING tenant_id, id
), excused AS (
    UPDATE attempts SET app_backoff = app_backoff + (%(until)s - %(at)s)
    WHERE %(excused)s AND id = (
        SELECT a.id FROM attempts a JOIN parts p ON p.id = a.part_id
        WHERE p.post_id = %(post)s AND p.state = 'unknown' ORDER BY a.id DESC LIMIT 1)
)
INSERT INTO events (tenant_id, post_id, at, before, after, why, who)
SELECT tenant_id, id, %(at)s, 'publishing', 'publishing', %(why)s, %(who)s FROM waits
WHERE %(why)s IS DISTINCT FROM (SELECT e.why FROM events e WHERE e.post_id = %(post)s
                                ORDER BY e.id DESC LIMIT 1)

-- name: ask_for_media
-- Somebody is to bring the post's files to X; the dispatcher queues it.
UPDATE posts SET prepare_at = coalesce(prepare_at, %(now)s) WHERE id = %(post)s

-- name: prepare_again_at
-- Files that could not be brought yet are tried again, while the post has not come to its end.
UPDATE posts SET prepare_at = %(at)s WHERE id = %(post)s AND state IN ('scheduled', 'publishing')

-- name: go_on
-- A post that waits on its way goes on now.
UPDATE posts SET resume_at = %(now)s, wait_until = least(wait_until, %(now)s)
WHERE id = %(post)s AND state = 'publishing' AND resume_at > %(now)s

-- name: wake_post
-- A post that goes on by hand is taken up by the dispatcher, at once.
UPDATE posts SET resume_at = %(now)s WHERE id = %(post)s AND state = 'publishing'

-- name: rest_account
-- X takes no post of this account before then.
UPDATE integrations SET rest_until = %(until)s, rest_why = %(why)s, rests = rests + 1,
       backoff_counts_as_late = %(counts_as_late)s
WHERE id = %(integration)s

-- name: end_account_rest
-- X takes posts of the account again.
UPDATE integrations SET rests = 0, rest_until = NULL, rest_why = NULL
WHERE id = %(integration)s AND rests > 0

-- name: rest_app
-- X takes nothing of any account of this app before then.
INSERT INTO app_rests (client_id, environment, until, why)
VALUES (%(client_id)s, %(environment)s, %(until)s, %(why)s)
ON CONFLICT (client_id, environment) DO UPDATE SET until = excluded.until, why = excluded.why

-- name: end_app_rest
-- X takes the app's posts again.
DELETE FROM app_rests WHERE client_id = %(client_id)s AND environment = %(environment)s

-- name: end_idle_backoffs
-- Apps whose back-off is over and of which no post waits: their back-off has ended.
SELECT client_id FROM end_idle_backoffs(%(now)s, %(environment)s)

-- name: list_app_rests
-- Apps of which X takes nothing at present.
SELECT client_id, until, why FROM app_rests
WHERE environment = %(environment)s AND until > %(now)s ORDER BY until, client_id

-- name: keep_windows
-- How many creates X still takes of the account's user.
INSERT INTO rate_windows (environment, x_user_id, family, max_requests, remaining, resets_at)
SELECT i.environment, i.metadata ->> 'userId', w.family, w.max_requests, w.remaining, w.resets_at
FROM integrations i, json_to_recordset(%(windows)s) AS w
    (family text, max_requests int, remaining int, resets_at timestamptz)
WHERE i.id = %(integration)s
ON CONFLICT (environment, x_user_id, family) DO UPDATE
SET max_requests = excluded.max_requests, remaining = excluded.remaining,
    resets_at = excluded.resets_at

-- name: find_twin
-- The latest part of the account that says the same and is on X.
SELECT post_id, sent_as FROM parts
WHERE integration_id = %(integration)s AND text = %(text)s AND state = 'sent'
  AND deleted_at IS NULL AND id <> %(part)s
ORDER BY sent_at DESC LIMIT 1

-- name: has_unsettled_twin
-- Whether a part of any tenant says the same on the same account of X, and may be on X without its
-- id being known.
SELECT has_unsettled_twin(%(part)s) AS found

-- name: reschedule_post
-- Another time for a post that has not begun, or that came to nothing; what it waited for without
-- its fault stays excused while its time is the same. Its alerts of `kinds` are resolved.
WITH moved AS (
    UPDATE posts SET due_at = %(due_at)s, state = 'scheduled', reason = NULL, resume_at = NULL,
           wait_reason = NULL, wait_until = NULL, acknowledged_at = NULL,
           late_from = CASE WHEN due_at = %(due_at)s THEN late_from END,
           not_late_before = CASE WHEN state = 'publishing' THEN %(at)s::timestamptz END
    WHERE id = %(post)s AND state IN ('draft', 'scheduled', 'publishing', 'missed', 'failed')
    RETURNING id, tenant_id
)
UPDATE alarms SET ended_at = %(at)s FROM moved
WHERE coalesce(alarms.tenant_id, 0) = moved.tenant_id AND alarms.kind = ANY(%(kinds)s)
  AND alarms.subject = 'post ' || moved.id AND alarms.ended_at IS NULL

-- name: plan_media
-- When a post's files are to be on X; NULL where it carries none.
UPDATE posts SET prepare_at = CASE WHEN EXISTS (
        SELECT FROM media_assets a JOIN parts p ON p.id = a.part_id WHERE p.post_id = posts.id)
    THEN due_at - %(ahead)s::interval END
WHERE id = %(post)s AND state = 'scheduled'

-- name: list_claimed
-- Which of some posts on X are a part of any tenant.
SELECT sent_as FROM list_claimed(%(tweets)s)

-- name: list_own_posts
-- Which of some posts on X are parts of the account, and when they were deleted from X.
SELECT sent_as, deleted_at FROM parts
WHERE sent_as = ANY(%(tweets)s) AND integration_id = %(integration)s

-- name: get_x_user_id
-- Which user of X an account of this environment is.
SELECT get_x_user_id(%(tenant)s, %(integration)s, %(environment)s) AS x_user_id

-- name: is_connected_elsewhere
-- Whether another tenant has connected this user of X.
SELECT is_connected_elsewhere(%(environment)s, %(x_user)s) AS found

-- name: lock_post
-- Take a post, so that neither the dispatcher nor an attempt can claim it meanwhile.
SELECT state FROM posts WHERE id = %(post)s FOR UPDATE

-- name: list_imported
-- Which rows of a plan are posts already.
SELECT import_key FROM posts WHERE import_key = ANY(%(keys)s)

-- name: list_said
-- What some accounts have on X since an instant, or are to publish, but for one post.
SELECT p.integration_id, p.post_id, p.text, p.sent_at AS at, true AS is_out,
       p.reply_to, p.quote_of, p.poll_options, p.poll_minutes, p.reply_settings,
       ARRAY(SELECT a.sha256 FROM media_assets a WHERE a.part_id = p.id ORDER BY a.position)
           AS files
FROM parts p
WHERE p.integration_id = ANY(%(integrations)s) AND p.sent_at BETWEEN %(since)s AND %(until)s
  AND p.deleted_at IS NULL AND p.post_id IS DISTINCT FROM %(excluding)s
UNION ALL
SELECT p.integration_id, p.post_id, p.text, o.due_at, false,
       p.reply_to, p.quote_of, p.poll_options, p.poll_minutes, p.reply_settings,
       ARRAY(SELECT a.sha256 FROM media_assets a WHERE a.part_id = p.id ORDER BY a.position)
FROM posts o JOIN parts p ON p.post_id = o.id
WHERE o.integration_id = ANY(%(integrations)s)
  AND o.state IN ('scheduled', 'publishing', 'needs_decision')
  AND o.due_at BETWEEN %(since)s AND %(until)s
  AND p.sent_at IS NULL AND o.id IS DISTINCT FROM %(excluding)s

-- name: drop_parts
-- An edited post's old parts.
DELETE FROM parts WHERE post_id = %(post)s

-- name: dispatch_due
-- What is due becomes jobs, and when to look again: now, where something due is left.
-- A post is due when the worker's clock and, where domain time is wall time, the database's say so.
SELECT p.queued + m.queued + a.queued AS queued,
       CASE WHEN p.more OR m.more OR a.more THEN %(now)s ELSE next_due(n.present) END AS next_at
FROM (SELECT CASE WHEN %(is_wall_time)s THEN least(%(now)s, clock_timestamp()) ELSE %(now)s END
             AS present) AS n,
     queue_due_posts(n.present, %(posts)s, %(environment)s) AS p,
     queue_preparations(%(now)s, %(others)s, %(environment)s) AS m,
     queue_due_accounts(%(now)s, %(leased_until)s, %(others)s, %(environment)s) AS a

-- name: raise_alarm
-- One open alarm a kind and subject.
INSERT INTO alarms (tenant_id, kind, subject, raised_at, message, next)
VALUES (%(tenant)s, %(kind)s, %(subject)s, %(at)s, %(message)s, %(next)s)
ON CONFLICT (coalesce(tenant_id, 0), kind, subject) WHERE ended_at IS NULL DO NOTHING RETURNING id

-- name: end_alarm
-- Its cause is gone.
UPDATE alarms SET ended_at = %(at)s
WHERE kind = %(kind)s AND subject = %(subject)s AND ended_at IS NULL
  AND tenant_id IS NOT DISTINCT FROM %(tenant)s RETURNING id

-- name: list_alarms
-- Open alarms, oldest first: the tenant's in sight, and everybody's.
SELECT kind, subject, raised_at, message, next, ended_at FROM alarms
WHERE ended_at IS NULL ORDER BY raised_at, id

-- name: dispatch_stranded
-- Posts on their way that no job carries get one again.
SELECT queue_stranded_posts(%(at_most)s, %(environment)s) AS queued

-- name: oldest_due_post
-- Since when the oldest late post should be out.
SELECT oldest_due_post(%(now)s, %(environment)s) AS at

-- name: ask_locks
-- Take locks, give them back, or hear that their session lives: each row in its turn, from left to
-- right. Of an account given back: whether it has posts that could be taken up, seen after that.
SELECT pg_backend_pid(),
       coalesce(CASE a.what WHEN 'take' THEN pg_try_advisory_lock(a.kind, a.key)
                            WHEN 'give' THEN pg_advisory_unlock(a.kind, a.key) END, false),
       CASE WHEN a.what = 'give' AND a.account IS NOT NULL
            THEN has_publishing(a.account, a.besides) ELSE false END
FROM json_to_recordset(%(questions)s) AS a
    (what text, kind int, key int, account bigint, besides bigint[])

-- name: give_sign
-- Whose session it is, and that its process lives, told by the session's name.
SELECT set_config('application_name', concat_ws(' ', 'roost',
       floor(extract(epoch FROM clock_timestamp()))::bigint, %(who)s::text), false)

-- name: silent_senders
-- Accounts that a session keeps whose process has given no sign of life lately: who, and which.
SELECT l.objid::bigint AS key, sign[2] AS who
FROM pg_locks l
JOIN pg_stat_activity a ON a.pid = l.pid
CROSS JOIN LATERAL regexp_match(a.application_name, '^roost (\d+) (.*)$') AS sign
WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %(sender)s
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND to_timestamp(sign[1]::bigint) < clock_timestamp() - %(within)s
ORDER BY who, key

-- name: list_worker_names
-- Workers whose locks' session is open here, by the names of their sessions (63 bytes at most).
SELECT sign[1] AS name
FROM pg_stat_activity a
CROSS JOIN LATERAL regexp_match(a.application_name, '^roost \d+ worker (.*)$') AS sign
WHERE a.datname = current_database() AND sign[1] IS NOT NULL

-- name: live_workers
-- Workers that gave a sign of life lately.
SELECT count(*) AS n FROM procrastinate_workers
WHERE last_heartbeat > clock_timestamp() - %(within)s

-- name: wait_briefly_for_locks
-- Below the usual deadlock_timeout of 1 s: this transaction fails instead of another.
SELECT set_config('lock_timeout', '100ms', true)

-- name: open_snapshot_month
-- Create the tables of a month if they do not exist.
SELECT open_snapshot_month(%(at)s)

-- name: list_known_metrics
-- The last value of each metric of each part that was read before an instant.
SELECT part_id,
       (array_agg(impressions ORDER BY at DESC) FILTER (WHERE impressions IS NOT NULL))[1]
           AS impressions,
       (array_agg(engagements ORDER BY at DESC) FILTER (WHERE engagements IS NOT NULL))[1]
           AS engagements,
       (array_agg(likes ORDER BY at DESC) FILTER (WHERE likes IS NOT NULL))[1] AS likes,
       (array_agg(replies ORDER BY at DESC) FILTER (WHERE replies IS NOT NULL))[1] AS replies,
       (array_agg(reposts ORDER BY at DESC) FILTER (WHERE reposts IS NOT NULL))[1] AS reposts,
       (array_agg(quotes ORDER BY at DESC) FILTER (WHERE quotes IS NOT NULL))[1] AS quotes,
       (array_agg(bookmarks ORDER BY at DESC) FILTER (WHERE bookmarks IS NOT NULL))[1]
           AS bookmarks,
       (array_agg(link_clicks ORDER BY at DESC) FILTER (WHERE link_clicks IS NOT NULL))[1]
           AS link_clicks,
       (array_agg(profile_clicks ORDER BY at DESC) FILTER (WHERE profile_clicks IS NOT NULL))[1]
           AS profile_clicks
FROM post_snapshots
WHERE integration_id = %(integration)s AND part_id = ANY(%(parts)s::bigint[])
  AND at < %(before)s
GROUP BY part_id

-- name: get_known_account
-- The last value of each metric of an account that was read before an instant.
SELECT (array_agg(followers ORDER BY at DESC) FILTER (WHERE followers IS NOT NULL))[1]
           AS followers,
       (array_agg(following ORDER BY at DESC) FILTER (WHERE following IS NOT NULL))[1]
           AS following,
       (array_agg(posts ORDER BY at DESC) FILTER (WHERE posts IS NOT NULL))[1] AS posts
FROM account_snapshots
WHERE integration_id = %(integration)s AND at < %(before)s
