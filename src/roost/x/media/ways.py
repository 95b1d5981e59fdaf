"""The steps that both of X's ways of uploading have."""

from typing import Protocol

from roost.models import XMediaId
from roost.x import answers
from roost.x.media import v1, v2
from roost.x.media.caller import Caller
from roost.x.media.segment import Segment
from roost.x.media.state import UploadApi


class Way(Protocol):
    """One of X's ways; each function is one request, and raises what `Client.call` does."""

    async def initialize(
        self, client: Caller, *, mime_type: str, category: str, total_bytes: int
    ) -> answers.MediaData:
        """Announce a file."""
        ...

    async def append(self, client: Caller, media_id: XMediaId, segment: Segment) -> None:
        """Send a segment; one that comes again replaces itself, as X keeps them by number."""
        ...

    async def finalize(self, client: Caller, media_id: XMediaId) -> answers.MediaData:
        """Say that all segments are there."""
        ...

    async def read_status(self, client: Caller, media_id: XMediaId) -> answers.MediaData:
        """Ask how far X is. Raises: MediaRejected (also from an answer that says `failed`)."""
        ...

    async def describe(self, client: Caller, media_id: XMediaId, alt_text: str) -> None:
        """Give an alt text; $0.005."""
        ...

    async def add_subtitles(
        self,
        client: Caller,
        media_id: XMediaId,
        track: XMediaId,
        language_code: str,
        display_name: str,
    ) -> None:
        """Tie uploaded subtitles to an uploaded video."""
        ...


def way_of(upload_api: UploadApi) -> Way:
    """The functions of a way."""
    match upload_api:
        case UploadApi.V2:
            return v2
        case UploadApi.V1_1:
            return v1
