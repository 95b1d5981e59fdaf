"""Which post of an account's timeline is a part: pure comparisons of what it says, has and answers.

The surprise: a person may post the very same text by hand. Where source and time do not tell, the
answer is `Ambiguous`, and a person is asked.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from roost.models import TweetId
from roost.snowflake import snowflake_at
from roost.tweet_urls import TRAILING_TWEET_URL

#: X's clock and ours may differ by this much: searches begin that much earlier.
SKEW: Final = timedelta(seconds=60)
#: A post with the text of a part, made this long before its attempt or after its deadline, may be
#: another's: a person is asked unless its source shows whose it is.
_EARLY: Final = timedelta(seconds=30)
_LATE: Final = timedelta(seconds=15)
#: What a slow network delivers late is ours where X names the app, and it is none of X's own.
_SLOW_NETWORK: Final = timedelta(seconds=120)
#: X refuses a text for so long after the account has posted it, as far as is known.
DUPLICATE_WINDOW: Final = timedelta(hours=24)
#: Names under which X's own clients post; no other app has one of them. What a person posts without
#: Roost has one of these, or another app's.
_CLIENTS_OF_X: Final = frozenset(
    {
        *("X", "X Web App", "X for iPhone", "X for Android", "X Pro"),
        *("Twitter Web App", "Twitter Web Client", "Twitter for iPhone", "Twitter for iPad"),
        *("Twitter for Android", "Twitter for Mac", "TweetDeck", "TweetDeck Web App"),
        *("Twitter Media Studio", "Mobile Web (M2)"),
    }
)
#: X may put those who are answered before a reply's text.
_MENTIONS_AHEAD: Final = re.compile(r"(?:@\w{1,15}\s+)+")


def first_possible_id(started_at: datetime) -> TweetId:
    """Return the smallest id that a post of this attempt can have, less clock skew."""
    return snowflake_at(started_at - SKEW)


@dataclass(frozen=True, slots=True)
class TimelinePost:
    """A post as the account's timeline shows it."""

    tweet_id: TweetId
    text: str
    """As it was written, in the one form in which texts are compared."""
    created_at: datetime
    reply_to: TweetId | None
    media_keys: frozenset[str]
    source: str | None = None
    """The app that made it, by the name that X shows; None: X does not say."""
    quote_of: TweetId | None = None
    poll: tuple[str, ...] | None = None
    """The options of its poll; None: it has none. Empty: it has one, which X does not show."""


@dataclass(frozen=True, slots=True)
class Found:
    """The one post on the timeline that is this part."""

    seen: TimelinePost


@dataclass(frozen=True, slots=True)
class NotFound:
    """No post on the timeline is this part."""


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Several posts could be this part, or one that may be another's."""

    seen: tuple[TimelinePost, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a part looks like on a timeline."""

    text: str
    """In the form in which texts are compared, like each `TimelinePost.text`."""
    files: int
    media_keys: frozenset[str]
    """Of its uploads, where an attempt carried any; a key belongs to one upload and one part."""
    reply_to: TweetId | None
    quote_of: TweetId | None = None
    poll: tuple[str, ...] | None = None
    """The options of its poll, in the form of `TimelinePost.poll`; None: it has none."""

    def resembles(self, seen: TimelinePost) -> bool:
        """Whether the post could be this part, whenever it was made and by whichever app."""
        if seen.reply_to != self.reply_to or not self._has_quote(seen) or not self._has_poll(seen):
            return False
        if self.media_keys:
            return bool(seen.media_keys & self.media_keys)
        return self.says_same(seen) and len(seen.media_keys) == self.files

    def says_same(self, seen: TimelinePost) -> bool:
        """Whether the post's text is this one, without what X may have added to it."""
        return seen.text == self.text or self._bare(seen.text) == self._bare(self.text)

    def _bare(self, text: str) -> str:
        if self.reply_to is not None and (ahead := _MENTIONS_AHEAD.match(text)):
            text = text[ahead.end() :]
        behind = TRAILING_TWEET_URL.search(text)
        if self.quote_of is not None and behind and behind[1] == self.quote_of:
            text = text[: behind.start()]
        return text

    def _has_quote(self, seen: TimelinePost) -> bool:
        # X makes a quote of a link to a post as well, so an unplanned one tells nothing.
        return self.quote_of is None or seen.quote_of == self.quote_of

    def _has_poll(self, seen: TimelinePost) -> bool:
        if self.poll is None or seen.poll is None:
            return self.poll is seen.poll
        return not seen.poll or seen.poll == self.poll


def judge_timeline(
    wanted: Wanted,
    *,
    since: datetime,
    until: datetime,
    timeline: Sequence[TimelinePost],
    claimed: Collection[TweetId],
) -> Found | NotFound | Ambiguous:
    """Which post of the timeline is the part whose attempts began between `since` and `until`.

    Media keys decide alone. Without them an identical post may have been made without Roost: the
    app that made it decides, where it is one of X's own or the timeline shows a claimed post of
    ours to compare with; else the time does. What a part is known as already (`claimed`) is out of
    the question.
    """
    candidates = [
        seen
        for seen in timeline
        if seen.tweet_id not in claimed
        and seen.created_at >= since - SKEW
        and wanted.resembles(seen)
    ]
    if not candidates:
        return NotFound()
    ours = find_sources(timeline, claimed)
    own = (
        candidates
        if wanted.media_keys
        else [seen for seen in candidates if not _is_of_another_app(seen, ours)]
    )
    if not own:
        return Ambiguous(tuple(candidates), "another app made an identical post")
    if len(own) > 1:
        return Ambiguous(tuple(own), "several posts on X look like it")
    (seen,) = own
    if wanted.media_keys or seen.source in ours:
        return Found(seen)
    late = _LATE if seen.source is None else _SLOW_NETWORK
    if since - _EARLY <= seen.created_at <= until + late:
        return Found(seen)
    return Ambiguous((seen,), "an identical post was made at another time")


def _is_of_another_app(seen: TimelinePost, ours: Collection[str]) -> bool:
    """Whether X names an app that is surely none of ours."""
    if seen.source is None:
        return False
    return seen.source in _CLIENTS_OF_X or bool(ours and seen.source not in ours)


def find_sources(timeline: Sequence[TimelinePost], claimed: Collection[TweetId]) -> frozenset[str]:
    """The names of the apps that made posts known as ours."""
    return frozenset(seen.source for seen in timeline if seen.source and seen.tweet_id in claimed)


def judge_forgotten(
    wanted: Wanted,
    *,
    since: datetime,
    timeline: Sequence[TimelinePost],
    claimed: Collection[TweetId],
) -> Found | NotFound | Ambiguous:
    """Which post of the timeline is a part that the database may have forgotten to have sent.

    No attempt is known, so any unclaimed post since then may be it. Of several the earliest is
    taken: they are identical, and the parts are asked about in the order in which they are due.
    """
    candidates = sorted(
        (
            seen
            for seen in timeline
            if seen.tweet_id not in claimed
            and seen.created_at >= since - SKEW
            and wanted.resembles(seen)
        ),
        key=lambda seen: int(seen.tweet_id),
    )
    ours = find_sources(timeline, claimed)
    own = [seen for seen in candidates if not _is_of_another_app(seen, ours)]
    if own:
        return Found(own[0])
    if candidates:
        return Ambiguous(tuple(candidates), "another app made an identical post")
    return NotFound()
