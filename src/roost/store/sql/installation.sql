-- Which database this is, and what its workers have recorded in it.

-- name: read_watermark
-- What distinguishes this database from a copy of it, and its latest event.
SELECT *, pg_postmaster_start_time() AS server_started_at FROM read_watermark()

-- name: read_wall_clock
-- The database's wall clock.
SELECT clock_timestamp() AS at

-- name: has_event
-- Whether this event exists.
SELECT has_event(%(event)s, %(tag)s) AS found

-- name: register_installation
-- Records which database this is, unless a worker has recorded it before.
UPDATE installation SET system_identifier = %(system_identifier)s, database_oid = %(database_oid)s
WHERE system_identifier IS NULL

-- name: accept_database
-- Records that a person accepts this database with whatever it lacks. Parts of posts that are due
-- by `until` are searched for on X before their first attempt.
UPDATE installation SET system_identifier = %(system_identifier)s, database_oid = %(database_oid)s,
    generation = generation + 1, generation_tag = floor(random() * 2147483647)::int,
    recheck_since = %(since)s, recheck_until = %(until)s

-- name: record_heartbeat
-- Records a worker's heartbeat, where the database still matches the worker's watermark.
UPDATE installation SET alive_at = clock_timestamp(), clean_stop_tag = NULL, checked_at = %(at)s
WHERE left(pg_walfile_name(pg_current_wal_lsn()), 8) = %(timeline)s
  AND (%(event)s::bigint IS NULL OR has_event(%(event)s, %(tag)s))

-- name: record_clean_stop
-- Records that a worker stopped cleanly. The tag depends on the watermark's file and on the start
-- of the database server.
UPDATE installation SET clean_stop_tag = %(tag)s

-- name: begin_recheck
-- Lets parts of posts that are due by `until` be searched for on X before their first attempt. A
-- search that a resume has requested and that ends later stays as it is.
UPDATE installation SET
    recheck_since = CASE WHEN recheck_until > %(until)s THEN least(recheck_since, %(since)s)
                    ELSE %(since)s END,
    recheck_until = greatest(recheck_until, %(until)s)
