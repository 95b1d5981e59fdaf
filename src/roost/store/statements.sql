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
INSERT INTO posts (tenant_id, integration_id, state, due_at, import_key)
VALUES (%(tenant)s, %(integration)s, %(state)s, %(due_at)s, %(import_key)s)
ON CONFLICT (tenant_id, import_key) DO NOTHING RETURNING id

-- name: add_part
-- One part of a post that is being written.
INSERT INTO parts (tenant_id, post_id, integration_id, position, text, state)
VALUES (%(tenant)s, %(post)s, %(integration)s, %(position)s, %(text)s, 'pending') RETURNING id

-- name: add_media_asset
-- One file of a part.
INSERT INTO media_assets
    (tenant_id, part_id, position, path, sha256, kind, mime_type, size_bytes, alt_text)
VALUES (%(tenant)s, %(part)s, %(position)s, %(path)s, %(sha256)s, %(kind)s, %(mime_type)s,
        %(size_bytes)s, %(alt_text)s)

-- name: add_event
-- One line of a post's history.
INSERT INTO events (tenant_id, post_id, position, at, before, after, why)
VALUES (%(tenant)s, %(post)s, %(position)s, %(at)s, %(before)s, %(after)s, %(why)s)

-- name: announce_due
-- Wake the dispatchers at commit: something became due earlier than they know.
SELECT pg_notify('roost_due', '')

-- name: get_post
-- One post of the tenant in sight.
SELECT id, tenant_id, integration_id, state, due_at, reason FROM posts WHERE id = %(post)s

-- name: list_posts
-- The tenant's posts in the order in which they are due, drafts last.
SELECT id, tenant_id, integration_id, state, due_at, reason FROM posts
WHERE %(integration)s::bigint IS NULL OR integration_id = %(integration)s
ORDER BY due_at NULLS LAST, id

-- name: list_parts
-- The parts of some posts, each in order.
SELECT id, post_id, position, text, state, sent_as, sent_at FROM parts
WHERE post_id = ANY(%(posts)s) ORDER BY post_id, position

-- name: list_media_assets
-- The files of some posts' parts, each in order.
SELECT a.id, a.part_id, a.path, a.sha256, a.kind, a.mime_type, a.size_bytes, a.alt_text
FROM media_assets a JOIN parts p ON p.id = a.part_id
WHERE p.post_id = ANY(%(posts)s) ORDER BY a.part_id, a.position

-- name: list_events
-- A post's history, oldest first.
SELECT at, post_id, position, before, after, why FROM events WHERE post_id = %(post)s ORDER BY id

-- name: next_publishing_post
-- The account's post on its way that is next in due order and does not wait; none of a dead grant.
SELECT id FROM sendable_posts
WHERE integration_id = %(integration)s AND state = 'publishing' AND resume_at IS NULL
  AND NOT id = ANY(%(besides)s)
ORDER BY due_at, id LIMIT 1

-- name: list_uploads
-- What X holds of a part's files, by file.
SELECT u.asset_id, u.media_id, u.media_key, u.expires_at
FROM uploads u JOIN media_assets a ON a.id = u.asset_id WHERE a.part_id = %(part)s

-- name: keep_upload
-- What X answered to an upload; a newer upload of the same file takes its place.
INSERT INTO uploads (asset_id, tenant_id, media_id, media_key, expires_at)
VALUES (%(asset)s, %(tenant)s, %(media_id)s, %(media_key)s, %(expires_at)s)
ON CONFLICT (asset_id) DO UPDATE
SET media_id = excluded.media_id, media_key = excluded.media_key, expires_at = excluded.expires_at

-- name: last_attempt
-- The latest try of a part; seconds_left is wall time in which its request may still be under way.
SELECT id, part_id, number, started_at, outcome, empty_reads, empty_read_at,
       extract(epoch FROM deadline_at - clock_timestamp())::float8 AS seconds_left,
       min(started_at) FILTER (WHERE outcome IS DISTINCT FROM 'not_created') OVER ()
           AS unsettled_since,
       coalesce(bool_or(outcome = 'duplicate') OVER (), false) AS said_duplicate,
       count(*) FILTER (WHERE outcome = 'no_parent') OVER () AS without_parent
FROM attempts WHERE part_id = %(part)s ORDER BY number DESC LIMIT 1

-- name: begin_attempt
-- Commit before sending: moves the part to `sending` only from the state the decision was made on.
WITH moved AS (
    UPDATE parts SET state = 'sending' WHERE id = %(part)s AND state = %(before)s RETURNING id
)
INSERT INTO attempts (tenant_id, part_id, number, started_at, deadline_at)
SELECT %(tenant)s, moved.id,
       1 + (SELECT count(*) FROM attempts a WHERE a.part_id = moved.id),
       %(started_at)s, clock_timestamp() + %(deadline)s
FROM moved RETURNING id, number

-- name: end_attempt
-- What became of a try.
UPDATE attempts SET outcome = %(outcome)s WHERE id = %(attempt)s

-- name: count_empty_read
-- The timeline was read and did not show the post.
UPDATE attempts SET empty_reads = empty_reads + %(counts)s, empty_read_at = %(at)s
WHERE id = %(attempt)s

-- name: move_part
-- A part's change of state, by compare-and-set on its state and on its attempt: what an older
-- attempt has to say about the part is out of date.
UPDATE parts SET state = %(after)s, sent_as = %(sent_as)s, sent_at = %(sent_at)s
WHERE id = %(part)s AND state = ANY(%(before)s) AND NOT EXISTS (
    SELECT FROM attempts later WHERE later.part_id = %(part)s AND later.number > %(attempt)s)
RETURNING id

-- name: move_post
-- A post's change of state, by compare-and-set.
UPDATE posts SET state = %(after)s, reason = %(reason)s, resume_at = NULL
WHERE id = %(post)s AND state = %(before)s RETURNING id

-- name: wait_post
-- A post on its way goes on at an instant of domain time, by the dispatcher's hand.
UPDATE posts SET resume_at = %(until)s WHERE id = %(post)s AND state = 'publishing' RETURNING id

-- name: list_adopted
-- X's ids of what this account has sent, among some.
SELECT sent_as FROM parts WHERE integration_id = %(integration)s AND sent_as = ANY(%(tweets)s)

-- name: reschedule_post
-- Another time for a post that has not begun.
UPDATE posts SET due_at = %(due_at)s, state = 'scheduled', reason = NULL
WHERE id = %(post)s AND state IN ('draft', 'scheduled') RETURNING id

-- name: lock_post
-- Take a post that has not begun, so that the dispatcher cannot claim it meanwhile.
SELECT state FROM posts WHERE id = %(post)s FOR UPDATE

-- name: list_imported
-- Which rows of a plan are posts already.
SELECT import_key FROM posts WHERE import_key = ANY(%(keys)s)

-- name: drop_parts
-- An edited post's old parts.
DELETE FROM parts WHERE post_id = %(post)s

-- name: dispatch_due
-- What is due becomes jobs, and when to look again: now, where something due is left.
SELECT p.queued + m.queued + a.queued AS queued,
       CASE WHEN p.more OR m.more OR a.more THEN %(now)s ELSE next_due(%(now)s) END AS next_at
FROM queue_due_posts(%(now)s, %(posts)s, %(environment)s) AS p,
     queue_preparations(%(now)s, %(others)s, %(environment)s) AS m,
     queue_due_accounts(%(now)s, %(leased_until)s, %(others)s, %(environment)s) AS a

-- name: dispatch_stranded
-- Posts on their way that no job carries get one again.
SELECT queue_stranded_posts(%(at_most)s, %(environment)s) AS queued

-- name: oldest_due_post
-- Since when the oldest late post should be out.
SELECT oldest_due_post(%(now)s) AS at

-- name: live_workers
-- Workers that gave a sign of life lately.
SELECT count(*) AS n FROM procrastinate_workers
WHERE last_heartbeat > clock_timestamp() - %(within)s
