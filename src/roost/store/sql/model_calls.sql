-- Calls to language models: what they may use and what they have used.

-- name: lock_model_calls
-- Makes other reservations of the tenant wait until the transaction ends. The lock's first key is
-- any number that no other lock has.
SELECT pg_advisory_xact_lock(%(kind)s, %(tenant)s)

-- name: get_model_usage
-- The tokens and dollars of the current tenant's calls in a month. A call that is not settled
-- counts with all that it may use. `unpriced` is the number of calls without a known price.
SELECT count(*) AS calls,
       coalesce(sum(coalesce(tokens, reserved_tokens)), 0)::bigint AS tokens,
       coalesce(sum(CASE WHEN tokens IS NULL THEN reserved_usd ELSE usd END), 0) AS usd,
       count(*) FILTER (WHERE reserved_usd IS NULL) AS unpriced
FROM model_calls WHERE month = %(month)s

-- name: add_model_call
-- Reserves what a call can use.
INSERT INTO model_calls (tenant_id, month, model, reserved_at, reserved_tokens, reserved_usd)
VALUES (%(tenant)s, %(month)s, %(model)s, %(at)s, %(tokens)s, %(usd)s) RETURNING id

-- name: settle_model_call
-- Records what a call has used, once.
UPDATE model_calls SET tokens = %(tokens)s, usd = %(usd)s WHERE id = %(call)s AND tokens IS NULL
