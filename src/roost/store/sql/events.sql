-- The history of posts, and the events of reports.

-- name: add_event
-- Adds one event to a post's history.
INSERT INTO events (tenant_id, post_id, position, at, code, detail, from_state, to_state, actor)
VALUES (%(tenant)s, %(post)s, %(position)s, %(at)s, %(code)s, %(detail)s::jsonb, %(from_state)s,
        %(to_state)s, %(actor)s)

-- name: add_report_event
-- Adds the event that a report is ready. A second event of the same report is refused.
INSERT INTO events (tenant_id, report_id, at, code, detail, actor)
VALUES (%(tenant)s, %(report)s, %(at)s, %(code)s, %(detail)s::jsonb, %(actor)s)

-- name: list_events
-- A post's history, oldest first: its own events, and the pauses of its account, of its tenant and
-- of everything. A pause is left out if it ended before the post's first event, or began after the
-- post was finished.
WITH own AS (
    SELECT id, at, post_id, position, code, detail, from_state, to_state, actor
    FROM events WHERE post_id = %(post)s
), span AS (
    SELECT p.id, p.tenant_id, p.integration_id, (SELECT min(own.id) FROM own) AS first,
           CASE WHEN p.state IN ('draft', 'scheduled', 'publishing') THEN NULL
                ELSE (SELECT max(own.id) FROM own) END AS last
    FROM posts p WHERE p.id = %(post)s
), pauses AS (
    SELECT l.*, s.id AS post_id, s.first,
           lead(l.id) OVER (PARTITION BY l.tenant_id, l.integration_id ORDER BY l.id) AS next
    FROM span s JOIN pause_log l
      ON l.tenant_id IS NULL
         OR (l.tenant_id = s.tenant_id
             AND (l.integration_id IS NULL OR l.integration_id = s.integration_id))
    WHERE s.last IS NULL OR l.id < s.last
)
SELECT at, post_id, position, code, detail, from_state, to_state, actor FROM (
    SELECT * FROM own
    UNION ALL
    SELECT id, at, post_id, NULL,
           CASE WHEN tenant_id IS NULL THEN 'everything' WHEN integration_id IS NULL THEN 'tenant'
                ELSE 'account' END || CASE WHEN paused THEN '.paused' ELSE '.resumed' END,
           detail, NULL, NULL, actor
    FROM pauses WHERE id > first OR (paused AND (next IS NULL OR next > first))
) AS lines ORDER BY id
