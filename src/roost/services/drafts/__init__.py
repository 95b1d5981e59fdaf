"""Writes drafts and stores them, improves, edits, discards and approves them."""

from roost.services.drafts.approve import approve_draft
from roost.services.drafts.errors import (
    DraftChanged,
    DraftHasDoubts,
    DraftNotEditable,
    DraftNotFound,
    ImprovementFailed,
    NothingToUndo,
    PersonNeeded,
)
from roost.services.drafts.improve import (
    discard_draft,
    edit_draft,
    edit_texts,
    improve_draft,
    undo_improvement,
)
from roost.services.drafts.read import count_drafts, get_draft, list_drafts
from roost.services.drafts.records import Draft, DraftImproved, DraftsWritten
from roost.services.drafts.write import find_account, write_drafts

__all__ = [
    "Draft",
    "DraftChanged",
    "DraftHasDoubts",
    "DraftImproved",
    "DraftNotEditable",
    "DraftNotFound",
    "DraftsWritten",
    "ImprovementFailed",
    "NothingToUndo",
    "PersonNeeded",
    "approve_draft",
    "count_drafts",
    "discard_draft",
    "edit_draft",
    "edit_texts",
    "find_account",
    "get_draft",
    "improve_draft",
    "list_drafts",
    "undo_improvement",
    "write_drafts",
]
