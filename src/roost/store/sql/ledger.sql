-- The ledger: requests to X and their prices.

-- name: add_ledger_entry
-- Adds one request to the ledger.
INSERT INTO ledger (tenant_id, integration_id, at, operation, status, usd, reason)
VALUES (%(tenant)s, %(integration)s, %(at)s, %(operation)s, %(status)s, %(usd)s, %(reason)s)

-- name: delete_old_billed_reads
-- Deletes the app's records of reads before a day.
DELETE FROM billed_reads WHERE client_id = %(client_id)s AND day < %(before)s

-- name: add_billed_reads
-- Records reads of an app. Returns a row for each resource that the app had not read on this day,
-- because X bills only these reads.
INSERT INTO billed_reads (client_id, resource, resource_id, day)
SELECT %(client_id)s, %(resource)s, resource_id, %(day)s
FROM unnest(%(ids)s::text[]) AS resource_id
ON CONFLICT DO NOTHING RETURNING resource_id

-- name: get_ledger_total
-- The number and the price (USD) of the current tenant's requests in a period, for one account or
-- all.
SELECT count(*) AS requests, coalesce(sum(usd), 0) AS usd FROM ledger
WHERE (%(integration)s::bigint IS NULL OR integration_id = %(integration)s)
  AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR at < %(until)s)
