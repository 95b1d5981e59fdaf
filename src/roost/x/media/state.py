"""The progress of an upload, as a value that can be stored to resume the upload later."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from roost.models import XMediaId
from roost.prices import Price
from roost.rate_limits import Window


class UploadApi(StrEnum):
    """X's two upload APIs."""

    V2 = "v2"
    V1_1 = "v1.1"
    """The older API: it accepts only OAuth 1.0a, and X has announced its end."""


class ProcessingState(StrEnum):
    """The state of X's processing of an uploaded file."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    SUCCEEDED = "succeeded"
    """The file can be attached. Images succeed immediately."""
    FAILED = "failed"


class Processing(msgspec.Struct, frozen=True):
    """X's progress in processing an uploaded file."""

    state: ProcessingState
    check_after: timedelta | None = None
    """Wall time to wait before X is asked again; None once processing has ended."""
    reason: str | None = None
    """X's reason for a failure."""


class UploadState(msgspec.Struct, frozen=True, kw_only=True):
    """The data that another process needs to resume an upload; it contains no secret.

    Store it with `msgspec.json.encode(state)`, and load it with
    `msgspec.json.decode(stored, type=UploadState)`.
    """

    media_id: XMediaId
    media_key: str | None
    """X's key of the file; None until X has returned one."""
    total_bytes: int
    segment_bytes: int
    fingerprint: str
    """The identity of the content: a digest of its bytes if this is known, or else the file's size
    and the time of its last change."""
    acknowledged: tuple[int, ...] = ()
    """The numbers of the segments that X has received."""
    expires_at: datetime
    """The time at which X discards the upload unless a post has attached it, in the client's domain
    time."""
    upload_api: UploadApi = UploadApi.V2
    processing: Processing | None = None
    """X's latest progress; None before the upload is finalized."""

    @property
    def finalized(self) -> bool:
        """Whether X has received the whole file."""
        return self.processing is not None

    @property
    def acknowledged_bytes(self) -> int:
        """The number of bytes that X has received."""
        whole = len(self.acknowledged) * self.segment_bytes
        last = -(-self.total_bytes // self.segment_bytes) - 1
        return whole - (-self.total_bytes % self.segment_bytes if last in self.acknowledged else 0)

    def missing(self) -> list[int]:
        """Return the numbers of the segments that X does not have yet."""
        acknowledged = frozenset(self.acknowledged)
        count = -(-self.total_bytes // self.segment_bytes)
        return [index for index in range(count) if index not in acknowledged]


@dataclass(frozen=True, slots=True)
class UploadedMedia:
    """A file that X stores for this account."""

    media_id: XMediaId
    """The id by which a post attaches the file."""
    media_key: str
    """The key that identifies the file in a post on the timeline."""
    expires_after: timedelta
    """The duration for which a post can still attach the file, in domain time."""
    price: Price
    """The price in US dollars: $0.005 for an alt text, otherwise 0."""
    rate: tuple[Window, ...]
    """The rate limits that the last response reported."""
