-- Metrics of accounts and posts at an instant.

-- name: ensure_snapshot_partitions
-- Creates the missing partitions of the month of `at`.
SELECT ensure_snapshot_partitions(%(at)s)

-- name: list_known_metrics
-- The last known value of each metric of some parts before an instant.
SELECT part_id,
       (array_agg(impressions ORDER BY at DESC) FILTER (WHERE impressions IS NOT NULL))[1]
           AS impressions,
       (array_agg(engagements ORDER BY at DESC) FILTER (WHERE engagements IS NOT NULL))[1]
           AS engagements,
       (array_agg(likes ORDER BY at DESC) FILTER (WHERE likes IS NOT NULL))[1] AS likes,
       (array_agg(replies ORDER BY at DESC) FILTER (WHERE replies IS NOT NULL))[1] AS replies,
       (array_agg(reposts ORDER BY at DESC) FILTER (WHERE reposts IS NOT NULL))[1] AS reposts,
       (array_agg(quotes ORDER BY at DESC) FILTER (WHERE quotes IS NOT NULL))[1] AS quotes,
       (array_agg(bookmarks ORDER BY at DESC) FILTER (WHERE bookmarks IS NOT NULL))[1]
           AS bookmarks,
       (array_agg(link_clicks ORDER BY at DESC) FILTER (WHERE link_clicks IS NOT NULL))[1]
           AS link_clicks,
       (array_agg(profile_clicks ORDER BY at DESC) FILTER (WHERE profile_clicks IS NOT NULL))[1]
           AS profile_clicks
FROM post_snapshots
WHERE integration_id = %(integration)s AND part_id = ANY(%(parts)s::bigint[])
  AND at < %(before)s
GROUP BY part_id

-- name: get_known_account_metrics
-- The last known value of each metric of an account before an instant.
SELECT (array_agg(followers ORDER BY at DESC) FILTER (WHERE followers IS NOT NULL))[1]
           AS followers,
       (array_agg(following ORDER BY at DESC) FILTER (WHERE following IS NOT NULL))[1]
           AS following,
       (array_agg(posts ORDER BY at DESC) FILTER (WHERE posts IS NOT NULL))[1] AS posts
FROM account_snapshots
WHERE integration_id = %(integration)s AND at < %(before)s

-- name: add_account_snapshot
-- Stores a snapshot of an account, unless the account has a snapshot of the same instant.
INSERT INTO account_snapshots (tenant_id, integration_id, at, followers, following, posts)
VALUES (%(tenant)s, %(integration)s, %(at)s, %(followers)s, %(following)s, %(posts)s)
ON CONFLICT DO NOTHING

-- name: add_post_snapshots
-- Stores snapshots of parts. A part that already has a snapshot of the same instant is skipped.
INSERT INTO post_snapshots
    (tenant_id, integration_id, part_id, at, impressions, engagements, likes, replies, reposts,
     quotes, bookmarks, link_clicks, profile_clicks)
SELECT %(tenant)s, integration_id, part_id, at, impressions, engagements, likes, replies, reposts,
       quotes, bookmarks, link_clicks, profile_clicks
FROM json_to_recordset(%(snapshots)s) AS s
    (integration_id bigint, part_id bigint, at timestamptz, impressions bigint, engagements bigint,
     likes bigint, replies bigint, reposts bigint, quotes bigint, bookmarks bigint,
     link_clicks bigint, profile_clicks bigint)
ON CONFLICT DO NOTHING

-- name: set_parts_read
-- Records when some parts were last read.
UPDATE parts SET read_at = %(at)s WHERE id = ANY(%(parts)s::bigint[])

-- name: list_sent_parts
-- The account's parts that were sent since an instant, oldest first.
SELECT id, sent_as, sent_at, read_at FROM parts
WHERE integration_id = %(integration)s AND state = 'sent' AND sent_at >= %(since)s
ORDER BY sent_at, id

-- name: list_account_snapshots
-- An account's snapshots in a period, oldest first.
SELECT integration_id, at, followers, following, posts FROM account_snapshots
WHERE integration_id = %(integration)s AND at >= %(since)s AND at < %(until)s ORDER BY at

-- name: find_last_account_snapshot
-- The last snapshot in a period of the account with this X user id.
SELECT s.integration_id, s.at, s.followers, s.following, s.posts
FROM account_snapshots s JOIN integrations i ON i.id = s.integration_id
WHERE i.metadata ->> 'userId' = %(x_user)s AND i.environment = %(environment)s
  AND s.at >= %(since)s AND s.at < %(until)s
ORDER BY s.at DESC LIMIT 1

-- name: list_post_snapshots
-- Snapshots of the account's parts in a period, sorted by part, then by time.
SELECT s.part_id, s.at, s.impressions, s.engagements, s.likes, s.replies, s.reposts, s.quotes,
       s.bookmarks, s.link_clicks, s.profile_clicks, p.sent_as, p.sent_at, p.text, p.post_id
FROM post_snapshots s JOIN parts p ON p.id = s.part_id
WHERE s.integration_id = %(integration)s AND s.at >= %(since)s AND s.at < %(until)s
ORDER BY s.part_id, s.at

-- name: count_snapshots
-- How many snapshots of accounts and parts the current tenant has.
SELECT (SELECT count(*) FROM account_snapshots) + (SELECT count(*) FROM post_snapshots) AS n
