-- The history of posts.

-- name: add_event
-- One line of a post's history.
INSERT INTO events (tenant_id, post_id, position, at, before, after, why, who)
VALUES (%(tenant)s, %(post)s, %(position)s, %(at)s, %(before)s, %(after)s, %(why)s, %(who)s)

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
