"""Adds revisions to drafts: improvements, edits and their undo; and discards drafts."""

from collections.abc import Sequence

from roost.agents.model import Model
from roost.models import DraftId, Scope
from roost.publishing.part_input import PartInput
from roost.runtime import Runtime
from roost.services.drafts.records import Draft, DraftImproved


async def improve_draft(
    runtime: Runtime,
    scope: Scope,
    draft_id: DraftId,
    instruction: str,
    *,
    model: Model | None = None,
) -> DraftImproved:
    """Improve a draft by an instruction: `shorter`, `warmer`, `as a thread`, `in French` …

    The new text passes the same validators as a new draft, and becomes a new revision; the old
    revision is kept. The approval of an earlier revision ends: if its post is scheduled and no part
    is on X, the post is cancelled.
    Without a model, only `shorter` and `without the link` work.
    Raises: DraftNotFound; DraftNotEditable (discarded, or a part is on X); ModelNeeded;
    ImprovementFailed. If an error is raised, the draft and its post do not change.
    """
    raise NotImplementedError


async def edit_draft(
    runtime: Runtime, scope: Scope, draft_id: DraftId, parts: Sequence[PartInput]
) -> DraftImproved:
    """Replace a draft's texts and files by those of a person, as a new revision.

    The verdicts of the validators are stored, but do not refuse the edit. The approval of an
    earlier revision ends as with `improve_draft`.
    Raises: DraftNotFound, DraftNotEditable, PostRefused, and the errors of `validate_parts`.
    """
    raise NotImplementedError


async def undo_improvement(runtime: Runtime, scope: Scope, draft_id: DraftId) -> DraftImproved:
    """Make the revision that the current one improves the current one again.

    No revision is deleted. The approval of the current revision ends as with `improve_draft`.
    Raises: DraftNotFound, DraftNotEditable, NothingToUndo.
    """
    raise NotImplementedError


async def discard_draft(runtime: Runtime, scope: Scope, draft_id: DraftId) -> Draft:
    """Discard a draft that is not approved. Raises: DraftNotFound, DraftNotEditable."""
    raise NotImplementedError
