-- Files of posts, and their uploads to X.

-- name: add_media_asset
-- Adds one file of a part.
INSERT INTO media_assets
    (tenant_id, part_id, position, path, sha256, kind, mime_type, size_bytes, alt_text)
VALUES (%(tenant)s, %(part)s, %(position)s, %(path)s, %(sha256)s, %(kind)s, %(mime_type)s,
        %(size_bytes)s, %(alt_text)s)

-- name: list_media_assets
-- The files of some posts, sorted by part and by position in the part.
SELECT a.id, a.part_id, a.path, a.sha256, a.kind, a.mime_type, a.size_bytes, a.alt_text
FROM media_assets a JOIN parts p ON p.id = a.part_id
WHERE p.post_id = ANY(%(posts)s) ORDER BY a.part_id, a.position

-- name: list_needed_media
-- Which of these files a post of any tenant may still need.
SELECT sha256 FROM list_needed_media(%(hashes)s)

-- name: list_needed_files
-- The hash and the original path of each file that the current tenant's posts may still need.
SELECT a.sha256, min(a.path) AS path
FROM media_assets a JOIN parts p ON p.id = a.part_id JOIN posts o ON o.id = p.post_id
WHERE o.state NOT IN ('published', 'cancelled') AND p.state <> 'sent' GROUP BY a.sha256

-- name: schedule_upload
-- Sets when a scheduled post's files must be uploaded, or NULL if the post has no files.
UPDATE posts SET prepare_at = CASE WHEN EXISTS (
        SELECT FROM media_assets a JOIN parts p ON p.id = a.part_id WHERE p.post_id = posts.id)
    THEN due_at - %(lead)s::interval END
WHERE id = %(post)s AND state = 'scheduled'

-- name: request_upload
-- Makes the dispatcher queue the upload of a post's files at once, unless a time is already set.
UPDATE posts SET prepare_at = coalesce(prepare_at, %(at)s) WHERE id = %(post)s

-- name: retry_upload_at
-- Sets when the upload of a post's files is tried again, unless the post is finished.
UPDATE posts SET prepare_at = %(at)s WHERE id = %(post)s AND state IN ('scheduled', 'publishing')

-- name: list_uploads
-- The uploads of a post's files, finished or not.
SELECT u.asset_id, u.media_id, u.media_key, u.expires_at, u.progress
FROM uploads u JOIN media_assets a ON a.id = u.asset_id JOIN parts p ON p.id = a.part_id
WHERE p.post_id = %(post)s

-- name: save_upload
-- Stores a finished upload, and replaces an older upload of the same file. Stores nothing if an
-- edit has removed the file from the post.
INSERT INTO uploads (asset_id, tenant_id, media_id, media_key, expires_at)
SELECT id, %(tenant)s, %(media_id)s, %(media_key)s, %(expires_at)s
FROM media_assets WHERE id = %(asset)s
ON CONFLICT (asset_id) DO UPDATE
SET media_id = excluded.media_id, media_key = excluded.media_key, expires_at = excluded.expires_at,
    progress = NULL

-- name: save_upload_progress
-- Stores the progress of an upload, so that another worker can resume the upload. Stores nothing if
-- an edit has removed the file from the post.
INSERT INTO uploads (asset_id, tenant_id, progress)
SELECT id, %(tenant)s, %(progress)s::jsonb FROM media_assets WHERE id = %(asset)s
ON CONFLICT (asset_id) DO UPDATE
SET progress = excluded.progress, media_id = NULL, media_key = NULL, expires_at = NULL
