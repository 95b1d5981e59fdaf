-- Pauses of posts, accounts, tenants and everything.

-- name: lock_pauses
-- Waits for attempts that are being committed, and blocks new attempts until the transaction ends.
-- So no attempt of a paused post commits after the pause has returned.
SELECT pg_advisory_xact_lock(21072, 0)

-- name: set_post_paused
-- Pauses or resumes a post. Returns no row if the post is already paused or not paused.
UPDATE posts SET paused = %(paused)s WHERE id = %(post)s AND paused <> %(paused)s RETURNING state

-- name: set_account_paused
-- Pauses or resumes all posts of an account, and logs the change if there is one.
WITH changed AS (
    UPDATE integrations SET paused = %(paused)s WHERE id = %(integration)s AND paused <> %(paused)s
    RETURNING tenant_id, id
)
INSERT INTO pause_log (tenant_id, integration_id, at, paused, detail, actor)
SELECT tenant_id, id, %(at)s, %(paused)s, %(detail)s::jsonb, %(actor)s FROM changed

-- name: set_tenant_paused
-- Pauses or resumes all posts of the current tenant, and logs the change if there is one.
WITH changed AS (UPDATE tenants SET paused = %(paused)s WHERE paused <> %(paused)s RETURNING id)
INSERT INTO pause_log (tenant_id, at, paused, actor)
SELECT id, %(at)s, %(paused)s, %(actor)s FROM changed

-- name: pause_everything
-- Pauses all posts of all tenants, and logs the pause unless everything was already paused.
WITH before AS (SELECT paused FROM global_pause FOR UPDATE), changed AS (
    UPDATE global_pause SET paused = true, reason = %(reason)s::jsonb
)
INSERT INTO pause_log (at, paused, actor)
SELECT %(at)s, true, %(actor)s FROM before WHERE NOT paused

-- name: pause_after_restore
-- Pauses all posts of all tenants, because the database may lack requests that were sent after
-- `restored_to`. `is_new`: no pause after a restore was active before.
WITH before AS (SELECT paused, restored_to FROM global_pause FOR UPDATE), changed AS (
    UPDATE global_pause SET paused = true, reason = %(reason)s::jsonb,
           copied = copied OR %(copied)s,
           restored_to = least(coalesce(restored_to, %(restored_to)s), %(restored_to)s)
), logged AS (
    INSERT INTO pause_log (at, paused, detail, actor)
    SELECT %(at)s, true, jsonb_build_object('reason', %(reason)s::jsonb), %(actor)s
    FROM before WHERE NOT paused
)
SELECT NOT paused OR restored_to IS NULL AS is_new FROM before

-- name: resume_everything
-- Ends the pause of everything, clears `restored_to` and `copied`, and logs the end of the pause.
WITH before AS (SELECT paused FROM global_pause FOR UPDATE), changed AS (
    UPDATE global_pause SET paused = false, reason = NULL, restored_to = NULL, copied = false
)
INSERT INTO pause_log (at, paused, actor)
SELECT %(at)s, false, %(actor)s FROM before WHERE paused

-- name: get_global_pause
-- Whether everything is paused and why, the instant after which these tables may lack requests that
-- were sent, and whether the database is a copy.
SELECT paused, reason, restored_to, copied FROM global_pause

-- name: list_paused_posts
-- The current tenant's posts that are paused themselves and may still be published.
SELECT id FROM posts WHERE paused AND state = ANY(%(states)s) ORDER BY id LIMIT %(at_most)s

-- name: get_pauses
-- Whether the current tenant is paused (false without a tenant), and whether everything is paused.
SELECT coalesce((SELECT paused FROM tenants), false) AS tenant, paused AS everything, reason
FROM global_pause
