-- Tenants and their data keys.

-- name: see_tenant
-- From here to the end of the transaction, this tenant's rows and no others.
SELECT set_config('roost.tenant', %(tenant)s, true)

-- name: find_tenant_key
-- The data key of the tenant in sight.
SELECT ring_key_id, sealed_key FROM tenant_keys

-- name: keep_tenant_key
-- The first to come makes the key; whoever races reads theirs.
INSERT INTO tenant_keys (tenant_id, ring_key_id, sealed_key)
VALUES (%(tenant)s, %(ring_key)s, %(sealed)s) ON CONFLICT DO NOTHING
