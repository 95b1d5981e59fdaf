"""Response bodies about posts: lookup, timeline, create, delete and analytics."""

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec

from roost.models import TweetId
from roost.x.schemas.response import ResponseBody, require_content

#: Ids of new posts are checked, because Roost stores them.
_NewId = Annotated[str, msgspec.Meta(pattern="^[0-9]{1,19}$")]
_COUNT_MISMATCH: Final = "`meta.result_count` is not the number of posts"


class PublicMetrics(msgspec.Struct, frozen=True):
    """The counts of a post that everyone can see."""

    impression_count: int | None = None
    like_count: int | None = None
    reply_count: int | None = None
    quote_count: int | None = None
    bookmark_count: int | None = None
    retweet_count: int | None = None
    repost_count: int | None = None

    @property
    def reposts(self) -> int | None:
        """The number of reposts, from `repost_count` or `retweet_count`."""
        return self.repost_count if self.retweet_count is None else self.retweet_count


class NonPublicMetrics(msgspec.Struct, frozen=True):
    """The counts of a post that only its author can see, for 30 days."""

    impression_count: int | None = None
    engagements: int | None = None
    url_link_clicks: int | None = None
    user_profile_clicks: int | None = None


class OrganicMetrics(msgspec.Struct, frozen=True):
    """The counts of a post without promotion, or those from promotion alone.

    Only the post's author can see these counts, for 30 days.
    """

    impression_count: int | None = None
    like_count: int | None = None
    reply_count: int | None = None
    url_link_clicks: int | None = None
    user_profile_clicks: int | None = None
    retweet_count: int | None = None
    repost_count: int | None = None

    @property
    def reposts(self) -> int | None:
        """The number of reposts, from `repost_count` or `retweet_count`."""
        return self.repost_count if self.retweet_count is None else self.retweet_count


class UrlEntity(msgspec.Struct, frozen=True):
    """A t.co link in a text, and its target."""

    url: str | None = None
    expanded_url: str | None = None
    unwound_url: str | None = None
    media_key: str | None = None


class PostEntities(msgspec.Struct, frozen=True):
    """The entities that X found in a text; Roost uses only the links."""

    urls: list[UrlEntity] | None = None


class Attachments(msgspec.Struct, frozen=True):
    """The keys of a post's media, and the ids of its polls."""

    media_keys: list[str] | None = None
    poll_ids: list[str] | None = None


class Reference(msgspec.Struct, frozen=True):
    """A reference from a post to another post, which it replies to, quotes or reposts."""

    type: str
    id: str


class NotePost(msgspec.Struct, frozen=True):
    """The whole text of a post of more than 280 characters."""

    text: str
    entities: PostEntities | None = None


class PostData(msgspec.Struct, frozen=True):
    """A post, with the requested fields."""

    id: str
    text: str = ""
    created_at: datetime | None = None
    source: str | None = None
    entities: PostEntities | None = None
    attachments: Attachments | None = None
    referenced_tweets: list[Reference] | None = None
    referenced_posts: list[Reference] | None = None
    note_tweet: NotePost | None = None
    note_post: NotePost | None = None
    public_metrics: PublicMetrics | None = None
    non_public_metrics: NonPublicMetrics | None = None
    organic_metrics: OrganicMetrics | None = None
    promoted_metrics: OrganicMetrics | None = None

    @property
    def references(self) -> list[Reference]:
        """The references, from `referenced_posts` or `referenced_tweets`."""
        return self.referenced_tweets or self.referenced_posts or []

    @property
    def note(self) -> NotePost | None:
        """The long text, from `note_post` or `note_tweet`."""
        return self.note_tweet or self.note_post


class PollOption(msgspec.Struct, frozen=True):
    """An option of a poll in X's response: its text and its position."""

    label: str
    position: int = 0


class PollData(msgspec.Struct, frozen=True):
    """A poll of a post, with its options."""

    id: str
    options: list[PollOption] = []


class Includes(msgspec.Struct, frozen=True):
    """Objects that posts refer to, and that X returns next to the posts."""

    polls: list[PollData] = []


class PageMeta(msgspec.Struct, frozen=True):
    """The number of posts on a page, and the token of the next page."""

    result_count: int | None = None
    next_token: str | None = None


class PostsResponse(ResponseBody, frozen=True):
    """Several posts; `errors` names the requested posts and fields that are missing.

    Posts and errors may both be absent only if `meta` states a count of 0. A count that differs
    from the number of posts is accepted only together with `errors`, because X does not document
    whether the count includes omitted posts.
    """

    data: list[PostData] = msgspec.field(default_factory=list)
    includes: Includes = Includes()
    meta: PageMeta = PageMeta()
    errors: list[dict[str, Any]] = msgspec.field(default_factory=list)

    def __post_init__(self) -> None:
        count = self.meta.result_count
        if count is None:
            require_content(self.data, self.errors)
        elif count != len(self.data) and not self.errors:
            raise ValueError(_COUNT_MISMATCH)

    def posts_read(self) -> tuple[TweetId, ...]:
        """Return the ids of all posts in the response; X bills each post."""
        return tuple(TweetId(post.id) for post in self.data)

    def billed_resources(self) -> int:
        """Return the number of posts in the response; X bills each post."""
        return len(self.data)


class TimelineResponse(PostsResponse, frozen=True):
    """A page of an account's timeline; `meta` must state its number of posts, even if it is 0.

    If X refuses to show a timeline, its response has neither a count nor posts, but `errors`.
    """

    def __post_init__(self) -> None:
        count = self.meta.result_count
        if count is None and not self.data:
            require_content(self.data, self.errors)
        elif count != len(self.data):
            raise ValueError(_COUNT_MISMATCH)

    def refusal(self) -> dict[str, Any] | None:
        """Return X's reason for not showing the timeline, such as a protected account.

        Without this check, the page would look like an empty timeline.
        """
        return self.errors[0] if self.errors and not self.data else None


class CreatedPostData(msgspec.Struct, frozen=True):
    """A post that X has just created."""

    id: _NewId
    text: str = ""


class CreateResponse(ResponseBody, frozen=True):
    """X's response to a request that creates a post."""

    data: CreatedPostData

    def created_post(self) -> TweetId | None:
        """Return the id of the new post."""
        return TweetId(self.data.id)


class Deletion(msgspec.Struct, frozen=True):
    """Whether X has deleted a post."""

    deleted: bool


class DeleteResponse(ResponseBody, frozen=True):
    """X's response to a request that deletes a post."""

    data: Deletion


class TimestampedMetrics(msgspec.Struct, frozen=True):
    """The counts of one hour or day, under X's names."""

    timestamp: datetime
    metrics: dict[str, int] = {}


class PostBuckets(msgspec.Struct, frozen=True):
    """The analytics of one post: its counts per hour or day."""

    id: str
    timestamped_metrics: list[TimestampedMetrics] = []


class PostAnalyticsResponse(ResponseBody, frozen=True):
    """The analytics of several posts; `errors` names the requested posts that are missing."""

    data: list[PostBuckets] = msgspec.field(default_factory=list)
    errors: list[dict[str, Any]] = msgspec.field(default_factory=list)

    def __post_init__(self) -> None:
        require_content(self.data, self.errors)

    def posts_read(self) -> tuple[TweetId, ...]:
        """Return the ids of all posts; as far as is known, X bills each post."""
        return tuple(TweetId(post.id) for post in self.data)

    def billed_resources(self) -> int:
        """Return the number of posts; as far as is known, X bills each post."""
        return len(self.data)


class MediaBuckets(msgspec.Struct, frozen=True):
    """The analytics of one video: its counts per hour or day."""

    media_key: str
    timestamped_metrics: list[TimestampedMetrics] = []


class MediaAnalyticsResponse(ResponseBody, frozen=True):
    """The analytics of several videos; `errors` names the requested videos that are missing."""

    data: list[MediaBuckets] = msgspec.field(default_factory=list)
    errors: list[dict[str, Any]] = msgspec.field(default_factory=list)

    def __post_init__(self) -> None:
        require_content(self.data, self.errors)
