"""What posts have earned, by our names; what X did not give is None, never 0.

X drops a post from a batch when its private fields may not be seen (foreign, or older than 30
days): such posts are asked for again without them, so that none is lost.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from roost.models import Metric, TweetId
from roost.prices import Operation
from roost.x import answers, batches, problems
from roost.x.answers import NonPublicMetrics, OrganicMetrics, PublicMetrics
from roost.x.client import Client
from roost.x.ids import require_ids
from roost.x.receipt import Found, Receipt, Result
from roost.x.request import Request

_POSTS: Final = msgspec.json.Decoder(answers.Posts)
_PUBLIC: Final = "public_metrics"
_PRIVATE: Final = "public_metrics,non_public_metrics,organic_metrics"
_PROMOTED: Final = f"{_PRIVATE},promoted_metrics"
_NO_PUBLIC: Final = PublicMetrics()
_NO_PRIVATE: Final = NonPublicMetrics()
_NO_ORGANIC: Final = OrganicMetrics()


class PostFigures(Result, frozen=True):
    """One post's counts at the moment of reading; the receipt is that of its whole batch."""

    tweet_id: TweetId
    public: PublicMetrics | None
    non_public: NonPublicMetrics | None
    organic: OrganicMetrics | None
    promoted: OrganicMetrics | None
    """What was paid for, where it was asked for and there is any."""

    @property
    def has_private(self) -> bool:
        """Whether X gave what only the author sees; without it clicks and engagements are None."""
        return self.non_public is not None or self.organic is not None

    @property
    def metrics(self) -> Mapping[Metric, int | None]:
        """The counts by our names: organic where X tells them, else all."""
        public = self.public or _NO_PUBLIC
        private = self.non_public or _NO_PRIVATE
        organic = self.organic or _NO_ORGANIC
        seen = _either(organic.impression_count, private.impression_count)
        return {
            Metric.IMPRESSIONS: _either(seen, public.impression_count),
            Metric.ENGAGEMENTS: private.engagements,
            Metric.LIKES: _either(organic.like_count, public.like_count),
            Metric.REPLIES: _either(organic.reply_count, public.reply_count),
            Metric.REPOSTS: _either(organic.reposts, public.reposts),
            Metric.QUOTES: public.quote_count,
            Metric.BOOKMARKS: public.bookmark_count,
            Metric.LINK_CLICKS: _either(organic.url_link_clicks, private.url_link_clicks),
            Metric.PROFILE_CLICKS: _either(
                organic.user_profile_clicks, private.user_profile_clicks
            ),
        }


@dataclass(slots=True)
class _Reading:
    """What is known while one request follows the other."""

    figures: dict[TweetId, PostFigures] = field(default_factory=dict)
    gone: set[TweetId] = field(default_factory=set)
    receipts: list[Receipt] = field(default_factory=list)

    def without(self, ids: Iterable[TweetId]) -> list[TweetId]:
        """Those of the ids of which nothing is known yet."""
        return [each for each in ids if each not in self.figures and each not in self.gone]


async def read_posts(
    client: Client,
    ids: Iterable[TweetId],
    *,
    private_for: Collection[TweetId],
    promoted_for: Collection[TweetId] = (),
) -> Found[TweetId, PostFigures]:
    """The counts of posts, 100 a request; each billed $0.005, once per app and UTC day.

    `private_for` are the account's own posts under 30 days, `promoted_for` those of them that
    were advertised. A post that is not in the result is not on X, or this account cannot see it.
    Where X takes them in one request, posts with and without private fields need two.

    Raises: IdMalformed (nothing was sent), Reauthorize, RateLimited, OutOfCredits, XUnavailable;
    what was read before is lost, and free to read again the same day.
    """
    wanted = list(dict.fromkeys(require_ids("ids", ids)))
    promoted = frozenset(require_ids("promoted_for", promoted_for))
    private = frozenset(require_ids("private_for", private_for))
    reading = _Reading()
    for fields, chosen in (
        (_PROMOTED, [each for each in wanted if each in promoted]),
        (_PRIVATE, [each for each in wanted if each in private]),
        (_PUBLIC, wanted),
    ):
        for batch in batches.of_100(reading.without(chosen)):
            await _read(client, batch, fields, reading)
    return Found(reading.figures, tuple(reading.receipts))


async def _read(client: Client, batch: Collection[TweetId], fields: str, into: _Reading) -> None:
    request = Request(
        Operation.READ_POSTS,
        "GET",
        "/2/tweets",
        params={"ids": ",".join(batch), "tweet.fields": fields},
        resources_at_most=len(batch),
    )
    answer, receipt = await client.call(request, _POSTS)
    into.receipts.append(receipt)
    for post in answer.data:
        tweet_id = TweetId(post.id)
        into.figures[tweet_id] = PostFigures(
            tweet_id,
            post.public_metrics,
            post.non_public_metrics,
            post.organic_metrics,
            post.promoted_metrics,
            receipt=receipt,
        )
    into.gone.update(
        TweetId(entry["resource_id"])
        for entry in answer.errors
        if problems.problem_of(entry).slug == "resource-not-found" and "resource_id" in entry
    )


def _either(first: int | None, second: int | None) -> int | None:
    return second if first is None else first
