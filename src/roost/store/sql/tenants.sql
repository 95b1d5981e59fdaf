-- Tenants and their data keys.

-- name: set_tenant
-- Limits the rest of the transaction to this tenant's rows.
SELECT set_config('roost.tenant', %(tenant)s, true)

-- name: find_tenant_key
-- The sealed data key of the current tenant.
SELECT keyring_key_id, sealed_key AS sealed FROM tenant_keys

-- name: add_tenant_key
-- Stores a data key, unless another process has stored one first.
INSERT INTO tenant_keys (tenant_id, keyring_key_id, sealed_key)
VALUES (%(tenant)s, %(keyring_key)s, %(sealed)s) ON CONFLICT DO NOTHING
