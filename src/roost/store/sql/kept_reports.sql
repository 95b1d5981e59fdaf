-- Reports that were made, and the schedules that make reports.

-- name: lock_report_numbers
-- Makes other transactions that add a report of the tenant wait until this one ends. The lock's
-- first key is any number that no other lock has.
SELECT pg_advisory_xact_lock(%(kind)s, %(tenant)s)

-- name: add_report
-- Adds a report with the tenant's next number, unless the schedule has made one for the period.
INSERT INTO reports
    (tenant_id, number, first_day, last_day, options, document, narratives, made_at, made_by,
     schedule_id, skipped)
SELECT %(tenant)s, 1 + coalesce((SELECT max(number) FROM reports WHERE tenant_id = %(tenant)s), 0),
       %(first)s, %(last)s, %(options)s::jsonb, %(document)s, %(narratives)s::jsonb, %(at)s,
       %(actor)s, %(schedule)s, %(skipped)s::date[]
ON CONFLICT (schedule_id, first_day) DO NOTHING
RETURNING id, number

-- name: list_reports
-- The current tenant's reports, or one of them, without their documents, the newest first.
SELECT id, number, first_day, last_day, options, made_at, made_by, schedule_id, skipped,
       narratives
FROM reports WHERE %(number)s::int IS NULL OR number = %(number)s
ORDER BY number DESC LIMIT %(at_most)s

-- name: get_report_document
-- The document of a report.
SELECT document FROM reports WHERE id = %(report)s

-- name: add_report_schedule
-- Adds a schedule.
INSERT INTO report_schedules
    (tenant_id, environment, cadence, day, local_time, options, next_at, due_at, created_at,
     created_by)
VALUES (%(tenant)s, %(environment)s, %(cadence)s, %(day)s, %(local_time)s, %(options)s::jsonb,
        %(next_at)s, %(next_at)s, %(at)s, %(actor)s)
RETURNING id

-- name: list_report_schedules
-- The current tenant's schedules, or one of them, in the order in which they were added.
SELECT id, environment, cadence, day, local_time, options, next_at, failure, created_at, created_by
FROM report_schedules
WHERE removed_at IS NULL AND (%(schedule)s::bigint IS NULL OR id = %(schedule)s)
ORDER BY id

-- name: lock_report_schedule
-- Locks a schedule against other changes until the transaction ends.
SELECT next_at FROM report_schedules
WHERE id = %(schedule)s AND removed_at IS NULL FOR UPDATE

-- name: set_next_report
-- Plans the next report of a schedule, which must be locked.
UPDATE report_schedules SET next_at = %(next_at)s, due_at = %(due_at)s, failure = %(failure)s
WHERE id = %(schedule)s

-- name: remove_report_schedule
-- Ends a schedule.
UPDATE report_schedules SET removed_at = %(at)s
WHERE id = %(schedule)s AND removed_at IS NULL RETURNING id
