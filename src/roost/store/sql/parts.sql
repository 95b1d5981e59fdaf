-- Parts: the posts on X that a post consists of.

-- name: add_part
-- One part of a post that is being written.
INSERT INTO parts (tenant_id, post_id, integration_id, position, text, state,
                   reply_to, quote_of, poll_options, poll_minutes, reply_settings)
VALUES (%(tenant)s, %(post)s, %(integration)s, %(position)s, %(text)s, 'pending',
        %(reply_to)s, %(quote_of)s, %(poll_options)s, %(poll_minutes)s, %(reply_settings)s)
RETURNING id

-- name: list_parts
-- The parts of some posts, each in order.
SELECT id, post_id, position, text, state, sent_as, sent_at, deleted_at,
       reply_to, quote_of, poll_options, poll_minutes, reply_settings FROM parts
WHERE post_id = ANY(%(posts)s) ORDER BY post_id, position

-- name: drop_parts
-- An edited post's old parts.
DELETE FROM parts WHERE post_id = %(post)s

-- name: change_text
-- Another text for a part that X refused.
UPDATE parts SET text = %(text)s WHERE id = %(part)s AND state = 'pending'

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

-- name: mark_deleted
-- A part was deleted from X; no row where that is known already.
UPDATE parts SET deleted_at = %(at)s
WHERE id = %(part)s AND state = 'sent' AND deleted_at IS NULL RETURNING id

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

-- name: list_claimed
-- Which of some posts on X are a part of any tenant.
SELECT sent_as FROM list_claimed(%(tweets)s)

-- name: list_own_posts
-- Which of some posts on X are parts of the account, and when they were deleted from X.
SELECT sent_as, deleted_at FROM parts
WHERE sent_as = ANY(%(tweets)s) AND integration_id = %(integration)s
