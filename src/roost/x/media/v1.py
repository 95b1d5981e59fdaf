"""Uploads through API v1.1: one URL, and the commands INIT, APPEND, FINALIZE and STATUS.

Requests are signed with OAuth 1.0a. X announced the end of this API for 2025; whether the API still
works is not known. The signature covers form parameters, but not multipart and JSON bodies.

Source: developer.x.com, media/upload-media (API 1.1).
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from roost.models import XMediaId
from roost.prices import Operation
from roost.x import errors, schemas
from roost.x.media.metered import UploadClient
from roost.x.media.segment import SEGMENT_TIMEOUTS, Segment, SegmentBody
from roost.x.request import Credential, Host, Request, json_body

_MEDIA: Final = msgspec.json.Decoder(schemas.MediaResponseV1)
_NO_CONTENT: Final = msgspec.json.Decoder(schemas.NoContent)
_PATH: Final = "/1.1/media/upload.json"


async def initialize(
    client: UploadClient, *, mime_type: str, category: str, total_bytes: int
) -> schemas.MediaData:
    """Announce a file to X, which returns the media id of the upload.

    Raises: AppMisconfigured if X reports that it no longer serves this API, or if the URL does not
    exist (X may remove the API without an error of its own).
    """
    form = {
        "command": "INIT",
        "total_bytes": str(total_bytes),
        "media_type": mime_type,
        "media_category": category,
    }
    try:
        return await _post_form(client, form)
    except (errors.AppMisconfigured, errors.XUnavailable) as refusal:
        is_gone = refusal.receipt is not None and refusal.receipt.status in {404, 410}
        if isinstance(refusal, errors.XUnavailable) and not is_gone:
            raise
        raise errors.AppMisconfigured(
            f"X does not accept uploads through API v1.1 from this app: {refusal.message}",
            next='Upload through API v2 (`upload_api="v2"`).',
            **refusal.facts,
        ) from refusal


async def append(client: UploadClient, media_id: XMediaId, segment: Segment) -> None:
    """Send a segment. A repetition is safe: X replaces the segment with the same number."""
    fields = {"command": "APPEND", "media_id": media_id, "segment_index": str(segment.index)}
    request = Request(
        Operation.MEDIA_UPLOAD,
        "POST",
        _PATH,
        body=lambda: SegmentBody(segment, fields),
        host=Host.UPLOAD,
        credential=Credential.SIGNED,
        timeouts=SEGMENT_TIMEOUTS,
    )
    await client.call(request, _NO_CONTENT)


async def finalize(client: UploadClient, media_id: XMediaId) -> schemas.MediaData:
    """Tell X that all segments have been sent."""
    return await _post_form(client, {"command": "FINALIZE", "media_id": media_id})


async def read_status(client: UploadClient, media_id: XMediaId) -> schemas.MediaData:
    """Read how far X has processed the file.

    Raises: MediaRejected, also if processing failed.
    """
    request = Request(
        Operation.MEDIA_STATUS,
        "GET",
        _PATH,
        params={"command": "STATUS", "media_id": media_id},
        host=Host.UPLOAD,
        credential=Credential.SIGNED,
    )
    body, _ = await client.call(request, _MEDIA)
    return body.data


async def set_alt_text(client: UploadClient, media_id: XMediaId, alt_text: str) -> None:
    """Set the alt text of a file; X bills $0.005."""
    body = {"media_id": media_id, "alt_text": {"text": alt_text}}
    await _post_json(client, Operation.MEDIA_METADATA, "/1.1/media/metadata/create.json", body)


async def add_subtitles(
    client: UploadClient,
    media_id: XMediaId,
    track: XMediaId,
    language_code: str,
    display_name: str,
) -> None:
    """Attach uploaded subtitles to an uploaded video."""
    subtitle = {"media_id": track, "language_code": language_code, "display_name": display_name}
    body = {
        "media_id": media_id,
        "media_category": "TweetVideo",
        "subtitle_info": {"subtitles": [subtitle]},
    }
    await _post_json(client, Operation.MEDIA_SUBTITLES, "/1.1/media/subtitles/create.json", body)


async def _post_form(client: UploadClient, form: Mapping[str, str]) -> schemas.MediaData:
    request = Request(
        Operation.MEDIA_UPLOAD,
        "POST",
        _PATH,
        form=form,
        host=Host.UPLOAD,
        credential=Credential.SIGNED,
    )
    body, _ = await client.call(request, _MEDIA)
    return body.data


async def _post_json(client: UploadClient, operation: Operation, path: str, body: object) -> None:
    request = Request(
        operation,
        "POST",
        path,
        body=json_body(body),
        host=Host.UPLOAD,
        credential=Credential.SIGNED,
    )
    await client.call(request, _NO_CONTENT)
