-- Posts and their states.

-- name: add_post
-- One post, unless this import has it already.
INSERT INTO posts (tenant_id, integration_id, state, due_at, tolerance, import_key)
VALUES (%(tenant)s, %(integration)s, %(state)s, %(due_at)s, %(tolerance)s, %(import_key)s)
ON CONFLICT (tenant_id, import_key) WHERE import_key IS NOT NULL DO NOTHING RETURNING id

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

-- name: list_imported
-- Which rows of a plan are posts already.
SELECT import_key FROM posts WHERE import_key = ANY(%(keys)s)

-- name: list_calendar
-- Posts of the tenant in sight that would go out by themselves, in due order.
SELECT p.id, p.integration_id, p.due_at FROM posts p
WHERE p.state IN ('scheduled', 'publishing') ORDER BY p.due_at, p.id

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

-- name: lock_post
-- Take a post, so that neither the dispatcher nor an attempt can claim it meanwhile.
SELECT state FROM posts WHERE id = %(post)s FOR UPDATE

-- name: is_untouched
-- Whether X surely has nothing of a post: every part waits, and every attempt created nothing.
SELECT NOT EXISTS (SELECT FROM parts p WHERE p.post_id = %(post)s AND p.state <> 'pending')
   AND NOT EXISTS (SELECT FROM attempts a JOIN parts p ON p.id = a.part_id
                   WHERE p.post_id = %(post)s
                     AND (a.outcome IS NULL OR a.outcome NOT IN ('not_created', 'no_parent')))
       AS is_untouched

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

-- name: go_on
-- A post that waits on its way goes on now.
UPDATE posts SET resume_at = %(now)s, wait_until = least(wait_until, %(now)s)
WHERE id = %(post)s AND state = 'publishing' AND resume_at > %(now)s

-- name: wake_post
-- A post that goes on by hand is taken up by the dispatcher, at once.
UPDATE posts SET resume_at = %(now)s WHERE id = %(post)s AND state = 'publishing'

-- name: start_anew
-- A post's lateness counts from now.
UPDATE posts SET late_from = %(now)s WHERE id = %(post)s
