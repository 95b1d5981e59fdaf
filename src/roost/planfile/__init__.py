"""Read the posts and due times of a content plan (a CSV file), and refuse invalid rows.

Only the file itself is validated here. `roost.publishing.validation` validates texts and media by
X's rules; the caller converts its violations into refused rows with `refuse_post`.
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
