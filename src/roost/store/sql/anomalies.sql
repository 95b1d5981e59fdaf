-- Anomalies: unusual values of metrics.

-- name: add_anomaly
-- Stores an anomaly. Returns no row if the account already has an anomaly of that metric and day.
INSERT INTO anomalies (tenant_id, integration_id, metric, day, score, observed, expected, message,
                       raised_at)
VALUES (%(tenant)s, %(integration)s, %(metric)s, %(day)s, %(score)s, %(observed)s, %(expected)s,
        %(message)s, %(at)s)
ON CONFLICT (integration_id, metric, day) DO NOTHING RETURNING id

-- name: list_anomalies
-- The current tenant's anomalies in order of days, for one account or for all.
SELECT integration_id, metric, day, score, observed, expected, message FROM anomalies
WHERE %(integration)s::bigint IS NULL OR integration_id = %(integration)s
ORDER BY day, id
