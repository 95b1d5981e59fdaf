"""Exactly once, decided: what may be done next for a part, from its rows alone.

X has no idempotency key. A part is never sent again unless there is reason to believe that it is
not there, and what cannot be known goes to a person. Nothing here does anything: `services.publish`
does, and commits around every step.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from roost.models import MediaAsset, Part, PartState, TweetId

#: Clocks may differ by this much: reconciling begins to look that much earlier.
SKEW: Final = timedelta(seconds=60)
#: Two empty reads of the timeline lie at least this far apart.
BETWEEN_READS: Final = timedelta(seconds=15)
#: An upload that expires sooner than this is made anew.
UPLOAD_MARGIN: Final = timedelta(minutes=10)
#: So many empty reads, past X's read lag, are reason to believe that a post is not there.
EMPTY_READS: Final = 2
#: The first millisecond of X's ids (Source: the snowflake layout X published).
_SNOWFLAKE_EPOCH: Final = timedelta(milliseconds=1_288_834_974_657)


@dataclass(frozen=True, slots=True)
class Try:
    """A part's latest attempt, as its row tells it."""

    unsettled_since: datetime
    """When the part's first attempt began of which nobody knows that X created nothing."""
    started_at: datetime
    wall_left: timedelta
    """Wall time in which its request may still be under way."""
    empty_reads: int
    empty_read_at: datetime | None
    said_duplicate: bool = False
    """Whether X refused a repetition as a duplicate."""


@dataclass(frozen=True, slots=True)
class Lags:
    """How late X may be, in domain time."""

    read_lag: timedelta
    resend_within: timedelta


@dataclass(frozen=True, slots=True)
class UploadMedia:
    """A file has to be on X before the part can go out."""

    asset: MediaAsset


@dataclass(frozen=True, slots=True)
class Send:
    """The part may be sent; `again` where an earlier attempt surely (as we believe) failed."""

    again: bool


@dataclass(frozen=True, slots=True)
class WaitWall:
    """The last attempt's request may still be under way."""

    left: timedelta


@dataclass(frozen=True, slots=True)
class GiveUpWaiting:
    """The last attempt's time is over and its answer is not known: the part is `unknown`."""


@dataclass(frozen=True, slots=True)
class ReadTimeline:
    """X has to be asked; an empty answer `counts` only past X's read lag."""

    counts: bool


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Nothing to do before this instant of domain time."""

    instant: datetime


@dataclass(frozen=True, slots=True)
class AskPerson:
    """Roost cannot know; `why` is what the person reads."""

    why: str


Step = UploadMedia | Send | WaitWall | GiveUpWaiting | ReadTimeline | WaitUntil | AskPerson


def decide_step(
    part: Part,
    last: Try | None,
    uploads: dict[int, datetime],
    *,
    now: datetime,
    lags: Lags,
) -> Step:
    """What may be done next for a part that is neither sent nor refused.

    `uploads` maps the files that X holds (by asset id) to their expiry; `now` is domain time.
    """
    if part.state is PartState.SENDING:
        assert last is not None, "a part becomes `sending` together with its attempt"
        return WaitWall(last.wall_left) if last.wall_left > timedelta(0) else GiveUpWaiting()
    if part.state is PartState.UNKNOWN:
        assert last is not None, "a part becomes `unknown` after an attempt"
        return _reconcile(part, last, uploads, now=now, lags=lags)
    for asset in part.media:
        if uploads.get(asset.id, now) <= now + UPLOAD_MARGIN:
            return UploadMedia(asset)
    return Send(again=False)


def _reconcile(
    part: Part, last: Try, uploads: dict[int, datetime], *, now: datetime, lags: Lags
) -> Step:
    readable_at = last.started_at + lags.read_lag
    if last.empty_reads >= EMPTY_READS:
        if last.said_duplicate:
            return AskPerson(
                "X refuses to have the post twice, yet its timeline does not show it once."
            )
        if now > last.unsettled_since + lags.resend_within:
            return AskPerson(
                "X did not answer the attempt, its timeline does not show the post, and it is too"
                " late to send it again safely."
            )
        if any(uploads.get(asset.id, now) <= now for asset in part.media):
            return AskPerson(
                "X did not answer the attempt, its timeline does not show the post, and its media"
                " have expired, so that the same request cannot be made again."
            )
        return Send(again=True)
    if last.empty_read_at is None:
        return ReadTimeline(counts=now >= readable_at)
    next_at = readable_at
    if last.empty_reads:
        next_at = max(next_at, last.empty_read_at + BETWEEN_READS)
    return ReadTimeline(counts=True) if now >= next_at else WaitUntil(next_at)


def since_tweet(started_at: datetime) -> TweetId:
    """The smallest id a post of this attempt could have, clocks' skew allowed for."""
    since = started_at - SKEW
    milliseconds = int(since.timestamp() * 1000) - int(_SNOWFLAKE_EPOCH / timedelta(milliseconds=1))
    return TweetId(str(max(0, milliseconds) << 22))


@dataclass(frozen=True, slots=True)
class Seen:
    """A post as the account's timeline shows it."""

    tweet_id: TweetId
    text: str
    """As it was written, in the one form in which texts are compared."""
    created_at: datetime
    reply_to: TweetId | None
    media_keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class Found:
    """The one post on the timeline that is this part."""

    seen: Seen


@dataclass(frozen=True, slots=True)
class NotFound:
    """No post on the timeline is this part."""


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Several posts could be this part."""

    seen: tuple[Seen, ...]


def judge_timeline(
    *,
    text: str,
    media_keys: Iterable[str],
    reply_to: TweetId | None,
    since: datetime,
    timeline: Sequence[Seen],
    adopted: Collection[TweetId],
) -> Found | NotFound | Ambiguous:
    """Which post of the timeline is the part that was sent at `since` or later.

    `text` has the form in which texts are compared, like each `Seen.text`. A media key belongs to
    one upload and one part, so it decides alone; else text, parent and time together. What another
    part was adopted as is out of the question.
    """
    wanted = frozenset(media_keys)
    candidates = [
        seen
        for seen in timeline
        if seen.tweet_id not in adopted
        and seen.created_at >= since - SKEW
        and seen.reply_to == reply_to
        and (seen.media_keys == wanted if wanted else seen.text == text and not seen.media_keys)
    ]
    if len(candidates) == 1:
        return Found(candidates[0])
    return Ambiguous(tuple(candidates)) if candidates else NotFound()
