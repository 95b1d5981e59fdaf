-- The identity of this database, and what workers have recorded about it.

-- name: read_watermark
-- The facts that distinguish this database from a copy or an older state of it, and its newest
-- event.
SELECT *, pg_postmaster_start_time() AS server_started_at FROM read_watermark()

-- name: read_wall_clock
-- The wall time by the database's clock.
SELECT clock_timestamp() AS at

-- name: has_event
-- Whether this event exists.
SELECT has_event(%(event)s, %(tag)s) AS found

-- name: register_installation
-- Records the identity of this database, unless a worker has already recorded an identity.
UPDATE installation SET system_identifier = %(system_identifier)s, database_oid = %(database_oid)s
WHERE system_identifier IS NULL

-- name: accept_database
-- Records that a person accepts this database as the real one, although it may lack events. Parts
-- of posts that are due by `until` are searched for on X before their first attempt.
UPDATE installation SET system_identifier = %(system_identifier)s, database_oid = %(database_oid)s,
    generation = generation + 1, generation_tag = floor(random() * 2147483647)::int,
    recheck_since = %(since)s, recheck_until = %(until)s

-- name: record_heartbeat
-- Records a worker's heartbeat, if the database still matches the worker's watermark.
UPDATE installation SET alive_at = clock_timestamp(), clean_stop_tag = NULL, checked_at = %(at)s
WHERE left(pg_walfile_name(pg_current_wal_lsn()), 8) = %(timeline)s
  AND (%(event)s::bigint IS NULL OR has_event(%(event)s, %(tag)s))

-- name: record_clean_stop
-- Records that a worker stopped cleanly. The tag is computed from the watermark's file and the
-- start time of the database server, so that a later start can compare both.
UPDATE installation SET clean_stop_tag = %(tag)s

-- name: begin_recheck
-- Requests that parts of posts that are due by `until` are searched for on X before their first
-- attempt. If a search until a later instant is already requested, that instant stays.
UPDATE installation SET
    recheck_since = CASE WHEN recheck_until > %(until)s THEN least(recheck_since, %(since)s)
                    ELSE %(since)s END,
    recheck_until = greatest(recheck_until, %(until)s)
