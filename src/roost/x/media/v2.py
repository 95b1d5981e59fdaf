"""Uploads through API v2, with one endpoint per step.

Source: docs.x.com, media/quickstart; version 2.167 of X's OpenAPI document. Two facts are known
only from programs that upload to X: finalize needs a JSON object as its body, and X sometimes
refuses segments above 1 MiB.
"""

from typing import Final

import msgspec

from roost.models import XMediaId
from roost.prices import Operation
from roost.x import schemas
from roost.x.media.metered import UploadClient
from roost.x.media.segment import SEGMENT_TIMEOUTS, Segment, SegmentBody
from roost.x.request import Request, json_body

_MEDIA: Final = msgspec.json.Decoder(schemas.MediaResponse)
_NO_CONTENT: Final = msgspec.json.Decoder(schemas.NoContent)


async def initialize(
    client: UploadClient, *, mime_type: str, category: str, total_bytes: int
) -> schemas.MediaData:
    """Announce a file to X, which returns the media id of the upload."""
    body: dict[str, str | int] = {
        "media_type": mime_type,
        "total_bytes": total_bytes,
        "media_category": category,
    }
    return await _post(client, "/2/media/upload/initialize", body)


async def append(client: UploadClient, media_id: XMediaId, segment: Segment) -> None:
    """Send a segment. A repetition is safe: X replaces the segment with the same number."""
    request = Request(
        Operation.MEDIA_UPLOAD,
        "POST",
        f"/2/media/upload/{media_id}/append",
        body=lambda: SegmentBody(segment, {"segment_index": str(segment.index)}),
        timeouts=SEGMENT_TIMEOUTS,
    )
    await client.call(request, _NO_CONTENT)


async def finalize(client: UploadClient, media_id: XMediaId) -> schemas.MediaData:
    """Tell X that all segments have been sent."""
    return await _post(client, f"/2/media/upload/{media_id}/finalize", {})


async def read_status(client: UploadClient, media_id: XMediaId) -> schemas.MediaData:
    """Read how far X has processed the file.

    Raises: MediaRejected, also if processing failed.
    """
    request = Request(
        Operation.MEDIA_STATUS,
        "GET",
        "/2/media/upload",
        params={"command": "STATUS", "media_id": media_id},
    )
    body, _ = await client.call(request, _MEDIA)
    return body.data


async def set_alt_text(client: UploadClient, media_id: XMediaId, alt_text: str) -> None:
    """Set the alt text of a file; X bills $0.005."""
    body = {"id": media_id, "metadata": {"alt_text": {"text": alt_text}}}
    request = Request(Operation.MEDIA_METADATA, "POST", "/2/media/metadata", body=json_body(body))
    await client.call(request, _NO_CONTENT)


async def add_subtitles(
    client: UploadClient,
    media_id: XMediaId,
    track: XMediaId,
    language_code: str,
    display_name: str,
) -> None:
    """Attach uploaded subtitles to an uploaded video."""
    body = {
        "id": media_id,
        "media_category": "TweetVideo",
        "subtitles": {"id": track, "language_code": language_code, "display_name": display_name},
    }
    request = Request(Operation.MEDIA_SUBTITLES, "POST", "/2/media/subtitles", body=json_body(body))
    await client.call(request, _NO_CONTENT)


async def _post(client: UploadClient, path: str, body: dict[str, str | int]) -> schemas.MediaData:
    request = Request(Operation.MEDIA_UPLOAD, "POST", path, body=json_body(body))
    response, _ = await client.call(request, _MEDIA)
    return response.data
