-- Metrics of accounts and posts at an instant.

-- name: ensure_snapshot_partitions
-- Creates the partitions of a month, where they are missing.
SELECT ensure_snapshot_partitions(%(at)s)

-- name: list_known_metrics
-- The last value of each metric of some parts before an instant.
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
-- The last value of each metric of an account before an instant.
SELECT (array_agg(followers ORDER BY at DESC) FILTER (WHERE followers IS NOT NULL))[1]
           AS followers,
       (array_agg(following ORDER BY at DESC) FILTER (WHERE following IS NOT NULL))[1]
           AS following,
       (array_agg(posts ORDER BY at DESC) FILTER (WHERE posts IS NOT NULL))[1] AS posts
FROM account_snapshots
WHERE integration_id = %(integration)s AND at < %(before)s
