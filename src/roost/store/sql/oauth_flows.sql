-- OAuth flows between the redirect to X and the callback.

-- name: delete_expired_flows
-- Deletes the current tenant's expired flows.
DELETE FROM oauth_flows WHERE expires_at < %(at)s

-- name: add_flow
-- Stores a flow: a new flow with its verifier, or a finished flow with its account.
INSERT INTO oauth_flows (state_hash, tenant_id, browser_hash, sealed_verifier, redirect_uri,
                         environment, client_id, expires_at, integration_id)
VALUES (%(state_hash)s, %(tenant)s, %(browser_hash)s, %(sealed_verifier)s, %(redirect_uri)s,
        %(environment)s, %(client_id)s, %(expires_at)s, %(integration)s)

-- name: find_flow_tenant
-- The tenant of a flow, finished or not; NULL: there is no such flow.
SELECT find_flow_tenant(%(state_hash)s) AS tenant_id

-- name: take_flow
-- Deletes and returns an unfinished flow, so that no other request can use it.
DELETE FROM oauth_flows WHERE state_hash = %(state_hash)s AND integration_id IS NULL
RETURNING sealed_verifier, browser_hash, redirect_uri, environment, client_id, expires_at

-- name: find_connected
-- The account that a browser's finished flow has connected, until the flow would have expired.
SELECT integration_id AS id FROM oauth_flows
WHERE state_hash = %(state_hash)s AND browser_hash = %(browser_hash)s AND expires_at >= %(at)s
