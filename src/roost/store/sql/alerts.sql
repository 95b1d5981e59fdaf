-- What an operator must act on.

-- name: raise_alarm
-- One open alarm a kind and subject.
INSERT INTO alarms (tenant_id, kind, subject, raised_at, message, next)
VALUES (%(tenant)s, %(kind)s, %(subject)s, %(at)s, %(message)s, %(next)s)
ON CONFLICT (coalesce(tenant_id, 0), kind, subject) WHERE ended_at IS NULL DO NOTHING RETURNING id

-- name: end_alarm
-- Its cause is gone.
UPDATE alarms SET ended_at = %(at)s
WHERE kind = %(kind)s AND subject = %(subject)s AND ended_at IS NULL
  AND tenant_id IS NOT DISTINCT FROM %(tenant)s RETURNING id

-- name: list_alarms
-- Open alarms, oldest first: the tenant's in sight, and everybody's.
SELECT kind, subject, raised_at, message, next, ended_at FROM alarms
WHERE ended_at IS NULL ORDER BY raised_at, id
