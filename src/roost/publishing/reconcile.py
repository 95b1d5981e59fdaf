"""Finds a part on a timeline by text, media, parent, options, time and source.

A person may publish the same text without Roost. If neither source nor time decides whose post it
is, the verdict is `Ambiguous`, and a user decides. This module is pure.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from roost.models import Reason, ReasonCode, TweetId
from roost.snowflake import snowflake_at

#: X's clock and ours may differ by this much, so searches begin that much earlier.
SKEW: Final = timedelta(seconds=60)
#: A post with a part's text, created this long before its attempt or after its deadline, may be
#: someone else's: a user decides, unless its source shows that it is ours.
_EARLY: Final = timedelta(seconds=30)
_LATE: Final = timedelta(seconds=15)
#: The same after the deadline if X names an app and the app is not X's own: a slow network.
_SLOW_NETWORK: Final = timedelta(seconds=120)
#: X refuses a text for this long after the account has published it, as far as is known.
DUPLICATE_WINDOW: Final = timedelta(hours=24)
#: The source names of X's own clients; no other app can have one of them. A post that a person
#: publishes without Roost has one of these sources, or that of another app.
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
    """Return the smallest id that a post of this attempt can have, less clock skew."""
    return snowflake_at(started_at - SKEW)


@dataclass(frozen=True, slots=True)
class TimelinePost:
    """A post on the account's timeline."""

    tweet_id: TweetId
    text: str
    """As written, in the normal form in which texts are compared."""
    created_at: datetime
    reply_to: TweetId | None
    media_keys: frozenset[str]
    source: str | None = None
    """The name of the app that created it; None if X does not say."""
    quote_of: TweetId | None = None
    poll: tuple[str, ...] | None = None
    """The options of its poll; None without a poll, empty if X does not show the options."""


@dataclass(frozen=True, slots=True)
class Found:
    """The one post on the timeline that is the part."""

    post: TimelinePost


@dataclass(frozen=True, slots=True)
class NotFound:
    """No post on the timeline is the part."""


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Several posts could be the part, or a post that may be someone else's."""

    posts: tuple[TimelinePost, ...]
    code: ReasonCode

    @property
    def reason(self) -> Reason:
        """Why a user must decide, with the ids of the posts to check."""
        return Reason(self.code, {"tweet_ids": [post.tweet_id for post in self.posts]})


@dataclass(frozen=True, slots=True)
class ExpectedPost:
    """How a part would appear on a timeline."""

    text: str
    """In the normal form in which texts are compared, like each `TimelinePost.text`."""
    file_count: int
    media_keys: frozenset[str]
    """The keys of the uploads of its attempts; a key belongs to one upload and one part."""
    reply_to: TweetId | None
    quote_of: TweetId | None = None
    poll: tuple[str, ...] | None = None
    """The options of its poll, in the form of `TimelinePost.poll`; None without a poll."""

    def matches(self, post: TimelinePost) -> bool:
        """Whether a post could be this part, regardless of time and source."""
        if post.reply_to != self.reply_to or not self._has_quote(post) or not self._has_poll(post):
            return False
        if self.media_keys:
            return bool(post.media_keys & self.media_keys)
        return self.has_text_of(post) and len(post.media_keys) == self.file_count

    def has_text_of(self, post: TimelinePost) -> bool:
        """Whether the texts are equal, without what X may have added to the post's."""
        return post.text == self.text or self._strip(post.text) == self._strip(self.text)

    def _strip(self, text: str) -> str:
        if self.reply_to is not None and (mentions := _LEADING_MENTIONS.match(text)):
            text = text[mentions.end() :]
        link = _TRAILING_POST_LINK.search(text)
        if self.quote_of is not None and link and link[1] == self.quote_of:
            text = text[: link.start()]
        return text

    def _has_quote(self, post: TimelinePost) -> bool:
        # X also turns a link to a post into a quote, so an unplanned quote proves nothing.
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
    """Find the part whose attempts began between `since` and `until`.

    A media key decides alone. Without one, the source decides if it is one of X's own clients, or
    if the timeline shows a claimed post of ours to compare with; otherwise the time decides. Posts
    that are known to be other parts (`claimed`) are left out.
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
    """Whether X names a source that cannot be ours."""
    if post.source is None:
        return False
    return post.source in _CLIENTS_OF_X or bool(our_sources and post.source not in our_sources)


def list_sources(timeline: Sequence[TimelinePost], claimed: Collection[TweetId]) -> frozenset[str]:
    """The names of the apps that created the claimed posts."""
    return frozenset(post.source for post in timeline if post.source and post.tweet_id in claimed)


def match_forgotten_part(
    expected: ExpectedPost,
    *,
    since: datetime,
    timeline: Sequence[TimelinePost],
    claimed: Collection[TweetId],
) -> Found | NotFound | Ambiguous:
    """Find a part that was sent although the database may have lost its attempt.

    Without a known attempt, any unclaimed post after `since` may be it. If several match, the
    earliest is returned: they are identical, and parts are searched for in due order.
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
