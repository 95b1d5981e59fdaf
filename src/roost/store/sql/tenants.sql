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

-- name: find_tenant
-- The id of the tenant with this name, or NULL.
SELECT find_tenant(%(name)s) AS id

-- name: make_tenant
-- Creates a tenant.
SELECT make_tenant(%(name)s, %(time_zone)s) AS id

-- name: get_tenant
-- The current tenant.
SELECT id, name, time_zone, drafts_without_person FROM tenants

-- name: set_drafts_without_person
-- Sets whether a program may approve drafts of the current tenant.
UPDATE tenants SET drafts_without_person = %(allowed)s

-- name: get_report_brand
-- How the reports of the current tenant look.
SELECT report_title AS title, report_note AS cover_note, report_accent AS accent,
       report_language AS language, report_logo AS logo, report_logo_type AS logo_type
FROM tenants

-- name: set_report_brand
-- Sets how the reports of the current tenant look.
UPDATE tenants SET report_title = %(title)s, report_note = %(cover_note)s,
       report_accent = %(accent)s, report_language = %(language)s, report_logo = %(logo)s,
       report_logo_type = %(logo_type)s

-- name: list_tenants
-- The ids of all tenants.
SELECT tenant_id FROM list_tenants()
