-- The path of a part through publishing. functions.sql describes the functions.

-- name: load_post
-- Everything that publishing needs to know about one post, in one row. If `post` is NULL, this is the
-- account's next publishing post in due order that does not wait.
SELECT *, clock_timestamp() AS database_now FROM load_post(
    tenant => %(tenant)s, post => %(post)s, integration => %(integration)s,
    excluding => %(excluding)s)

-- name: begin_attempt
-- Writes an attempt, which is committed before the part is sent. Returns no row if the part must
-- not be sent.
SELECT * FROM begin_attempt(
    tenant => %(tenant)s, part => %(part)s, from_state => %(from_state)s,
    attempt_count => %(attempt_count)s, started_at => %(started_at)s, deadline => %(deadline)s,
    media_ids => %(media_ids)s, media_keys => %(media_keys)s, at => %(at)s,
    code => %(code)s, detail => %(detail)s::jsonb, actor => %(actor)s,
    fence_event => %(fence_event)s, fence_tag => %(fence_tag)s, fence_timeline => %(fence_timeline)s,
    is_wall_time => %(is_wall_time)s)

-- name: record_sent
-- Records that X has a part: X's id, the outcome, the price, the events and the rate windows.
SELECT * FROM record_sent(
    tenant => %(tenant)s, part => %(part)s, post => %(post)s, integration => %(integration)s,
    attempt => %(attempt)s, number => %(number)s, tweet => %(tweet)s, outcome => %(outcome)s,
    sent_at => %(sent_at)s, usd => %(usd)s, price_reason => %(price_reason)s, at => %(at)s,
    from_state => %(from_state)s, code => %(code)s, detail => %(detail)s::jsonb,
    actor => %(actor)s, windows => %(windows)s, excluding => %(excluding)s)

-- name: end_attempt
-- Records an outcome other than `sent`, moves the part, and adds the event. If the part has a later
-- attempt, only the outcome is recorded.
WITH moved AS (
    UPDATE parts SET state = %(to_state)s
    WHERE id = %(part)s AND state = 'sending' AND NOT EXISTS (
        SELECT FROM attempts later WHERE later.part_id = %(part)s AND later.number > %(number)s)
      AND EXISTS (SELECT FROM attempts this
                  WHERE this.id = %(attempt)s AND this.part_id = %(part)s)
    RETURNING tenant_id, post_id, position
), ended AS (
    UPDATE attempts SET outcome = %(outcome)s WHERE id = %(attempt)s
), event AS (
    INSERT INTO events
        (tenant_id, post_id, position, at, code, detail, from_state, to_state, actor)
    SELECT tenant_id, post_id, position, %(at)s, %(code)s, %(detail)s::jsonb, 'sending',
           %(to_state)s, %(actor)s
    FROM moved
)
SELECT EXISTS (SELECT FROM moved) AS moved

-- name: record_empty_read
-- Records that a read of the timeline did not show the post.
UPDATE attempts SET empty_reads = empty_reads + %(counts)s, empty_read_at = %(at)s
WHERE id = %(attempt)s

-- name: confirm_absent
-- Records that a person has checked that the part of this attempt is not on X.
UPDATE attempts SET confirmed_absent = true WHERE id = %(attempt)s

-- name: mark_part_unknown
-- Adds an attempt with an unknown outcome to a part: these restored tables may lack an attempt that
-- sent the part to X.
WITH attempt AS (
    INSERT INTO attempts (tenant_id, part_id, number, started_at, deadline_at, outcome)
    SELECT tenant_id, id, 1 + (SELECT count(*) FROM attempts a WHERE a.part_id = parts.id),
           %(started_at)s, clock_timestamp(), 'unknown'
    FROM parts WHERE id = %(part)s AND state = %(from_state)s
    RETURNING tenant_id, part_id
), moved AS (
    UPDATE parts SET state = 'sending' FROM attempt WHERE parts.id = attempt.part_id
    RETURNING parts.tenant_id, parts.post_id, parts.position
)
INSERT INTO events (tenant_id, post_id, position, at, code, detail, from_state, to_state, actor)
SELECT tenant_id, post_id, position, %(at)s, 'part.attempt_assumed', %(detail)s::jsonb,
       %(from_state)s, 'sending', %(actor)s
FROM moved
