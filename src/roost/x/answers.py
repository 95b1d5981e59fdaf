"""X's answers as typed values, in both of its spellings (`tweet_count` and `post_count`).

X renames `tweet` to `post` and nobody outside knows which spelling comes back, so each struct has
both fields and a property that reads whichever is there. Fields nobody here reads are skipped.

A proxy's `{}` or `{"status": "ok"}` with status 200 is valid JSON. So each struct requires what
every answer of X to its question has, and decoding anything else fails.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final

import msgspec

from roost.models import TweetId, XUserId
from roost.x.problems import is_problem

#: X's ids, as they become part of our rows.
_NewId = Annotated[str, msgspec.Meta(pattern="^[0-9]{1,19}$")]


class Wire(msgspec.Struct, frozen=True):
    """One whole answer; by default it holds nothing that X bills."""

    for_empty: ClassVar[bytes] = b""
    """What to decode where the body is empty; empty itself where X never answers so."""

    def posts_read(self) -> tuple[TweetId, ...]:
        """The posts it holds."""
        return ()

    def users_read(self) -> tuple[XUserId, ...]:
        """The users it holds."""
        return ()

    def created(self) -> TweetId | None:
        """The post that it says was made."""
        return None

    def refusal(self) -> dict[str, Any] | None:
        """Why it holds nothing: X refuses with status 200 as well."""
        return None

    def resources(self) -> int:
        """How many things it holds that a read is billed by."""
        return len(self.users_read())


class PublicMetrics(msgspec.Struct, frozen=True):
    """Counts that everybody sees."""

    impression_count: int | None = None
    like_count: int | None = None
    reply_count: int | None = None
    quote_count: int | None = None
    bookmark_count: int | None = None
    retweet_count: int | None = None
    repost_count: int | None = None

    @property
    def reposts(self) -> int | None:
        """By either name."""
        return self.repost_count if self.retweet_count is None else self.retweet_count


class NonPublicMetrics(msgspec.Struct, frozen=True):
    """Counts for the author, for 30 days."""

    impression_count: int | None = None
    engagements: int | None = None
    url_link_clicks: int | None = None
    user_profile_clicks: int | None = None


class OrganicMetrics(msgspec.Struct, frozen=True):
    """Counts for the author, for 30 days: without what promotion earned, or that alone."""

    impression_count: int | None = None
    like_count: int | None = None
    reply_count: int | None = None
    url_link_clicks: int | None = None
    user_profile_clicks: int | None = None
    retweet_count: int | None = None
    repost_count: int | None = None

    @property
    def reposts(self) -> int | None:
        """By either name."""
        return self.repost_count if self.retweet_count is None else self.retweet_count


class UrlEntity(msgspec.Struct, frozen=True):
    """A t.co link in a text and where it leads."""

    url: str | None = None
    expanded_url: str | None = None
    unwound_url: str | None = None
    media_key: str | None = None


class Entities(msgspec.Struct, frozen=True):
    """What X found in a text."""

    urls: list[UrlEntity] | None = None


class Attachments(msgspec.Struct, frozen=True):
    """What hangs on a post."""

    media_keys: list[str] | None = None
    poll_ids: list[str] | None = None


class Reference(msgspec.Struct, frozen=True):
    """Another post that a post refers to."""

    type: str
    id: str


class Note(msgspec.Struct, frozen=True):
    """The whole text of a post of more than 280 characters."""

    text: str
    entities: Entities | None = None


class Post(msgspec.Struct, frozen=True):
    """A post, with whatever fields were asked for."""

    id: str
    text: str = ""
    created_at: datetime | None = None
    source: str | None = None
    entities: Entities | None = None
    attachments: Attachments | None = None
    referenced_tweets: list[Reference] | None = None
    referenced_posts: list[Reference] | None = None
    note_tweet: Note | None = None
    note_post: Note | None = None
    public_metrics: PublicMetrics | None = None
    non_public_metrics: NonPublicMetrics | None = None
    organic_metrics: OrganicMetrics | None = None
    promoted_metrics: OrganicMetrics | None = None

    @property
    def references(self) -> list[Reference]:
        """By either name."""
        return self.referenced_tweets or self.referenced_posts or []

    @property
    def note(self) -> Note | None:
        """By either name."""
        return self.note_tweet or self.note_post


class PollOption(msgspec.Struct, frozen=True):
    """One choice of a poll."""

    label: str
    position: int = 0


class Poll(msgspec.Struct, frozen=True):
    """A poll that a post carries."""

    id: str
    options: list[PollOption] = []


class Includes(msgspec.Struct, frozen=True):
    """What was expanded beside the posts."""

    polls: list[Poll] = []


class Meta(msgspec.Struct, frozen=True):
    """How many posts a page holds, and the token of the next page."""

    result_count: int | None = None
    next_token: str | None = None


class Posts(Wire, frozen=True):
    """Several posts; `errors` says which of those asked for, or of their fields, are missing.

    Both may be absent only where `meta` counts no posts. A count that differs from what is there
    is X's only beside `errors`: X does not say whether it counts posts that it then leaves out.
    """

    data: list[Post] = []
    includes: Includes = Includes()
    meta: Meta = Meta()
    errors: list[dict[str, Any]] = []

    def __post_init__(self) -> None:
        count = self.meta.result_count
        if count is None:
            _require_content(self.data, self.errors)
        elif count != len(self.data) and not self.errors:
            raise ValueError(_MISCOUNTED)

    def posts_read(self) -> tuple[TweetId, ...]:
        """Each of them is billed."""
        return tuple(TweetId(post.id) for post in self.data)

    def resources(self) -> int:
        """Each of them is billed."""
        return len(self.data)


class Timeline(Posts, frozen=True):
    """A page of an account's posts, also one without any: `meta` must count what it holds.

    Without a count it is a refusal: problems of X and no posts.
    """

    def __post_init__(self) -> None:
        count = self.meta.result_count
        if count is None and not self.data:
            _require_content(self.data, self.errors)
        elif count != len(self.data):
            raise ValueError(_MISCOUNTED)

    def refusal(self) -> dict[str, Any] | None:
        """A protected or suspended account's reason; that is not "no posts"."""
        return self.errors[0] if self.errors and not self.data else None


class TimestampedMetrics(msgspec.Struct, frozen=True):
    """What came in one bucket of time, by X's names."""

    timestamp: datetime
    metrics: dict[str, int] = {}


class PostBuckets(msgspec.Struct, frozen=True):
    """A post's analytics."""

    id: str
    timestamped_metrics: list[TimestampedMetrics] = []


class PostAnalytics(Wire, frozen=True):
    """Analytics of several posts; `errors` says which of those asked for are missing."""

    data: list[PostBuckets] = []
    errors: list[dict[str, Any]] = []

    def __post_init__(self) -> None:
        _require_content(self.data, self.errors)

    def posts_read(self) -> tuple[TweetId, ...]:
        """Each of them is billed, as far as is known."""
        return tuple(TweetId(post.id) for post in self.data)

    def resources(self) -> int:
        """Each of them is billed, as far as is known."""
        return len(self.data)


class MediaBuckets(msgspec.Struct, frozen=True):
    """A video's analytics."""

    media_key: str
    timestamped_metrics: list[TimestampedMetrics] = []


class MediaAnalytics(Wire, frozen=True):
    """Analytics of several videos; `errors` says which of those asked for are missing."""

    data: list[MediaBuckets] = []
    errors: list[dict[str, Any]] = []

    def __post_init__(self) -> None:
        _require_content(self.data, self.errors)


class DayUsage(msgspec.Struct, frozen=True):
    """Posts read on one day."""

    date: datetime
    usage: int | None = None


class DailyUsage(msgspec.Struct, frozen=True):
    """Posts read, day by day."""

    usage: list[DayUsage] | None = None


class UsageData(msgspec.Struct, frozen=True):
    """What a project has read, and may read."""

    cap_reset_day: int | None = None
    project_cap: int | None = None
    project_usage: int | None = None
    daily_project_usage: DailyUsage | None = None


class Usage(Wire, frozen=True):
    """The answer to a question about usage."""

    data: UsageData


class CreatedPost(msgspec.Struct, frozen=True):
    """A post just made."""

    id: _NewId
    text: str = ""


class Created(Wire, frozen=True):
    """The answer to a create."""

    data: CreatedPost

    def created(self) -> TweetId | None:
        """Its id."""
        return TweetId(self.data.id)


class Deletion(msgspec.Struct, frozen=True):
    """Whether a post is gone."""

    deleted: bool


class Deleted(Wire, frozen=True):
    """The answer to a delete."""

    data: Deletion


class UserMetrics(msgspec.Struct, frozen=True):
    """An account's counts."""

    followers_count: int | None = None
    following_count: int | None = None
    tweet_count: int | None = None
    post_count: int | None = None

    @property
    def posts(self) -> int | None:
        """By either name."""
        return self.post_count if self.tweet_count is None else self.tweet_count


class UserData(msgspec.Struct, frozen=True):
    """An account on X."""

    id: str
    username: str
    name: str = ""
    subscription_type: str | None = None
    verified: bool | None = None
    public_metrics: UserMetrics = UserMetrics()


class User(Wire, frozen=True):
    """One account, or `errors` that say why not."""

    data: UserData | None = None
    errors: list[dict[str, Any]] = []

    def __post_init__(self) -> None:
        if self.data is None:
            _require_content((), self.errors)

    def users_read(self) -> tuple[XUserId, ...]:
        """It is billed."""
        return (XUserId(self.data.id),) if self.data else ()

    def refusal(self) -> dict[str, Any] | None:
        """Why there is no such account."""
        return None if self.data else self.errors[0]


class ProcessingError(msgspec.Struct, frozen=True):
    """Why a file failed; X does not always say."""

    name: str = ""
    message: str = ""


class Processing(msgspec.Struct, frozen=True):
    """How far X is with a GIF or a video."""

    state: str
    check_after_secs: int | None = None
    progress_percent: int | None = None
    error: ProcessingError | None = None


class MediaData(msgspec.Struct, frozen=True):
    """An upload."""

    id: str
    media_key: str | None = None
    expires_after_secs: int | None = None
    processing_info: Processing | None = None


class Media(Wire, frozen=True):
    """The answer to initialize, finalize and STATUS."""

    data: MediaData

    def refusal(self) -> dict[str, Any] | None:
        """Why X could not process the file, in the shape of a problem."""
        processing = self.data.processing_info
        if processing is None or processing.state != "failed":
            return None
        why = processing.error or ProcessingError()
        return {"title": why.name, "detail": why.message}


class LegacyMedia(Wire, frozen=True):
    """The answer of the API 1.1 to INIT, FINALIZE and STATUS."""

    media_id_string: str
    media_key: str | None = None
    expires_after_secs: int | None = None
    processing_info: Processing | None = None

    @property
    def data(self) -> MediaData:
        """As v2 says it."""
        return MediaData(
            self.media_id_string, self.media_key, self.expires_after_secs, self.processing_info
        )

    def refusal(self) -> dict[str, Any] | None:
        """As of v2."""
        return Media(self.data).refusal()


class Nothing(Wire, frozen=True):
    """An answer whose content does not matter: some object under `data`, or no body (204)."""

    for_empty: ClassVar[bytes] = b'{"data":{}}'

    data: dict[str, Any]


class Tokens(msgspec.Struct, frozen=True):
    """What the token endpoint grants."""

    access_token: str
    expires_in: int = 7200
    scope: str = ""
    refresh_token: str | None = None


class TokenRefusal(msgspec.Struct, frozen=True):
    """What the token endpoint says when it grants nothing."""

    error: str = ""
    error_description: str = ""


class Revoked(msgspec.Struct, frozen=True):
    """What the token endpoint says when it has taken a token back."""

    revoked: bool


_MISCOUNTED: Final = "`meta.result_count` is not the number of posts"


def _require_content(data: Sequence[object], errors: Sequence[Mapping[str, Any]]) -> None:
    """Raises: ValueError (neither what was asked for, nor X's reason why it is not there)."""
    if not data and not (errors and is_problem(errors[0])):
        raise ValueError("neither `data` nor a problem of X")
