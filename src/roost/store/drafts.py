"""Stores drafts and their revisions.

The evidence and the verdicts of a revision are JSON, which the services decode.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from roost.models import (
    Actor,
    DraftId,
    DraftMedia,
    DraftOrigin,
    DraftState,
    IntegrationId,
    PostId,
    TenantId,
)
from roost.store.database import Transaction


@dataclass(frozen=True, slots=True)
class NewRevision:
    """A revision to store: its texts, its brief, and how the texts came to be."""

    previous: int | None
    instruction: str
    brief: Mapping[str, Any]
    brief_hash: str
    brief_version: int
    parts: tuple[str, ...]
    media: tuple[DraftMedia, ...]
    evidence: Sequence[Any]
    verdicts: Sequence[Any]
    provenance: Any
    origin: DraftOrigin
    content_hash: str


@dataclass(frozen=True, slots=True)
class StoredDraft:
    """A draft from the database, together with one of its revisions."""

    id: DraftId
    integration_id: IntegrationId
    state: DraftState
    post_id: PostId | None
    approval_hash: str | None
    current: int
    """The number of the current revision."""
    number: int
    """The number of this revision."""
    previous: int | None
    instruction: str
    brief: dict[str, Any]
    parts: tuple[str, ...]
    media: tuple[DraftMedia, ...]
    evidence: list[Any]
    verdicts: list[Any]
    provenance: dict[str, Any]
    origin: DraftOrigin
    content_hash: str
    created_at: datetime
    created_by: str


async def add(
    transaction: Transaction,
    tenant_id: TenantId,
    integration_id: IntegrationId,
    revision: NewRevision,
    *,
    now: datetime,
    actor: Actor,
) -> DraftId:
    """Add a draft with its first revision."""
    row = await transaction.run_one("add_draft", tenant=tenant_id, integration=integration_id)
    assert row is not None
    draft_id = DraftId(row["id"])
    await add_revision(transaction, tenant_id, draft_id, revision, now=now, actor=actor)
    return draft_id


async def add_revision(
    transaction: Transaction,
    tenant_id: TenantId,
    draft_id: DraftId,
    revision: NewRevision,
    *,
    now: datetime,
    actor: Actor,
) -> int:
    """Add a revision to a draft, and return the revision's number.

    The caller has locked the draft.
    """
    row = await transaction.run_one(
        "add_draft_revision",
        tenant=tenant_id,
        draft=draft_id,
        previous=revision.previous,
        instruction=revision.instruction,
        brief=_to_json(revision.brief),
        brief_hash=revision.brief_hash,
        brief_version=revision.brief_version,
        parts=list(revision.parts),
        media=_to_json(revision.media),
        evidence=_to_json(revision.evidence),
        verdicts=_to_json(revision.verdicts),
        provenance=_to_json(revision.provenance),
        origin=revision.origin,
        content_hash=revision.content_hash,
        at=now,
        actor=str(actor),
    )
    assert row is not None
    return int(row["number"])


async def find(
    transaction: Transaction, draft_id: DraftId, revision: int | None = None
) -> StoredDraft | None:
    """Return a draft with its current revision, or with the revision of this number.

    Returns None if there is no such draft or revision.
    """
    return await transaction.fetch_one(
        StoredDraft, "list_drafts", draft=draft_id, states=None, number=revision, limit=None
    )


async def list_all(
    transaction: Transaction, states: Collection[DraftState] = (), *, limit: int | None = None
) -> list[StoredDraft]:
    """Return the tenant's drafts with their current revisions, the newest first.

    If `states` is not empty, only drafts in these states are returned. `limit` is the greatest
    number of drafts to return.
    """
    return await transaction.fetch_all(
        StoredDraft,
        "list_drafts",
        draft=None,
        states=list(states) or None,
        number=None,
        limit=limit,
    )


async def count(transaction: Transaction, states: Collection[DraftState]) -> int:
    """Return the number of the tenant's drafts in these states."""
    row = await transaction.run_one("count_drafts", states=list(states))
    assert row is not None, "an aggregate returns one row"
    return int(row["n"])


async def lock(transaction: Transaction, draft_id: DraftId) -> bool:
    """Lock a draft until the transaction ends. Return False if there is no such draft."""
    return await transaction.run_one("lock_draft", draft=draft_id) is not None


async def update(
    transaction: Transaction,
    draft_id: DraftId,
    *,
    state: DraftState,
    revision: int,
    post_id: PostId | None = None,
    approval_hash: str | None = None,
) -> None:
    """Set a draft's state, current revision, post and approval hash.

    The caller has locked the draft.
    """
    await transaction.run(
        "update_draft", draft=draft_id, state=state, revision=revision, post=post_id,
        approval_hash=approval_hash,
    )  # fmt: skip


def _to_json(value: object) -> str:
    return msgspec.json.encode(value).decode()
