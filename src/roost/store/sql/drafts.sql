-- Drafts and their revisions.

-- name: add_draft
-- Adds a draft, whose first revision follows in the same transaction.
INSERT INTO drafts (tenant_id, integration_id, state, revision)
VALUES (%(tenant)s, %(integration)s, 'draft', 1) RETURNING id

-- name: add_draft_revision
-- Adds a revision with the next number. The draft must be locked, unless it is new.
INSERT INTO draft_revisions
    (tenant_id, draft_id, number, previous, instruction, brief, brief_hash, brief_version, parts,
     media, evidence, verdicts, provenance, origin, content_hash, created_at, created_by)
SELECT %(tenant)s, %(draft)s,
       1 + coalesce((SELECT max(number) FROM draft_revisions WHERE draft_id = %(draft)s), 0),
       %(previous)s, %(instruction)s, %(brief)s::jsonb, %(brief_hash)s, %(brief_version)s,
       %(parts)s, %(media)s::jsonb, %(evidence)s::jsonb, %(verdicts)s::jsonb,
       %(provenance)s::jsonb, %(origin)s, %(content_hash)s, %(at)s, %(actor)s
RETURNING number

-- name: list_drafts
-- The current tenant's drafts, or one of them, the newest first. Each has its current revision, or
-- the revision `number`.
SELECT d.id, d.integration_id, d.state, d.post_id, d.approval_hash, d.revision AS current,
       r.number, r.previous, r.instruction, r.brief, r.parts, r.media, r.evidence, r.verdicts,
       r.provenance, r.origin, r.content_hash, r.created_at, r.created_by
FROM drafts d JOIN draft_revisions r
    ON r.draft_id = d.id AND r.number = coalesce(%(number)s::int, d.revision)
WHERE (%(draft)s::bigint IS NULL OR d.id = %(draft)s)
  AND (%(states)s::text[] IS NULL OR d.state = ANY(%(states)s))
ORDER BY d.id DESC
LIMIT %(limit)s

-- name: count_drafts
-- How many drafts of the current tenant are in these states.
SELECT count(*) AS n FROM drafts WHERE state = ANY(%(states)s)

-- name: lock_draft
-- Locks a draft against other changes until the transaction ends.
SELECT id FROM drafts WHERE id = %(draft)s FOR UPDATE

-- name: update_draft
-- Sets the state, the current revision and the approval of a draft, which must be locked.
UPDATE drafts SET state = %(state)s, revision = %(revision)s, post_id = %(post)s,
       approval_hash = %(approval_hash)s
WHERE id = %(draft)s
