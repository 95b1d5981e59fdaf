"""A post as its rows tell it: all that a worker needs to decide what may be done next."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from roost.models import (
    AttemptId,
    Integration,
    MediaAssetId,
    Part,
    PartState,
    Post,
    TweetId,
    XMediaId,
)
from roost.rate_limits import Window


class Outcome(StrEnum):
    """What became of an attempt."""

    SENT = "sent"
    """X answered with the post's id."""
    ADOPTED = "adopted"
    """X's timeline showed the post, or a person named it."""
    REFUSED = "refused"
    """X refused it for good."""
    NOT_CREATED = "not_created"
    """X surely created nothing, or nothing left the machine."""
    NO_PARENT = "no_parent"
    """X did not show the post that it answers yet; nothing was created."""
    DUPLICATE = "duplicate"
    """X refused a repetition: it believes that it has the post."""
    UNKNOWN = "unknown"
    """No answer came: the timeline has to tell."""


#: After these X surely has no post of the attempt.
_NOTHING_CREATED: Final = frozenset({Outcome.NOT_CREATED, Outcome.NO_PARENT, Outcome.REFUSED})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at sending a part; committed before the request leaves."""

    id: AttemptId
    number: int
    """From 1."""
    started_at: datetime
    """Domain time: where reconciling begins to look."""
    wall_left: timedelta
    """Wall time in which its request may still be under way; negative: surely over."""
    outcome: Outcome | None = None
    """None: under way, or its worker died."""
    empty_reads: int = 0
    """Reads of the timeline, past X's read lag, that did not show the post."""
    empty_read_at: datetime | None = None
    decided_absent: bool = False
    """A person has looked, and said that X does not have it."""
    media_ids: tuple[XMediaId, ...] = ()
    media_keys: tuple[str, ...] = ()
    """Of what it carried: how a timeline names it."""
    app_backoff: timedelta = timedelta(0)
    """How long the app was in back-off since this attempt."""


@dataclass(frozen=True, slots=True)
class Upload:
    """What X holds of a file."""

    asset_id: MediaAssetId
    media_id: XMediaId
    media_key: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PartProgress:
    """A part, its attempts (oldest first) and what X holds of its files."""

    part: Part
    attempts: tuple[Attempt, ...] = ()
    uploads: Mapping[MediaAssetId, Upload] | None = None

    @property
    def last(self) -> Attempt:
        """The latest attempt; there is one for every part that is not `pending`."""
        return self.attempts[-1]

    @property
    def unsettled(self) -> tuple[Attempt, ...]:
        """Attempts that may have become a post; the last attempt where there are none."""
        absent = max((each.number for each in self.attempts if each.decided_absent), default=0)
        found = tuple(
            each
            for each in self.attempts
            if each.outcome not in _NOTHING_CREATED and each.number > absent
        )
        return found or self.attempts[-1:]

    @property
    def confirmed_absent(self) -> bool:
        """Whether a person said that X does not have it, and X surely created nothing since."""
        said = max((each.number for each in self.attempts if each.decided_absent), default=None)
        return said is not None and all(
            each.outcome in _NOTHING_CREATED for each in self.attempts if each.number > said
        )

    @property
    def unsettled_since(self) -> datetime:
        """When the first attempt began that may have become a post."""
        return self.unsettled[0].started_at

    @property
    def app_backoff(self) -> timedelta:
        """How long the app was in back-off since then."""
        first = self.unsettled[0].number
        waits = (each.app_backoff for each in self.attempts if each.number >= first)
        return sum(waits, timedelta(0))

    @property
    def empty_reads(self) -> int:
        """Reads of the timeline that count, since the latest attempt that may be a post."""
        return sum(each.empty_reads for each in self._since_unsettled)

    @property
    def empty_read_at(self) -> datetime | None:
        """When the latest of all empty reads since then was made."""
        reads = (each.empty_read_at for each in self._since_unsettled if each.empty_read_at)
        return max(reads, default=None)

    @property
    def _since_unsettled(self) -> list[Attempt]:
        latest = self.unsettled[-1].number
        return [each for each in self.attempts if each.number >= latest]

    @property
    def said_duplicate(self) -> bool:
        """Whether X refused a repetition as a duplicate."""
        return any(each.outcome is Outcome.DUPLICATE for each in self.attempts)

    @property
    def without_parent(self) -> int:
        """How many attempts X refused because it did not show the part before."""
        return sum(each.outcome is Outcome.NO_PARENT for each in self.attempts)

    @property
    def media_keys(self) -> frozenset[str]:
        """How the timeline names its files; empty where no attempt carried any that is known."""
        return frozenset(key for each in self.attempts for key in each.media_keys)

    def upload_of(self, asset_id: MediaAssetId) -> Upload | None:
        """What X holds of one file."""
        return (self.uploads or {}).get(asset_id)


@dataclass(frozen=True, slots=True)
class Recheck:
    """The database may lack what was sent before, and does not show it.

    A part of a post due by `until` that would be sent, also after attempts that created nothing, is
    looked for on X before, and not before `until`: after a restore, that is when no request of
    before is on its way.
    """

    since: datetime
    """The newest event of the database: what was sent later may be missing."""
    until: datetime


@dataclass(frozen=True, slots=True)
class Rest:
    """X takes nothing before an instant."""

    until: datetime
    why: str


@dataclass(frozen=True, slots=True)
class PublishState:
    """A post on its way, with its account and what X has said of both."""

    post: Post
    account: Integration
    parts: tuple[PartProgress, ...]
    late_from: datetime
    """Since when its lateness counts: its due time, or what kept it that nobody could help."""
    windows: tuple[Window, ...] = ()
    """How many creates X still takes of the account, as its last answer told."""
    app_rest: Rest | None = None
    """X takes nothing of any account of the app."""
    recheck: Recheck | None = None
    """What the database may lack."""

    @property
    def is_untried(self) -> bool:
        """Whether nothing of it was ever sent."""
        return not any(each.attempts for each in self.parts)

    def current(self) -> PartProgress | None:
        """The first part that is not on X; None: all are."""
        return next((one for one in self.parts if one.part.state is not PartState.SENT), None)

    def parent_of(self, part: Part) -> TweetId | None:
        """What a part answers: the part before it; the first one whatever its author said."""
        before = [one.part for one in self.parts if one.part.position < part.position]
        return before[-1].sent_as if before else part.options.reply_to
