-- Advisory locks, and the sessions that hold them.

-- name: run_lock_requests
-- Runs lock requests: `acquire`, `release`, or `check`, which only shows that the session is still
-- open. Returns one row per request, in order. For a release with an account, `has_ready_posts` is
-- read after the release.
SELECT pg_backend_pid(),
       coalesce(CASE a.action WHEN 'acquire' THEN pg_try_advisory_lock(a.kind, a.key)
                              WHEN 'release' THEN pg_advisory_unlock(a.kind, a.key) END, false),
       CASE WHEN a.action = 'release' AND a.account IS NOT NULL
            THEN has_ready_posts(a.account, a.excluding) ELSE false END AS has_ready_posts
FROM json_to_recordset(%(requests)s) AS a
    (action text, kind int, key int, account bigint, excluding bigint[])

-- name: name_session
-- Writes the worker's name and the wall time of this heartbeat into the session's
-- `application_name`.
SELECT set_config('application_name', concat_ws(' ', 'roost',
       floor(extract(epoch FROM clock_timestamp()))::bigint, %(worker)s::text), false)

-- name: list_stale_holders
-- The key and the worker of each account lock whose session sent no heartbeat in the last `within`.
SELECT l.objid::bigint AS key, name_parts[2] AS worker
FROM pg_locks l
JOIN pg_stat_activity a ON a.pid = l.pid
CROSS JOIN LATERAL regexp_match(a.application_name, '^roost (\d+) (.*)$') AS name_parts
WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %(lock_kind)s
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND to_timestamp(name_parts[1]::bigint) < clock_timestamp() - %(within)s::interval
ORDER BY worker, key

-- name: list_worker_names
-- The names of workers whose lock session is open. PostgreSQL truncates a session's name to 63
-- bytes.
SELECT name_parts[1] AS name
FROM pg_stat_activity a
CROSS JOIN LATERAL regexp_match(a.application_name, '^roost \d+ worker (.*)$') AS name_parts
WHERE a.datname = current_database() AND name_parts[1] IS NOT NULL

-- name: set_lock_timeout
-- Sets the lock timeout of this transaction to 100 ms. This is less than any sensible
-- deadlock_timeout, so that in a deadlock this transaction fails and no other.
SELECT set_config('lock_timeout', '100ms', true)
