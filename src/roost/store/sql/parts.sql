-- Parts: a post is one part, or a thread of several.

-- name: add_part
-- Adds one part of a new or edited post.
INSERT INTO parts (tenant_id, post_id, integration_id, position, text, state,
                   reply_to, quote_of, poll_options, poll_minutes, reply_settings)
VALUES (%(tenant)s, %(post)s, %(integration)s, %(position)s, %(text)s, 'pending',
        %(reply_to)s, %(quote_of)s, %(poll_options)s, %(poll_minutes)s, %(reply_settings)s)
RETURNING id

-- name: list_parts
-- The parts of some posts, sorted by post and by position in the post.
SELECT id, post_id, position, text, state, sent_as, sent_at, deleted_at,
       reply_to, quote_of, poll_options, poll_minutes, reply_settings FROM parts
WHERE post_id = ANY(%(posts)s) ORDER BY post_id, position

-- name: delete_parts
-- Deletes the parts of an edited post.
DELETE FROM parts WHERE post_id = %(post)s

-- name: set_part_text
-- Sets another text for a pending part.
UPDATE parts SET text = %(text)s WHERE id = %(part)s AND state = 'pending'

-- name: move_part
-- Changes a part's state by compare-and-set, and adds the event.
WITH moved AS (
    UPDATE parts SET state = %(to_state)s WHERE id = %(part)s AND state = %(from_state)s
    RETURNING tenant_id, post_id, position
), event AS (
    INSERT INTO events
        (tenant_id, post_id, position, at, code, detail, from_state, to_state, actor)
    SELECT tenant_id, post_id, position, %(at)s, %(code)s, %(detail)s::jsonb, %(from_state)s,
           %(to_state)s, %(actor)s
    FROM moved
)
SELECT EXISTS (SELECT FROM moved) AS moved

-- name: mark_deleted
-- Records that a part was deleted from X. Returns no row if the deletion is recorded already.
UPDATE parts SET deleted_at = %(at)s
WHERE id = %(part)s AND state = 'sent' AND deleted_at IS NULL RETURNING id

-- name: find_duplicate
-- The latest other part of the account that has the same text and is on X.
SELECT post_id, sent_as FROM parts
WHERE integration_id = %(integration)s AND text = %(text)s AND state = 'sent'
  AND deleted_at IS NULL AND id <> %(part)s
ORDER BY sent_at DESC LIMIT 1

-- name: has_unresolved_duplicate
-- Whether another part of any tenant has the same text and the same account on X, and may be on X
-- although its id is not known.
SELECT has_unresolved_duplicate(%(part)s) AS found

-- name: list_claimed
-- Which of these ids of X are recorded as the id of a part of any tenant.
SELECT sent_as FROM list_claimed(%(tweets)s)

-- name: list_own_parts
-- Which of these ids of X are parts of the account, and when each part was deleted from X.
SELECT sent_as, deleted_at FROM parts
WHERE sent_as = ANY(%(tweets)s) AND integration_id = %(integration)s
