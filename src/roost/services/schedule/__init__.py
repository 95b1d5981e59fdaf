"""Validates, schedules, edits and cancels posts, and imports content plans."""

from roost.part_validation import FileAccess, Validation, validate_parts
from roost.publishing.part_input import MediaInput, PartInput
from roost.services.schedule.plans import Imported, RowFinding, import_plan
from roost.services.schedule.posts import (
    OnFindings,
    OnStored,
    cancel_in,
    cancel_post,
    edit_post,
    schedule_post,
)
from roost.services.schedule.validate import require_possible_due, validate_for_account

__all__ = [
    "FileAccess",
    "Imported",
    "MediaInput",
    "OnFindings",
    "OnStored",
    "PartInput",
    "RowFinding",
    "Validation",
    "cancel_in",
    "cancel_post",
    "edit_post",
    "import_plan",
    "require_possible_due",
    "schedule_post",
    "validate_for_account",
    "validate_parts",
]
