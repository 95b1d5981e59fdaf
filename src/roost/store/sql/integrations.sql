-- Connected accounts.

-- name: get_x_user_id
-- X's user id of an account of this environment; NULL: the tenant has no such account.
SELECT get_x_user_id(%(tenant)s, %(integration)s, %(environment)s) AS x_user_id

-- name: is_connected_elsewhere
-- Whether another tenant has connected this user of X.
SELECT is_connected_elsewhere(%(environment)s, %(x_user)s) AS found
