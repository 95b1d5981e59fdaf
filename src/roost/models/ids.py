"""Types of ids. Roost's ids are integers, and X's ids are strings.

X's ids need more than 53 bits, so JSON parsers that use floating-point numbers would change them.
"""

from typing import NewType

TenantId = NewType("TenantId", int)
IntegrationId = NewType("IntegrationId", int)
PostId = NewType("PostId", int)
PartId = NewType("PartId", int)
DraftId = NewType("DraftId", int)
ReportId = NewType("ReportId", int)
ScheduleId = NewType("ScheduleId", int)
AttemptId = NewType("AttemptId", int)
MediaAssetId = NewType("MediaAssetId", int)
TweetId = NewType("TweetId", str)
XUserId = NewType("XUserId", str)
XMediaId = NewType("XMediaId", str)
