-- Which database this is, and how far its history goes.

-- name: read_watermark
-- What distinguishes this database from a copy of it, and how far its history goes.
SELECT * FROM read_watermark()

-- name: read_wall_clock
-- The database's wall clock.
SELECT clock_timestamp() AS at

-- name: has_event
-- Whether the very event is there that was seen before.
SELECT has_event(%(event)s, %(tag)s) AS found

-- name: register_installation
-- The first worker says which database this is.
UPDATE installation SET system_identifier = %(system_identifier)s, database_oid = %(database_oid)s
WHERE system_identifier IS NULL

-- name: accept_database
-- A person has said that this database, with whatever it lacks, is the one to go on with.
-- Posts that are due by `until` are looked for on X then, before the first attempt of each part.
UPDATE installation SET system_identifier = %(system_identifier)s, database_oid = %(database_oid)s,
    generation = generation + 1, generation_tag = floor(random() * 2147483647)::int,
    recheck_since = %(since)s, recheck_until = %(until)s

-- name: mark_alive
-- A worker's heartbeat, where the database is still the one that it has compared.
UPDATE installation SET alive_at = clock_timestamp(), clean_stop_tag = NULL, checked_at = %(at)s
WHERE left(pg_walfile_name(pg_current_wal_lsn()), 8) = %(timeline)s
  AND (%(event)s::bigint IS NULL OR has_event(%(event)s, %(tag)s))

-- name: mark_clean_stop
-- A worker has ended in order; its ROOST_HOME has the same tag.
UPDATE installation SET clean_stop_tag = %(tag)s

-- name: begin_recheck
-- Posts that are due by now are looked for on X before their first attempt; a search that a resume
-- has asked for and that is still ahead stays as it is.
UPDATE installation SET
    recheck_since = CASE WHEN recheck_until > %(until)s THEN least(recheck_since, %(since)s)
                    ELSE %(since)s END,
    recheck_until = greatest(recheck_until, %(until)s)
