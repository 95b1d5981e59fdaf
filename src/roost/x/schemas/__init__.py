"""X's response bodies as typed structs, in both spellings (`tweet_count`, `post_count`).

X is renaming `tweet` to `post`, and does not document which spelling a response has. Each struct
therefore has both fields, and a property that returns the field that is present. Fields that Roost
does not use are skipped.

A proxy may send `{}` or `{"status": "ok"}` with status 200, which is valid JSON. Each struct
therefore requires the fields that every response of X to the request contains, so that decoding
such a body fails.
"""

from roost.x.schemas.accounts import (
    DailyUsage,
    RevokeResponse,
    TokenErrorResponse,
    TokenResponse,
    UsageResponse,
    UserData,
    UserResponse,
)
from roost.x.schemas.media import (
    MediaData,
    MediaResponse,
    MediaResponseV1,
    NoContent,
    ProcessingInfo,
)
from roost.x.schemas.posts import (
    Attachments,
    CreateResponse,
    DeleteResponse,
    MediaAnalyticsResponse,
    NonPublicMetrics,
    NotePost,
    OrganicMetrics,
    PollData,
    PostAnalyticsResponse,
    PostData,
    PostEntities,
    PostsResponse,
    PublicMetrics,
    TimelineResponse,
    TimestampedMetrics,
)
from roost.x.schemas.response import ResponseBody

__all__ = [
    "Attachments",
    "CreateResponse",
    "DailyUsage",
    "DeleteResponse",
    "MediaAnalyticsResponse",
    "MediaData",
    "MediaResponse",
    "MediaResponseV1",
    "NoContent",
    "NonPublicMetrics",
    "NotePost",
    "OrganicMetrics",
    "PollData",
    "PostAnalyticsResponse",
    "PostData",
    "PostEntities",
    "PostsResponse",
    "ProcessingInfo",
    "PublicMetrics",
    "ResponseBody",
    "RevokeResponse",
    "TimelineResponse",
    "TimestampedMetrics",
    "TokenErrorResponse",
    "TokenResponse",
    "UsageResponse",
    "UserData",
    "UserResponse",
]
