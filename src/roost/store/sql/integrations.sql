-- Connected accounts.

-- name: get_x_user_id
-- The X user id of an account; NULL: the tenant has no such account in this environment.
SELECT get_x_user_id(%(tenant)s, %(integration)s, %(environment)s) AS x_user_id

-- name: is_connected_elsewhere
-- Whether another tenant has connected this X user.
SELECT is_connected_elsewhere(%(environment)s, %(x_user)s) AS found

-- name: lock_connecting
-- Waits until no other transaction stores a connection of the same tenant. 21099 is 0x526B.
SELECT pg_advisory_xact_lock(21099, %(key)s::int)

-- name: lock_refresh
-- Waits until no other transaction refreshes the account's tokens. 21094 is 0x5266.
SELECT pg_advisory_xact_lock(21094, %(key)s::int)

-- name: find_integration
-- The current tenant's account with this X user id.
SELECT id FROM integrations
WHERE metadata ->> 'userId' = %(x_user)s AND environment = %(environment)s

-- name: next_integration_id
-- Reserves an id for a new account, because the tokens are encrypted with the id before the row is
-- stored.
SELECT nextval(pg_get_serial_sequence('roost.integrations', 'id')) AS id

-- name: upsert_integration
-- Stores a new connection of an account, and ends its back-off.
INSERT INTO integrations
    (id, tenant_id, environment, api_key, metadata, client_id, scopes, status, subscription_type,
     connected_at, collect_due_at)
VALUES (%(id)s, %(tenant)s, %(environment)s, %(api_key)s, %(metadata)s::jsonb, %(client_id)s,
        %(scopes)s, %(status)s, %(subscription_type)s, %(at)s, %(at)s)
ON CONFLICT (id) DO UPDATE
SET api_key = excluded.api_key, metadata = excluded.metadata, client_id = excluded.client_id,
    scopes = excluded.scopes, status = excluded.status,
    subscription_type = excluded.subscription_type, connected_at = excluded.connected_at,
    collect_due_at = excluded.collect_due_at, health = NULL, backoff_until = NULL,
    backoff_reason = NULL, consecutive_refusals = 0, backoff_counts_as_late = false
RETURNING *

-- name: get_integration
-- One account of the current tenant.
SELECT * FROM integrations WHERE id = %(integration)s

-- name: list_integrations
-- The current tenant's accounts in the order in which they were first connected.
SELECT * FROM integrations ORDER BY id

-- name: replace_tokens
-- Stores refreshed tokens.
UPDATE integrations SET api_key = %(api_key)s, metadata = metadata || %(changes)s::jsonb
WHERE id = %(integration)s

-- name: mark_token_invalid
-- Marks an account, if its refresh token is still the one that X has rejected.
UPDATE integrations SET status = 'needs_reconnect'
WHERE id = %(integration)s AND api_key = %(api_key)s RETURNING id

-- name: mark_needs_reconnect
-- Marks an account, unless it has been reconnected after `connected_at`.
UPDATE integrations SET status = 'needs_reconnect'
WHERE id = %(integration)s AND connected_at = %(connected_at)s RETURNING id

-- name: save_profile
-- Stores the profile that X reports for an account. Returns no row if nothing changed.
UPDATE integrations
SET metadata = metadata || %(profile)s::jsonb,
    subscription_type = coalesce(%(subscription_type)s, subscription_type)
WHERE id = %(integration)s
  AND (NOT metadata @> %(profile)s::jsonb
       OR subscription_type IS DISTINCT FROM coalesce(%(subscription_type)s, subscription_type))
RETURNING id

-- name: set_next_collection
-- Sets when the account's metrics are due next, and the error of this read, or NULL.
UPDATE integrations SET collect_due_at = %(at)s, health = %(health)s WHERE id = %(integration)s
