"""Reads stored drafts."""

from roost.models import DraftId, DraftState, Scope
from roost.runtime import Runtime
from roost.services.drafts.records import Draft


async def get_draft(
    runtime: Runtime, scope: Scope, draft_id: DraftId, *, revision: int | None = None
) -> Draft:
    """Return a draft with its current revision, or with another one. Raises: DraftNotFound."""
    raise NotImplementedError


async def list_drafts(
    runtime: Runtime, scope: Scope, state: DraftState | None = None
) -> list[Draft]:
    """Return the tenant's drafts with their current revisions, the newest first."""
    raise NotImplementedError
