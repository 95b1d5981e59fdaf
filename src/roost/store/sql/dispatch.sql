-- Dispatch: adds jobs for what is due. functions.sql describes the functions.

-- name: announce_due
-- Wakes the dispatchers when the transaction commits, because something may be due earlier than the
-- dispatchers expect.
SELECT pg_notify('roost_due', '')

-- name: dispatch_due
-- Queues what is due, and returns when to dispatch next: now, if something due is left in the
-- tables. A post is due by the worker's clock and, if domain time is wall time, also by the
-- database's clock.
SELECT p.queued + m.queued + a.queued + r.queued AS queued,
       CASE WHEN p.more OR m.more OR a.more OR r.more THEN %(at)s ELSE next_due(n.at) END AS next_at
FROM (SELECT CASE WHEN %(is_wall_time)s THEN least(%(at)s, clock_timestamp()) ELSE %(at)s END
             AS at) AS n,
     queue_due_posts(n.at, %(max_posts)s, %(environment)s) AS p,
     queue_preparations(%(at)s, %(max_others)s, %(environment)s) AS m,
     queue_due_accounts(%(at)s, %(leased_until)s, %(max_others)s, %(environment)s) AS a,
     queue_due_reports(%(at)s, %(leased_until)s, %(max_others)s, %(environment)s) AS r

-- name: dispatch_stranded
-- Queues publishing posts that have no job.
SELECT queue_stranded_posts(%(at_most)s, %(environment)s) AS queued

-- name: get_oldest_due_at
-- The instant at which the oldest due post should have been published; NULL: no post is due.
SELECT oldest_due_post(%(at)s, %(environment)s) AS at

-- name: count_live_workers
-- How many worker processes have sent a heartbeat in the last `within`. A worker has one session
-- for its locks, whose name has the time of the heartbeat (`name_session`). The session of a killed
-- worker ends with the process. That of a worker that has stopped may exist for a moment longer,
-- but the worker has removed its job engines before.
SELECT least(
    (SELECT count(*)
     FROM pg_stat_activity a
     CROSS JOIN LATERAL regexp_match(a.application_name, '^roost (\d+) ') AS name_parts
     WHERE a.datname = current_database()
       AND to_timestamp(name_parts[1]::bigint) > clock_timestamp() - %(within)s::interval),
    (SELECT count(*) FROM procrastinate_workers
     WHERE last_heartbeat > clock_timestamp() - %(within)s::interval)) AS n
