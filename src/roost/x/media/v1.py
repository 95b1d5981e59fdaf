"""The older way: one address, commands INIT, APPEND, FINALIZE and STATUS, signed by OAuth 1.0a.

X has announced its end for 2025; whether it still answers is not known. Form parameters are part
of the signature, multipart and JSON bodies are not.

Source: developer.x.com, media/upload-media (API 1.1).
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from roost.models import XMediaId
from roost.prices import Operation
from roost.x import answers, errors
from roost.x.media.caller import Caller
from roost.x.media.segment import SEGMENT_PATIENCE, Segment, SegmentBody
from roost.x.request import Credential, Host, Request, json_body

_MEDIA: Final = msgspec.json.Decoder(answers.LegacyMedia)
_NOTHING: Final = msgspec.json.Decoder(answers.Nothing)
_PATH: Final = "/1.1/media/upload.json"


async def initialize(
    client: Caller, *, mime_type: str, category: str, total_bytes: int
) -> answers.MediaData:
    """Announce a file.

    Raises: AppMisconfigured (X does not serve this API any more: it says so, or there is nothing
    at the address, which X is known to announce without a word).
    """
    form = {
        "command": "INIT",
        "total_bytes": str(total_bytes),
        "media_type": mime_type,
        "media_category": category,
    }
    try:
        return await _ask(client, form)
    except (errors.AppMisconfigured, errors.XUnavailable) as refusal:
        is_gone = refusal.receipt is not None and refusal.receipt.status in {404, 410}
        if isinstance(refusal, errors.XUnavailable) and not is_gone:
            raise
        raise errors.AppMisconfigured(
            f"X does not take uploads by its API 1.1 from this app: {refusal.message}",
            next='Upload by the API v2 (`upload_api="v2"`).',
            **refusal.facts,
        ) from refusal


async def append(client: Caller, media_id: XMediaId, segment: Segment) -> None:
    """Send a segment; one that comes again replaces itself, as X keeps them by number."""
    fields = {"command": "APPEND", "media_id": media_id, "segment_index": str(segment.index)}
    request = Request(
        Operation.MEDIA_UPLOAD,
        "POST",
        _PATH,
        body=lambda: SegmentBody(segment, fields),
        host=Host.UPLOAD,
        credential=Credential.SIGNED,
        patience=SEGMENT_PATIENCE,
    )
    await client.call(request, _NOTHING)


async def finalize(client: Caller, media_id: XMediaId) -> answers.MediaData:
    """Say that all segments are there."""
    return await _ask(client, {"command": "FINALIZE", "media_id": media_id})


async def read_status(client: Caller, media_id: XMediaId) -> answers.MediaData:
    """Ask how far X is. Raises: MediaRejected (also from an answer that says `failed`)."""
    request = Request(
        Operation.MEDIA_STATUS,
        "GET",
        _PATH,
        params={"command": "STATUS", "media_id": media_id},
        host=Host.UPLOAD,
        credential=Credential.SIGNED,
    )
    told, _ = await client.call(request, _MEDIA)
    return told.data


async def describe(client: Caller, media_id: XMediaId, alt_text: str) -> None:
    """Give an alt text; $0.005."""
    body = {"media_id": media_id, "alt_text": {"text": alt_text}}
    await _tell(client, Operation.MEDIA_METADATA, "/1.1/media/metadata/create.json", body)


async def add_subtitles(
    client: Caller, media_id: XMediaId, track: XMediaId, language_code: str, display_name: str
) -> None:
    """Tie uploaded subtitles to an uploaded video."""
    told = {"media_id": track, "language_code": language_code, "display_name": display_name}
    body = {
        "media_id": media_id,
        "media_category": "TweetVideo",
        "subtitle_info": {"subtitles": [told]},
    }
    await _tell(client, Operation.MEDIA_SUBTITLES, "/1.1/media/subtitles/create.json", body)


async def _ask(client: Caller, form: Mapping[str, str]) -> answers.MediaData:
    request = Request(
        Operation.MEDIA_UPLOAD,
        "POST",
        _PATH,
        form=form,
        host=Host.UPLOAD,
        credential=Credential.SIGNED,
    )
    told, _ = await client.call(request, _MEDIA)
    return told.data


async def _tell(client: Caller, operation: Operation, path: str, body: object) -> None:
    request = Request(
        operation,
        "POST",
        path,
        body=json_body(body),
        host=Host.UPLOAD,
        credential=Credential.SIGNED,
    )
    await client.call(request, _NOTHING)
