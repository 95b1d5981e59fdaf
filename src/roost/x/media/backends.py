"""The steps of an upload, which X offers through two APIs: v2 and v1.1."""

from typing import Protocol

from roost.models import XMediaId
from roost.x import schemas
from roost.x.media import v1, v2
from roost.x.media.metered import UploadClient
from roost.x.media.segment import Segment
from roost.x.media.state import UploadApi


class UploadBackend(Protocol):
    """One of X's upload APIs. Each function sends one request.

    Raises: the errors of `Client.call`.
    """

    async def initialize(
        self, client: UploadClient, *, mime_type: str, category: str, total_bytes: int
    ) -> schemas.MediaData:
        """Announce a file to X, which returns the media id of the upload."""
        ...

    async def append(self, client: UploadClient, media_id: XMediaId, segment: Segment) -> None:
        """Send a segment. A repetition is safe: X replaces the segment with the same number."""
        ...

    async def finalize(self, client: UploadClient, media_id: XMediaId) -> schemas.MediaData:
        """Tell X that all segments have been sent."""
        ...

    async def read_status(self, client: UploadClient, media_id: XMediaId) -> schemas.MediaData:
        """Read how far X has processed the file.

        Raises: MediaRejected, also if processing failed.
        """
        ...

    async def set_alt_text(self, client: UploadClient, media_id: XMediaId, alt_text: str) -> None:
        """Set the alt text of a file; X bills $0.005."""
        ...

    async def add_subtitles(
        self,
        client: UploadClient,
        media_id: XMediaId,
        track: XMediaId,
        language_code: str,
        display_name: str,
    ) -> None:
        """Attach uploaded subtitles to an uploaded video."""
        ...


def backend_for(upload_api: UploadApi) -> UploadBackend:
    """Return the module with the functions of an upload API."""
    match upload_api:
        case UploadApi.V2:
            return v2
        case UploadApi.V1_1:
            return v1
