"""What is on the calendar: single posts, and whole plans."""

from roost.services.schedule.judging import Judged, PlainPart, check_due, judge, judge_for
from roost.services.schedule.plans import Imported, RowFinding, import_plan
from roost.services.schedule.posts import OnFindings, cancel_post, edit_post, schedule_post

__all__ = [
    "Imported",
    "Judged",
    "OnFindings",
    "PlainPart",
    "RowFinding",
    "cancel_post",
    "check_due",
    "edit_post",
    "import_plan",
    "judge",
    "judge_for",
    "schedule_post",
]
