"""What posts have earned, by our names; what X did not give is None, never 0.

X drops a post from a batch when its private fields may not be seen (foreign, or older than 30
days): such posts are asked for again without them, so that none is lost.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from roost.models import Metric, TweetId
from roost.prices import Operation
from roost.x import answers, refusals
from roost.x.client import Client
from roost.x.request import Request

_POSTS: Final = msgspec.json.Decoder(answers.Posts)
_BATCH: Final = 100
_PUBLIC: Final = "public_metrics"
_PRIVATE: Final = "public_metrics,non_public_metrics,organic_metrics"


@dataclass(frozen=True, slots=True)
class PostFigures:
    """One post's counts at the moment of reading."""

    tweet_id: TweetId
    metrics: Mapping[Metric, int | None]
    has_private: bool
    """Whether X gave what only the author sees; without it clicks and engagements are None."""


async def read_posts(
    client: Client, ids: Iterable[TweetId], *, private_for: Collection[TweetId]
) -> dict[TweetId, PostFigures]:
    """The counts of posts, 100 a request; each billed $0.005, once per app and UTC day.

    `private_for` are the account's own posts under 30 days. A post that is not in the result is
    not on X, or this account cannot see it. Where X takes them in one request, posts with and
    without private fields need two.

    Raises: Reauthorize, RateLimited, OutOfCredits, XUnavailable; what was read before is lost, and
    free to read again the same day.
    """
    wanted = list(dict.fromkeys(ids))
    private = [tweet_id for tweet_id in wanted if tweet_id in private_for]
    figures, gone = await _read(client, private, _PRIVATE)
    rest = [each for each in wanted if each not in figures and each not in gone]
    more, _ = await _read(client, rest, _PUBLIC)
    return figures | more


async def _read(
    client: Client, ids: Sequence[TweetId], fields: str
) -> tuple[dict[TweetId, PostFigures], set[TweetId]]:
    """The posts that X gave, and the ids that it says it does not have."""
    figures: dict[TweetId, PostFigures] = {}
    gone: set[TweetId] = set()
    for batch in _batches(ids):
        request = Request(
            Operation.READ_POSTS,
            "GET",
            "/2/tweets",
            params={"ids": ",".join(batch), "tweet.fields": fields},
        )
        answer, _ = await client.call(request, _POSTS)
        figures |= {TweetId(post.id): _figures(post) for post in answer.data}
        gone |= {
            TweetId(entry["resource_id"])
            for entry in answer.errors
            if refusals.problem_of(entry).slug == "resource-not-found" and "resource_id" in entry
        }
    return figures, gone


def _batches(ids: Sequence[TweetId]) -> Iterator[Sequence[TweetId]]:
    return (ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH))


def _figures(post: answers.Post) -> PostFigures:
    public = post.public_metrics or answers.PublicMetrics()
    private = post.non_public_metrics or answers.NonPublicMetrics()
    organic = post.organic_metrics or answers.OrganicMetrics()
    return PostFigures(
        tweet_id=TweetId(post.id),
        metrics={
            Metric.IMPRESSIONS: _first(
                organic.impression_count, private.impression_count, public.impression_count
            ),
            Metric.ENGAGEMENTS: private.engagements,
            Metric.LIKES: _first(public.like_count, organic.like_count),
            Metric.REPLIES: _first(public.reply_count, organic.reply_count),
            Metric.REPOSTS: _first(public.reposts, organic.reposts),
            Metric.QUOTES: public.quote_count,
            Metric.BOOKMARKS: public.bookmark_count,
            Metric.LINK_CLICKS: _first(organic.url_link_clicks, private.url_link_clicks),
            Metric.PROFILE_CLICKS: _first(organic.user_profile_clicks, private.user_profile_clicks),
        },
        has_private=post.non_public_metrics is not None or post.organic_metrics is not None,
    )


def _first(*values: int | None) -> int | None:
    return next((value for value in values if value is not None), None)
