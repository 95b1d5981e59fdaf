"""X's own endpoints for each step of an upload.

Source: docs.x.com, media/quickstart and OpenAPI 2.167, and what live clients met: finalize wants a
JSON object, segments above 1 MiB are sometimes refused.
"""

from typing import Final

import msgspec

from roost.models import XMediaId
from roost.prices import Operation
from roost.x import answers
from roost.x.media.caller import Caller
from roost.x.media.segment import SEGMENT_PATIENCE, Segment, SegmentBody
from roost.x.request import Request, json_body

_MEDIA: Final = msgspec.json.Decoder(answers.Media)
_NOTHING: Final = msgspec.json.Decoder(answers.Nothing)


async def initialize(
    client: Caller, *, mime_type: str, category: str, total_bytes: int
) -> answers.MediaData:
    """Announce a file."""
    wish: dict[str, str | int] = {
        "media_type": mime_type,
        "total_bytes": total_bytes,
        "media_category": category,
    }
    return await _ask(client, "/2/media/upload/initialize", wish)


async def append(client: Caller, media_id: XMediaId, segment: Segment) -> None:
    """Send a segment; one that comes again replaces itself, as X keeps them by number."""
    request = Request(
        Operation.MEDIA_UPLOAD,
        "POST",
        f"/2/media/upload/{media_id}/append",
        body=lambda: SegmentBody(segment, {"segment_index": str(segment.index)}),
        patience=SEGMENT_PATIENCE,
    )
    await client.call(request, _NOTHING)


async def finalize(client: Caller, media_id: XMediaId) -> answers.MediaData:
    """Say that all segments are there."""
    return await _ask(client, f"/2/media/upload/{media_id}/finalize", {})


async def read_status(client: Caller, media_id: XMediaId) -> answers.MediaData:
    """Ask how far X is. Raises: MediaRejected (also from an answer that says `failed`)."""
    request = Request(
        Operation.MEDIA_STATUS,
        "GET",
        "/2/media/upload",
        params={"command": "STATUS", "media_id": media_id},
    )
    told, _ = await client.call(request, _MEDIA)
    return told.data


async def describe(client: Caller, media_id: XMediaId, alt_text: str) -> None:
    """Give an alt text; $0.005."""
    body = {"id": media_id, "metadata": {"alt_text": {"text": alt_text}}}
    request = Request(Operation.MEDIA_METADATA, "POST", "/2/media/metadata", body=json_body(body))
    await client.call(request, _NOTHING)


async def add_subtitles(
    client: Caller, media_id: XMediaId, track: XMediaId, language_code: str, display_name: str
) -> None:
    """Tie uploaded subtitles to an uploaded video."""
    body = {
        "id": media_id,
        "media_category": "TweetVideo",
        "subtitles": {"id": track, "language_code": language_code, "display_name": display_name},
    }
    request = Request(Operation.MEDIA_SUBTITLES, "POST", "/2/media/subtitles", body=json_body(body))
    await client.call(request, _NOTHING)


async def _ask(client: Caller, path: str, body: dict[str, str | int]) -> answers.MediaData:
    request = Request(Operation.MEDIA_UPLOAD, "POST", path, body=json_body(body))
    told, _ = await client.call(request, _MEDIA)
    return told.data
