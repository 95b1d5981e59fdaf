"""Drafts and their revisions. The evidence and the verdicts are JSON that the services decode."""

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
    """A revision that is not stored yet."""

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
    """A draft with one of its revisions."""

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
    """Add a revision to a draft, which the caller has locked, and return its number."""
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
    """Return a draft with its current revision, or with another one; None if there is none."""
    return await transaction.fetch_one(
        StoredDraft, "list_drafts", draft=draft_id, states=None, number=revision, limit=None
    )


async def list_all(
    transaction: Transaction, states: Collection[DraftState] = (), *, limit: int | None = None
) -> list[StoredDraft]:
    """Return the tenant's drafts with their current revisions, the newest first.

    Only drafts in `states` are returned, if there are any; `limit` is the most drafts.
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
    """Set the state, the current revision and the approval of a draft that is locked."""
    await transaction.run(
        "update_draft", draft=draft_id, state=state, revision=revision, post=post_id,
        approval_hash=approval_hash,
    )  # fmt: skip


def _to_json(value: object) -> str:
    return msgspec.json.encode(value).decode()
