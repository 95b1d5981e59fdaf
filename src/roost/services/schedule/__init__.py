"""Validates, schedules, edits and cancels posts, and imports content plans."""

from roost.part_validation import FileAccess, Validation, validate_parts
from roost.publishing.part_input import MediaInput, PartInput
from roost.services.schedule.plans import Imported, RowFinding, import_plan
from roost.services.schedule.posts import OnFindings, cancel_post, edit_post, schedule_post
from roost.services.schedule.validate import check_due, validate_for_account

__all__ = [
    "FileAccess",
    "Imported",
    "MediaInput",
    "OnFindings",
    "PartInput",
    "RowFinding",
    "Validation",
    "cancel_post",
    "check_due",
    "edit_post",
    "import_plan",
    "schedule_post",
    "validate_for_account",
    "validate_parts",
]
