-- Advisory locks, and the sessions that hold them.

-- name: run_lock_requests
-- Acquires or releases locks, or only shows that the session lives: one row per request, in order.
-- `has_ready_posts`, of an account that is released: read after that.
SELECT pg_backend_pid(),
       coalesce(CASE a.action WHEN 'acquire' THEN pg_try_advisory_lock(a.kind, a.key)
                              WHEN 'release' THEN pg_advisory_unlock(a.kind, a.key) END, false),
       CASE WHEN a.action = 'release' AND a.account IS NOT NULL
            THEN has_ready_posts(a.account, a.excluding) ELSE false END AS has_ready_posts
FROM json_to_recordset(%(requests)s) AS a
    (action text, kind int, key int, account bigint, excluding bigint[])

-- name: name_session
-- Writes the worker's name and the wall time of its heartbeat into the session's name.
SELECT set_config('application_name', concat_ws(' ', 'roost',
       floor(extract(epoch FROM clock_timestamp()))::bigint, %(worker)s::text), false)

-- name: list_stale_holders
-- Locks of accounts whose session has had no heartbeat within a period: the key, and the worker.
SELECT l.objid::bigint AS key, name_parts[2] AS worker
FROM pg_locks l
JOIN pg_stat_activity a ON a.pid = l.pid
CROSS JOIN LATERAL regexp_match(a.application_name, '^roost (\d+) (.*)$') AS name_parts
WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %(lock_kind)s
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND to_timestamp(name_parts[1]::bigint) < clock_timestamp() - %(within)s::interval
ORDER BY worker, key

-- name: list_worker_names
-- Workers whose lock session is open, by the session's name (63 bytes at most).
SELECT name_parts[1] AS name
FROM pg_stat_activity a
CROSS JOIN LATERAL regexp_match(a.application_name, '^roost \d+ worker (.*)$') AS name_parts
WHERE a.datname = current_database() AND name_parts[1] IS NOT NULL

-- name: set_lock_timeout
-- Gives up waiting for a lock after 100 ms, which is less than any sensible deadlock_timeout: this
-- transaction then ends, and no other.
SELECT set_config('lock_timeout', '100ms', true)
