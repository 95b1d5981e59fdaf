-- Files of posts, and their uploads to X.

-- name: add_media_asset
-- One file of a part.
INSERT INTO media_assets
    (tenant_id, part_id, position, path, sha256, kind, mime_type, size_bytes, alt_text)
VALUES (%(tenant)s, %(part)s, %(position)s, %(path)s, %(sha256)s, %(kind)s, %(mime_type)s,
        %(size_bytes)s, %(alt_text)s)

-- name: list_media_assets
-- The files of some posts' parts, each in order.
SELECT a.id, a.part_id, a.path, a.sha256, a.kind, a.mime_type, a.size_bytes, a.alt_text
FROM media_assets a JOIN parts p ON p.id = a.part_id
WHERE p.post_id = ANY(%(posts)s) ORDER BY a.part_id, a.position

-- name: list_needed_media
-- Of some files those that a post of any tenant may still need.
SELECT sha256 FROM list_needed_media(%(hashes)s)

-- name: list_needed_files
-- The files that posts of the tenant in sight may still need: hashes and where they came from.
SELECT a.sha256, min(a.path) AS path
FROM media_assets a JOIN parts p ON p.id = a.part_id JOIN posts o ON o.id = p.post_id
WHERE o.state NOT IN ('published', 'cancelled') AND p.state <> 'sent' GROUP BY a.sha256

-- name: plan_media
-- When a post's files are to be on X; NULL where it carries none.
UPDATE posts SET prepare_at = CASE WHEN EXISTS (
        SELECT FROM media_assets a JOIN parts p ON p.id = a.part_id WHERE p.post_id = posts.id)
    THEN due_at - %(ahead)s::interval END
WHERE id = %(post)s AND state = 'scheduled'

-- name: ask_for_media
-- Somebody is to bring the post's files to X; the dispatcher queues it.
UPDATE posts SET prepare_at = coalesce(prepare_at, %(now)s) WHERE id = %(post)s

-- name: prepare_again_at
-- Files that could not be brought yet are tried again, while the post has not come to its end.
UPDATE posts SET prepare_at = %(at)s WHERE id = %(post)s AND state IN ('scheduled', 'publishing')

-- name: list_uploads
-- What X holds of a post's files, finished or under way.
SELECT u.asset_id, u.media_id, u.media_key, u.expires_at, u.under_way
FROM uploads u JOIN media_assets a ON a.id = u.asset_id JOIN parts p ON p.id = a.part_id
WHERE p.post_id = %(post)s

-- name: keep_upload
-- What X answered to an upload; a newer upload of the same file takes its place. Nothing where the
-- post was edited meanwhile and no longer has the file.
INSERT INTO uploads (asset_id, tenant_id, media_id, media_key, expires_at)
SELECT id, %(tenant)s, %(media_id)s, %(media_key)s, %(expires_at)s
FROM media_assets WHERE id = %(asset)s
ON CONFLICT (asset_id) DO UPDATE
SET media_id = excluded.media_id, media_key = excluded.media_key, expires_at = excluded.expires_at,
    under_way = NULL

-- name: keep_upload_under_way
-- How far an upload is, so that whoever takes over goes on from there; nothing for a file that the
-- post no longer has.
INSERT INTO uploads (asset_id, tenant_id, under_way)
SELECT id, %(tenant)s, %(state)s::jsonb FROM media_assets WHERE id = %(asset)s
ON CONFLICT (asset_id) DO UPDATE
SET under_way = excluded.under_way, media_id = NULL, media_key = NULL, expires_at = NULL
