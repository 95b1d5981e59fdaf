"""Finds a part on a timeline by text, media, parent, options, time and source.

A person may publish the same text without Roost. If neither source nor time shows who published a
post, the result is `Ambiguous`, and a user decides. This module is pure.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from roost.models import Reason, ReasonCode, TweetId
from roost.snowflake import snowflake_at

#: The largest expected difference between X's clock and ours. Searches of a timeline begin earlier
#: by this difference.
SKEW: Final = timedelta(seconds=60)
#: A post with a part's text counts as the part if X created the post at most `_EARLY` before the
#: attempt and at most `_LATE` after the attempt's deadline. A post from another time may be written
#: by a person, so a user decides, unless the post's source shows that Roost created it.
_EARLY: Final = timedelta(seconds=30)
_LATE: Final = timedelta(seconds=15)
#: The limit after the deadline, instead of `_LATE`, for a post whose source is known and is not one
#: of X's own clients. Such a post is probably Roost's, from a request that the network delayed.
_SLOW_NETWORK: Final = timedelta(seconds=120)
#: The time, as far as is known, in which X refuses a text that the account has already published.
DUPLICATE_WINDOW: Final = timedelta(hours=24)
#: The sources of posts from X's own clients. No other app can have one of these names, so a post
#: with such a source was not published by Roost.
_CLIENTS_OF_X: Final = frozenset(
    {
        *("X", "X Web App", "X for iPhone", "X for Android", "X Pro"),
        *("Twitter Web App", "Twitter Web Client", "Twitter for iPhone", "Twitter for iPad"),
        *("Twitter for Android", "Twitter for Mac", "TweetDeck", "TweetDeck Web App"),
        *("Twitter Media Studio", "Mobile Web (M2)"),
    }
)
#: X may prepend mentions to the text of a reply.
_LEADING_MENTIONS: Final = re.compile(r"(?:@\w{1,15}\s+)+")
#: X may append the address of a quoted post to the text.
_TRAILING_POST_LINK: Final = re.compile(
    r"\s*https?://(?:www\.|mobile\.)?(?:x|twitter)\.com/\S+/status/([0-9]+)(?:[/?#]\S*)?$"
)


def first_possible_id(started_at: datetime) -> TweetId:
    """Return the smallest id that a post can have if the attempt began at `started_at`.

    The possible difference between X's clock and ours is taken into account.
    """
    return snowflake_at(started_at - SKEW)


@dataclass(frozen=True, slots=True)
class TimelinePost:
    """A post on the account's timeline, with the properties by which a part is recognized."""

    tweet_id: TweetId
    text: str
    """The text as written, normalized by `roost.x.text_matching` for comparison."""
    created_at: datetime
    reply_to: TweetId | None
    media_keys: frozenset[str]
    source: str | None = None
    """The name of the app that created the post; None if X does not say."""
    quote_of: TweetId | None = None
    poll: tuple[str, ...] | None = None
    """The options of the post's poll; None if it has no poll, empty if X shows no options."""


@dataclass(frozen=True, slots=True)
class Found:
    """The part is on X: `post` on the timeline is the part."""

    post: TimelinePost


@dataclass(frozen=True, slots=True)
class NotFound:
    """The timeline has no post that matches the part."""


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Posts match the part, but it is not known which of them is the part, or whether any is.

    A person may have published a matching post without Roost.
    """

    posts: tuple[TimelinePost, ...]
    code: ReasonCode

    @property
    def reason(self) -> Reason:
        """Why a user must decide, with the ids of the posts to check."""
        return Reason(self.code, {"tweet_ids": [post.tweet_id for post in self.posts]})


@dataclass(frozen=True, slots=True)
class ExpectedPost:
    """The properties that a part's post would have on a timeline."""

    text: str
    """The part's text, normalized in the same way as `TimelinePost.text`."""
    file_count: int
    media_keys: frozenset[str]
    """The keys of the uploads of all attempts. A key belongs to one upload and one part."""
    reply_to: TweetId | None
    quote_of: TweetId | None = None
    poll: tuple[str, ...] | None = None
    """The options of the part's poll, in the form of `TimelinePost.poll`; None without a poll."""

    def matches(self, post: TimelinePost) -> bool:
        """Whether a post could be this part; the time and source of the post are ignored."""
        if post.reply_to != self.reply_to or not self._has_quote(post) or not self._has_poll(post):
            return False
        if self.media_keys:
            return bool(post.media_keys & self.media_keys)
        return self.has_text_of(post) and len(post.media_keys) == self.file_count

    def has_text_of(self, post: TimelinePost) -> bool:
        """Whether the texts are equal, except for mentions or a link that X may have added."""
        return post.text == self.text or self._strip(post.text) == self._strip(self.text)

    def _strip(self, text: str) -> str:
        if self.reply_to is not None and (mentions := _LEADING_MENTIONS.match(text)):
            text = text[mentions.end() :]
        link = _TRAILING_POST_LINK.search(text)
        if self.quote_of is not None and link and link[1] == self.quote_of:
            text = text[: link.start()]
        return text

    def _has_quote(self, post: TimelinePost) -> bool:
        # X turns a link to a post into a quote, so the post may have a quote although the part has
        # no `quote_of`.
        return self.quote_of is None or post.quote_of == self.quote_of

    def _has_poll(self, post: TimelinePost) -> bool:
        if self.poll is None or post.poll is None:
            return self.poll is post.poll
        return not post.poll or post.poll == self.poll


def match_part(
    expected: ExpectedPost,
    *,
    since: datetime,
    until: datetime,
    timeline: Sequence[TimelinePost],
    claimed: Collection[TweetId],
) -> Found | NotFound | Ambiguous:
    """Find the post of a part whose attempts began between `since` and `until`.

    If the part has media keys, a post with such a key is the part. Otherwise, the post's source may
    show whether Roost created the post: X's own clients are not Roost, and other posts of Roost on
    the timeline show Roost's source. If the source does not show it, the time of the post decides.
    Posts that are known to be other parts (`claimed`) are ignored.
    """
    candidates = [
        post
        for post in timeline
        if post.tweet_id not in claimed
        and post.created_at >= since - SKEW
        and expected.matches(post)
    ]
    if not candidates:
        return NotFound()
    our_sources = list_sources(timeline, claimed)
    ours = (
        candidates
        if expected.media_keys
        else [post for post in candidates if not _is_from_another_app(post, our_sources)]
    )
    if not ours:
        return Ambiguous(tuple(candidates), ReasonCode.FOREIGN_APP)
    if len(ours) > 1:
        return Ambiguous(tuple(ours), ReasonCode.SEVERAL_MATCHES)
    (post,) = ours
    if expected.media_keys or post.source in our_sources:
        return Found(post)
    late = _LATE if post.source is None else _SLOW_NETWORK
    if since - _EARLY <= post.created_at <= until + late:
        return Found(post)
    return Ambiguous((post,), ReasonCode.OTHER_TIME)


def _is_from_another_app(post: TimelinePost, our_sources: Collection[str]) -> bool:
    """Whether a post has a source that cannot be Roost's."""
    if post.source is None:
        return False
    return post.source in _CLIENTS_OF_X or bool(our_sources and post.source not in our_sources)


def list_sources(timeline: Sequence[TimelinePost], claimed: Collection[TweetId]) -> frozenset[str]:
    """Return the names of the apps that created the claimed posts."""
    return frozenset(post.source for post in timeline if post.source and post.tweet_id in claimed)


def match_forgotten_part(
    expected: ExpectedPost,
    *,
    since: datetime,
    timeline: Sequence[TimelinePost],
    claimed: Collection[TweetId],
) -> Found | NotFound | Ambiguous:
    """Find the post of a part that may have been sent although the database has no attempt.

    Any unclaimed post after `since` that matches may be the part. If several posts match, the
    earliest is returned. These posts are identical, and parts are searched for in the order of
    their due times, so the next part gets the next of these posts.
    """
    candidates = sorted(
        (
            post
            for post in timeline
            if post.tweet_id not in claimed
            and post.created_at >= since - SKEW
            and expected.matches(post)
        ),
        key=lambda post: int(post.tweet_id),
    )
    our_sources = list_sources(timeline, claimed)
    ours = [post for post in candidates if not _is_from_another_app(post, our_sources)]
    if ours:
        return Found(ours[0])
    if candidates:
        return Ambiguous(tuple(candidates), ReasonCode.FOREIGN_APP)
    return NotFound()
