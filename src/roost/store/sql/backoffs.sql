-- Back-offs, and the rate windows in which X limits the number of posts.

-- name: back_off_account
-- Starts a back-off: no post of the account is sent before an instant.
UPDATE integrations SET backoff_until = %(until)s, backoff_reason = %(reason)s::jsonb,
       consecutive_refusals = consecutive_refusals + 1,
       backoff_counts_as_late = %(counts_as_late)s
WHERE id = %(integration)s

-- name: end_account_backoff
-- Ends the account's back-off: X accepts its posts again.
UPDATE integrations SET consecutive_refusals = 0, backoff_until = NULL, backoff_reason = NULL
WHERE id = %(integration)s AND consecutive_refusals > 0

-- name: back_off_app
-- Starts a back-off: no post of any account of this X app is sent before an instant.
INSERT INTO app_backoffs (client_id, environment, until, reason)
VALUES (%(client_id)s, %(environment)s, %(until)s, %(reason)s::jsonb)
ON CONFLICT (client_id, environment) DO UPDATE SET until = excluded.until, reason = excluded.reason

-- name: end_app_backoff
-- Ends the app's back-off: X accepts its posts again.
DELETE FROM app_backoffs WHERE client_id = %(client_id)s AND environment = %(environment)s

-- name: delete_expired_backoffs
-- Deletes back-offs that are over, of apps without a publishing post. Returns the apps' client ids.
SELECT client_id FROM delete_expired_backoffs(%(at)s, %(environment)s)

-- name: list_app_backoffs
-- The X apps whose back-off is not over.
SELECT client_id, until, reason FROM app_backoffs
WHERE environment = %(environment)s AND until > %(at)s ORDER BY until, client_id

-- name: save_rate_windows
-- Stores how many posts X still accepts from the X user of the account.
INSERT INTO rate_windows (environment, x_user_id, family, max_requests, remaining, resets_at)
SELECT i.environment, i.metadata ->> 'userId', w.family, w.max_requests, w.remaining, w.resets_at
FROM integrations i, json_to_recordset(%(windows)s) AS w
    (family text, max_requests int, remaining int, resets_at timestamptz)
WHERE i.id = %(integration)s
ON CONFLICT (environment, x_user_id, family) DO UPDATE
SET max_requests = excluded.max_requests, remaining = excluded.remaining,
    resets_at = excluded.resets_at
