-- Alerts: problems that an operator must act on.

-- name: open_alert
-- Opens an alert. Returns no row if an alert of the same kind and subject is open already.
INSERT INTO alerts (tenant_id, kind, subject_type, subject_id, detail, raised_at)
VALUES (%(tenant)s, %(kind)s, %(subject_type)s, %(subject_id)s, %(detail)s::jsonb, %(at)s)
ON CONFLICT (coalesce(tenant_id, 0), kind, subject_type, subject_id) WHERE ended_at IS NULL
DO NOTHING RETURNING id

-- name: resolve_alert
-- Resolves the open alert of a kind and subject. Returns no row if there is no such alert.
UPDATE alerts SET ended_at = %(at)s
WHERE kind = %(kind)s AND subject_type = %(subject_type)s AND subject_id = %(subject_id)s
  AND ended_at IS NULL
  AND tenant_id IS NOT DISTINCT FROM %(tenant)s RETURNING id

-- name: list_open_alerts
-- The open alerts that concern the current tenant or all tenants, oldest first.
SELECT kind, subject_type, subject_id, raised_at, detail, ended_at FROM alerts
WHERE ended_at IS NULL ORDER BY raised_at, id
