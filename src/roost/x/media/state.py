"""How far an upload has come, as a value that can be kept and gone on with."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from roost.limits import Window
from roost.models import XMediaId
from roost.prices import Price


class UploadApi(StrEnum):
    """By which of X's two ways."""

    V2 = "v2"
    V1_1 = "v1.1"
    """The older one: OAuth 1.0a only; X has announced its end."""


class ProcessingState(StrEnum):
    """What X says of a file that it has whole."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    SUCCEEDED = "succeeded"
    """It can be attached. An image is so at once."""
    FAILED = "failed"


class Processing(msgspec.Struct, frozen=True):
    """How far X is with a file."""

    state: ProcessingState
    check_after: timedelta | None = None
    """When X wants to be asked again, in wall time; None once it is done."""
    reason: str | None = None
    """Of a failure, in X's words."""


class UploadState(msgspec.Struct, frozen=True, kw_only=True):
    """What another process needs to go on with an upload; there is no secret in it.

    `msgspec.json.encode(state)` and `msgspec.json.decode(kept, type=UploadState)` keep it.
    """

    media_id: XMediaId
    media_key: str | None
    """None where X has not told it yet."""
    total_bytes: int
    segment_bytes: int
    content_mark: str
    """By which it is seen that the content is still the same: a digest of its bytes where one is
    known, else when the file was last changed."""
    acknowledged: tuple[int, ...] = ()
    """The segments that X has, by number."""
    expires_at: datetime
    """After that X forgets it unless it is attached; in the client's domain time."""
    upload_api: UploadApi = UploadApi.V2
    processing: Processing | None = None
    """What X said at finalize; None before."""

    @property
    def finalized(self) -> bool:
        """Whether X has the file whole."""
        return self.processing is not None

    @property
    def acknowledged_bytes(self) -> int:
        """How much X has."""
        whole = len(self.acknowledged) * self.segment_bytes
        last = -(-self.total_bytes // self.segment_bytes) - 1
        return whole - (-self.total_bytes % self.segment_bytes if last in self.acknowledged else 0)

    def missing(self) -> list[int]:
        """The segments that X does not have yet."""
        there = frozenset(self.acknowledged)
        return [n for n in range(-(-self.total_bytes // self.segment_bytes)) if n not in there]


@dataclass(frozen=True, slots=True)
class UploadedMedia:
    """A file that X holds for this account."""

    media_id: XMediaId
    """What a post attaches."""
    media_key: str
    """How a post on the timeline names it."""
    expires_after: timedelta
    """How long it may still be attached, in domain time."""
    price: Price
    """Dollars that it cost: $0.005 an alt text, nothing else."""
    rate: tuple[Window, ...]
    """How much X still allows of what was asked last."""
