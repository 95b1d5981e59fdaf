-- What the oracle of the report reads from the tables. The parameters are `accounts` (ids), `zone`,
-- and `first` and `last` (the days of a period). {metric} is the name of a column.
--
-- A snapshot belongs to the day whose end is nearest, so from noon to noon. The snapshot of a day
-- that is nearest to the end of the day is the closing snapshot of the day.

-- name: closings
-- Each part's value at the end of each day with a closing snapshot, and the value before: that of
-- the preceding closing snapshot, or 0 at the end of the day before the part was sent.
SELECT part_id, day, value,
       coalesce(lag(day) OVER each_part, began_day) AS before_day,
       coalesce(lag(value) OVER each_part, 0) AS before_value
FROM (
    SELECT DISTINCT ON (s.part_id, d.day)
           s.part_id, d.day, s.{metric} AS value, b.began_day
    FROM post_snapshots s
    JOIN parts p ON p.id = s.part_id,
    LATERAL (SELECT (p.sent_at AT TIME ZONE %(zone)s)::date AS sent_day) AS o,
    LATERAL (SELECT (sent_day + 1)::timestamp AT TIME ZONE %(zone)s AS sent_day_ends) AS o2,
    -- The read that closes the day on which the part was sent.
    LATERAL (SELECT each_read.read_at FROM generate_series(-1, 0) AS n,
             LATERAL (SELECT ((sent_day_ends AT TIME ZONE 'UTC')::date + n + time '23:30')
                             AT TIME ZONE 'UTC' AS read_at) AS each_read
             ORDER BY abs(extract(epoch FROM each_read.read_at - sent_day_ends)) LIMIT 1) AS r,
    LATERAL (SELECT CASE WHEN p.sent_at < r.read_at THEN sent_day - 1 ELSE sent_day END
                    AS began_day) AS b,
    LATERAL (SELECT ((s.at + interval '12 hours') AT TIME ZONE %(zone)s)::date - 1 AS day) AS d,
    LATERAL (SELECT (d.day + 1)::timestamp AT TIME ZONE %(zone)s AS ends) AS e
    WHERE s.integration_id = ANY(%(accounts)s) AND s.{metric} IS NOT NULL {condition}
      AND d.day >= o.sent_day
    ORDER BY s.part_id, d.day, abs(extract(epoch FROM s.at - e.ends)), s.at DESC
) AS closing
WINDOW each_part AS (PARTITION BY part_id ORDER BY day)
ORDER BY part_id, day

-- name: followers
-- The followers of each account at the end of each day with a closing snapshot.
SELECT DISTINCT ON (s.integration_id, d.day) s.integration_id, d.day, s.followers
FROM account_snapshots s,
LATERAL (SELECT ((s.at + interval '12 hours') AT TIME ZONE %(zone)s)::date - 1 AS day) AS d,
LATERAL (SELECT (d.day + 1)::timestamp AT TIME ZONE %(zone)s AS ends) AS e
WHERE s.integration_id = ANY(%(accounts)s) AND s.followers IS NOT NULL
ORDER BY s.integration_id, d.day, abs(extract(epoch FROM s.at - e.ends)), s.at DESC

-- name: posts
-- The posts whose first part was sent in a period, with the sums over their parts as known at the
-- end of the last day. A sum is NULL if the metric of one part is not known.
SELECT p.id, p.integration_id, first_part.sent_at,
       (first_part.sent_at AT TIME ZONE %(zone)s)::date AS day,
       extract(isodow FROM first_part.sent_at AT TIME ZONE %(zone)s)::int - 1 AS weekday,
       extract(hour FROM first_part.sent_at AT TIME ZONE %(zone)s)::int AS hour,
       t.*
FROM posts p
JOIN parts first_part
  ON first_part.post_id = p.id AND first_part.position = 1 AND first_part.state = 'sent',
LATERAL (
    SELECT count(*) AS parts, bool_or(k.reads > 0) AS is_read, {sums}
    FROM parts each_part,
    LATERAL (
        SELECT count(*) AS reads, {values}
        FROM post_snapshots s
        WHERE s.part_id = each_part.id
          AND ((s.at + interval '12 hours') AT TIME ZONE %(zone)s)::date - 1 <= %(last)s
    ) AS k
    WHERE each_part.post_id = p.id AND each_part.state = 'sent'
) AS t
WHERE p.integration_id = ANY(%(accounts)s)
  AND first_part.sent_at >= (%(first)s::date::timestamp AT TIME ZONE %(zone)s)
  AND first_part.sent_at < ((%(last)s::date + 1)::timestamp AT TIME ZONE %(zone)s)
ORDER BY p.id

-- name: outcomes
-- How many posts that were due in a period were late, missed and failed.
SELECT count(*) FILTER (WHERE sent_at - coalesce(p.late_from, p.due_at) > interval '2 minutes')
           AS late,
       count(*) FILTER (WHERE p.state = 'missed') AS missed,
       count(*) FILTER (WHERE EXISTS (SELECT FROM parts f
                                      WHERE f.post_id = p.id AND f.state = 'failed')) AS failed
FROM posts p
LEFT JOIN LATERAL (SELECT min(f.sent_at) AS sent_at FROM parts f
                   WHERE f.post_id = p.id AND f.state = 'sent') AS s ON true
WHERE p.integration_id = ANY(%(accounts)s)
  AND p.due_at >= (%(first)s::date::timestamp AT TIME ZONE %(zone)s)
  AND p.due_at < ((%(last)s::date + 1)::timestamp AT TIME ZONE %(zone)s)

-- name: spending
-- What X billed in a period, by kind. Only a tenant has requests of no account.
SELECT CASE WHEN operation IN ('create_post', 'delete_post') THEN 'posts'
            WHEN operation LIKE 'media\_%%' THEN 'media'
            WHEN operation IN ('read_posts', 'read_timeline', 'read_post_analytics',
                               'read_media_analytics') THEN 'post_reads'
            WHEN operation = 'read_user' THEN 'account_reads'
            ELSE 'other' END AS kind,
       sum(usd)
FROM ledger
WHERE tenant_id = %(tenant)s
  AND (integration_id = ANY(%(accounts)s) OR (integration_id IS NULL AND %(is_tenant)s))
  AND at >= (%(first)s::date::timestamp AT TIME ZONE %(zone)s)
  AND at < ((%(last)s::date + 1)::timestamp AT TIME ZONE %(zone)s)
GROUP BY 1

-- name: daily_parts
-- The parts that are read daily at the planned read nearest to the end of each day: those that were
-- sent on the day or before, earlier than that read, and less than 30 days (less five minutes)
-- before it. The reads are planned at 23:30 UTC.
SELECT d.day, p.id AS part_id
FROM (
    SELECT DISTINCT ON (day) day, ends, read_at
    FROM (SELECT n::date AS day, (n::date + 1)::timestamp AT TIME ZONE %(zone)s AS ends
          FROM generate_series((SELECT min(sent_at)::date - 1 FROM parts
                                WHERE integration_id = ANY(%(accounts)s)),
                               '{now}'::date + 1, interval '1 day') AS n) AS each_day,
         generate_series(-1, 0) AS n,
    LATERAL (SELECT ((ends AT TIME ZONE 'UTC')::date + n + time '23:30') AT TIME ZONE 'UTC'
                 AS read_at) AS r
    ORDER BY day, abs(extract(epoch FROM read_at - ends))
) AS d
JOIN parts p ON p.sent_at < d.ends AND p.sent_at < d.read_at
            AND d.read_at - p.sent_at < interval '30 days' - interval '5 minutes'
WHERE p.integration_id = ANY(%(accounts)s) AND p.state = 'sent'
  AND greatest(d.ends, d.read_at) <= '{now}'

-- name: history
-- The sent parts of posts whose first part was sent in a period, with their properties.
SELECT p.id, p.post_id, p.integration_id, p.position, p.sent_at, p.text,
       p.reply_to IS NOT NULL AS is_reply, p.quote_of IS NOT NULL AS is_quote,
       p.poll_options IS NOT NULL AS has_poll,
       ARRAY(SELECT m.kind FROM media_assets m WHERE m.part_id = p.id) AS media
FROM parts p JOIN parts f ON f.post_id = p.post_id AND f.position = 1 AND f.state = 'sent'
WHERE p.integration_id = ANY(%(accounts)s) AND p.state = 'sent'
  AND f.sent_at >= (%(first)s::date::timestamp AT TIME ZONE %(zone)s)
  AND f.sent_at < ((%(last)s::date + 1)::timestamp AT TIME ZONE %(zone)s)
ORDER BY p.post_id, p.position

-- name: series
-- The snapshots of some parts until the end of the last day.
SELECT s.* FROM post_snapshots s
WHERE s.part_id = ANY(%(parts)s)
  AND ((s.at + interval '12 hours') AT TIME ZONE %(zone)s)::date - 1 <= %(last)s
ORDER BY s.part_id, s.at

-- name: read_days
-- The days with a closing snapshot of any part.
SELECT DISTINCT ((s.at + interval '12 hours') AT TIME ZONE %(zone)s)::date - 1 AS day
FROM post_snapshots s WHERE s.integration_id = ANY(%(accounts)s)

-- name: evening_parts
-- The parts that were sent after the read that closes the day of sending. Their gain on that day is
-- known, and is 0.
SELECT part_id, sent_day AS day
FROM (
    SELECT DISTINCT ON (p.id) p.id AS part_id, sent_day, sent_at, r.read_at
    FROM parts p,
    LATERAL (SELECT (p.sent_at AT TIME ZONE %(zone)s)::date AS sent_day) AS o,
    LATERAL (SELECT (sent_day + 1)::timestamp AT TIME ZONE %(zone)s AS ends) AS e,
         generate_series(-1, 0) AS n,
    LATERAL (SELECT ((ends AT TIME ZONE 'UTC')::date + n + time '23:30') AT TIME ZONE 'UTC'
                 AS read_at) AS r
    WHERE p.integration_id = ANY(%(accounts)s) AND p.state = 'sent'
    ORDER BY p.id, abs(extract(epoch FROM r.read_at - ends))
) AS sent
WHERE sent_at > read_at

-- name: lifetime
-- The difference of all parts' lifetime values between the ends of two days. The value of a day is
-- that of its closing snapshot, or of the closing snapshot of an earlier day; before, it is 0.
SELECT coalesce(sum(until - since), 0)::bigint AS difference
FROM (
    SELECT coalesce((array_agg(value ORDER BY day DESC))[1], 0) AS until,
           coalesce((array_agg(value ORDER BY day DESC) FILTER (WHERE day <= %(before)s))[1], 0)
               AS since
    FROM (
        SELECT DISTINCT ON (s.part_id, d.day) s.part_id, d.day, s.{metric} AS value
        FROM post_snapshots s JOIN parts p ON p.id = s.part_id,
        LATERAL (SELECT ((s.at + interval '12 hours') AT TIME ZONE %(zone)s)::date - 1 AS day) AS d,
        LATERAL (SELECT (d.day + 1)::timestamp AT TIME ZONE %(zone)s AS ends) AS e
        WHERE s.integration_id = ANY(%(accounts)s) AND s.{metric} IS NOT NULL
          AND d.day <= %(last)s AND d.day >= (p.sent_at AT TIME ZONE %(zone)s)::date
        ORDER BY s.part_id, d.day, abs(extract(epoch FROM s.at - e.ends)), s.at DESC
    ) AS closing
    GROUP BY part_id
) AS each_part
