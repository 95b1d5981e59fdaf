-- Back-offs and rate windows: how much X accepts.

-- name: rest_account
-- X takes no post of this account before then.
UPDATE integrations SET rest_until = %(until)s, rest_why = %(why)s, rests = rests + 1,
       backoff_counts_as_late = %(counts_as_late)s
WHERE id = %(integration)s

-- name: end_account_rest
-- X takes posts of the account again.
UPDATE integrations SET rests = 0, rest_until = NULL, rest_why = NULL
WHERE id = %(integration)s AND rests > 0

-- name: rest_app
-- X takes nothing of any account of this app before then.
INSERT INTO app_rests (client_id, environment, until, why)
VALUES (%(client_id)s, %(environment)s, %(until)s, %(why)s)
ON CONFLICT (client_id, environment) DO UPDATE SET until = excluded.until, why = excluded.why

-- name: end_app_rest
-- X takes the app's posts again.
DELETE FROM app_rests WHERE client_id = %(client_id)s AND environment = %(environment)s

-- name: end_idle_backoffs
-- Apps whose back-off is over and of which no post waits: their back-off has ended.
SELECT client_id FROM end_idle_backoffs(%(now)s, %(environment)s)

-- name: list_app_rests
-- Apps of which X takes nothing at present.
SELECT client_id, until, why FROM app_rests
WHERE environment = %(environment)s AND until > %(now)s ORDER BY until, client_id

-- name: keep_windows
-- How many creates X still takes of the account's user.
INSERT INTO rate_windows (environment, x_user_id, family, max_requests, remaining, resets_at)
SELECT i.environment, i.metadata ->> 'userId', w.family, w.max_requests, w.remaining, w.resets_at
FROM integrations i, json_to_recordset(%(windows)s) AS w
    (family text, max_requests int, remaining int, resets_at timestamptz)
WHERE i.id = %(integration)s
ON CONFLICT (environment, x_user_id, family) DO UPDATE
SET max_requests = excluded.max_requests, remaining = excluded.remaining,
    resets_at = excluded.resets_at
