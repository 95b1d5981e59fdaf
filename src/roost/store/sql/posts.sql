-- Posts and their states.

-- name: add_post
-- Adds a post. Returns no row if an earlier import has added a post with this import key.
INSERT INTO posts (tenant_id, integration_id, state, due_at, tolerance, import_key)
VALUES (%(tenant)s, %(integration)s, %(state)s, %(due_at)s, %(tolerance)s, %(import_key)s)
ON CONFLICT (tenant_id, import_key) WHERE import_key IS NOT NULL DO NOTHING RETURNING id

-- name: get_post
-- One post of the current tenant.
SELECT p.id, p.tenant_id, p.integration_id, p.state, p.due_at, p.reason, p.paused, p.tolerance,
       p.wait_reason, p.wait_until, p.acknowledged_at,
       EXISTS (SELECT FROM alerts a
               WHERE coalesce(a.tenant_id, 0) = p.tenant_id AND a.kind = 'possible_duplicate'
                 AND a.subject_type = 'post' AND a.subject_id = p.id::text
                 AND a.ended_at IS NULL) AS possible_duplicate
FROM posts p WHERE p.id = %(post)s

-- name: list_posts
-- The current tenant's posts in due order, drafts last.
SELECT p.id, p.tenant_id, p.integration_id, p.state, p.due_at, p.reason, p.paused, p.tolerance,
       p.wait_reason, p.wait_until, p.acknowledged_at,
       EXISTS (SELECT FROM alerts a
               WHERE coalesce(a.tenant_id, 0) = p.tenant_id AND a.kind = 'possible_duplicate'
                 AND a.subject_type = 'post' AND a.subject_id = p.id::text
                 AND a.ended_at IS NULL) AS possible_duplicate
FROM posts p
WHERE %(integration)s::bigint IS NULL OR p.integration_id = %(integration)s
ORDER BY p.due_at NULLS LAST, p.id

-- name: select_posts
-- The current tenant's posts that a list contains, in the order of the list: the posts of each group
-- of `ListGroup` together. `search` is a folded text; `variants` become `folded` in the texts.
WITH listed AS (
    SELECT p.id, p.tenant_id, p.integration_id, p.state, p.due_at, p.reason, p.paused, p.tolerance,
           p.wait_reason, p.wait_until, p.acknowledged_at,
           EXISTS (SELECT FROM alerts a
                   WHERE coalesce(a.tenant_id, 0) = p.tenant_id AND a.kind = 'possible_duplicate'
                     AND a.subject_type = 'post' AND a.subject_id = p.id::text
                     AND a.ended_at IS NULL) AS possible_duplicate
    FROM posts p
    WHERE (%(integration)s::bigint IS NULL OR p.integration_id = %(integration)s)
      AND (%(states)s::text[] IS NULL OR p.state = ANY(%(states)s))
      AND (%(since)s::timestamptz IS NULL OR p.due_at >= %(since)s)
      AND (%(until)s::timestamptz IS NULL OR p.due_at < %(until)s)
      AND (%(search)s::text = '' OR EXISTS (
          SELECT FROM parts part
          WHERE part.post_id = p.id
            AND strpos(translate(replace(replace(normalize(part.text, NFKC), 'ß', 'ss'), 'ẞ', 'ss'),
                                 %(variants)s, %(folded)s), %(search)s) > 0))
), grouped AS (
    SELECT listed.*,
           CASE WHEN state IN ('scheduled', 'publishing') AND NOT possible_duplicate THEN 0
                WHEN possible_duplicate THEN 1
                WHEN acknowledged_at IS NULL
                     AND (state IN ('needs_decision', 'partly_published', 'missed', 'failed')
                          OR state = 'cancelled' AND EXISTS (
                              SELECT FROM parts part
                              WHERE part.post_id = listed.id AND part.sent_as IS NOT NULL
                                AND part.deleted_at IS NULL)) THEN 1
                WHEN state = 'draft' THEN 2
                ELSE 3 END AS list_group
    FROM listed
), ordered AS (
    SELECT grouped.*, count(*) OVER (PARTITION BY list_group) AS group_size,
           row_number() OVER (
               PARTITION BY list_group
               ORDER BY CASE WHEN list_group = 0 THEN due_at END,
                        CASE WHEN list_group = 0 THEN id END,
                        due_at DESC NULLS FIRST, id DESC) AS place
    FROM grouped
)
SELECT * FROM ordered
WHERE %(limit_per_group)s::bigint IS NULL OR place <= %(limit_per_group)s
ORDER BY list_group, place
LIMIT %(limit)s

-- name: list_imported
-- Which of these import keys already have a post.
SELECT import_key FROM posts WHERE import_key = ANY(%(keys)s)

-- name: list_calendar
-- The current tenant's posts that are scheduled or publishing, in due order.
SELECT p.id, p.integration_id, p.due_at FROM posts p
WHERE p.state IN ('scheduled', 'publishing') ORDER BY p.due_at, p.id

-- name: list_texts
-- Parts of some accounts that were sent or are due in a period, except the parts of one post.
SELECT p.integration_id, p.post_id, p.text, p.sent_at AS at, true AS is_published,
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
-- Locks a post against the dispatcher and new attempts until the transaction ends.
SELECT state FROM posts WHERE id = %(post)s FOR UPDATE

-- name: is_untouched
-- Whether no part of a post is on X: every part is pending, and no attempt may have created a post
-- on X.
SELECT NOT EXISTS (SELECT FROM parts p WHERE p.post_id = %(post)s AND p.state <> 'pending')
   AND NOT EXISTS (SELECT FROM attempts a JOIN parts p ON p.id = a.part_id
                   WHERE p.post_id = %(post)s
                     AND (a.outcome IS NULL OR a.outcome NOT IN ('not_created', 'no_parent')))
       AS is_untouched

-- name: move_post
-- Changes a post's state by compare-and-set. If a due time is given, the post must still have it.
-- Clears the columns that describe the old state, and resolves the post's alerts of `kinds`.
WITH moved AS (
    UPDATE posts SET state = %(to_state)s, reason = %(reason)s::jsonb, resume_at = NULL,
           wait_reason = NULL, wait_until = NULL, acknowledged_at = NULL,
           not_late_before = CASE WHEN %(to_state)s = 'publishing' THEN %(at)s::timestamptz END
    WHERE id = %(post)s AND state = %(from_state)s
      AND (%(due_at)s::timestamptz IS NULL OR due_at = %(due_at)s)
    RETURNING id, tenant_id
), resolved AS (
    UPDATE alerts SET ended_at = %(at)s FROM moved
    WHERE coalesce(alerts.tenant_id, 0) = moved.tenant_id AND alerts.kind = ANY(%(kinds)s)
      AND alerts.subject_type = 'post' AND alerts.subject_id = moved.id::text
      AND alerts.ended_at IS NULL
)
SELECT id FROM moved

-- name: reschedule_post
-- Sets another due time for a post without a part on X. If the due time stays the same, an excused
-- wait stays excused. Resolves the post's alerts of `kinds`.
WITH moved AS (
    UPDATE posts SET due_at = %(due_at)s, state = 'scheduled', reason = NULL, resume_at = NULL,
           wait_reason = NULL, wait_until = NULL, acknowledged_at = NULL,
           late_from = CASE WHEN due_at = %(due_at)s THEN late_from END,
           not_late_before = CASE WHEN state = 'publishing' THEN %(at)s::timestamptz END
    WHERE id = %(post)s AND state IN ('draft', 'scheduled', 'publishing', 'missed', 'failed')
    RETURNING id, tenant_id
)
UPDATE alerts SET ended_at = %(at)s FROM moved
WHERE coalesce(alerts.tenant_id, 0) = moved.tenant_id AND alerts.kind = ANY(%(kinds)s)
  AND alerts.subject_type = 'post' AND alerts.subject_id = moved.id::text
      AND alerts.ended_at IS NULL

-- name: acknowledge_post
-- Records that a person leaves the post as it is, if the post is in one of `states`, and resolves
-- the post's alerts of `kinds`.
WITH acknowledged AS (
    UPDATE posts SET acknowledged_at = CASE WHEN state = ANY(%(states)s) THEN %(at)s::timestamptz
                                       ELSE acknowledged_at END
    WHERE id = %(post)s RETURNING id, tenant_id
)
UPDATE alerts SET ended_at = %(at)s FROM acknowledged
WHERE coalesce(alerts.tenant_id, 0) = acknowledged.tenant_id AND alerts.kind = ANY(%(kinds)s)
  AND alerts.subject_type = 'post' AND alerts.subject_id = acknowledged.id::text
  AND alerts.ended_at IS NULL

-- name: defer_post
-- Defers a publishing post until an instant of domain time, when the dispatcher queues the post
-- again. If the wait is excused, the post's lateness is counted from that instant, and the wait is
-- not counted in the resend window. Alerts ignore the wait unless `counts_as_late` is true. Adds an
-- event, unless the post's last event is a wait for the same reason.
WITH deferred AS (
    UPDATE posts SET resume_at = %(until)s, wait_until = %(until)s,
           wait_reason = %(reason)s::jsonb,
           not_late_before = CASE WHEN %(counts_as_late)s THEN not_late_before ELSE %(until)s END,
           late_from = CASE WHEN %(excused)s THEN %(until)s ELSE late_from END
    WHERE id = %(post)s AND state = 'publishing' RETURNING tenant_id, id
), excused AS (
    UPDATE attempts SET app_backoff = app_backoff + (%(until)s - %(at)s)
    WHERE %(excused)s AND id = (
        SELECT a.id FROM attempts a JOIN parts p ON p.id = a.part_id
        WHERE p.post_id = %(post)s AND p.state = 'unknown' ORDER BY a.id DESC LIMIT 1)
)
INSERT INTO events (tenant_id, post_id, at, code, detail, from_state, to_state, actor)
SELECT tenant_id, id, %(at)s, 'post.deferred', jsonb_build_object('reason', %(reason)s::jsonb),
       'publishing', 'publishing', %(actor)s
FROM deferred
WHERE NOT EXISTS (
    SELECT FROM (SELECT e.code, e.detail FROM events e WHERE e.post_id = %(post)s
                 ORDER BY e.id DESC LIMIT 1) AS last
    WHERE last.code = 'post.deferred'
      AND last.detail = jsonb_build_object('reason', %(reason)s::jsonb))

-- name: end_wait
-- Ends the wait of a publishing post at once.
UPDATE posts SET resume_at = %(at)s, wait_until = least(wait_until, %(at)s)
WHERE id = %(post)s AND state = 'publishing' AND resume_at > %(at)s

-- name: wake_post
-- Makes the dispatcher queue a publishing post at once.
UPDATE posts SET resume_at = %(at)s WHERE id = %(post)s AND state = 'publishing'

-- name: reset_lateness
-- Counts a post's lateness from now.
UPDATE posts SET late_from = %(at)s WHERE id = %(post)s
