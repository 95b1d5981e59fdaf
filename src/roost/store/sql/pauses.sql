-- Pauses of posts, accounts, tenants and everything.

-- name: lock_pauses
-- Wait for the attempts that are being committed, and let no other begin before the end of the
-- transaction: what is paused in it holds once it is acknowledged.
SELECT pg_advisory_xact_lock(21072, 0)

-- name: pause_post
-- Hold a post back, or let it go on.
UPDATE posts SET paused = %(paused)s WHERE id = %(post)s AND paused <> %(paused)s RETURNING state

-- name: pause_account
-- The same for all posts of an account, told in their histories.
WITH held AS (
    UPDATE integrations SET paused = %(paused)s WHERE id = %(integration)s AND paused <> %(paused)s
    RETURNING tenant_id, id
)
INSERT INTO holds (tenant_id, integration_id, at, paused, why, who)
SELECT tenant_id, id, %(at)s, %(paused)s, %(why)s, %(who)s FROM held

-- name: pause_tenant
-- The same for all posts of the tenant in sight.
WITH held AS (UPDATE tenants SET paused = %(paused)s WHERE paused <> %(paused)s RETURNING id)
INSERT INTO holds (tenant_id, at, paused, why, who)
SELECT id, %(at)s, %(paused)s, %(why)s, %(who)s FROM held

-- name: pause_everything
-- The stop switch, told in the histories of all posts.
WITH before AS (SELECT paused FROM stop_switch FOR UPDATE), held AS (
    UPDATE stop_switch SET paused = true, why = format('stopped by hand (%%s)', %(who)s::text)
)
INSERT INTO holds (at, paused, why, who)
SELECT %(at)s, true, 'everything was stopped by hand', %(who)s FROM before WHERE NOT paused

-- name: stop_after_restore
-- Everything stops: what was sent after an instant may be missing here. Whether it was not yet.
WITH before AS (SELECT paused, restored_to FROM stop_switch FOR UPDATE), held AS (
    UPDATE stop_switch SET paused = true, why = %(why)s, copied = copied OR %(copied)s,
           restored_to = least(coalesce(restored_to, %(to)s), %(to)s)
), told AS (
    INSERT INTO holds (at, paused, why, who)
    SELECT %(at)s, true, %(why)s, %(who)s FROM before WHERE NOT paused
)
SELECT NOT paused OR restored_to IS NULL AS is_new FROM before

-- name: go_on_with_everything
-- The stop switch is off, and a restore has been seen to.
WITH before AS (SELECT paused FROM stop_switch FOR UPDATE), held AS (
    UPDATE stop_switch SET paused = false, why = NULL, restored_to = NULL, copied = false
)
INSERT INTO holds (at, paused, why, who)
SELECT %(at)s, false, 'everything goes on', %(who)s FROM before WHERE paused

-- name: see_stop_switch
-- Whether everything is stopped, why, since when these tables may lack what was sent, and whether
-- they are a copy.
SELECT paused, why, restored_to, copied FROM stop_switch

-- name: see_holds
-- What holds posts back besides their own marks and their accounts': the tenant's in sight (if one
-- is), and the stop switch.
SELECT coalesce((SELECT paused FROM tenants), false) AS tenant, paused AS everything, why
FROM stop_switch
