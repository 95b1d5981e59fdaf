"""Response bodies of the analytics endpoints."""

from datetime import datetime
from typing import Any

import msgspec

from roost.models import TweetId
from roost.x.schemas.response import ResponseBody, require_content


class TimestampedMetrics(msgspec.Struct, frozen=True):
    """The counts of one time bucket, under X's names."""

    timestamp: datetime
    metrics: dict[str, int] = {}


class PostBuckets(msgspec.Struct, frozen=True):
    """The analytics of one post."""

    id: str
    timestamped_metrics: list[TimestampedMetrics] = []


class PostAnalyticsResponse(ResponseBody, frozen=True):
    """The analytics of several posts; `errors` names the requested posts that are missing."""

    data: list[PostBuckets] = msgspec.field(default_factory=list)
    errors: list[dict[str, Any]] = msgspec.field(default_factory=list)

    def __post_init__(self) -> None:
        require_content(self.data, self.errors)

    def posts_read(self) -> tuple[TweetId, ...]:
        """Return the ids of all posts; each is billed, as far as is known."""
        return tuple(TweetId(post.id) for post in self.data)

    def billed_resources(self) -> int:
        """Return the number of posts; each is billed, as far as is known."""
        return len(self.data)


class MediaBuckets(msgspec.Struct, frozen=True):
    """The analytics of one video."""

    media_key: str
    timestamped_metrics: list[TimestampedMetrics] = []


class MediaAnalyticsResponse(ResponseBody, frozen=True):
    """The analytics of several videos; `errors` names the requested videos that are missing."""

    data: list[MediaBuckets] = msgspec.field(default_factory=list)
    errors: list[dict[str, Any]] = msgspec.field(default_factory=list)

    def __post_init__(self) -> None:
        require_content(self.data, self.errors)
