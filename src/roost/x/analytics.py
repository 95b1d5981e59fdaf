"""Analytics of posts and videos per hour or day, split into the requests that X accepts.

X does not document the maximum period of a request. X's older API for analytics accepts 28 days, so
each request asks for at most 28 days. Periods are split at midnight UTC, so that no bucket (the
counts of one hour or day) is split.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from roost.models import TweetId
from roost.prices import Operation
from roost.x import schemas
from roost.x.client import Client
from roost.x.ids import chunk_ids, require_ids, require_media_keys
from roost.x.receipt import Found, Receipt
from roost.x.request import Request, format_instant

_POSTS: Final = msgspec.json.Decoder(schemas.PostAnalyticsResponse)
_MEDIA: Final = msgspec.json.Decoder(schemas.MediaAnalyticsResponse)
_MAX_PERIOD: Final = timedelta(days=28)
_POST_FIELDS: Final = (
    "id,timestamped_metrics,app_install_attempts,app_opens,bookmarks,detail_expands,email_tweet,"
    "engagements,follows,hashtag_clicks,impressions,likes,media_views,permalink_clicks,"
    "quote_tweets,replies,retweets,shares,unfollows,unlikes,url_clicks,user_profile_clicks"
)
_MEDIA_FIELDS: Final = (
    "media_key,timestamped_metrics,cta_url_clicks,cta_watch_clicks,play_from_tap,playback_start,"
    "playback25,playback50,playback75,playback_complete,video_views,watch_time_ms"
)


class Granularity(StrEnum):
    """The length of time that one bucket covers."""

    HOUR = "hourly"
    DAY = "daily"
    """One UTC day."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """The counts of one hour or day."""

    begins_at: datetime
    counts: Mapping[str, int]
    """All counts that X returned, under X's names."""


async def read_posts(
    client: Client,
    ids: Iterable[TweetId],
    *,
    start: datetime,
    end: datetime,
    granularity: Granularity,
) -> Found[TweetId, tuple[Bucket, ...]]:
    """Read analytics of the account's own posts from `start` to `end`, oldest bucket first.

    One request covers 100 posts and 28 days. X's price list does not contain this request, so Roost
    prices the request as a read of the posts: $0.005 per post, once per app and UTC day. If a post
    is missing in the result, the post does not belong to the account, or is not on X.

    Raises: IdMalformed (nothing was sent), ReauthorizationRequired, RateLimited, OutOfCredits,
    Rejected, XUnavailable.
    """
    found: dict[TweetId, list[Bucket]] = {}
    receipts: list[Receipt] = []
    for batch in chunk_ids(require_ids("ids", ids)):
        for period in _split_period(start, end):
            request = Request(
                Operation.READ_POST_ANALYTICS,
                "GET",
                "/2/tweets/analytics",
                params={
                    "ids": ",".join(batch),
                    "analytics.fields": _POST_FIELDS,
                    **_period_params(period, granularity),
                },
                max_resources=len(batch),
            )
            body, receipt = await client.call(request, _POSTS)
            receipts.append(receipt)
            for post in body.data:
                found.setdefault(TweetId(post.id), []).extend(_buckets(post.timestamped_metrics))
    return Found({each: tuple(buckets) for each, buckets in found.items()}, tuple(receipts))


async def read_media(
    client: Client,
    media_keys: Iterable[str],
    *,
    start: datetime,
    end: datetime,
    granularity: Granularity,
) -> Found[str, tuple[Bucket, ...]]:
    """Read analytics of videos in the account's own posts; X lists no price for this.

    Raises: IdMalformed (nothing was sent), ReauthorizationRequired, RateLimited, OutOfCredits,
    Rejected, XUnavailable.
    """
    found: dict[str, list[Bucket]] = {}
    receipts: list[Receipt] = []
    for batch in chunk_ids(require_media_keys("media_keys", media_keys)):
        for period in _split_period(start, end):
            request = Request(
                Operation.READ_MEDIA_ANALYTICS,
                "GET",
                "/2/media/analytics",
                params={
                    "media_keys": ",".join(batch),
                    "media_analytics.fields": _MEDIA_FIELDS,
                    **_period_params(period, granularity),
                },
            )
            body, receipt = await client.call(request, _MEDIA)
            receipts.append(receipt)
            for media in body.data:
                found.setdefault(media.media_key, []).extend(_buckets(media.timestamped_metrics))
    return Found({each: tuple(buckets) for each, buckets in found.items()}, tuple(receipts))


def _split_period(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Split a period into parts that X accepts; all but the first start at midnight UTC."""
    begins, last = start.astimezone(UTC), end.astimezone(UTC)
    while begins < last:
        midnight = datetime.combine(begins.date(), time(0), UTC)
        ends = min(midnight + _MAX_PERIOD, last)
        yield begins, ends
        begins = ends


def _period_params(period: tuple[datetime, datetime], granularity: Granularity) -> dict[str, str]:
    begins, ends = period
    return {
        "start_time": format_instant(begins),
        "end_time": format_instant(ends),
        "granularity": granularity.value,
    }


def _buckets(metrics: Iterable[schemas.TimestampedMetrics]) -> Iterator[Bucket]:
    return (Bucket(each.timestamp, each.metrics) for each in metrics)
