-- Advisory locks, and the sessions that hold them.

-- name: ask_locks
-- Take locks, give them back, or hear that their session lives: each row in its turn, from left to
-- right. Of an account given back: whether it has posts that could be taken up, seen after that.
SELECT pg_backend_pid(),
       coalesce(CASE a.what WHEN 'take' THEN pg_try_advisory_lock(a.kind, a.key)
                            WHEN 'give' THEN pg_advisory_unlock(a.kind, a.key) END, false),
       CASE WHEN a.what = 'give' AND a.account IS NOT NULL
            THEN has_publishing(a.account, a.besides) ELSE false END
FROM json_to_recordset(%(questions)s) AS a
    (what text, kind int, key int, account bigint, besides bigint[])

-- name: give_sign
-- Whose session it is, and that its process lives, told by the session's name.
SELECT set_config('application_name', concat_ws(' ', 'roost',
       floor(extract(epoch FROM clock_timestamp()))::bigint, %(who)s::text), false)

-- name: silent_senders
-- Accounts that a session keeps whose process has given no sign of life lately: who, and which.
SELECT l.objid::bigint AS key, sign[2] AS who
FROM pg_locks l
JOIN pg_stat_activity a ON a.pid = l.pid
CROSS JOIN LATERAL regexp_match(a.application_name, '^roost (\d+) (.*)$') AS sign
WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %(sender)s
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND to_timestamp(sign[1]::bigint) < clock_timestamp() - %(within)s::interval
ORDER BY who, key

-- name: list_worker_names
-- Workers whose locks' session is open here, by the names of their sessions (63 bytes at most).
SELECT sign[1] AS name
FROM pg_stat_activity a
CROSS JOIN LATERAL regexp_match(a.application_name, '^roost \d+ worker (.*)$') AS sign
WHERE a.datname = current_database() AND sign[1] IS NOT NULL

-- name: wait_briefly_for_locks
-- Shorter than any sensible deadlock_timeout, so that this transaction gives way and no other.
SELECT set_config('lock_timeout', '100ms', true)
