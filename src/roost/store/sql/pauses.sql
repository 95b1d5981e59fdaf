-- Pauses of posts, accounts, tenants and everything.

-- name: lock_pauses
-- Waits for attempts that are being committed, and blocks new ones until the transaction ends. So
-- a pause is in force once it is acknowledged.
SELECT pg_advisory_xact_lock(21072, 0)

-- name: set_post_paused
-- Pauses or resumes a post; no row where it is so already.
UPDATE posts SET paused = %(paused)s WHERE id = %(post)s AND paused <> %(paused)s RETURNING state

-- name: set_account_paused
-- Pauses or resumes all posts of an account, and logs it where that changes something.
WITH changed AS (
    UPDATE integrations SET paused = %(paused)s WHERE id = %(integration)s AND paused <> %(paused)s
    RETURNING tenant_id, id
)
INSERT INTO pause_log (tenant_id, integration_id, at, paused, detail, actor)
SELECT tenant_id, id, %(at)s, %(paused)s, %(detail)s::jsonb, %(actor)s FROM changed

-- name: set_tenant_paused
-- Pauses or resumes all posts of the current tenant, and logs it where that changes something.
WITH changed AS (UPDATE tenants SET paused = %(paused)s WHERE paused <> %(paused)s RETURNING id)
INSERT INTO pause_log (tenant_id, at, paused, actor)
SELECT id, %(at)s, %(paused)s, %(actor)s FROM changed

-- name: pause_everything
-- Pauses all posts of all tenants, and logs it where that changes something.
WITH before AS (SELECT paused FROM global_pause FOR UPDATE), changed AS (
    UPDATE global_pause SET paused = true, reason = %(reason)s::jsonb
)
INSERT INTO pause_log (at, paused, actor)
SELECT %(at)s, true, %(actor)s FROM before WHERE NOT paused

-- name: pause_after_restore
-- Pauses all posts of all tenants, since what was sent after an instant may be missing here.
-- `is_new`: no pause after a restore was in force.
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
-- Ends the pause of all tenants and what a restore has set, and logs it.
WITH before AS (SELECT paused FROM global_pause FOR UPDATE), changed AS (
    UPDATE global_pause SET paused = false, reason = NULL, restored_to = NULL, copied = false
)
INSERT INTO pause_log (at, paused, actor)
SELECT %(at)s, false, %(actor)s FROM before WHERE paused

-- name: get_global_pause
-- Whether everything is paused and why, the instant after which these tables may lack what was
-- sent, and whether they are a copy.
SELECT paused, reason, restored_to, copied FROM global_pause

-- name: get_pauses
-- The pauses of the current tenant, where there is one, and of everything.
SELECT coalesce((SELECT paused FROM tenants), false) AS tenant, paused AS everything, reason
FROM global_pause
