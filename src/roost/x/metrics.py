"""Metrics of posts, under Roost's names. A value that X did not return is None, never 0.

If private fields are requested, X leaves out of the response each post whose private fields the
account may not see: posts of other accounts, and posts that are older than 30 days. These posts are
read again without the private fields.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from roost.models import Metric, TweetId
from roost.prices import Operation
from roost.x import problems, schemas
from roost.x.client import Client
from roost.x.ids import chunk_ids, require_ids
from roost.x.receipt import Found, Receipt, Result
from roost.x.request import Request
from roost.x.schemas import NonPublicMetrics, OrganicMetrics, PublicMetrics

_POSTS: Final = msgspec.json.Decoder(schemas.PostsResponse)
_PUBLIC: Final = "public_metrics"
_PRIVATE: Final = "public_metrics,non_public_metrics,organic_metrics"
_PROMOTED: Final = f"{_PRIVATE},promoted_metrics"
_NO_PUBLIC: Final = PublicMetrics()
_NO_PRIVATE: Final = NonPublicMetrics()
_NO_ORGANIC: Final = OrganicMetrics()


class PostMetrics(Result, frozen=True):
    """The counts of one post at the time of the request.

    `receipt` belongs to the request, which may have read the counts of other posts, too.
    """

    tweet_id: TweetId
    public: PublicMetrics | None
    non_public: NonPublicMetrics | None
    organic: OrganicMetrics | None
    promoted: OrganicMetrics | None
    """Counts from promotion; None if they were not requested, or if X returned none."""

    @property
    def has_private(self) -> bool:
        """Whether X returned the private fields; otherwise clicks and engagements are None."""
        return self.non_public is not None or self.organic is not None

    @property
    def metrics(self) -> Mapping[Metric, int | None]:
        """The counts under Roost's names: organic counts if X returned them, else public counts."""
        public = self.public or _NO_PUBLIC
        private = self.non_public or _NO_PRIVATE
        organic = self.organic or _NO_ORGANIC
        impressions = _first_known(organic.impression_count, private.impression_count)
        return {
            Metric.IMPRESSIONS: _first_known(impressions, public.impression_count),
            Metric.ENGAGEMENTS: private.engagements,
            Metric.LIKES: _first_known(organic.like_count, public.like_count),
            Metric.REPLIES: _first_known(organic.reply_count, public.reply_count),
            Metric.REPOSTS: _first_known(organic.reposts, public.reposts),
            Metric.QUOTES: public.quote_count,
            Metric.BOOKMARKS: public.bookmark_count,
            Metric.LINK_CLICKS: _first_known(organic.url_link_clicks, private.url_link_clicks),
            Metric.PROFILE_CLICKS: _first_known(
                organic.user_profile_clicks, private.user_profile_clicks
            ),
        }


@dataclass(slots=True)
class _Results:
    """What the requests of one `read_posts` have returned so far."""

    metrics: dict[TweetId, PostMetrics] = field(default_factory=dict)
    not_found: set[TweetId] = field(default_factory=set)
    receipts: list[Receipt] = field(default_factory=list)

    def unread(self, ids: Iterable[TweetId]) -> list[TweetId]:
        """Return the ids of posts that no request has returned or reported as missing."""
        return [each for each in ids if each not in self.metrics and each not in self.not_found]


async def read_posts(
    client: Client,
    ids: Iterable[TweetId],
    *,
    private_for: Collection[TweetId],
    promoted_for: Collection[TweetId] = (),
) -> Found[TweetId, PostMetrics]:
    """Read the counts of posts, 100 per request.

    X bills $0.005 per post, once per app and UTC day.

    `private_for` are the account's own posts that are younger than 30 days; `promoted_for` are the
    promoted posts among them. If a post is missing in the result, it is not on X, or not visible to
    this account. Posts with and without private fields need separate requests.

    Raises: IdMalformed (nothing was sent), ReauthorizationRequired, RateLimited, OutOfCredits,
    XUnavailable. After an error, the results of earlier batches are lost, but X does not bill these
    posts again on the same day.
    """
    unique = list(dict.fromkeys(require_ids("ids", ids)))
    promoted = frozenset(require_ids("promoted_for", promoted_for))
    private = frozenset(require_ids("private_for", private_for))
    results = _Results()
    for fields, selected in (
        (_PROMOTED, [each for each in unique if each in promoted]),
        (_PRIVATE, [each for each in unique if each in private]),
        (_PUBLIC, unique),
    ):
        for batch in chunk_ids(results.unread(selected)):
            await _read_batch(client, batch, fields, results)
    return Found(results.metrics, tuple(results.receipts))


async def _read_batch(
    client: Client, batch: Collection[TweetId], fields: str, results: _Results
) -> None:
    request = Request(
        Operation.READ_POSTS,
        "GET",
        "/2/tweets",
        params={"ids": ",".join(batch), "tweet.fields": fields},
        max_resources=len(batch),
    )
    body, receipt = await client.call(request, _POSTS)
    results.receipts.append(receipt)
    for post in body.data:
        tweet_id = TweetId(post.id)
        results.metrics[tweet_id] = PostMetrics(
            tweet_id,
            post.public_metrics,
            post.non_public_metrics,
            post.organic_metrics,
            post.promoted_metrics,
            receipt=receipt,
        )
    results.not_found.update(
        TweetId(entry["resource_id"])
        for entry in body.errors
        if problems.parse_problem(entry).slug == "resource-not-found" and "resource_id" in entry
    )


def _first_known(first: int | None, second: int | None) -> int | None:
    return second if first is None else first
