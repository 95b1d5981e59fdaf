-- What a report needs about one account, besides snapshots and anomalies.

-- name: list_report_parts
-- The account's parts that were sent in a period, with the properties by which a report groups
-- posts, oldest first.
SELECT p.id AS part_id, p.post_id, p.position, p.sent_as, p.sent_at, p.text,
       coalesce((SELECT array_agg(m.kind ORDER BY m.position) FROM media_assets m
                 WHERE m.part_id = p.id), '{}') AS media,
       p.poll_options IS NOT NULL AS has_poll,
       p.reply_to IS NOT NULL AS is_reply,
       p.quote_of IS NOT NULL AS is_quote
FROM parts p
WHERE p.integration_id = %(integration)s AND p.state = 'sent'
  AND p.sent_at >= %(since)s AND p.sent_at < %(until)s
ORDER BY p.sent_at, p.id

-- name: list_spending
-- What X billed per day of a time zone and kind of request, for one account, or for the requests of
-- no account if `integration` is NULL.
SELECT (at AT TIME ZONE %(zone)s)::date AS day, operation, sum(usd) AS usd
FROM ledger
WHERE integration_id IS NOT DISTINCT FROM %(integration)s
  AND at >= %(since)s AND at < %(until)s
GROUP BY 1, 2 ORDER BY 1, 2

-- name: list_outcomes
-- The states of the account's posts that were due in a period, and the delays of the sent ones.
SELECT p.due_at, p.state,
       (SELECT min(f.sent_at) FROM parts f WHERE f.post_id = p.id AND f.state = 'sent')
           - coalesce(p.late_from, p.due_at) AS delay
FROM posts p
WHERE p.integration_id = %(integration)s AND p.due_at >= %(since)s AND p.due_at < %(until)s
  AND p.state NOT IN ('draft', 'cancelled')
ORDER BY p.due_at, p.id
