"""What posts and videos earned hour by hour or day by day, in as many requests as X needs.

X's own limits on the time asked for are not documented; its older sister API takes 28 days, and
so do these. Spans are cut at midnight UTC, so that no bucket is cut in two.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from roost.models import TweetId
from roost.prices import Operation
from roost.x import answers, batches
from roost.x.client import Client
from roost.x.ids import require_ids, require_media_keys
from roost.x.receipt import Found, Receipt
from roost.x.request import Request

_POSTS: Final = msgspec.json.Decoder(answers.PostAnalytics)
_MEDIA: Final = msgspec.json.Decoder(answers.MediaAnalytics)
_LONGEST: Final = timedelta(days=28)
_POST_FIELDS: Final = (
    "id,timestamped_metrics,app_install_attempts,app_opens,bookmarks,detail_expands,email_tweet,"
    "engagements,follows,hashtag_clicks,impressions,likes,media_views,permalink_clicks,"
    "quote_tweets,replies,retweets,shares,unfollows,unlikes,url_clicks,user_profile_clicks"
)
_MEDIA_FIELDS: Final = (
    "media_key,timestamped_metrics,cta_url_clicks,cta_watch_clicks,play_from_tap,playback_start,"
    "playback25,playback50,playback75,playback_complete,video_views,watch_time_ms"
)


class Step(StrEnum):
    """How much time one bucket holds."""

    HOUR = "hourly"
    DAY = "daily"
    """A day of UTC."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """What came in one hour or day."""

    begins_at: datetime
    counts: Mapping[str, int]
    """By X's own names, every one that it gave."""


async def read_posts(
    client: Client, ids: Iterable[TweetId], *, start: datetime, end: datetime, step: Step
) -> Found[TweetId, tuple[Bucket, ...]]:
    """What the account's own posts earned from `start` to `end` (aware), oldest bucket first.

    100 posts and 28 days a request. X's price list does not name it: reckoned as reads of the
    posts, $0.005 each, once per app and UTC day. A post that is not in the result is not the
    account's, or not on X.

    Raises: IdMalformed (nothing was sent), Reauthorize, RateLimited, OutOfCredits, Rejected,
    XUnavailable.
    """
    found: dict[TweetId, list[Bucket]] = {}
    receipts: list[Receipt] = []
    for batch in batches.of_100(require_ids("ids", ids)):
        for begins, ends in _spans(start, end):
            request = Request(
                Operation.READ_POST_ANALYTICS,
                "GET",
                "/2/tweets/analytics",
                params={
                    "ids": ",".join(batch),
                    "analytics.fields": _POST_FIELDS,
                    **_when(begins, ends, step),
                },
                resources_at_most=len(batch),
            )
            answer, receipt = await client.call(request, _POSTS)
            receipts.append(receipt)
            for post in answer.data:
                found.setdefault(TweetId(post.id), []).extend(_buckets(post.timestamped_metrics))
    return Found({each: tuple(buckets) for each, buckets in found.items()}, tuple(receipts))


async def read_media(
    client: Client, media_keys: Iterable[str], *, start: datetime, end: datetime, step: Step
) -> Found[str, tuple[Bucket, ...]]:
    """What the videos of the account's own posts earned, likewise; free, as far as X's list tells.

    Raises: IdMalformed (nothing was sent), Reauthorize, RateLimited, OutOfCredits, Rejected,
    XUnavailable.
    """
    found: dict[str, list[Bucket]] = {}
    receipts: list[Receipt] = []
    for batch in batches.of_100(require_media_keys("media_keys", media_keys)):
        for begins, ends in _spans(start, end):
            request = Request(
                Operation.READ_MEDIA_ANALYTICS,
                "GET",
                "/2/media/analytics",
                params={
                    "media_keys": ",".join(batch),
                    "media_analytics.fields": _MEDIA_FIELDS,
                    **_when(begins, ends, step),
                },
            )
            answer, receipt = await client.call(request, _MEDIA)
            receipts.append(receipt)
            for media in answer.data:
                found.setdefault(media.media_key, []).extend(_buckets(media.timestamped_metrics))
    return Found({each: tuple(buckets) for each, buckets in found.items()}, tuple(receipts))


def _spans(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The time in pieces that X takes; each but the first begins at midnight UTC."""
    begins, last = start.astimezone(UTC), end.astimezone(UTC)
    while begins < last:
        midnight = datetime.combine(begins.date(), time(0), UTC)
        ends = min(midnight + _LONGEST, last)
        yield begins, ends
        begins = ends


def _when(begins: datetime, ends: datetime, step: Step) -> dict[str, str]:
    return {
        "start_time": batches.instant(begins),
        "end_time": batches.instant(ends),
        "granularity": step.value,
    }


def _buckets(told: Iterable[answers.TimestampedMetrics]) -> Iterator[Bucket]:
    return (Bucket(each.timestamp, each.metrics) for each in told)
