"""Reads a content plan (CSV) into posts with their times; a wrong row is refused alone.

Only the file is validated here. `roost.publishing.validation` has X's rules for texts and media;
its violations become refused rows by `refuse_post`.
"""

from roost.planfile.plan import (
    Plan,
    PlannedPart,
    PlannedPost,
    RefusedRow,
    read_plan,
    refuse_post,
)
from roost.planfile.table import COLUMNS
from roost.planfile.times import (
    SpanInvalid,
    TimeAmbiguous,
    TimeInvalid,
    TimeSkipped,
    TimeZoneUnknown,
    parse_due,
    parse_span,
)

__all__ = [
    "COLUMNS",
    "Plan",
    "PlannedPart",
    "PlannedPost",
    "RefusedRow",
    "SpanInvalid",
    "TimeAmbiguous",
    "TimeInvalid",
    "TimeSkipped",
    "TimeZoneUnknown",
    "parse_due",
    "parse_span",
    "read_plan",
    "refuse_post",
]
