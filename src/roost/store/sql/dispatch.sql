-- Dispatch: what is due becomes jobs.

-- name: announce_due
-- Wake the dispatchers at commit: something became due earlier than they know.
SELECT pg_notify('roost_due', '')

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

-- name: dispatch_stranded
-- Posts on their way that no job carries get one again.
SELECT queue_stranded_posts(%(at_most)s, %(environment)s) AS queued

-- name: oldest_due_post
-- Since when the oldest late post should be out.
SELECT oldest_due_post(%(now)s, %(environment)s) AS at

-- name: live_workers
-- Workers that gave a sign of life lately.
SELECT count(*) AS n FROM procrastinate_workers
WHERE last_heartbeat > clock_timestamp() - %(within)s::interval
