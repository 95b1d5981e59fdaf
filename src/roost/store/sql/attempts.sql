-- The path of a part through publishing.

-- name: take_up_post
-- One post, or else the account's post on its way that is next in due order and does not wait: its
-- whole journal and its account's grant in one row.
SELECT * FROM take_up_post(
    tenant => %(tenant)s, post => %(post)s, integration => %(integration)s, besides => %(besides)s)

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

-- name: decide_absent
-- A person has looked: X does not have what this attempt sent.
UPDATE attempts SET decided_absent = true WHERE id = %(attempt)s

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
