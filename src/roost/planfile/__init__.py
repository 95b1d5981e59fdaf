"""Reads the posts and due times of a plan file (CSV), and refuses invalid rows.

This package validates only the format of the file. `roost.publishing.validation` validates texts
and media by X's rules and returns violations. The caller passes these violations to `refuse_post`,
which returns the refused rows.
"""

from roost.planfile.plan import (
    Plan,
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
